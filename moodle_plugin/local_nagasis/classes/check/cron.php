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
 * Whether cron runs our tasks.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\check;

use core\check\result;
use core\task\manager;
use local_nagasis\task\maintain;
use local_nagasis\task\send_events;

/**
 * Whether cron runs, and our tasks with it: without it nothing reaches the tool.
 */
final class cron extends naga_check {
    /** @var int Seconds: cron should come each minute. */
    private const WARNING = 200;

    /** @var int Seconds after which events are so late that it hurts. */
    private const ERROR = HOURSECS;

    #[\Override]
    public function get_action_link(): ?\action_link {
        return new \action_link(
            new \moodle_url('/admin/tool/task/scheduledtasks.php'),
            get_string('scheduledtasks', 'tool_task'),
        );
    }

    #[\Override]
    public function get_result(): result {
        foreach ([send_events::class, maintain::class] as $class) {
            $task = manager::get_scheduled_task($class);
            if (!$task || $task->get_disabled()) {
                return $this->finding(result::ERROR, 'disabled', $task ? $task->get_name() : $class);
            }
            if ($task->get_fail_delay()) {
                return $this->finding(result::WARNING, 'failing', $task->get_name());
            }
        }
        $last = (int) get_config('tool_task', 'lastcronstart');
        if (!$last) {
            return $this->finding(result::ERROR, 'never');
        }
        $age = self::now() - $last;
        if ($age > self::WARNING) {
            return $this->finding($age > self::ERROR ? result::ERROR : result::WARNING, 'late', format_time($age));
        }
        return $this->finding(result::OK, 'ok');
    }
}
