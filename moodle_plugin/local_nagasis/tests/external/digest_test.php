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
 * Tests of the digest.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\external;

use local_nagasis\local\contract\fingerprint;
use local_nagasis\local\provision\batch;

/**
 * The digest says what is there.
 *
 * @covers \local_nagasis\external\digest
 * @covers \local_nagasis\external\answer
 * @covers \local_nagasis\local\reading\category_digest
 * @covers \local_nagasis\local\reading\course_digest
 * @covers \local_nagasis\local\reading\gradebook_digest
 * @covers \local_nagasis\local\reading\keys
 * @covers \local_nagasis\local\reading\page
 * @covers \local_nagasis\local\reading\roster_digest
 * @covers \local_nagasis\local\reading\user_digest
 */
final class digest_test extends \advanced_testcase {
    #[\Override]
    protected function setUp(): void {
        parent::setUp();
        $this->resetAfterTest();
        $this->setAdminUser();
    }

    /**
     * One call.
     *
     * @param string $kind
     * @param string[] $keys
     * @param string $after
     * @param int $limit
     * @return array
     */
    private function digest(string $kind, array $keys = [], string $after = '', int $limit = 1000): array {
        $answer = json_decode(digest::execute(1, $kind, json_encode($keys), $after, $limit), true, 512, JSON_THROW_ON_ERROR);
        $this->assertSame(['contract', 'items', 'next'], array_keys($answer));
        return $answer;
    }

    /**
     * Fingerprints by key.
     *
     * @param string $kind
     * @return array
     */
    private function fingerprints(string $kind): array {
        return array_column($this->digest($kind)['items'], 'fingerprint', 'key');
    }

    /**
     * Enrols as enrol_nagasis does.
     *
     * @param \stdClass $course
     * @return \stdClass the instance
     */
    private function instance(\stdClass $course): \stdClass {
        global $DB;
        $record = ['enrol' => 'nagasis', 'courseid' => $course->id, 'status' => ENROL_INSTANCE_ENABLED, 'roleid' => 0];
        return (object) (['id' => $DB->insert_record('enrol', (object) $record)] + $record);
    }

    /**
     * Makes somebody a member.
     *
     * @param \stdClass $instance
     * @param \stdClass $user
     * @param string $role
     * @param int $status
     */
    private function member(\stdClass $instance, \stdClass $user, string $role, int $status = ENROL_USER_ACTIVE): void {
        global $DB;
        $DB->insert_record('user_enrolments', (object) [
            'enrolid' => $instance->id,
            'userid' => $user->id,
            'status' => $status,
        ]);
        $roleid = $DB->get_field('role', 'id', ['shortname' => $role], MUST_EXIST);
        $context = \core\context\course::instance($instance->courseid);
        role_assign($roleid, $user->id, $context, 'enrol_nagasis', $instance->id);
    }

    public function test_category(): void {
        $generator = $this->getDataGenerator();
        $top = $generator->create_category(['idnumber' => 'T1', 'name' => 'ឆមាស 1']);
        $generator->create_category(['idnumber' => 'T1/a', 'name' => 'A', 'parent' => $top->id, 'visible' => 0]);
        $byhand = $generator->create_category(['name' => 'By hand']);
        $generator->create_category(['idnumber' => 'T2', 'name' => 'B', 'parent' => $byhand->id]);
        $this->assertSame([
            'T1' => fingerprint::category('T1', 'ឆមាស 1', null, true),
            'T1/a' => fingerprint::category('T1/a', 'A', 'T1', false),
            'T2' => fingerprint::category('T2', 'B', '', true),
        ], $this->fingerprints('category'));
        $this->assertEquals($top->id, $this->digest('category')['items'][0]['id']);
    }

    /**
     * What is in a hidden category is hidden by Moodle; what was chosen for the thing itself counts.
     */
    public function test_in_a_hidden_category(): void {
        $generator = $this->getDataGenerator();
        $term = $generator->create_category(['idnumber' => 'T1', 'name' => 'A']);
        $generator->create_category(['idnumber' => 'T2', 'name' => 'B', 'parent' => $term->id]);
        $generator->create_course(['idnumber' => 'C1', 'category' => $term->id]);
        $generator->create_course(['idnumber' => 'C2', 'category' => $term->id, 'visible' => 0]);
        $before = ['category' => $this->fingerprints('category'), 'course' => $this->fingerprints('course')];
        \core_course_category::get($term->id)->hide();
        $this->assertSame($before['course'], $this->fingerprints('course'));
        $this->assertSame($before['category']['T2'], $this->fingerprints('category')['T2']);
        $this->assertNotSame($before['category']['T1'], $this->fingerprints('category')['T1']);
    }

    public function test_user(): void {
        $generator = $this->getDataGenerator();
        $names = ['username' => 's1', 'firstname' => 'សុខា', 'lastname' => '😀', 'email' => 's1@naga.test'];
        $generator->create_user($names + ['idnumber' => 'S1', 'alternatename' => 'Sokha', 'suspended' => 1]);
        $generator->create_user(['idnumber' => '']);
        delete_user($generator->create_user(['idnumber' => 'S2']));
        $this->assertSame(
            ['S1' => fingerprint::user('S1', 's1', 'សុខា', '😀', 's1@naga.test', 'Sokha', true)],
            $this->fingerprints('user'),
        );
    }

    public function test_course(): void {
        global $DB;
        $generator = $this->getDataGenerator();
        $term = $generator->create_category(['idnumber' => 'T1']);
        $course = $generator->create_course([
            'idnumber' => 'C1',
            'shortname' => 'ENG-1',
            'fullname' => 'English 1',
            'category' => $term->id,
            'startdate' => 1772409600,
            'enddate' => 1782409600,
            'visible' => 0,
            'numsections' => 3,
        ]);
        $generator->create_course(['idnumber' => '']);
        $generator->create_group(['courseid' => $course->id, 'idnumber' => 'G2', 'name' => 'Two']);
        $generator->create_group(['courseid' => $course->id, 'idnumber' => 'G1', 'name' => 'One']);
        $generator->create_group(['courseid' => $course->id, 'name' => 'A teacher\'s own']);
        foreach ([['k2', 1], ['k1', 2]] as [$key, $number]) {
            $section = $DB->get_record('course_sections', ['course' => $course->id, 'section' => $number], '*', MUST_EXIST);
            $DB->set_field('course_sections', 'name', "Session $key", ['id' => $section->id]);
            $DB->insert_record('local_nagasis_section', (object) [
                'courseid' => $course->id,
                'sectionkey' => $key,
                'sectionid' => $section->id,
            ]);
        }
        // A section that was deleted is remembered still.
        $gone = ['courseid' => $course->id, 'sectionkey' => 'k3', 'sectionid' => 999999];
        $DB->insert_record('local_nagasis_section', (object) $gone);
        $expected = fingerprint::course(
            'C1',
            'ENG-1',
            'English 1',
            'T1',
            1772409600,
            1782409600,
            false,
            false,
            [['k1', 'Session k1'], ['k2', 'Session k2']],
            [['G1', 'One'], ['G2', 'Two']],
        );
        $this->assertSame(['C1' => $expected], $this->fingerprints('course'));
    }

    public function test_roster(): void {
        global $DB;
        $generator = $this->getDataGenerator();
        $course = $generator->create_course(['idnumber' => 'C1']);
        $empty = $generator->create_course(['idnumber' => 'C2']);
        $instance = $this->instance($course);
        $users = [];
        foreach (['S1', 'S2', 'S3', 'T1', 'X1'] as $idnumber) {
            $users[$idnumber] = $generator->create_user(['idnumber' => $idnumber]);
        }
        $this->member($instance, $users['S2'], 'student');
        $this->member($instance, $users['S1'], 'student');
        $this->member($instance, $users['S3'], 'student', ENROL_USER_SUSPENDED);
        $this->member($instance, $users['T1'], 'editingteacher');
        $generator->enrol_user($users['X1']->id, $course->id, 'student');
        foreach (['G2' => 'enrol_nagasis', 'G1' => 'enrol_nagasis', 'G3' => ''] as $idnumber => $component) {
            $group = $generator->create_group(['courseid' => $course->id, 'idnumber' => $idnumber]);
            $DB->insert_record('groups_members', (object) [
                'groupid' => $group->id,
                'userid' => $users['S1']->id,
                'timeadded' => 1,
                'component' => $component,
                'itemid' => $component ? $instance->id : 0,
            ]);
        }
        $expected = [
            'C1' => fingerprint::roster('C1', [
                ['S1', 'student', ['G1', 'G2']], ['S2', 'student', []], ['T1', 'editingteacher', []],
            ]),
            'C2' => fingerprint::roster('C2', []),
        ];
        $this->assertSame($expected, $this->fingerprints('roster'));

        // A role that is gone, and an instance that was switched off, show.
        role_unassign_all(['userid' => $users['S2']->id, 'component' => 'enrol_nagasis', 'itemid' => $instance->id]);
        $this->assertNotSame($expected['C1'], $this->fingerprints('roster')['C1']);
        $DB->set_field('enrol', 'status', ENROL_INSTANCE_DISABLED, ['id' => $instance->id]);
        $this->assertSame(fingerprint::roster('C1', []), $this->fingerprints('roster')['C1']);
    }

    public function test_gradebook(): void {
        global $DB;
        $generator = $this->getDataGenerator();
        $course = $generator->create_course(['idnumber' => 'C1']);
        $generator->create_course(['idnumber' => 'C2']);
        $document = json_decode('{
            "kind": "gradebook", "course": "C1",
            "categories": [{"key": "S2", "name": "Final", "weight": 6000}, {"key": "S1", "name": "ឆមាស", "weight": 4000}],
            "items": [{"key": "P2", "name": "Exam", "category": "S2", "weight": 10000, "source": null},
                      {"key": "P1", "name": "Quiz", "category": "S1", "weight": 3333, "source": null}],
            "letters": [{"letter": "B+", "minimum": 7050}, {"letter": "A", "minimum": 8500}]
        }', true);
        $module = $generator->create_module('quiz', ['course' => $course->id]);
        $quiz = \grade_item::fetch(['itemmodule' => 'quiz', 'iteminstance' => $module->id]);
        $document['items'][0]['source'] = (int) $quiz->id;
        $this->assertSame('created', batch::run([$document], false)[0]['result']);
        $expected = ['C1' => fingerprint::document($document)];
        $this->assertSame($expected, $this->fingerprints('gradebook'));
        $this->assertEquals($course->id, $this->digest('gradebook', ['C1'])['items'][0]['id']);
        $total = \grade_item::fetch_course_item($course->id);

        // What a teacher may do shows nowhere.
        $DB->set_field('grade_items', 'itemname', 'Another name', ['id' => $quiz->id]);
        $DB->set_field('grade_items', 'hidden', 1, ['courseid' => $course->id]);
        (new \grade_category(['courseid' => $course->id, 'fullname' => 'Mine'], false))->insert();
        $this->assertSame($expected, $this->fingerprints('gradebook'));

        // What is ours does.
        $changes = [
            ['grade_items', 'aggregationcoef', 5, ['id' => $quiz->id]],
            ['grade_items', 'categoryid', $total->iteminstance, ['id' => $quiz->id]],
            ['grade_items', 'itemname', 'Quizz', ['courseid' => $course->id, 'itemname' => 'Quiz']],
            ['grade_items', 'courseid', 0, ['courseid' => $course->id, 'itemname' => 'Quiz']],
            ['grade_items', 'calculation', '=1', ['id' => $total->id]],
            ['grade_categories', 'fullname', 'Other', ['courseid' => $course->id, 'fullname' => 'Final']],
            ['grade_categories', 'aggregation', GRADE_AGGREGATE_SUM, ['courseid' => $course->id, 'fullname' => 'Final']],
            ['grade_categories', 'aggregation', GRADE_AGGREGATE_SUM, ['id' => $total->iteminstance]],
            ['grade_categories', 'droplow', 1, ['courseid' => $course->id, 'fullname' => 'Final']],
            ['grade_categories', 'aggregateonlygraded', 0, ['id' => $total->iteminstance]],
            ['grade_categories', 'parent', 999999, ['courseid' => $course->id, 'fullname' => 'Final']],
            ['grade_letters', 'lowerboundary', 84, ['letter' => 'A']],
        ];
        foreach ($changes as $index => [$table, $column, $value, $where]) {
            $before = $DB->get_record($table, $where, '*', MUST_EXIST);
            $DB->set_field($table, $column, $value, ['id' => $before->id]);
            $this->assertNotSame($expected, $this->fingerprints('gradebook'), "$index: $table.$column");
            $DB->update_record($table, $before);
            $this->assertSame($expected, $this->fingerprints('gradebook'));
        }
        set_config('grade_aggregation', GRADE_AGGREGATE_SUM);
        set_config('grade_aggregation_flag', 1);
        $this->assertNotSame($expected, $this->fingerprints('gradebook'));
    }

    public function test_pages_hold_each_thing_once(): void {
        foreach (range(1, 7) as $number) {
            $this->getDataGenerator()->create_user(['idnumber' => "S$number"]);
        }
        // Two with one idnumber are two things.
        $this->getDataGenerator()->create_user(['idnumber' => 'S7']);
        $keys = [];
        $after = '';
        $pages = 0;
        do {
            $page = $this->digest('user', [], $after, 3);
            $keys = [...$keys, ...array_column($page['items'], 'key')];
            $after = $page['next'];
            $pages++;
        } while ($after !== null);
        $this->assertSame(['S1', 'S2', 'S3', 'S4', 'S5', 'S6', 'S7', 'S7'], $keys);
        $this->assertSame(3, $pages);
        $this->assertNull($this->digest('user', [], '', 8)['next']);
    }

    public function test_some_keys(): void {
        foreach (['S1', 's1', 'S2'] as $idnumber) {
            $this->getDataGenerator()->create_user(['idnumber' => $idnumber]);
        }
        $found = $this->digest('user', ['S1', 'S1', 'missing', '0'])['items'];
        $this->assertSame(['S1'], array_column($found, 'key'));
        foreach (['category', 'course', 'roster', 'gradebook'] as $kind) {
            $this->assertSame([], $this->digest($kind, ['missing'])['items']);
        }
    }

    public function test_queries_do_not_grow(): void {
        global $DB;
        $this->digest('user');
        $counts = [];
        foreach ([2, 20] as $courses) {
            for ($number = 0; $number < $courses; $number++) {
                $course = $this->getDataGenerator()->create_course(['idnumber' => "C$courses-$number"]);
                $user = $this->getDataGenerator()->create_user(['idnumber' => "S$number"]);
                $this->member($this->instance($course), $user, 'student');
                batch::run([['kind' => 'gradebook', 'course' => $course->idnumber, 'categories' => [], 'items' => []]], false);
            }
            foreach (['user', 'course', 'roster', 'category', 'gradebook'] as $kind) {
                $before = $DB->perf_get_reads();
                $this->digest($kind);
                $counts[$kind][$courses] = $DB->perf_get_reads() - $before;
            }
        }
        foreach ($counts as $kind => $count) {
            $this->assertSame($count[2], $count[20], $kind);
            // A recordset is up to three: open, fetch, close.
            $this->assertLessThanOrEqual(10, $count[20], $kind);
        }
    }

    /**
     * What is wrong is said.
     *
     * @dataProvider wrong_calls
     * @param array $arguments
     * @param string $errorcode
     */
    public function test_wrong_calls(array $arguments, string $errorcode): void {
        try {
            digest::execute(...$arguments);
            $this->fail('Nothing was wrong');
        } catch (\moodle_exception $exception) {
            $this->assertSame($errorcode, $exception->errorcode);
        }
    }

    /**
     * Calls that cannot be understood.
     *
     * @return array
     */
    public static function wrong_calls(): array {
        return [
            'younger tool' => [[2, 'user'], 'contractunsupported'],
            'older tool' => [[0, 'user'], 'contractunsupported'],
            'kind' => [[1, 'cohort'], 'unknownkind'],
            'keys are no JSON' => [[1, 'user', '[S1]'], 'invalidparameter'],
            'keys are no array' => [[1, 'user', '{"a":1}'], 'invalidparameter'],
            'a key is no text' => [[1, 'user', '[1]'], 'invalidparameter'],
            'an empty key' => [[1, 'user', '[""]'], 'invalidparameter'],
            'cursor' => [[1, 'user', '[]', "1' OR 1=1"], 'invalidparameter'],
            'no limit' => [[1, 'user', '[]', '', 0], 'invalidparameter'],
            'too high a limit' => [[1, 'user', '[]', '', 5001], 'invalidparameter'],
        ];
    }

    public function test_needs_the_capability(): void {
        $this->setUser($this->getDataGenerator()->create_user());
        $this->expectException(\required_capability_exception::class);
        digest::execute(1, 'user');
    }
}
