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
 * A course with a gradebook of the SIS.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\tests;

defined('MOODLE_INTERNAL') || die();

global $CFG;
require_once($CFG->libdir . '/gradelib.php');

use local_nagasis\local\provision\batch;

/**
 * A course C1 with a gradebook of the SIS and students S1 to S3: session A with the parts A1 (40) and A2 (60), which is the
 * whole of the final grade.
 */
abstract class grades_testcase extends \advanced_testcase {
    /** @var int What the clock says. */
    protected const NOW = 1772409600;

    /** @var string Who answers for the grades. */
    protected const NOTE = 'Naga SIS, approved by Sok Dara';

    /** @var \stdClass */
    protected \stdClass $course;

    /** @var \stdClass[] By idnumber. */
    protected array $people = [];

    /** @var int[] Ids of items by key. */
    protected array $items = [];

    #[\Override]
    protected function setUp(): void {
        parent::setUp();
        $this->resetAfterTest();
        $this->setAdminUser();
        $this->mock_clock_with_frozen(self::NOW);
        $this->course = $this->getDataGenerator()->create_course(['idnumber' => 'C1']);
        foreach (['S1', 'S2', 'S3'] as $idnumber) {
            $this->student($idnumber);
        }
        $this->items = $this->gradebook($this->course);
    }

    /**
     * Makes and enrols a student.
     *
     * @param string $idnumber
     * @param \stdClass|null $course
     */
    protected function student(string $idnumber, ?\stdClass $course = null): void {
        $generator = $this->getDataGenerator();
        $this->people[$idnumber] ??= $generator->create_user(['idnumber' => $idnumber]);
        $generator->enrol_user($this->people[$idnumber]->id, ($course ?? $this->course)->id, 'student');
    }

    /**
     * Makes the gradebook of a course.
     *
     * @param \stdClass $course
     * @return int[] ids of items by key
     */
    protected function gradebook(\stdClass $course): array {
        global $DB;
        $generator = $this->getDataGenerator();
        $total = \grade_item::fetch_course_item($course->id);
        $category = ['courseid' => $course->id, 'aggregation' => GRADE_AGGREGATE_WEIGHTED_MEAN, 'aggregateonlygraded' => 1];
        $top = \grade_category::fetch_course_category($course->id);
        $DB->update_record('grade_categories', (object) (['id' => $top->id] + $category));
        $session = $generator->create_grade_category($category + ['fullname' => 'Session A']);
        $own = ['itemtype' => 'category', 'iteminstance' => $session->id];
        $items = ['#total' => (int) $total->id, 'A' => (int) $DB->get_field('grade_items', 'id', $own)];
        $DB->set_field('grade_items', 'aggregationcoef', 100, ['id' => $items['A']]);
        foreach (['A1' => 40, 'A2' => 60] as $key => $weight) {
            $fields = ['courseid' => $course->id, 'itemname' => $key, 'categoryid' => $session->id, 'aggregationcoef' => $weight];
            $items[$key] = (int) $generator->create_grade_item($fields)->id;
        }
        foreach (array_diff_key($items, ['#total' => true]) as $key => $id) {
            $this->remember($course, $key, $id);
        }
        grade_regrade_final_grades($course->id);
        return $items;
    }

    /**
     * Says which item is which part or session.
     *
     * @param \stdClass $course
     * @param string $key
     * @param int $itemid
     * @param bool $connected a teacher's own
     */
    protected function remember(\stdClass $course, string $key, int $itemid, bool $connected = false): void {
        global $DB;
        $DB->delete_records('local_nagasis_gradeitem', ['courseid' => $course->id, 'itemkey' => $key]);
        $row = ['courseid' => $course->id, 'itemkey' => $key, 'itemid' => $itemid, 'connected' => (int) $connected];
        $DB->insert_record('local_nagasis_gradeitem', (object) $row);
        $this->items[$key] = $itemid;
    }

    /**
     * Grades as they are sent.
     *
     * @param array $grades each a user, an item, a value, and other fields
     * @param string $course
     * @return array
     */
    protected function document(array $grades, string $course = 'C1'): array {
        return ['kind' => 'grades', 'course' => $course, 'grades' => array_map(fn(array $grade): array => ($grade[3] ?? []) + [
            'user' => $grade[0],
            'item' => $grade[1],
            'value' => $grade[2],
            'note' => self::NOTE,
        ], $grades)];
    }

    /**
     * Sends grades, and sees that the preview says the same and writes nothing.
     *
     * @param array $grades as document() has them
     * @return array the document's result
     */
    protected function send(array $grades): array {
        global $DB;
        $document = $this->document($grades);
        $writes = $DB->perf_get_writes();
        [$previewed] = batch::run([$document], true);
        $this->assertSame($writes, $DB->perf_get_writes(), 'the preview wrote something');
        [$result] = batch::run([$document], false);
        $this->assertSame($previewed, $result);
        return $result;
    }

    /**
     * Sends one grade.
     *
     * @param string $user
     * @param string $item
     * @param int|null $value
     * @param array $fields text, expected
     * @return string its code if it is refused, or its result
     */
    protected function send_one(string $user, string $item, ?int $value, array $fields = []): string {
        $result = $this->send([[$user, $item, $value, $fields]]);
        [$member] = $result['members'] ?? [$result];
        if ($member['result'] === 'refused') {
            $this->assertNotSame('', $member['message']);
        }
        return $member['code'] ?? $member['result'];
    }

    /**
     * The grade that stands in Moodle.
     *
     * @param string $user
     * @param string $item
     * @return \stdClass|null row of grade_grades
     */
    protected function stands(string $user, string $item): ?\stdClass {
        global $DB;
        $key = ['userid' => $this->people[$user]->id, 'itemid' => $this->items[$item]];
        return $DB->get_record('grade_grades', $key) ?: null;
    }

    /**
     * The final grade that stands in Moodle.
     *
     * @param string $user
     * @param string $item
     * @return float|null
     */
    protected function final(string $user, string $item): ?float {
        $grade = $this->stands($user, $item)?->finalgrade;
        return $grade === null ? null : (float) $grade;
    }

    /**
     * Grades by hand, as a teacher does in the gradebook.
     *
     * @param string $user
     * @param string $item
     * @param float|null $grade
     * @param string|false $feedback
     */
    protected function grade_by_hand(string $user, string $item, ?float $grade, string|false $feedback = false): void {
        $this->moodle_item($item)->update_final_grade($this->people[$user]->id, $grade, 'gradebook', $feedback, FORMAT_HTML);
    }

    /**
     * An item as Moodle's functions have it.
     *
     * @param string $item
     * @return \grade_item
     */
    protected function moodle_item(string $item): \grade_item {
        return \grade_item::fetch(['id' => $this->items[$item]]);
    }

    /**
     * A grade as Moodle's functions have it.
     *
     * @param string $user
     * @param string $item
     * @return \grade_grade
     */
    protected function moodle_grade(string $user, string $item): \grade_grade {
        $grade = \grade_grade::fetch(['userid' => $this->people[$user]->id, 'itemid' => $this->items[$item]]);
        $grade->load_grade_item();
        return $grade;
    }

    /**
     * Computes everything anew, as after a change of weights.
     */
    protected function compute_all(): void {
        global $DB;
        $DB->set_field('grade_items', 'needsupdate', 1, ['courseid' => $this->course->id]);
        $this->assertTrue(grade_regrade_final_grades($this->course->id));
    }
}
