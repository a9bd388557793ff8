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
 * What is forwarded to the tool.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

defined('MOODLE_INTERNAL') || die();


// Internal observers run inside the transaction of the change: the row in the outbox is there if, and only if, the change is.
$observers = array_map(
    fn(string $eventname): array => [
        'eventname' => $eventname,
        'callback' => '\local_nagasis\observer::record',
        'internal' => true,
    ],
    [
        '\core\event\user_graded',
        '\core\event\grade_deleted',
        '\core\event\grade_item_created',
        '\core\event\grade_item_updated',
        '\core\event\grade_item_deleted',
        '\mod_assign\event\submission_graded',
        '\mod_assign\event\assessable_submitted',
        '\mod_quiz\event\attempt_submitted',
        '\mod_quiz\event\attempt_graded',
        '\core\event\course_module_completion_updated',
        '\core\event\course_completed',
        '\core\event\user_enrolment_created',
        '\core\event\user_enrolment_updated',
        '\core\event\user_enrolment_deleted',
        '\core\event\role_assigned',
        '\core\event\role_unassigned',
        '\core\event\group_created',
        '\core\event\group_updated',
        '\core\event\group_deleted',
        '\core\event\group_member_added',
        '\core\event\group_member_removed',
        '\core\event\course_created',
        '\core\event\course_updated',
        '\core\event\course_deleted',
        '\core\event\course_restored',
        '\core\event\course_reset_ended',
        '\core\event\course_section_created',
        '\core\event\course_section_updated',
        '\core\event\course_section_deleted',
        '\core\event\course_module_created',
        '\core\event\course_module_updated',
        '\core\event\course_module_deleted',
        '\core\event\course_category_created',
        '\core\event\course_category_updated',
        '\core\event\course_category_deleted',
        '\core\event\user_created',
        '\core\event\user_updated',
        '\core\event\user_deleted',
        '\core\event\user_loggedin',
    ],
);
