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
 * Tests of many grades at once.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

use local_nagasis\tests\grades_testcase;

/**
 * Many grades at once: few statements, each document for itself.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \local_nagasis\local\provision\grades_kind
 * @covers     \local_nagasis\local\provision\grades_writer
 * @covers     \local_nagasis\local\provision\grades_announcer
 * @covers     \local_nagasis\local\provision\grades_totals
 * @covers     \local_nagasis\local\provision\grades_people
 * @covers     \local_nagasis\local\provision\grades_standing
 */
final class grades_many_test extends grades_testcase {
    /**
     * Makes courses with gradebooks and students.
     *
     * @param int $courses
     * @param int $students of each
     * @return array[] documents with a final grade for everybody
     */
    private function courses(int $courses, int $students): array {
        $documents = [];
        for ($number = 0; $number < $courses; $number++) {
            $course = $this->getDataGenerator()->create_course(['idnumber' => "B$number"]);
            $this->gradebook($course);
            $grades = [];
            for ($student = 0; $student < $students; $student++) {
                $this->student("B$number-$student", $course);
                $grades[] = ["B$number-$student", '#total', 5000 + 10 * $student];
            }
            $documents[] = $this->document($grades, "B$number");
        }
        return $documents;
    }

    /**
     * Runs documents.
     *
     * @param array $documents
     * @return array{int, array} queries, and the results
     */
    private function count_queries(array $documents): array {
        global $DB;
        $before = $DB->perf_get_queries();
        $results = batch::run($documents, false);
        return [$DB->perf_get_queries() - $before, $results];
    }

    /**
     * Documents with other values.
     *
     * @param array $documents
     * @param int $more
     * @return array
     */
    private function raised(array $documents, int $more): array {
        foreach ($documents as &$document) {
            foreach ($document['grades'] as &$grade) {
                $grade['value'] += $more;
            }
        }
        return $documents;
    }

    public function test_final_grades_take_as_many_statements_for_few_as_for_many(): void {
        $documents = $this->courses(3, 6);
        $few = [['grades' => array_slice($documents[0]['grades'], 0, 2)] + $documents[0]];
        // Fills caches.
        $this->count_queries($few);
        $some = $this->count_queries($this->raised($few, 1));
        // Those who have no row yet take two statements more: one insertion, and what is known of the other courses' contexts.
        $this->count_queries($documents);
        $many = $this->count_queries($this->raised($documents, 2));
        $this->assertSame('updated', $many[1][2]['members'][5]['result']);
        $this->assertSame($some[0], $many[0]);
        $this->assertLessThan(25, $many[0]);
        $this->assertLessThan(20, $this->count_queries($this->raised($documents, 2))[0]);
    }

    public function test_totals_are_computed_once_for_a_course(): void {
        global $DB;
        $grades = [];
        foreach (range(1, 12) as $number) {
            $this->student("M$number");
            array_push($grades, ["M$number", 'A1', 100 * $number], ["M$number", 'A2', 0]);
        }
        $this->send($grades);
        $total = fn(string $user): ?float => $this->final($user, '#total');
        $this->assertSame([0.4, 4.8], [$total('M1'), $total('M12')]);
        $computed = $DB->count_records('grade_grades_history', ['itemid' => $this->items['#total'], 'source' => 'aggregation']);
        $this->assertSame(12, $computed);
    }

    public function test_nothing_is_computed_under_totals_that_stand(): void {
        $grades = [];
        foreach (['S1', 'S2', 'S3'] as $user) {
            array_push($grades, [$user, 'A1', 8000], [$user, 'A2', 7000], [$user, 'A', 9000], [$user, '#total', 9100]);
        }
        $this->send($grades);
        [$queries] = $this->count_queries([$this->document([['S1', 'A1', 8100, ['expected' => 8000]]])]);
        $this->assertLessThan(30, $queries);
        $this->assertSame([81.0, 90.0], [$this->final('S1', 'A1'), $this->final('S1', 'A')]);
        $this->assertSame('0', $this->moodle_item('#total')->needsupdate);
    }

    public function test_a_course_that_waits_for_its_computation_is_computed(): void {
        $this->send([['S1', 'A1', 8000], ['S2', 'A1', 7000]]);
        $this->moodle_item('A1')->force_regrading();
        $this->send([['S1', 'A1', 8100, ['expected' => 8000]]]);
        $this->assertSame(81.0, $this->final('S1', '#total'));
        $this->assertSame('0', $this->moodle_item('#total')->needsupdate);
    }

    public function test_a_document_that_fails_does_not_stop_the_others(): void {
        $this->preventResetByRollback();
        $documents = $this->courses(3, 2);
        // Somebody else's observer cannot bear one of them.
        \core\event\manager::phpunit_replace_observers([[
            'eventname' => '\core\event\user_graded',
            'callback' => self::class . '::refuse_fifty_seven',
            'internal' => true,
        ]]);
        $documents[1]['grades'][0]['value'] = 5700;
        $results = batch::run($documents, false);
        // Moodle keeps what observers throw to itself.
        $this->assertSame(['updated', 'updated', 'updated'], array_column($results, 'result'));
        $this->assertDebuggingCalled();
    }

    /**
     * An observer with a mistake in it.
     *
     * @param \core\event\user_graded $event
     */
    public static function refuse_fifty_seven(\core\event\user_graded $event): void {
        if ((float) $event->other['finalgrade'] === 57.0) {
            throw new \coding_exception('I do not like it');
        }
    }

    public function test_half_written_is_not_written(): void {
        global $DB;
        $this->preventResetByRollback();
        $documents = $this->courses(3, 2);
        $course = $DB->get_field('course', 'id', ['idnumber' => 'B1']);
        // Without its context no event of this course can be made: after its grades were written.
        $context = \core\context\course::instance($course);
        $DB->set_field('context', 'instanceid', 999999, ['id' => $context->id]);
        \core\context_helper::reset_caches();
        $student = $DB->get_field('role', 'id', ['shortname' => 'student']);
        role_assign($student, $this->people['B1-0']->id, \core\context\system::instance());
        $codes = array_map(fn(array $result): string => $result['code'] ?? $result['result'], batch::run($documents, false));
        $this->assertSame('updated', $codes[0]);
        $this->assertSame('updated', $codes[2]);
        $this->assertSame(4, $DB->count_records_select('grade_grades', 'overridden > 0'));
        $this->assertSame(4, $DB->count_records('grade_grades_history', ['source' => self::NOTE]));
    }
}
