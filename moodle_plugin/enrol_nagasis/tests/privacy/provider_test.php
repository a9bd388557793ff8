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
 * Tests of the privacy provider.
 *
 * @package    enrol_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace enrol_nagasis\privacy;

use core_privacy\local\metadata\collection;
use core_privacy\local\request\approved_userlist;
use core_privacy\local\request\userlist;
use core_privacy\local\request\writer;
use core_privacy\tests\provider_testcase;
use enrol_nagasis\group_members;

/**
 * Memberships of groups that the SIS has made are exported and deleted; those of others are not touched.
 *
 * @covers \enrol_nagasis\privacy\provider
 */
final class provider_test extends provider_testcase {
    /** @var \stdClass */
    private \stdClass $group;

    /** @var \context_course */
    private \context_course $context;

    /** @var int[] ids of two people whom the SIS has put into the group, and one whom a teacher has */
    private array $userids;

    /**
     * A group with three people.
     */
    protected function setUp(): void {
        parent::setUp();
        $this->resetAfterTest();
        $generator = $this->getDataGenerator();
        $course = $generator->create_course();
        $this->context = \context_course::instance($course->id);
        $this->group = $generator->create_group(['courseid' => $course->id, 'idnumber' => 'G1', 'name' => 'Group 1']);
        $this->userids = array_map(fn(): int => (int) $generator->create_and_enrol($course)->id, range(1, 3));
        $instanceid = enrol_get_plugin('nagasis')->add_instance($course);
        (new group_members($this->group, $instanceid))->add([$this->userids[0], $this->userids[1]]);
        $generator->create_group_member(['groupid' => $this->group->id, 'userid' => $this->userids[2]]);
    }

    /**
     * Who is in the group.
     *
     * @return int[]
     */
    private function members(): array {
        global $DB;
        $userids = $DB->get_fieldset_select('groups_members', 'userid', 'groupid = ?', [$this->group->id]);
        sort($userids);
        return array_map('intval', $userids);
    }

    public function test_metadata(): void {
        $items = provider::get_metadata(new collection('enrol_nagasis'))->get_collection();
        $this->assertCount(1, $items);
        $this->assertTrue(get_string_manager()->string_exists($items[0]->get_summary(), 'enrol_nagasis'));
    }

    public function test_finds_and_exports_ours_alone(): void {
        $contexts = fn(int $userid): array => provider::get_contexts_for_userid($userid)->get_contextids();
        $this->assertContains((string) $this->context->id, array_map('strval', $contexts($this->userids[0])));
        $this->assertNotContains((string) $this->context->id, array_map('strval', $contexts($this->userids[2])));

        $list = new userlist($this->context, 'enrol_nagasis');
        provider::get_users_in_context($list);
        $found = $list->get_userids();
        sort($found);
        $this->assertSame([$this->userids[0], $this->userids[1]], $found);
        $site = new userlist(\context_system::instance(), 'enrol_nagasis');
        provider::get_users_in_context($site);
        $this->assertSame([], $site->get_userids());

        $this->setUser($this->userids[0]);
        $this->export_context_data_for_user($this->userids[0], $this->context, 'enrol_nagasis');
        $exported = writer::with_context($this->context)->get_data([
            get_string('pluginname', 'enrol_nagasis'),
            get_string('groups', 'core_group'),
        ]);
        $this->assertSame('Group 1', reset($exported->groups)->name);
    }

    public function test_deletes_one_person(): void {
        $user = \core_user::get_user($this->userids[0]);
        provider::delete_data_for_user(
            new \core_privacy\tests\request\approved_contextlist($user, 'enrol_nagasis', [$this->context->id]),
        );
        $this->assertSame([$this->userids[1], $this->userids[2]], $this->members());
    }

    public function test_deletes_some_people(): void {
        provider::delete_data_for_users(new approved_userlist($this->context, 'enrol_nagasis', $this->userids));
        $this->assertSame([$this->userids[2]], $this->members());
    }

    public function test_deletes_a_course(): void {
        provider::delete_data_for_all_users_in_context(\context_system::instance());
        $this->assertSame($this->userids, $this->members());
        provider::delete_data_for_all_users_in_context($this->context);
        $this->assertSame([$this->userids[2]], $this->members());
    }
}
