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
 * What this plugin knows of people.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\privacy;

use core_privacy\local\metadata\collection;
use core_privacy\local\request\approved_contextlist;
use core_privacy\local\request\approved_userlist;
use core_privacy\local\request\contextlist;
use core_privacy\local\request\transform;
use core_privacy\local\request\userlist;
use core_privacy\local\request\writer;

/**
 * What this plugin knows of people: events that wait to be sent, and what the tool gets.
 *
 * Nothing is kept here once the tool has it; what the tool keeps is deleted there.
 */
final class provider implements
    \core_privacy\local\metadata\provider,
    \core_privacy\local\request\core_userlist_provider,
    \core_privacy\local\request\plugin\provider {
    /** @var string */
    private const TABLE = 'local_nagasis_outbox';

    /**
     * What is kept, and what leaves Moodle.
     *
     * @param collection $collection
     * @return collection
     */
    public static function get_metadata(collection $collection): collection {
        $collection->add_database_table(self::TABLE, [
            'userid' => 'privacy:metadata:outbox:userid',
            'actorid' => 'privacy:metadata:outbox:actorid',
            'type' => 'privacy:metadata:outbox:type',
            'payload' => 'privacy:metadata:outbox:payload',
            'timecreated' => 'privacy:metadata:outbox:timecreated',
        ], 'privacy:metadata:outbox');
        $collection->add_external_location_link('tool', [
            'userid' => 'privacy:metadata:tool:userid',
            'idnumber' => 'privacy:metadata:tool:idnumber',
            'account' => 'privacy:metadata:tool:account',
            'fullname' => 'privacy:metadata:tool:fullname',
            'events' => 'privacy:metadata:tool:events',
            'access' => 'privacy:metadata:tool:access',
            'enrolments' => 'privacy:metadata:tool:enrolments',
            'grades' => 'privacy:metadata:tool:grades',
        ], 'privacy:metadata:tool');
        return $collection;
    }

    /**
     * Where there is something of this person.
     *
     * @param int $userid
     * @return contextlist
     */
    public static function get_contexts_for_userid(int $userid): contextlist {
        global $DB;
        $contextlist = new contextlist();
        if ($DB->record_exists_select(self::TABLE, 'userid = :userid OR actorid = :actorid', self::person($userid))) {
            $contextlist->add_system_context();
        }
        return $contextlist;
    }

    /**
     * Of whom there is something.
     *
     * @param userlist $userlist
     */
    public static function get_users_in_context(userlist $userlist): void {
        if (!$userlist->get_context() instanceof \core\context\system) {
            return;
        }
        $table = '{' . self::TABLE . '}';
        $userlist->add_from_sql('userid', "SELECT DISTINCT userid FROM $table WHERE userid IS NOT NULL", []);
        $userlist->add_from_sql('actorid', "SELECT DISTINCT actorid FROM $table WHERE actorid IS NOT NULL", []);
    }

    /**
     * Gives what there is of a person.
     *
     * @param approved_contextlist $contextlist
     */
    public static function export_user_data(approved_contextlist $contextlist): void {
        global $DB;
        $userid = (int) $contextlist->get_user()->id;
        foreach ($contextlist->get_contexts() as $context) {
            if (!$context instanceof \core\context\system) {
                continue;
            }
            $events = [];
            $select = 'userid = :userid OR actorid = :actorid';
            $rows = $DB->get_recordset_select(self::TABLE, $select, self::person($userid), 'id');
            foreach ($rows as $row) {
                $events[] = [
                    'type' => $row->type,
                    'time' => transform::datetime($row->timecreated),
                    'concerns_you' => transform::yesno((int) $row->userid === $userid),
                    'done_by_you' => transform::yesno((int) $row->actorid === $userid),
                    'details' => json_decode($row->payload, true),
                ];
            }
            $rows->close();
            if ($events) {
                $path = [get_string('pluginname', 'local_nagasis'), get_string('privacy:path:outbox', 'local_nagasis')];
                writer::with_context($context)->export_data($path, (object) ['events' => $events]);
            }
        }
    }

    /**
     * Deletes what there is of everybody.
     *
     * @param \context $context
     */
    public static function delete_data_for_all_users_in_context(\context $context): void {
        global $DB;
        if ($context instanceof \core\context\system) {
            $DB->delete_records_select(self::TABLE, 'userid IS NOT NULL');
            $DB->set_field_select(self::TABLE, 'actorid', null, 'actorid IS NOT NULL');
        }
    }

    /**
     * Deletes what there is of a person.
     *
     * @param approved_contextlist $contextlist
     */
    public static function delete_data_for_user(approved_contextlist $contextlist): void {
        foreach ($contextlist->get_contexts() as $context) {
            if ($context instanceof \core\context\system) {
                self::delete([(int) $contextlist->get_user()->id]);
            }
        }
    }

    /**
     * Deletes what there is of some people.
     *
     * @param approved_userlist $userlist
     */
    public static function delete_data_for_users(approved_userlist $userlist): void {
        if ($userlist->get_context() instanceof \core\context\system) {
            self::delete($userlist->get_userids());
        }
    }

    /**
     * Deletes events that concern these people. Of events that they only caused, say by grading another, the other's part stays.
     *
     * Sending fills the place of an event that had a number already.
     *
     * @param int[] $userids
     */
    private static function delete(array $userids): void {
        global $DB;
        if (!$userids) {
            return;
        }
        [$in, $params] = $DB->get_in_or_equal($userids, SQL_PARAMS_NAMED);
        $DB->delete_records_select(self::TABLE, "userid $in", $params);
        $DB->set_field_select(self::TABLE, 'actorid', null, "actorid $in", $params);
    }

    /**
     * One person, for both columns.
     *
     * @param int $userid
     * @return array
     */
    private static function person(int $userid): array {
        return ['userid' => $userid, 'actorid' => $userid];
    }
}
