<?php
// This file is part of Moodle - http://moodle.org/
//
// Moodle is free software: you can redistribute it and/or modify
// it under the terms of the GNU General Public License as published by
// the Free Software Foundation, either version 3 of the License, or
// (at your option) any later version.
//
// Moodle is distributed in the hope that it will be useful,
// but WITHOUT ANY WARRANTY; without even the implied warranty of
// MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the
// GNU General Public License for more details.
//
// You should have received a copy of the GNU General Public License
// along with Moodle.  If not, see <http://www.gnu.org/licenses/>.

/**
 * Sends events soon after they happen.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\task;

use local_nagasis\local\outbox\watch;

/**
 * Watches the outbox until cron comes again, so that events arrive within seconds.
 *
 * An ad-hoc task, for those run after all scheduled tasks of their cron process: it fills time in which cron would be idle.
 */
final class watch_outbox extends \core\task\adhoc_task {
    /**
     * The task's name.
     *
     * @return string
     */
    public function get_name(): string {
        return get_string('task_watch_outbox', 'local_nagasis');
    }

    /**
     * One watch at a time.
     *
     * @return int
     */
    protected function get_default_concurrency_limit(): int {
        return 1;
    }

    /**
     * A watch that fails is not repeated: the scheduled task leaves another.
     *
     * @return bool
     */
    public function retry_until_success(): bool {
        return false;
    }

    /**
     * Runs the task.
     */
    public function execute(): void {
        if ((new watch())->run(watch::seconds_left())) {
            watch::leave_next();
        }
    }
}
