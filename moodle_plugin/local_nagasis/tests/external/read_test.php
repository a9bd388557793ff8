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
 * Tests of reading.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\external;

use core\context\course as course_context;
use local_nagasis\local\outbox\{numbering, outbox};
use local_nagasis\local\state;

/**
 * What the tool needs back from Moodle.
 *
 * @covers \local_nagasis\external\read
 * @covers \local_nagasis\local\reading\access
 * @covers \local_nagasis\local\reading\activity
 * @covers \local_nagasis\local\reading\flags
 * @covers \local_nagasis\local\reading\grade_items
 * @covers \local_nagasis\local\reading\grades
 * @covers \local_nagasis\local\reading\regrading
 * @covers \local_nagasis\local\reading\rosters
 * @covers \local_nagasis\local\reading\scope
 */
final class read_test extends \advanced_testcase {
    /** @var int What the clock says. */
    private const NOW = 1772409600;

    #[\Override]
    protected function setUp(): void {
        parent::setUp();
        $this->resetAfterTest();
        $this->setAdminUser();
        $this->mock_clock_with_frozen(self::NOW);
    }

    /**
     * Reads all pages.
     *
     * @param string $what
     * @param array $scope
     * @param int $limit
     * @return array[] items
     */
    private function read(string $what, array $scope = [], int $limit = 2): array {
        $items = [];
        $after = '';
        do {
            $answer = read::execute(1, $what, json_encode((object) $scope), $after, $limit);
            $page = json_decode($answer, true, 512, JSON_THROW_ON_ERROR);
            $this->assertLessThanOrEqual($limit, count($page['items']));
            $items = [...$items, ...$page['items']];
            $after = $page['next'];
        } while ($after !== null);
        return $items;
    }

    public function test_how_far_the_outbox_has_come(): void {
        $position = fn(): array => json_decode(read::execute(1, 'access'), true, 512, JSON_THROW_ON_ERROR)['outbox'];
        // Reading begins no life of the outbox.
        $this->assertSame(['epoch' => null, 'last' => 0], $position());
        $epoch = outbox::epoch();
        $this->assertSame(['epoch' => $epoch, 'last' => 0], $position());
        state::set('lastseq', 12);
        $this->assertSame(['epoch' => $epoch, 'last' => 12], $position());
        numbering::restart();
        $this->assertSame(0, $position()['last']);
        $this->assertNotSame($epoch, $position()['epoch']);
    }

    public function test_activity(): void {
        global $DB;
        $generator = $this->getDataGenerator();
        foreach (['S1' => 100, 'S2' => 200, 'S3' => 300, '' => 400] as $idnumber => $at) {
            $user = $generator->create_user(['idnumber' => $idnumber]);
            $DB->update_record('user', (object) ['id' => $user->id, 'lastlogin' => 1, 'currentlogin' => $at, 'lastaccess' => $at + 5]);
        }
        $found = $this->read('activity', ['since' => 205]);
        $this->assertSame(['S2', 'S3'], array_column($found, 'user'));
        $this->assertSame(['lastlogin' => 200, 'lastaccess' => 205], array_slice($found[0], 2));
        $this->assertCount(3, $this->read('activity'));
    }

    public function test_access(): void {
        global $DB;
        $generator = $this->getDataGenerator();
        $courses = [];
        foreach (['C1', 'C2', ''] as $idnumber) {
            $courses[] = $generator->create_course(['idnumber' => $idnumber]);
        }
        $known = $generator->create_user(['idnumber' => 'S1']);
        $foreign = $generator->create_user(['idnumber' => '']);
        foreach ([[$known, 0, 10], [$foreign, 0, 20], [$known, 1, 30], [$known, 2, 40]] as [$user, $index, $at]) {
            $row = ['userid' => $user->id, 'courseid' => $courses[$index]->id, 'timeaccess' => $at];
            $DB->insert_record('user_lastaccess', (object) $row);
        }
        $this->assertSame([10, 20, 30], array_column($this->read('access'), 'at'));
        $this->assertSame(
            [['course' => 'C1', 'id' => (int) $foreign->id, 'user' => null, 'at' => 20]],
            $this->read('access', ['since' => 11, 'courses' => ['C1', 'missing']]),
        );
        $this->assertSame([], $this->read('access', ['courses' => ['missing']]));
    }

    public function test_roster(): void {
        global $DB;
        $generator = $this->getDataGenerator();
        $course = $generator->create_course(['idnumber' => 'C1']);
        $other = $generator->create_course(['idnumber' => 'C2']);
        $names = ['idnumber' => '', 'firstname' => 'Visiting', 'lastname' => 'Teacher'];
        $people = [
            'ours' => $generator->create_user(['idnumber' => 'S1']),
            'visitor' => $generator->create_user($names),
            'late' => $generator->create_user(['idnumber' => 'S3']),
        ];
        $instance = $DB->insert_record('enrol', (object) ['enrol' => 'nagasis', 'courseid' => $course->id, 'status' => 0]);
        $DB->insert_record('user_enrolments', (object) ['enrolid' => $instance, 'userid' => $people['ours']->id, 'status' => 0]);
        $student = $DB->get_field('role', 'id', ['shortname' => 'student']);
        role_assign($student, $people['ours']->id, course_context::instance($course->id), 'enrol_nagasis', $instance);
        $generator->enrol_user($people['ours']->id, $course->id, 'teacher');
        $generator->enrol_user($people['visitor']->id, $course->id, 'editingteacher');
        $generator->enrol_user($people['late']->id, $course->id, 'student', 'manual', 0, self::NOW - 1);
        $generator->enrol_user($people['late']->id, $other->id, 'student', 'manual', 0, 0, ENROL_USER_SUSPENDED);

        $item = fn(string $who, ?string $name, string $method, string $status, array $roles): array => [
            'course' => 'C1',
            'id' => (int) $people[$who]->id,
            'user' => $people[$who]->idnumber ?: null,
            'name' => $name,
            'method' => $method,
            'status' => $status,
            'roles' => $roles,
            'ours' => $method === 'nagasis',
        ];
        $this->assertSame([
            $item('ours', null, 'nagasis', 'active', ['student']),
            $item('ours', null, 'manual', 'active', ['teacher']),
            $item('visitor', 'Visiting Teacher', 'manual', 'active', ['editingteacher']),
            $item('late', null, 'manual', 'suspended', ['student']),
        ], $this->read('roster', ['courses' => ['C1']]));
        $this->assertCount(5, $this->read('roster'));
        $this->assertSame('suspended', $this->read('roster', ['courses' => ['C2']])[0]['status']);
    }

    public function test_items_and_grades(): void {
        global $DB;
        $generator = $this->getDataGenerator();
        $course = $generator->create_course(['idnumber' => 'C1']);
        $student = $generator->create_and_enrol($course, 'student', ['idnumber' => 'S1']);
        $foreign = $generator->create_and_enrol($course, 'student', ['idnumber' => '']);
        $category = $generator->create_grade_category(['courseid' => $course->id, 'fullname' => 'Session 1']);
        $item = new \grade_item($generator->create_grade_item([
            'courseid' => $course->id,
            'itemname' => 'ការសរសេរ',
            'idnumber' => 'part-1',
            'categoryid' => $category->id,
            'grademax' => 50,
            'hidden' => self::NOW + 5,
        ]), false);
        $item->update_final_grade($student->id, 33.33333, 'test');
        $item->update_final_grade($foreign->id, 0, 'test');
        grade_force_full_regrading($course->id);

        $items = array_column($this->read('items', ['courses' => ['C1']]), null, 'id');
        $byname = array_column($items, null, 'name');
        $this->assertSame([
            'course' => 'C1',
            'id' => (int) $item->id,
            'key' => null,
            'source' => false,
            'type' => 'manual',
            'module' => null,
            'instance' => null,
            'name' => 'ការសរសេរ',
            'idnumber' => 'part-1',
            'category' => (int) $category->id,
            'min' => 0,
            'max' => 50,
            'scale' => null,
            'weight' => 1,
            'hidden' => true,
            'locked' => false,
            'needsupdate' => false,
        ], $byname['ការសរសេរ']);
        $this->assertSame('category', $byname['Session 1']['type']);
        $this->assertSame((int) $category->id, $byname['Session 1']['instance']);
        $this->assertNotNull($byname['Session 1']['category']);
        $total = array_column($items, null, 'type')['course'];
        $this->assertNull($total['category']);
        $this->assertNull($total['weight']);

        $grades = $this->read('grades', ['courses' => ['C1'], 'items' => [(int) $item->id]]);
        $this->assertCount(2, $grades);
        $expected = ['final' => 33.33333, 'raw' => null, 'overridden' => false, 'locked' => false];
        $this->assertEquals($expected, array_intersect_key($grades[0], $expected));
        $this->assertSame(['S1', null], array_column($grades, 'user'));
        // Zero is a grade.
        $this->assertEquals(0, $grades[1]['final']);
        $this->assertNotNull($grades[1]['final']);
        $totals = $this->read('grades', ['courses' => ['C1'], 'items' => [$total['id']]]);
        $this->assertEqualsWithDelta(33.33333, $totals[0]['final'], 0.00001);

        // Since: a grade that was taken away is told, too.
        $DB->set_field('grade_grades', 'timemodified', 50, []);
        $DB->set_field('grade_grades', 'timemodified', 100, ['itemid' => $item->id, 'userid' => $student->id]);
        $DB->set_field('grade_grades', 'finalgrade', null, ['itemid' => $item->id, 'userid' => $student->id]);
        $late = $this->read('grades', ['since' => 100]);
        $this->assertSame([null], array_column($late, 'final'));
        $this->assertSame([100], array_column($late, 'at'));
    }

    public function test_items_say_which_part_they_are(): void {
        $course = $this->getDataGenerator()->create_course(['idnumber' => 'C1']);
        $module = $this->getDataGenerator()->create_module('quiz', ['course' => $course->id]);
        $quiz = \grade_item::fetch(['itemmodule' => 'quiz', 'iteminstance' => $module->id]);
        $this->assertSame([null, null], array_column($this->read('items', ['courses' => ['C1']]), 'key'));
        \local_nagasis\local\provision\batch::run([[
            'kind' => 'gradebook',
            'course' => 'C1',
            'categories' => [['key' => 'S1', 'name' => 'Session', 'weight' => 10000]],
            'items' => [
                ['key' => 'P1', 'name' => 'Part', 'category' => 'S1', 'weight' => 5000],
                ['key' => 'P2', 'name' => 'Part', 'category' => 'S1', 'weight' => 5000, 'source' => (int) $quiz->id],
            ],
        ]], false);
        $items = $this->read('items', ['courses' => ['C1']]);
        $this->assertEqualsCanonicalizing(
            [['#total', false], ['S1', false], ['P1', false], ['P2', true]],
            array_map(fn(array $item): array => [$item['key'], $item['source']], $items),
        );
        $weights = array_column($items, 'weight', 'key');
        $this->assertEquals([null, 100, 50, 50], [$weights['#total'], $weights['S1'], $weights['P1'], $weights['P2']]);
    }

    public function test_old_totals_are_made_new_where_asked_by_name(): void {
        global $DB;
        $generator = $this->getDataGenerator();
        $course = $generator->create_course(['idnumber' => 'C1']);
        $item = new \grade_item($generator->create_grade_item(['courseid' => $course->id]), false);
        $student = $generator->create_and_enrol($course, 'student', ['idnumber' => 'S1']);
        $item->update_final_grade($student->id, 50, 'test');
        grade_regrade_final_grades($course->id);
        // As an import would leave it.
        $DB->set_field('grade_grades', 'finalgrade', 70, ['itemid' => $item->id]);
        grade_force_full_regrading($course->id);
        $total = fn(array $grades): array => array_column($grades, 'final', 'item');
        $totalid = (int) \grade_item::fetch_course_item($course->id)->id;
        $this->assertEquals(50, $total($this->read('grades'))[$totalid]);
        $this->assertContains(true, array_column($this->read('items'), 'needsupdate'));
        $this->assertEquals(70, $total($this->read('grades', ['courses' => ['C1']]))[$totalid]);
        $this->assertNotContains(true, array_column($this->read('items'), 'needsupdate'));
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
            read::execute(...$arguments);
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
            'younger tool' => [[2, 'grades'], 'contractunsupported'],
            'what' => [[1, 'messages'], 'unknownread'],
            'scope is no JSON' => [[1, 'grades', '{'], 'invalidparameter'],
            'scope is no object' => [[1, 'grades', '["C1"]'], 'invalidparameter'],
            'scope is a number' => [[1, 'grades', '5'], 'invalidparameter'],
            'unknown member' => [[1, 'roster', '{"since": 5}'], 'invalidparameter'],
            'since is text' => [[1, 'grades', '{"since": "5"}'], 'invalidparameter'],
            'since is negative' => [[1, 'grades', '{"since": -5}'], 'invalidparameter'],
            'courses are no array' => [[1, 'grades', '{"courses": "C1"}'], 'invalidparameter'],
            'items are text' => [[1, 'grades', '{"items": ["1"]}'], 'invalidparameter'],
            'deep' => [[1, 'grades', str_repeat('[', 100) . str_repeat(']', 100)], 'invalidparameter'],
            'cursor' => [[1, 'grades', '{}', '-1'], 'invalidparameter'],
            'limit' => [[1, 'grades', '{}', '', 5001], 'invalidparameter'],
        ];
    }

    public function test_needs_the_capability(): void {
        $this->setUser($this->getDataGenerator()->create_user());
        $this->expectException(\required_capability_exception::class);
        read::execute(1, 'activity');
    }
}
