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
 * Privacy.
 *
 * @package    enrol_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace enrol_nagasis\privacy;

use core_group\privacy\provider as groups;
use core_privacy\local\metadata\collection;
use core_privacy\local\request\approved_contextlist;
use core_privacy\local\request\approved_userlist;
use core_privacy\local\request\contextlist;
use core_privacy\local\request\userlist;

/**
 * What is personal here: memberships of groups that belong to the plugin.
 *
 * Enrolments and roles are the affair of Moodle's own providers, whichever plugin made them.
 */
final class provider implements
    \core_privacy\local\metadata\provider,
    \core_privacy\local\request\core_userlist_provider,
    \core_privacy\local\request\plugin\provider {
    /** @var string */
    private const COMPONENT = 'enrol_nagasis';

    /**
     * Describes what is stored.
     *
     * @param collection $collection
     * @return collection
     */
    public static function get_metadata(collection $collection): collection {
        return $collection->add_subsystem_link('core_group', [], 'privacy:metadata:core_group');
    }

    /**
     * The courses in which somebody is in a group by the SIS.
     *
     * @param int $userid
     * @return contextlist
     */
    public static function get_contexts_for_userid(int $userid): contextlist {
        return groups::get_contexts_for_group_member($userid, self::COMPONENT);
    }

    /**
     * Who is in a group of the course by the SIS.
     *
     * @param userlist $userlist
     */
    public static function get_users_in_context(userlist $userlist): void {
        if ($userlist->get_context() instanceof \context_course) {
            groups::get_group_members_in_context($userlist, self::COMPONENT);
        }
    }

    /**
     * Exports memberships.
     *
     * @param approved_contextlist $contextlist
     */
    public static function export_user_data(approved_contextlist $contextlist): void {
        foreach ($contextlist as $context) {
            if ($context instanceof \context_course) {
                groups::export_groups($context, self::COMPONENT, [get_string('pluginname', self::COMPONENT)]);
            }
        }
    }

    /**
     * Deletes the memberships of one course.
     *
     * @param \context $context
     */
    public static function delete_data_for_all_users_in_context(\context $context): void {
        if ($context instanceof \context_course) {
            groups::delete_groups_for_all_users($context, self::COMPONENT);
        }
    }

    /**
     * Deletes one person's memberships.
     *
     * @param approved_contextlist $contextlist
     */
    public static function delete_data_for_user(approved_contextlist $contextlist): void {
        groups::delete_groups_for_user($contextlist, self::COMPONENT);
    }

    /**
     * Deletes memberships of some people in one course.
     *
     * @param approved_userlist $userlist
     */
    public static function delete_data_for_users(approved_userlist $userlist): void {
        if ($userlist->get_context() instanceof \context_course) {
            groups::delete_groups_for_users($userlist, self::COMPONENT);
        }
    }
}
