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
 * Tests of reading grades.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\external;

use local_nagasis\tests\grades_testcase;

/**
 * What the tool compares with the SIS's own grades.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \local_nagasis\external\read
 * @covers     \local_nagasis\local\reading\grades
 * @covers     \local_nagasis\local\reading\scope
 * @covers     \local_nagasis\local\contract\percent
 */
final class read_grades_test extends grades_testcase {
    /**
     * Reads grades, page by page.
     *
     * @param array $scope
     * @param int $limit
     * @return array[]
     */
    private function read(array $scope = [], int $limit = 2): array {
        $items = [];
        $after = '';
        do {
            $answer = json_decode(read::execute(1, 'grades', json_encode((object) $scope), $after, $limit), true);
            $items = [...$items, ...$answer['items']];
            $after = $answer['next'];
        } while ($after !== null);
        return $items;
    }

    /**
     * Percents by key.
     *
     * @param array $scope
     * @return array
     */
    private function percents(array $scope): array {
        $found = array_column($this->read($scope), 'percent', 'key');
        ksort($found);
        return $found;
    }

    public function test_one_grade(): void {
        $this->send([['S1', 'A1', 8750]]);
        [$grade] = $this->read(['courses' => ['C1'], 'items' => [$this->items['A1']]]);
        $this->assertSame([
            'course' => 'C1',
            'item' => $this->items['A1'],
            'key' => 'A1',
            'id' => (int) $this->people['S1']->id,
            'user' => 'S1',
            'percent' => 8750,
            'final' => 87.5,
            'raw' => null,
            'overridden' => false,
            'locked' => false,
            'hidden' => false,
            'excluded' => false,
            'by' => (int) get_admin()->id,
            'at' => self::NOW,
        ], array_replace($grade, ['final' => (float) $grade['final']]));
    }

    public function test_keys_of_what_the_sis_made(): void {
        $this->send([['S1', 'A1', 8000], ['S1', 'A2', 5000]]);
        $fields = ['courseid' => $this->course->id, 'itemname' => 'Mine'];
        $this->items['Mine'] = (int) $this->getDataGenerator()->create_grade_item($fields)->id;
        $this->grade_by_hand('S1', 'Mine', 10);
        $this->send([['S1', 'A', 7000], ['S1', '#total', 6000]]);
        $all = $this->read(['courses' => ['C1']]);
        $this->assertContains(null, array_column($all, 'key'));
        $expected = ['#total' => 6000, 'A' => 7000, 'A1' => 8000, 'A2' => 5000];
        $this->assertSame($expected, $this->percents(['courses' => ['C1'], 'keyed' => true]));
        $this->assertSame($expected, $this->percents(['keyed' => true]));
        $this->assertSame($expected, $this->percents(['keyed' => true, 'since' => self::NOW]));
        $this->assertSame(count($all), count($this->read(['courses' => ['C1'], 'keyed' => false])));
    }

    public function test_a_course_without_a_gradebook_of_the_sis_has_no_keys(): void {
        global $DB;
        $this->grade_by_hand('S1', 'A1', 10);
        $DB->delete_records('local_nagasis_gradeitem');
        $found = $this->read(['courses' => ['C1']]);
        $this->assertNotSame([], $found);
        $this->assertSame([null], array_values(array_unique(array_column($found, 'key'))));
        $this->assertSame([], $this->read(['courses' => ['C1'], 'keyed' => true]));
    }

    public function test_ranges_scales_and_what_is_no_number(): void {
        global $DB;
        $scale = $this->getDataGenerator()->create_scale(['scale' => 'Fail, Pass, Merit, Good, Excellent']);
        $fields = ['gradetype' => GRADE_TYPE_SCALE, 'scaleid' => $scale->id, 'grademin' => 1, 'grademax' => 5];
        $DB->update_record('grade_items', (object) (['id' => $this->items['A1']] + $fields));
        $DB->update_record('grade_items', (object) ['id' => $this->items['A2'], 'grademin' => -10, 'grademax' => 30]);
        $this->grade_by_hand('S1', 'A1', 4);
        $this->grade_by_hand('S1', 'A2', 0);
        $scope = ['courses' => ['C1'], 'items' => [$this->items['A1'], $this->items['A2']]];
        $this->assertSame(['A1' => 7500, 'A2' => 2500], $this->percents($scope));
        $DB->delete_records('scale', ['id' => $scale->id]);
        $DB->set_field('grade_items', 'gradetype', GRADE_TYPE_TEXT, ['id' => $this->items['A2']]);
        $this->assertSame(['A1' => null, 'A2' => null], $this->percents($scope));
    }

    public function test_a_grade_that_was_taken_away_is_told(): void {
        $this->send([['S1', 'A1', 8000]]);
        $this->grade_by_hand('S1', 'A1', null);
        $this->assertSame(['A1' => null], $this->percents(['courses' => ['C1'], 'items' => [$this->items['A1']]]));
    }

    public function test_computed_totals_go_by_the_range_of_the_person(): void {
        $generator = $this->getDataGenerator();
        $category = $generator->create_grade_category([
            'courseid' => $this->course->id,
            'aggregation' => GRADE_AGGREGATE_SUM,
            'aggregateonlygraded' => 1,
        ]);
        foreach (['Q1' => 20, 'Q2' => 30] as $name => $max) {
            $fields = ['courseid' => $this->course->id, 'categoryid' => $category->id, 'itemname' => $name, 'grademax' => $max];
            $this->items[$name] = (int) $generator->create_grade_item($fields)->id;
        }
        $total = \grade_item::fetch(['itemtype' => 'category', 'iteminstance' => $category->id]);
        $this->remember($this->course, 'Q', (int) $total->id, true);
        $this->compute_all();
        $this->grade_by_hand('S1', 'Q1', 15);
        $this->assertSame(['Q' => 7500], $this->percents(['courses' => ['C1'], 'items' => [(int) $total->id]]));
    }

    public function test_a_page_is_read_in_as_many_queries_whatever_its_size(): void {
        global $DB;
        // Fills caches.
        $this->read(['courses' => ['C1'], 'keyed' => true], 5000);
        $counts = [];
        foreach ([['S1'], ['S2', 'S3']] as $users) {
            $this->send(array_map(fn(string $user): array => [$user, 'A1', 8000], $users));
            $before = $DB->perf_get_queries();
            $this->read(['courses' => ['C1'], 'keyed' => true], 5000);
            $counts[] = $DB->perf_get_queries() - $before;
        }
        $this->assertSame($counts[0], $counts[1]);
    }

    public function test_keyed_is_true_or_false(): void {
        $this->expectException(\invalid_parameter_exception::class);
        read::execute(1, 'grades', '{"keyed": 1}');
    }

    public function test_only_grades_are_keyed(): void {
        $this->expectException(\invalid_parameter_exception::class);
        read::execute(1, 'items', '{"keyed": true}');
    }
}
