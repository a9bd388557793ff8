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
 * Writes the members of a group in bulk.
 *
 * @package    enrol_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace enrol_nagasis;

/**
 * Writes the memberships of one group that belong to the plugin, in bulk; to groups what members is to enrolments.
 */
final class group_members {
    /** @var int Rows of one statement; databases bound the number of its parameters. */
    private const CHUNK = 5000;

    /** @var \stdClass the group, as it is in the database */
    private \stdClass $group;

    /** @var int id of the enrolment instance */
    private int $instanceid;

    /** @var \context_course */
    private \context_course $context;

    /** @var int */
    private int $now;

    /**
     * Constructor.
     *
     * @param \stdClass $group a complete record of {groups}
     * @param int $instanceid id of the course's enrolment instance
     */
    public function __construct(\stdClass $group, int $instanceid) {
        $this->group = $group;
        $this->instanceid = $instanceid;
        $this->context = \context_course::instance($group->courseid);
        $this->now = \core\di::get(\core\clock::class)->time();
    }

    /**
     * Adds people who are enrolled and not in the group.
     *
     * @param int[] $userids
     */
    public function add(array $userids): void {
        global $DB;
        if (!$userids) {
            return;
        }
        $DB->insert_records('groups_members', array_map(fn(int $userid): array => [
            'groupid' => $this->group->id,
            'userid' => $userid,
            'timeadded' => $this->now,
            'component' => members::COMPONENT,
            'itemid' => $this->instanceid,
        ], $userids));
        $this->touch($userids);
        if ($conversation = $this->conversation()) {
            \core_message\api::add_members_to_conversation($userids, $conversation->id);
        }
        foreach ($userids as $userid) {
            $event = \core\event\group_member_added::create([
                'context' => $this->context,
                'objectid' => $this->group->id,
                'relateduserid' => $userid,
                'other' => ['component' => members::COMPONENT, 'itemid' => $this->instanceid],
            ]);
            $event->add_record_snapshot('groups', $this->group);
            $event->trigger();
        }
        \core\di::get(\core\hook\manager::class)->dispatch(
            new \core_group\hook\after_group_membership_added(groupinstance: $this->group, userids: $userids),
        );
    }

    /**
     * Makes memberships the plugin's that somebody had made by hand. Nobody comes or goes, so nobody is told.
     *
     * @param int[] $ids of rows of {groups_members}
     */
    public function adopt(array $ids): void {
        global $DB;
        foreach (array_chunk($ids, self::CHUNK) as $chunk) {
            [$in, $params] = $DB->get_in_or_equal($chunk);
            $DB->execute(
                "UPDATE {groups_members} SET component = ?, itemid = ? WHERE id $in",
                [members::COMPONENT, $this->instanceid, ...$params],
            );
        }
    }

    /**
     * Takes people out of the group.
     *
     * @param int[] $userids of people whose membership is the plugin's
     */
    public function remove(array $userids): void {
        global $DB;
        if (!$userids) {
            return;
        }
        foreach (array_chunk($userids, self::CHUNK) as $chunk) {
            [$in, $params] = $DB->get_in_or_equal($chunk);
            $DB->delete_records_select('groups_members', "groupid = ? AND userid $in", [$this->group->id, ...$params]);
        }
        $this->touch($userids);
        if ($conversation = $this->conversation()) {
            \core_message\api::remove_members_from_conversation($userids, $conversation->id);
        }
        foreach ($userids as $userid) {
            $event = \core\event\group_member_removed::create([
                'context' => $this->context,
                'objectid' => $this->group->id,
                'relateduserid' => $userid,
            ]);
            $event->add_record_snapshot('groups', $this->group);
            $event->trigger();
        }
        \core\di::get(\core\hook\manager::class)->dispatch(
            new \core_group\hook\after_group_membership_removed(groupinstance: $this->group, userids: $userids),
        );
    }

    /**
     * Says that the group has changed.
     *
     * @param int[] $userids who came or went
     */
    private function touch(array $userids): void {
        global $DB;
        $DB->set_field('groups', 'timemodified', $this->now, ['id' => $this->group->id]);
        $this->group->timemodified = $this->now;
        \cache_helper::invalidate_by_definition('core', 'user_group_groupings', [], $userids);
    }

    /**
     * The group's conversation.
     *
     * @return \stdClass|null null if it has none
     */
    private function conversation(): ?\stdClass {
        return \core_message\api::get_conversation_by_area('core_group', 'groups', $this->group->id, $this->context->id) ?: null;
    }
}
