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
 * Enrolments that the SIS owns.
 *
 * @package    enrol_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

defined('MOODLE_INTERNAL') || die();

/**
 * Enrolments that the SIS owns: one instance a course, made when its first roster comes, and edited by nobody by hand.
 *
 * Much of what keeps them the SIS's is what a plugin allows by default, which is nothing: nobody enrols others through
 * it, unenrols them, changes their enrolment or leaves by himself; its roles are protected; and a course that is restored,
 * copied or imported elsewhere carries neither the instance nor its enrolments, roles and memberships of groups, because
 * those are of the class and not of its materials. The tests hold all of that.
 */
class enrol_nagasis_plugin extends enrol_plugin {
    /**
     * Adds the instance, of which a course has one.
     *
     * @param stdClass $course
     * @param array|null $fields
     * @return int id of the instance, also if it was there already
     */
    public function add_instance($course, ?array $fields = null) {
        global $DB;
        $existing = $DB->get_field('enrol', 'MIN(id)', ['courseid' => $course->id, 'enrol' => $this->get_name()]);
        return $existing ? (int) $existing : parent::add_instance($course, $fields);
    }

    /**
     * Nobody adds the instance by hand: the first roster does.
     *
     * @param int $courseid
     * @return bool
     */
    public function can_add_instance($courseid) {
        return false;
    }

    /**
     * There is nothing to edit.
     *
     * @param stdClass $instance
     * @return bool
     */
    public function can_edit_instance($instance) {
        return false;
    }

    /**
     * Only an administrator may delete the instance: the grades of those who are enrolled by no other way go with it.
     *
     * @param stdClass $instance
     * @return bool
     */
    public function can_delete_instance($instance) {
        return has_capability('enrol/nagasis:config', context_course::instance($instance->courseid));
    }

    /**
     * Only an administrator may switch the instance off. While it is off, the course's roster is refused.
     *
     * @param stdClass $instance
     * @return bool
     */
    public function can_hide_show_instance($instance) {
        return has_capability('enrol/nagasis:config', context_course::instance($instance->courseid));
    }
}

/**
 * Whether somebody may be taken out of a group, into which the SIS has put them, by hand.
 *
 * @param int $itemid id of the enrolment instance
 * @param int $groupid
 * @param int $userid
 * @return bool only when the SIS has nothing to say here any more
 */
function enrol_nagasis_allow_group_member_remove($itemid, $groupid, $userid) {
    global $DB;
    // A group whose idnumber somebody has taken away is none of the SIS's any more.
    return !enrol_is_enabled('nagasis') || (string) $DB->get_field('groups', 'idnumber', ['id' => $groupid]) === '';
}
