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
 * Tests of grades that go into items of teachers.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

use local_nagasis\tests\grades_testcase;

defined('MOODLE_INTERNAL') || die();

global $CFG;
require_once($CFG->libdir . '/completionlib.php');

/**
 * Grades that go into items of teachers: activities, totals of categories, scales, ranges of all kinds.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \local_nagasis\local\provision\grades_kind
 * @covers     \local_nagasis\local\provision\grades_cell
 * @covers     \local_nagasis\local\provision\grades_change
 * @covers     \local_nagasis\local\provision\grades_announcer
 * @covers     \local_nagasis\local\contract\percent
 */
final class grades_connected_test extends grades_testcase {
    /**
     * Makes an activity, from which the part A1 comes.
     *
     * @param array $fields
     * @return \stdClass
     */
    private function activity(array $fields = []): \stdClass {
        $fields += ['course' => $this->course->id, 'grade' => 40, 'name' => 'Essay'];
        $activity = $this->getDataGenerator()->create_module('assign', $fields);
        $item = \grade_item::fetch(['itemtype' => 'mod', 'itemmodule' => 'assign', 'iteminstance' => $activity->id]);
        $this->remember($this->course, 'A1', (int) $item->id, true);
        return $activity;
    }

    /**
     * Grades as the activity does.
     *
     * @param \stdClass $activity
     * @param float|null $grade
     */
    private function grade_in_activity(\stdClass $activity, ?float $grade): void {
        $grades = ['userid' => $this->people['S1']->id, 'rawgrade' => $grade];
        $updated = grade_update('mod/assign', $this->course->id, 'mod', 'assign', $activity->id, 0, $grades);
        $this->assertSame(GRADE_UPDATE_OK, $updated);
    }

    public function test_a_grade_in_an_activity_is_overridden(): void {
        $activity = $this->activity();
        $this->grade_in_activity($activity, 30);
        $this->assertSame('unchanged', $this->send_one('S1', 'A1', 7500));
        $this->assertSame('changed_in_moodle', $this->send_one('S1', 'A1', 8000, ['expected' => 7000]));
        $this->assertSame('updated', $this->send_one('S1', 'A1', 8000, ['expected' => 7500]));
        $this->grade_in_activity($activity, 10);
        $this->compute_all();
        $this->assertSame(32.0, $this->final('S1', 'A1'));
        $this->assertSame('10.00000', $this->stands('S1', 'A1')->rawgrade);
    }

    public function test_what_is_cleared_in_an_activity_does_not_come_back(): void {
        $activity = $this->activity();
        $this->grade_in_activity($activity, 30);
        $this->assertSame('updated', $this->send_one('S1', 'A1', null, ['expected' => 7500]));
        $this->compute_all();
        $this->assertNull($this->final('S1', 'A1'));
        $this->assertSame('unchanged', $this->send_one('S1', 'A1', null, ['expected' => 7500]));

        // An activity that has no grade yet is free to give one.
        $this->send([['S2', 'A1', 5000]]);
        $this->assertSame('updated', $this->send_one('S2', 'A1', null, ['expected' => 5000]));
        $this->assertSame('0', $this->stands('S2', 'A1')->overridden);
    }

    public function test_an_activity_that_waits_for_its_deletion(): void {
        global $DB;
        $activity = $this->activity();
        $DB->set_field('course_modules', 'deletioninprogress', 1, ['id' => $activity->cmid]);
        $this->assertSame('item_missing', $this->send_one('S1', 'A1', 8000));
    }

    public function test_completion_of_the_activity_follows(): void {
        global $CFG;
        $CFG->enablecompletion = 1;
        update_course((object) ['id' => $this->course->id, 'enablecompletion' => 1]);
        $activity = $this->activity([
            'completion' => COMPLETION_TRACKING_AUTOMATIC,
            'completiongradeitemnumber' => 0,
            'completionpassgrade' => 1,
            'gradepass' => 20,
        ]);
        $completion = new \completion_info(get_course($this->course->id));
        $module = get_coursemodule_from_instance('assign', $activity->id);
        $state = fn(): int => (int) $completion->get_data($module, false, $this->people['S1']->id)->completionstate;
        $this->send([['S1', 'A1', 4000]]);
        $this->assertSame(COMPLETION_COMPLETE_FAIL, $state());
        $this->send([['S1', 'A1', 6000, ['expected' => 4000]]]);
        $this->assertSame(COMPLETION_COMPLETE_PASS, $state());
        $this->send([['S1', 'A1', null, ['expected' => 6000]]]);
        $this->assertSame(COMPLETION_INCOMPLETE, $state());
    }

    public function test_files_of_feedback_stay(): void {
        $activity = $this->activity();
        $this->grade_in_activity($activity, 30);
        $file = [
            'contextid' => \core\context\module::instance($activity->cmid)->id,
            'component' => GRADE_FILE_COMPONENT,
            'filearea' => GRADE_FEEDBACK_FILEAREA,
            'itemid' => $this->stands('S1', 'A1')->id,
            'filepath' => '/',
            'filename' => 'notes.txt',
        ];
        $made = get_file_storage()->create_file_from_string($file, 'See page 2');
        $this->send([['S1', 'A1', 8000, ['expected' => 7500]]]);
        $this->assertNotFalse(get_file_storage()->get_file_by_hash($made->get_pathnamehash()));
    }

    public function test_the_total_of_a_teacher_s_category(): void {
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
        $this->remember($this->course, 'A1', (int) $total->id, true);
        $this->compute_all();
        $this->grade_by_hand('S1', 'Q1', 15);
        // Moodle shows 75 %: only what has a grade counts.
        $this->assertSame('unchanged', $this->send_one('S1', 'A1', 7500));
        $this->assertSame('changed_in_moodle', $this->send_one('S1', 'A1', 8000));
        $this->assertSame('updated', $this->send_one('S1', 'A1', 8000, ['expected' => 7500]));
        $this->assertSame('unchanged', $this->send_one('S1', 'A1', 8000));
        $this->grade_by_hand('S1', 'Q2', 3);
        $this->compute_all();
        $this->assertSame(40.0, $this->final('S1', 'A1'));
    }

    public function test_a_formula(): void {
        $item = $this->moodle_item('A1');
        $item->set_calculation('=##gi' . $this->items['A2'] . '##');
        $this->send([['S1', 'A2', 5000]]);
        $this->assertSame(50.0, $this->final('S1', 'A1'));
        $this->send([['S1', 'A1', 8000, ['expected' => 5000]]]);
        $this->compute_all();
        $this->assertSame(80.0, $this->final('S1', 'A1'));
    }

    public function test_words_of_a_scale_by_their_place(): void {
        global $DB;
        $scale = $this->getDataGenerator()->create_scale(['scale' => 'Fail, Pass, Merit, Good, Excellent']);
        $fields = ['gradetype' => GRADE_TYPE_SCALE, 'scaleid' => $scale->id, 'grademin' => 1, 'grademax' => 5];
        $DB->update_record('grade_items', (object) (['id' => $this->items['A1']] + $fields));
        $places = [0 => 1.0, 1249 => 1.0, 1250 => 2.0, 5000 => 3.0, 8750 => 5.0, 10000 => 5.0];
        $expected = null;
        foreach ($places as $value => $place) {
            $this->send([['S1', 'A1', $value, ['expected' => $expected]]]);
            $this->assertSame($place, $this->final('S1', 'A1'), "value $value");
            $this->assertSame('unchanged', $this->send_one('S1', 'A1', $value));
            $expected = $value;
        }
        $this->send([['S1', 'A1', 5000, ['expected' => 10000]]]);
        $result = $this->send([['S1', 'A1', 8750, ['expected' => 5000]]]);
        $this->assertSame([['field' => 'value', 'before' => 5000, 'after' => 10000]], $result['members'][0]['changes']);
    }

    /**
     * Ranges of items.
     *
     * @return array
     */
    public static function ranges(): array {
        return [[0, 100], [0, 10], [0, 20], [0, 3], [1, 5], [-10, 10], [50, 100], [0, 0.5], [0, 7.77777], [-3.3, 99999], [0, 1000]];
    }

    /**
     * Every hundredth comes back as it was sent.
     *
     * @dataProvider ranges
     * @param float $min
     * @param float $max
     */
    public function test_every_hundredth_comes_back(float $min, float $max): void {
        $wrong = [];
        for ($value = 0; $value <= 10000; $value++) {
            $grade = \local_nagasis\local\contract\percent::grade($value, $min, $max);
            $back = \local_nagasis\local\contract\percent::of($grade, $min, $max);
            if ($back !== $value || !preg_match('/^-?[0-9]+\.[0-9]{5}$/D', $grade)) {
                $wrong[$value] = $grade;
            }
        }
        $this->assertSame([], $wrong);
    }

    public function test_rounding_is_half_up_and_exact(): void {
        $of = \local_nagasis\local\contract\percent::of(...);
        $this->assertSame([8750, 8751, 1], [$of('87.50499', 0, 100), $of('87.50500', 0, 100), $of('0.00500', 0, 100)]);
        $this->assertSame([101, 102], [$of('1.00500', 0, 100), $of('1.01500', 0, 100)]);
        $this->assertSame([3333, 6667], [$of('1', 0, 3), $of('2', 0, 3)]);
        $this->assertSame([null, null, null], [$of(null, 0, 100), $of('1', 1, 1), $of('1', 5, 1)]);
        $this->assertSame([11000, -500], [$of('110', 0, 100), $of('-5', 0, 100)]);
    }

    /**
     * Grades in a range that is not 0 to 100.
     *
     * @dataProvider ranges
     * @param float $min
     * @param float $max
     */
    public function test_a_range_of_its_own(float $min, float $max): void {
        global $DB;
        $DB->update_record('grade_items', (object) ['id' => $this->items['A1'], 'grademin' => $min, 'grademax' => $max]);
        $this->send([['S1', 'A1', 8333]]);
        $this->assertSame('unchanged', $this->send_one('S1', 'A1', 8333));
        $this->assertSame('updated', $this->send_one('S1', 'A1', 10000, ['expected' => 8333]));
        $this->assertEqualsWithDelta($max, $this->final('S1', 'A1'), 0.000001);
        $this->assertSame(100.0, $this->final('S1', '#total'));
    }
}
