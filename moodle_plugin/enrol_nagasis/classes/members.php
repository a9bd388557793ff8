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
 * Writes the members of one course in bulk.
 *
 * @package    enrol_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace enrol_nagasis;

/**
 * Writes the members of one course in bulk: enrolments, their roles and memberships of groups.
 *
 * Moodle's enrol_user(), role_assign() and groups_add_member() take a dozen queries for each person. This writes the same
 * rows in a few statements for all, and then tells everybody whom those functions tell, in their order: the same events
 * and hooks for each person, the same caches once for all. It compares nothing: who calls it knows what is there, holds
 * a transaction, and passes only what is to be changed.
 */
final class members {
    /** @var string Component of what belongs to the plugin. */
    public const COMPONENT = 'enrol_nagasis';

    /** @var int Rows of one statement; databases bound the number of its parameters. */
    private const CHUNK = 5000;

    /** @var \stdClass the enrolment instance, as it is in the database */
    private \stdClass $instance;

    /** @var \context_course */
    private \context_course $context;

    /** @var int */
    private int $now;

    /**
     * Constructor.
     *
     * @param \stdClass $instance a complete record of {enrol}, of this plugin
     */
    public function __construct(\stdClass $instance) {
        $this->instance = $instance;
        $this->context = \context_course::instance($instance->courseid);
        $this->now = \core\di::get(\core\clock::class)->time();
    }

    /**
     * Enrols people who have no enrolment here.
     *
     * @param int[] $roles the role's id, by user id
     */
    public function enrol(array $roles): void {
        global $CFG, $DB, $USER;
        if (!$roles) {
            return;
        }
        $DB->insert_records('user_enrolments', array_map(fn(int $userid): array => [
            'enrolid' => $this->instance->id,
            'status' => ENROL_USER_ACTIVE,
            'userid' => $userid,
            'timestart' => 0,
            'timeend' => 0,
            'modifierid' => $USER->id,
            'timecreated' => $this->now,
            'timemodified' => $this->now,
        ], array_keys($roles)));
        $assignments = $this->insert_roles(array_map(
            fn(int $userid, int $roleid): array => [$userid, $roleid],
            array_keys($roles),
            $roles,
        ));
        $this->context->mark_dirty();
        \core_course_category::user_enrolment_changed($this->instance->courseid, array_key_first($roles), ENROL_USER_ACTIVE);
        foreach (array_unique($roles) as $roleid) {
            \core_course_category::role_assignment_changed($roleid, $this->context);
        }

        $hooks = \core\di::get(\core\hook\manager::class);
        $enrolments = $this->records('user_enrolments', 'userid', array_keys($roles), ['enrolid' => $this->instance->id]);
        foreach ($enrolments as $enrolment) {
            \core\event\user_enrolment_created::create([
                'objectid' => $enrolment->id,
                'courseid' => $this->instance->courseid,
                'context' => $this->context,
                'relateduserid' => $enrolment->userid,
                'other' => ['enrol' => $this->instance->enrol],
            ])->trigger();
            $hooks->dispatch(new \core_enrol\hook\after_user_enrolled(
                enrolinstance: $this->instance,
                userenrolmentinstance: $enrolment,
                roleid: $roles[$enrolment->userid],
            ));
            $this->tell_assigned($assignments[$enrolment->userid]);
        }
        if (!empty($CFG->recovergradesdefault)) {
            $this->recover_grades(array_keys($roles));
        }
        $this->forget_current_user(array_keys($roles));
    }

    /**
     * Suspends people, or lets them in again.
     *
     * @param int[] $userids of people who have an enrolment here with the other status
     * @param int $status ENROL_USER_ACTIVE or ENROL_USER_SUSPENDED
     */
    public function set_status(array $userids, int $status): void {
        global $DB, $USER;
        if (!$userids) {
            return;
        }
        $hooks = \core\di::get(\core\hook\manager::class);
        $enrolments = $this->records('user_enrolments', 'userid', $userids, ['enrolid' => $this->instance->id]);
        foreach ($enrolments as $enrolment) {
            $enrolment->status = $status;
            $hooks->dispatch(new \core_enrol\hook\before_user_enrolment_updated(
                enrolinstance: $this->instance,
                userenrolmentinstance: $enrolment,
                statusmodified: true,
                timeendmodified: false,
            ));
        }
        foreach (array_chunk(array_keys($enrolments), self::CHUNK) as $ids) {
            [$in, $params] = $DB->get_in_or_equal($ids);
            $DB->execute(
                "UPDATE {user_enrolments} SET status = ?, modifierid = ?, timemodified = ? WHERE id $in",
                [$status, $USER->id, $this->now, ...$params],
            );
        }
        $this->context->mark_dirty();
        \cache_helper::invalidate_by_definition('core', 'suspended_userids', [], [$this->instance->courseid]);
        foreach ($enrolments as $enrolment) {
            \core\event\user_enrolment_updated::create([
                'objectid' => $enrolment->id,
                'courseid' => $this->instance->courseid,
                'context' => $this->context,
                'relateduserid' => $enrolment->userid,
                'other' => ['enrol' => $this->instance->enrol],
            ])->trigger();
        }
        // As if everybody had come in: that empties the cache of the course's contacts once, whoever is in it.
        \core_course_category::user_enrolment_changed($this->instance->courseid, reset($userids), ENROL_USER_ACTIVE);
        $this->forget_current_user($userids);
    }

    /**
     * Gives roles to people who are enrolled here.
     *
     * @param array $pairs user id and role id of each
     */
    public function assign(array $pairs): void {
        if (!$pairs) {
            return;
        }
        $assignments = $this->insert_roles($pairs);
        $this->context->mark_dirty();
        foreach (array_unique(array_column($pairs, 1)) as $roleid) {
            \core_course_category::role_assignment_changed($roleid, $this->context);
        }
        foreach ($pairs as [$userid, $roleid]) {
            $this->tell_assigned($assignments[$userid], $roleid);
        }
    }

    /**
     * Takes roles away that belong to the plugin.
     *
     * @param int[] $ids of rows of {role_assignments}
     */
    public function unassign(array $ids): void {
        global $DB;
        if (!$ids) {
            return;
        }
        $assignments = $this->records('role_assignments', 'id', $ids, []);
        foreach (array_chunk($ids, self::CHUNK) as $chunk) {
            $DB->delete_records_list('role_assignments', 'id', $chunk);
        }
        $this->context->mark_dirty();
        $hooks = \core\di::get(\core\hook\manager::class);
        foreach ($assignments as $assignment) {
            $event = \core\event\role_unassigned::create([
                'context' => $this->context,
                'objectid' => $assignment->roleid,
                'relateduserid' => $assignment->userid,
                'other' => [
                    'id' => $assignment->id,
                    'component' => $assignment->component,
                    'itemid' => $assignment->itemid,
                ],
            ]);
            $event->add_record_snapshot('role_assignments', $assignment);
            $event->trigger();
            $hooks->dispatch(new \core\hook\access\after_role_unassigned(
                context: $this->context,
                userid: $assignment->userid,
            ));
        }
        foreach (array_unique(array_column($assignments, 'roleid')) as $roleid) {
            \core_course_category::role_assignment_changed($roleid, $this->context);
        }
    }

    /**
     * Inserts roles of the plugin.
     *
     * @param array $pairs user id and role id of each
     * @return array rows of {role_assignments} by user id and role id
     */
    private function insert_roles(array $pairs): array {
        global $DB, $USER;
        $ours = ['contextid' => $this->context->id, 'component' => self::COMPONENT, 'itemid' => $this->instance->id];
        $DB->insert_records('role_assignments', array_map(fn(array $pair): array => $ours + [
            'roleid' => $pair[1],
            'userid' => $pair[0],
            'timemodified' => $this->now,
            'modifierid' => $USER->id ?: 0,
            'sortorder' => 0,
        ], $pairs));
        $assignments = [];
        foreach ($this->records('role_assignments', 'userid', array_column($pairs, 0), $ours) as $row) {
            $assignments[$row->userid][$row->roleid] = $row;
        }
        return $assignments;
    }

    /**
     * Tells that somebody was given a role.
     *
     * @param \stdClass[] $assignments the person's rows of {role_assignments} by role id
     * @param int|null $roleid which of them is new; null: all
     */
    private function tell_assigned(array $assignments, ?int $roleid = null): void {
        foreach ($roleid === null ? $assignments : [$assignments[$roleid]] as $assignment) {
            $event = \core\event\role_assigned::create([
                'context' => $this->context,
                'objectid' => $assignment->roleid,
                'relateduserid' => $assignment->userid,
                'other' => [
                    'id' => $assignment->id,
                    'component' => $assignment->component,
                    'itemid' => $assignment->itemid,
                ],
            ]);
            $event->add_record_snapshot('role_assignments', $assignment);
            $event->trigger();
            \core\di::get(\core\hook\manager::class)->dispatch(new \core\hook\access\after_role_assigned(
                context: $this->context,
                userid: $assignment->userid,
            ));
        }
    }

    /**
     * Gives people their old grades of this course back, where the site does that for everybody who is enrolled.
     *
     * @param int[] $userids
     */
    private function recover_grades(array $userids): void {
        global $CFG, $DB;
        require_once($CFG->libdir . '/gradelib.php');
        // Who has grades, because of another enrolment, has nothing to recover.
        $graded = $DB->get_fieldset_sql(
            "SELECT DISTINCT gg.userid
               FROM {grade_grades} gg
               JOIN {grade_items} gi ON gi.id = gg.itemid
              WHERE gi.courseid = :courseid",
            ['courseid' => $this->instance->courseid],
        );
        foreach (array_diff($userids, $graded) as $userid) {
            grade_recover_history_grades($userid, $this->instance->courseid);
        }
    }

    /**
     * Makes the session of whoever runs this forget what it knows of this course, if it is about them.
     *
     * @param int[] $userids
     */
    private function forget_current_user(array $userids): void {
        global $USER;
        if (!in_array((int) $USER->id, $userids, true)) {
            return;
        }
        unset($USER->enrol['enrolled'][$this->instance->courseid]);
        if (isset($USER->enrol['tempguest'][$this->instance->courseid])) {
            unset($USER->enrol['tempguest'][$this->instance->courseid]);
            remove_temp_course_roles($this->context);
        }
    }

    /**
     * Reads rows in pieces that every database takes.
     *
     * @param string $table
     * @param string $field
     * @param int[] $values
     * @param array $conditions further ones
     * @return \stdClass[] by id, in its order
     */
    private function records(string $table, string $field, array $values, array $conditions): array {
        global $DB;
        $where = implode('', array_map(fn(string $name): string => " AND $name = :$name", array_keys($conditions)));
        $rows = [];
        foreach (array_chunk($values, self::CHUNK) as $chunk) {
            [$in, $params] = $DB->get_in_or_equal($chunk, SQL_PARAMS_NAMED);
            $rows += $DB->get_records_select($table, "$field $in$where", $params + $conditions, 'id');
        }
        return $rows;
    }
}
