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
 * What Moodle does not remove by itself when the plugin goes.
 *
 * @package    enrol_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

/**
 * Removes memberships of groups that the plugin owns. Moodle removes the roles, enrolments and instances after this, in
 * the same way: without an event for each.
 *
 * @return bool
 */
function xmldb_enrol_nagasis_uninstall() {
    global $DB;
    $ours = ['component' => 'enrol_nagasis'];
    $groups = $DB->get_recordset_sql(
        "SELECT DISTINCT g.id, g.courseid
           FROM {groups} g
           JOIN {groups_members} gm ON gm.groupid = g.id
          WHERE gm.component = :component",
        $ours,
    );
    foreach ($groups as $group) {
        $context = \context_course::instance($group->courseid);
        $conversation = \core_message\api::get_conversation_by_area('core_group', 'groups', $group->id, $context->id);
        if ($conversation) {
            $userids = $DB->get_fieldset_select(
                'groups_members',
                'userid',
                'groupid = :groupid AND component = :component',
                ['groupid' => $group->id] + $ours,
            );
            \core_message\api::remove_members_from_conversation($userids, $conversation->id);
        }
    }
    $groups->close();
    $DB->delete_records('groups_members', $ours);
    \cache_helper::purge_by_definition('core', 'user_group_groupings');
    return true;
}
