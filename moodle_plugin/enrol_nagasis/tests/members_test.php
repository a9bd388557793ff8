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
 * Tests of the bulk writer.
 *
 * @package    enrol_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace enrol_nagasis;

/**
 * The bulk writer does to a course, its log and its caches what Moodle's own functions do for each person.
 *
 * @covers \enrol_nagasis\members
 * @covers \enrol_nagasis\group_members
 */
final class members_test extends \advanced_testcase {
    /** @var \stdClass */
    private \stdClass $course;

    /** @var \stdClass the enrolment instance */
    private \stdClass $instance;

    /** @var int[] */
    private array $userids;

    /** @var int */
    private int $studentrole;

    /** @var int */
    private int $teacherrole;

    /**
     * A course with an instance, and people who are not in it.
     */
    protected function setUp(): void {
        global $DB;
        parent::setUp();
        $this->resetAfterTest();
        $this->preventResetByRollback();
        \core\plugininfo\enrol::enable_plugin('nagasis', 1);
        $this->course = $this->getDataGenerator()->create_course();
        $this->instance = $this->instance_of($this->course);
        $this->userids = array_map(fn(): int => (int) $this->getDataGenerator()->create_user()->id, range(1, 3));
        $this->studentrole = (int) $DB->get_field('role', 'id', ['shortname' => 'student']);
        $this->teacherrole = (int) $DB->get_field('role', 'id', ['shortname' => 'editingteacher']);
    }

    /**
     * Makes an instance.
     *
     * @param \stdClass $course
     * @return \stdClass
     */
    private function instance_of(\stdClass $course): \stdClass {
        global $DB;
        return $DB->get_record('enrol', ['id' => enrol_get_plugin('nagasis')->add_instance($course)], '*', MUST_EXIST);
    }

    /**
     * Rows of one table, without what can't be equal in two courses.
     *
     * @param string $table
     * @param array $conditions
     * @return array
     */
    private function rows(string $table, array $conditions): array {
        global $DB;
        $free = array_flip([
            'id', 'enrolid', 'itemid', 'contextid', 'groupid', 'timecreated', 'timemodified', 'timeadded',
        ]);
        return array_values(array_map(
            fn(\stdClass $row): array => array_diff_key((array) $row, $free),
            $DB->get_records($table, $conditions, 'userid'),
        ));
    }

    /**
     * Events, without what can't be equal in two courses.
     *
     * @param \core\event\base[] $events
     * @param string|null $name only these
     * @return array
     */
    private function told(array $events, ?string $name = null): array {
        $told = [];
        foreach ($events as $event) {
            $data = $event->get_data();
            $other = $data['other'] ?? [];
            unset($other['id'], $other['itemid']);
            if ($name === null || $event instanceof $name) {
                $told[] = [$data['eventname'], (int) $data['relateduserid'], (int) $data['userid'], $data['crud'], $other];
            }
        }
        sort($told);
        return $told;
    }

    public function test_enrols_as_moodle_does(): void {
        $this->setAdminUser();
        $roles = array_fill_keys($this->userids, $this->studentrole);
        $sink = $this->redirectEvents();
        (new members($this->instance))->enrol($roles);
        $bulk = $this->told($sink->get_events());
        $sink->clear();

        $other = $this->getDataGenerator()->create_course();
        $otherinstance = $this->instance_of($other);
        $sink->clear();
        foreach ($this->userids as $userid) {
            enrol_get_plugin('nagasis')->enrol_user($otherinstance, $userid, $this->studentrole);
        }
        $this->assertSame($this->told($sink->get_events()), $bulk);
        $this->assertCount(6, $bulk);

        foreach (['user_enrolments' => 'enrolid', 'role_assignments' => 'itemid'] as $table => $column) {
            $this->assertSame(
                $this->rows($table, [$column => $otherinstance->id]),
                $this->rows($table, [$column => $this->instance->id]),
            );
        }
        $this->assertTrue(is_enrolled(\context_course::instance($this->course->id), $this->userids[0], '', true));
    }

    public function test_each_enrolment_is_told_before_its_role(): void {
        $sink = $this->redirectEvents();
        (new members($this->instance))->enrol(array_fill_keys($this->userids, $this->studentrole));
        $told = array_map(fn($event) => [$event->eventname, (int) $event->relateduserid], $sink->get_events());
        foreach ($this->userids as $position => $userid) {
            $this->assertSame(['\core\event\user_enrolment_created', $userid], $told[2 * $position]);
            $this->assertSame(['\core\event\role_assigned', $userid], $told[2 * $position + 1]);
        }
    }

    public function test_hooks_are_called_for_each_person(): void {
        $seen = [];
        foreach (
            [
                \core_enrol\hook\after_user_enrolled::class,
                \core_enrol\hook\before_user_enrolment_updated::class,
                \core\hook\access\after_role_assigned::class,
                \core\hook\access\after_role_unassigned::class,
                \core_group\hook\after_group_membership_added::class,
                \core_group\hook\after_group_membership_removed::class,
            ] as $class
        ) {
            $this->redirectHook($class, function (object $hook) use (&$seen, $class): void {
                $seen[$class][] = $hook;
            });
        }
        $group = $this->getDataGenerator()->create_group(['courseid' => $this->course->id]);
        $members = new members($this->instance);
        $members->enrol(array_fill_keys($this->userids, $this->studentrole));
        $members->set_status([$this->userids[1]], ENROL_USER_SUSPENDED);
        $ids = $this->assignments_of($this->userids[0]);
        $members->assign([[$this->userids[0], $this->teacherrole]]);
        $members->unassign($ids);
        $groupmembers = new group_members($group, (int) $this->instance->id);
        $groupmembers->add($this->userids);
        $groupmembers->remove([$this->userids[2]]);

        $enrolled = $seen[\core_enrol\hook\after_user_enrolled::class];
        $this->assertSame($this->userids, array_map(fn($hook) => $hook->get_userid(), $enrolled));
        $this->assertSame($this->studentrole, $enrolled[0]->roleid);
        $updated = $seen[\core_enrol\hook\before_user_enrolment_updated::class];
        $this->assertCount(1, $updated);
        $this->assertSame($this->userids[1], $updated[0]->get_userid());
        $this->assertTrue($updated[0]->statusmodified);
        $this->assertCount(4, $seen[\core\hook\access\after_role_assigned::class]);
        $this->assertCount(1, $seen[\core\hook\access\after_role_unassigned::class]);
        $this->assertSame($this->userids, $seen[\core_group\hook\after_group_membership_added::class][0]->userids);
        $this->assertSame([$this->userids[2]], $seen[\core_group\hook\after_group_membership_removed::class][0]->userids);
    }

    /**
     * Ids of somebody's roles of the plugin.
     *
     * @param int $userid
     * @return int[]
     */
    private function assignments_of(int $userid): array {
        global $DB;
        return $DB->get_fieldset_select(
            'role_assignments',
            'id',
            'userid = ? AND component = ?',
            [$userid, members::COMPONENT],
        );
    }

    public function test_who_is_suspended_does_not_get_in(): void {
        global $DB;
        $context = \context_course::instance($this->course->id);
        $members = new members($this->instance);
        $members->enrol(array_fill_keys($this->userids, $this->studentrole));
        $sink = $this->redirectEvents();

        $members->set_status([$this->userids[0]], ENROL_USER_SUSPENDED);
        $this->assertFalse(is_enrolled($context, $this->userids[0], '', true));
        $this->assertTrue(is_enrolled($context, $this->userids[1], '', true));
        $this->assertArrayHasKey($this->userids[0], get_suspended_userids($context));
        $this->assertCount(1, $this->told($sink->get_events(), \core\event\user_enrolment_updated::class));
        $this->assertSame(1, $DB->count_records('user_enrolments', ['status' => ENROL_USER_SUSPENDED]));

        $members->set_status([$this->userids[0]], ENROL_USER_ACTIVE);
        $this->assertTrue(is_enrolled($context, $this->userids[0], '', true));
        $this->assertSame([], get_suspended_userids($context));
    }

    public function test_capabilities_follow_at_once(): void {
        $context = \context_course::instance($this->course->id);
        $userid = $this->userids[0];
        $members = new members($this->instance);
        $this->assertFalse(has_capability('moodle/course:update', $context, $userid));
        $members->enrol([$userid => $this->studentrole]);
        $this->assertFalse(has_capability('moodle/course:update', $context, $userid));
        $this->assertTrue(has_capability('mod/assign:submit', $context, $userid));
        $ids = $this->assignments_of($userid);
        $members->assign([[$userid, $this->teacherrole]]);
        $members->unassign($ids);
        $this->assertTrue(has_capability('moodle/course:update', $context, $userid));
        $this->assertFalse(has_capability('mod/assign:submit', $context, $userid));
    }

    public function test_the_courses_contacts_follow(): void {
        $contacts = function (): array {
            \core_course_category::role_assignment_changed(0, \context_system::instance());
            return array_keys((new \core_course_list_element(get_course($this->course->id)))->get_course_contacts());
        };
        $this->assertSame([], $contacts());
        $members = new members($this->instance);
        $members->enrol([$this->userids[0] => $this->teacherrole]);
        $this->assertSame([$this->userids[0]], $contacts());
        $members->set_status([$this->userids[0]], ENROL_USER_SUSPENDED);
        $this->assertSame([], $contacts());
    }

    public function test_session_of_a_logged_in_person_is_renewed(): void {
        $this->setUser($this->userids[0]);
        $context = \context_course::instance($this->course->id);
        $this->assertFalse(has_capability('mod/assign:submit', $context));
        (new members($this->instance))->enrol([$this->userids[0] => $this->studentrole]);
        $this->assertTrue(has_capability('mod/assign:submit', $context));
        $this->assertNotEmpty(get_cache_flags('accesslib/dirtycontexts'));
    }

    public function test_nobody_gets_mail(): void {
        set_config('sendcoursewelcomemessage', ENROL_SEND_EMAIL_FROM_COURSE_CONTACT, 'enrol_manual');
        $mails = $this->redirectEmails();
        $messages = $this->redirectMessages();
        (new members($this->instance))->enrol(array_fill_keys($this->userids, $this->studentrole));
        $this->assertSame(0, $mails->count());
        $this->assertSame(0, $messages->count());
    }

    public function test_old_grades_come_back_where_the_site_wants_it(): void {
        global $CFG, $DB;
        require_once($CFG->libdir . '/gradelib.php');
        $manual = $this->getDataGenerator()->enrol_user($this->userids[0], $this->course->id, 'student');
        $this->assertTrue($manual);
        $item = new \grade_item($this->getDataGenerator()->create_grade_item(['courseid' => $this->course->id]), false);
        $item->update_final_grade($this->userids[0], 42);
        $instance = $DB->get_record('enrol', ['courseid' => $this->course->id, 'enrol' => 'manual']);
        enrol_get_plugin('manual')->unenrol_user($instance, $this->userids[0]);
        $this->assertFalse($DB->record_exists('grade_grades', ['itemid' => $item->id, 'finalgrade' => 42]));

        $CFG->recovergradesdefault = 1;
        (new members($this->instance))->enrol(array_fill_keys($this->userids, $this->studentrole));
        $this->assertTrue($DB->record_exists('grade_grades', ['itemid' => $item->id, 'userid' => $this->userids[0]]));
    }

    public function test_puts_people_into_groups_as_moodle_does(): void {
        global $CFG;
        require_once($CFG->dirroot . '/group/lib.php');
        $this->setAdminUser();
        (new members($this->instance))->enrol(array_fill_keys($this->userids, $this->studentrole));
        $generator = $this->getDataGenerator();
        $bulk = $generator->create_group(['courseid' => $this->course->id, 'enablemessaging' => 1]);
        $single = $generator->create_group(['courseid' => $this->course->id, 'enablemessaging' => 1]);
        groups_get_user_groups($this->course->id, $this->userids[0]);

        $sink = $this->redirectEvents();
        $writer = new group_members($bulk, (int) $this->instance->id);
        $writer->add($this->userids);
        $told = $this->told($sink->get_events());
        $sink->clear();
        foreach ($this->userids as $userid) {
            groups_add_member($single->id, $userid, members::COMPONENT, $this->instance->id);
        }
        $this->assertSame($this->told($sink->get_events()), $told);
        $this->assertSame(
            $this->rows('groups_members', ['groupid' => $single->id]),
            $this->rows('groups_members', ['groupid' => $bulk->id]),
        );
        $joined = array_map('intval', groups_get_user_groups($this->course->id, $this->userids[0])[0]);
        $this->assertContains((int) $bulk->id, $joined);
        $this->assertSame($this->talking($single), $this->talking($bulk));

        $sink->clear();
        $writer->remove([$this->userids[0]]);
        $told = $this->told($sink->get_events());
        $sink->clear();
        groups_remove_member($single->id, $this->userids[0]);
        $this->assertSame($this->told($sink->get_events()), $told);
        $this->assertFalse(groups_is_member($bulk->id, $this->userids[0]));
        $this->assertSame($this->talking($single), $this->talking($bulk));
        $this->assertNotContains($this->userids[0], $this->talking($bulk));
    }

    /**
     * Who is in a group's conversation.
     *
     * @param \stdClass $group
     * @return int[]
     */
    private function talking(\stdClass $group): array {
        global $DB;
        $context = \context_course::instance($group->courseid);
        $conversation = \core_message\api::get_conversation_by_area('core_group', 'groups', $group->id, $context->id);
        $userids = $DB->get_fieldset_select('message_conversation_members', 'userid', 'conversationid = ?', [$conversation->id]);
        sort($userids);
        return array_map('intval', $userids);
    }

    public function test_adopts_what_somebody_made_by_hand_without_telling_anybody(): void {
        global $DB;
        (new members($this->instance))->enrol(array_fill_keys($this->userids, $this->studentrole));
        $group = $this->getDataGenerator()->create_group(['courseid' => $this->course->id]);
        $this->getDataGenerator()->create_group_member(['groupid' => $group->id, 'userid' => $this->userids[0]]);
        $sink = $this->redirectEvents();
        $id = $DB->get_field('groups_members', 'id', ['groupid' => $group->id]);
        (new group_members($group, (int) $this->instance->id))->adopt([$id]);
        $this->assertSame(0, $sink->count());
        $row = $DB->get_record('groups_members', ['id' => $id]);
        $this->assertSame([members::COMPONENT, (int) $this->instance->id], [$row->component, (int) $row->itemid]);
    }

    public function test_statements_do_not_grow_with_people(): void {
        global $DB;
        $this->redirectEvents();
        $counted = [];
        foreach ([5, 50] as $many) {
            $instance = $this->instance_of($this->getDataGenerator()->create_course());
            $userids = array_map(fn(): int => (int) $this->getDataGenerator()->create_user()->id, range(1, $many));
            $before = $DB->perf_get_queries();
            $members = new members($instance);
            $members->enrol(array_fill_keys($userids, $this->studentrole));
            $members->set_status($userids, ENROL_USER_SUSPENDED);
            $counted[] = $DB->perf_get_queries() - $before;
        }
        // Moodle writes the flag that makes sessions look again once a second at most.
        $this->assertLessThanOrEqual($counted[0] + 4, $counted[1]);
    }

    public function test_nothing_to_do_asks_nothing(): void {
        global $DB;
        $group = $this->getDataGenerator()->create_group(['courseid' => $this->course->id]);
        $members = new members($this->instance);
        $writer = new group_members($group, (int) $this->instance->id);
        $before = $DB->perf_get_queries();
        $members->enrol([]);
        $members->set_status([], ENROL_USER_ACTIVE);
        $members->assign([]);
        $members->unassign([]);
        $writer->add([]);
        $writer->adopt([]);
        $writer->remove([]);
        $this->assertSame($before, $DB->perf_get_queries());
    }
}
