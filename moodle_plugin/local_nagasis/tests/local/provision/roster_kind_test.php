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
 * Tests of rosters.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

/**
 * What the example cases of the contract can't say about rosters.
 *
 * @covers \local_nagasis\local\provision\roster_kind
 * @covers \local_nagasis\local\provision\roster_reader
 * @covers \local_nagasis\local\provision\roster_course
 * @covers \local_nagasis\local\provision\roster_changes
 * @covers \local_nagasis\local\provision\protected_accounts
 * @covers \local_nagasis\local\provision\directory
 */
final class roster_kind_test extends \advanced_testcase {
    /** @var \stdClass */
    private \stdClass $course;

    /**
     * A course with the idnumber C1 and a group G1, and people S1 to S3.
     */
    protected function setUp(): void {
        parent::setUp();
        $this->resetAfterTest();
        \core\plugininfo\enrol::enable_plugin('nagasis', 1);
        $this->course = $this->getDataGenerator()->create_course(['idnumber' => 'C1']);
        $this->getDataGenerator()->create_group(['courseid' => $this->course->id, 'idnumber' => 'G1']);
        foreach (['S1', 'S2', 'S3'] as $idnumber) {
            $this->person($idnumber);
        }
    }

    /**
     * Makes a person.
     *
     * @param string $idnumber
     * @param array $fields
     * @return \stdClass
     */
    private function person(string $idnumber, array $fields = []): \stdClass {
        return $this->getDataGenerator()->create_user(['idnumber' => $idnumber] + $fields);
    }

    /**
     * A roster as it is sent.
     *
     * @param array $members idnumbers, or members of the contract
     * @param string $course
     * @return array
     */
    private function roster(array $members, string $course = 'C1'): array {
        return [
            'kind' => 'roster',
            'course' => $course,
            'count' => count($members),
            'members' => array_map(fn($member) => is_array($member) ? $member : ['user' => $member], $members),
        ];
    }

    /**
     * Applies one roster, and sees that its preview says the same.
     *
     * @param array $document
     * @return array its result
     */
    private function apply(array $document): array {
        [$previewed] = batch::run([$document], true);
        [$result] = batch::run([$document], false);
        $this->assertSame($previewed, $result);
        return $result;
    }

    /**
     * What became of each person.
     *
     * @param array $result of a roster
     * @return array
     */
    private function outcomes(array $result): array {
        return array_map(
            fn(array $member): string => $member['user'] . ' ' . ($member['code'] ?? $member['result']),
            $result['members'],
        );
    }

    /**
     * Who is enrolled and active in the course by the SIS.
     *
     * @param string $course
     * @return string[] idnumbers
     */
    private function active(string $course = 'C1'): array {
        global $DB;
        return $DB->get_fieldset_sql(
            "SELECT u.idnumber
               FROM {user_enrolments} ue
               JOIN {enrol} e ON e.id = ue.enrolid AND e.enrol = 'nagasis'
               JOIN {course} c ON c.id = e.courseid
               JOIN {user} u ON u.id = ue.userid
              WHERE ue.status = 0 AND c.idnumber = :course
           ORDER BY u.idnumber",
            ['course' => $course],
        );
    }

    public function test_the_second_time_nothing_is_written(): void {
        global $DB;
        $document = $this->roster([['user' => 'S1', 'groups' => ['G1']], 'S2', ['user' => 'S3', 'role' => 'teacher']]);
        $this->assertSame('created', $this->apply($document)['result']);
        $this->assertSame((int) $this->course->id, $this->apply($document)['id']);
        $sink = $this->redirectEvents();
        $writes = $DB->perf_get_writes();
        $this->assertSame('unchanged', batch::run([$document], false)[0]['result']);
        $this->assertSame($writes, $DB->perf_get_writes());
        $this->assertSame(0, $sink->count());
    }

    public function test_queries_do_not_grow_with_rosters_or_people(): void {
        global $DB;
        $documents = [];
        foreach (range(1, 10) as $number) {
            $course = $this->getDataGenerator()->create_course(['idnumber' => "X$number"]);
            $this->getDataGenerator()->create_group(['courseid' => $course->id, 'idnumber' => 'G1']);
            $people = [];
            foreach (range(1, $number) as $each) {
                $this->person("X$number-$each");
                $people[] = ['user' => "X$number-$each", 'groups' => ['G1']];
            }
            $documents[] = $this->roster($people, "X$number");
        }
        batch::run($documents, false);
        $counted = [];
        foreach ([[$documents[0]], $documents] as $some) {
            $before = $DB->perf_get_queries();
            $results = batch::run($some, false);
            $counted[] = $DB->perf_get_queries() - $before;
            $this->assertSame(['unchanged'], array_values(array_unique(array_column($results, 'result'))));
        }
        $this->assertSame($counted[0], $counted[1]);
        // PostgreSQL reads a stream with three statements.
        $this->assertLessThan(20, $counted[1]);
    }

    public function test_a_role_that_the_site_does_not_have(): void {
        global $DB;
        delete_role($DB->get_field('role', 'id', ['shortname' => 'teacher']));
        $result = $this->apply($this->roster([['user' => 'S1', 'role' => 'teacher'], 'S2']));
        $this->assertSame(['S1 role_missing', 'S2 created'], $this->outcomes($result));
        $this->assertSame('/members/0/role', $result['members'][0]['field']);
        $this->assertStringContainsString('teacher', $result['members'][0]['message']);
    }

    public function test_a_roster_is_refused_while_enrolments_are_switched_off(): void {
        global $DB;
        $this->apply($this->roster(['S1', 'S2']));
        \core\plugininfo\enrol::enable_plugin('nagasis', 0);
        $this->assertSame('enrol_disabled', $this->apply($this->roster(['S1']))['code']);
        \core\plugininfo\enrol::enable_plugin('nagasis', 1);
        $instance = $DB->get_record('enrol', ['enrol' => 'nagasis', 'courseid' => $this->course->id]);
        enrol_get_plugin('nagasis')->update_status($instance, ENROL_INSTANCE_DISABLED);
        $this->assertSame('enrol_disabled', $this->apply($this->roster(['S1']))['code']);
        enrol_get_plugin('nagasis')->update_status($instance, ENROL_INSTANCE_ENABLED);
        $this->assertSame(['S1', 'S2'], $this->active());
        $this->assertSame('updated', $this->apply($this->roster(['S1']))['result']);
    }

    public function test_guest_and_service_user_are_no_members(): void {
        global $DB;
        $DB->set_field('user', 'idnumber', 'GUEST', ['username' => 'guest']);
        $this->person('SERVICE', ['username' => protected_accounts::SERVICE_USER]);
        $result = $this->apply($this->roster(['GUEST', 'SERVICE', ['user' => 'SERVICE', 'status' => 'suspended'], 'S1']));
        $this->assertSame(
            ['GUEST protected_user', 'SERVICE duplicate_member', 'SERVICE duplicate_member', 'S1 created'],
            $this->outcomes($result),
        );
        $result = $this->apply($this->roster(['SERVICE', 'S1']));
        $this->assertSame(['SERVICE protected_user', 'S1 unchanged'], $this->outcomes($result));
        $result = $this->apply($this->roster([['user' => 'SERVICE', 'status' => 'suspended'], 'S1']));
        $this->assertSame(['SERVICE unchanged', 'S1 unchanged'], $this->outcomes($result));
        $this->assertSame(['S1'], $this->active());
    }

    public function test_who_was_deleted_in_moodle_is_missing(): void {
        $this->apply($this->roster(['S1', 'S2']));
        delete_user(\core_user::get_user_by_username($this->username('S2')));
        $this->assertSame(['S1 unchanged', 'S2 user_missing'], $this->outcomes($this->apply($this->roster(['S1', 'S2']))));
    }

    /**
     * Somebody's username.
     *
     * @param string $idnumber
     * @return string
     */
    private function username(string $idnumber): string {
        global $DB;
        return $DB->get_field('user', 'username', ['idnumber' => $idnumber]);
    }

    public function test_a_course_that_was_deleted_in_moodle_is_missing(): void {
        $this->apply($this->roster(['S1']));
        delete_course($this->course, false);
        $result = $this->apply($this->roster(['S1']));
        $this->assertSame(['refused', 'course_missing', '/course'], [$result['result'], $result['code'], $result['field']]);
    }

    public function test_the_front_page_is_no_class(): void {
        global $DB;
        $DB->set_field('course', 'idnumber', 'FRONT', ['id' => SITEID]);
        $this->assertSame('course_missing', $this->apply($this->roster(['S1'], 'FRONT'))['code']);
    }

    public function test_an_account_that_is_suspended_stays_a_member(): void {
        global $DB;
        $DB->set_field('user', 'suspended', 1, ['idnumber' => 'S1']);
        $this->assertSame(['S1 created'], $this->outcomes($this->apply($this->roster(['S1']))));
        $this->assertSame(['S1 unchanged'], $this->outcomes($this->apply($this->roster(['S1']))));
    }

    public function test_idnumbers_are_compared_to_the_letter(): void {
        $people = ['007', '7', 's1', 'ក១', "O'Hara", 'Ü'];
        foreach ($people as $idnumber) {
            $this->person($idnumber);
        }
        $result = $this->apply($this->roster([...$people, 'S1']));
        $this->assertSame(
            array_map(fn(string $idnumber): string => "$idnumber created", [...$people, 'S1']),
            $this->outcomes($result),
        );
        $this->assertSame(['07 user_missing', '7 unchanged'], array_slice($this->outcomes(
            $this->apply($this->roster(['07', '7', '007', 's1', 'ក១', "O'Hara", 'Ü', 'S1'])),
        ), 0, 2));
    }

    public function test_an_empty_roster_suspends_everybody_and_keeps_their_grades(): void {
        global $CFG, $DB;
        require_once($CFG->libdir . '/gradelib.php');
        $this->apply($this->roster([['user' => 'S1', 'groups' => ['G1']], 'S2']));
        $item = new \grade_item($this->getDataGenerator()->create_grade_item(['courseid' => $this->course->id]), false);
        $userid = $DB->get_field('user', 'id', ['idnumber' => 'S1']);
        $item->update_final_grade($userid, 42);
        $result = $this->apply($this->roster([]));
        $this->assertSame(['updated', ['S1 suspended', 'S2 suspended']], [$result['result'], $this->outcomes($result)]);
        $this->assertSame([], $this->active());
        $this->assertSame(42.0, (float) $item->get_final($userid)->finalgrade);
        $this->assertSame(1, $DB->count_records('groups_members', ['component' => 'enrol_nagasis']));
        $this->assertSame(2, $DB->count_records('role_assignments', ['component' => 'enrol_nagasis']));
    }

    public function test_memberships_of_another_enrolment_plugin_are_left_alone(): void {
        global $CFG, $DB;
        require_once($CFG->dirroot . '/group/lib.php');
        $userid = $DB->get_field('user', 'id', ['idnumber' => 'S1']);
        $this->getDataGenerator()->enrol_user($userid, $this->course->id);
        $groupid = $DB->get_field('groups', 'id', ['idnumber' => 'G1']);
        groups_add_member($groupid, $userid, 'enrol_cohort', 5);
        $document = $this->roster([['user' => 'S1', 'groups' => ['G1']]]);
        $this->assertSame('created', $this->apply($document)['result']);
        $this->assertSame('unchanged', $this->apply($document)['result']);
        $this->assertSame('unchanged', $this->apply($this->roster(['S1']))['result']);
        $this->assertSame('enrol_cohort', $DB->get_field('groups_members', 'component', ['groupid' => $groupid]));
    }

    public function test_two_groups_with_one_idnumber_are_refused_with_their_names(): void {
        global $DB;
        $other = $this->getDataGenerator()->create_group(['courseid' => $this->course->id, 'name' => 'The other']);
        $DB->set_field('groups', 'idnumber', 'G1', ['id' => $other->id]);
        $result = $this->apply($this->roster([['user' => 'S1', 'groups' => ['G1']], 'S2']));
        $this->assertSame(['S1 ambiguous_idnumber', 'S2 created'], $this->outcomes($result));
        $this->assertSame('/members/0/groups/0', $result['members'][0]['field']);
        $this->assertStringContainsString('The other', $result['members'][0]['message']);
    }

    public function test_what_was_left_behind_or_made_twice_is_put_right(): void {
        global $DB;
        $this->apply($this->roster(['S1', 'S2']));
        $userid = $DB->get_field('user', 'id', ['idnumber' => 'S1']);
        $context = \context_course::instance($this->course->id);
        $instanceid = $DB->get_field('enrol', 'id', ['enrol' => 'nagasis']);
        role_assign($DB->get_field('role', 'id', ['shortname' => 'manager']), $userid, $context->id, 'enrol_nagasis', $instanceid);
        $DB->delete_records('user_enrolments', ['userid' => $DB->get_field('user', 'id', ['idnumber' => 'S2'])]);

        $result = $this->apply($this->roster(['S1', 'S2']));
        $this->assertSame(['S1 updated', 'S2 created'], $this->outcomes($result));
        $this->assertSame(
            [['field' => 'role', 'before' => 'manager, student', 'after' => 'student']],
            $result['members'][0]['changes'],
        );
        $this->assertSame(2, $DB->count_records('role_assignments', ['component' => 'enrol_nagasis']));
        $this->assertSame('unchanged', $this->apply($this->roster(['S1', 'S2']))['result']);
    }

    public function test_a_write_that_fails_leaves_the_roster_as_it_was_and_the_others_done(): void {
        $this->preventResetByRollback();
        $this->getDataGenerator()->create_course(['idnumber' => 'C2']);
        $this->redirectHook(\core_enrol\hook\after_user_enrolled::class, function (object $hook): void {
            if ($hook->get_enrolinstance()->courseid == $this->course->id) {
                throw new \moodle_exception('error', 'error', '', null, 'A plugin refuses.');
            }
        });
        // The reason is written into the server's log.
        $log = ini_set('error_log', '/dev/null');
        $results = batch::run([$this->roster(['S1', 'S2']), $this->roster(['S2', 'S3'], 'C2')], false);
        ini_set('error_log', $log);
        $this->assertSame(['refused', 'created'], array_column($results, 'result'));
        $this->assertSame('failed', $results[0]['code']);
        $this->assertSame([], $this->active());
        $this->assertSame(['S2', 'S3'], $this->active('C2'));
        $this->stopHookRedirections();
        $this->assertSame('created', $this->apply($this->roster(['S1', 'S2']))['result']);
    }

    public function test_sessions_that_began_meanwhile_look_again(): void {
        global $DB;
        // As if the writing had begun long before its end.
        $this->redirectHook(\core_enrol\hook\after_user_enrolled::class, function () use ($DB): void {
            $DB->set_field('cache_flags', 'timemodified', 1, ['flagtype' => 'accesslib/dirtycontexts']);
        });
        $this->apply($this->roster(['S1']));
        $path = \core\context\course::instance($this->course->id)->path;
        $this->assertArrayHasKey($path, get_cache_flags('accesslib/dirtycontexts', 1000));
    }

    public function test_nobody_gets_mail_whatever_the_site_sends_otherwise(): void {
        set_config('sendcoursewelcomemessage', ENROL_SEND_EMAIL_FROM_COURSE_CONTACT, 'enrol_manual');
        $mails = $this->redirectEmails();
        $messages = $this->redirectMessages();
        $this->apply($this->roster([['user' => 'S1', 'role' => 'editingteacher'], 'S2']));
        $this->apply($this->roster(['S2', 'S3']));
        $this->assertSame([0, 0], [$mails->count(), $messages->count()]);
    }

    public function test_the_directory_tells_made_from_unknown(): void {
        $directory = new directory();
        $this->assertFalse($directory->find('user', '7'));
        $directory->made('user', '7', null);
        $directory->made('course', '7', 3);
        $this->assertNull($directory->find('user', '7'));
        $this->assertSame(3, $directory->find('course', '7'));
        $this->assertFalse($directory->find('user', '07'));
        $this->assertNotSame(directory::group_key('a/b', 'c'), directory::group_key('a', 'b/c'));
    }
}
