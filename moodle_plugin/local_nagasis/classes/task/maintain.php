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
 * Renews the token and keeps the outbox within its bounds.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\task;

use local_nagasis\local\outbox\outbox;
use local_nagasis\local\pairing\token;
use local_nagasis\local\provision\{course_parts, gradebook_index};
use local_nagasis\local\signin\signin;
use local_nagasis\local\tool\client;

/**
 * Renews the token in time and keeps the outbox within its bounds.
 */
final class maintain extends \core\task\scheduled_task {
    /**
     * The task's name.
     *
     * @return string
     */
    public function get_name(): string {
        return get_string('task_maintain', 'local_nagasis');
    }

    /**
     * Runs the task.
     */
    public function execute(): void {
        course_parts::forget_deleted();
        gradebook_index::forget_deleted();
        if (!client::paired()) {
            return;
        }
        $forgotten = outbox::thin();
        if ($forgotten) {
            mtrace("forgot $forgotten events of activity: the outbox was full");
        }
        token::renew_if_due();
        signin::maintain();
    }
}
