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
namespace local_nagasis\local\provision;

use local_nagasis\tests\gradebook_testcase;

/**
 * What the example cases cannot say about gradebooks.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \local_nagasis\local\provision\gradebook
 * @covers     \local_nagasis\local\provision\gradebook_aggregation
 * @covers     \local_nagasis\local\provision\gradebook_changes
 * @covers     \local_nagasis\local\provision\gradebook_check
 * @covers     \local_nagasis\local\provision\gradebook_comparison
 * @covers     \local_nagasis\local\provision\gradebook_index
 * @covers     \local_nagasis\local\provision\gradebook_kind
 * @covers     \local_nagasis\local\provision\gradebook_letters
 * @covers     \local_nagasis\local\provision\gradebook_maker
 * @covers     \local_nagasis\local\provision\gradebook_writer
 * @covers     \local_nagasis\local\provision\document_courses
 */
final class gradebook_kind_test extends gradebook_testcase {
    public function test_totals_are_those_of_the_sis(): void {
        $student = $this->student();
        $this->assertSame('created', $this->settle()['result']);
        foreach (['P1' => 80, 'P2' => 60, 'P3' => 90] as $key => $grade) {
            $this->item($key)->update_final_grade($student, $grade, 'test');
        }
        grade_regrade_final_grades($this->course->id);
        $this->assertSame(65.0, $this->grade('S1', $student));
        $this->assertSame(80.0, $this->grade('#total', $student));
        $letters = grade_get_letters(\core\context\course::instance($this->course->id));
        $this->assertSame(['A', 'B+', 'F'], array_values($letters));
        $total = $this->item('#total');
        $this->assertSame('80.00 (B+)', grade_format_gradevalue(80.0, $total, false));
    }

    public function test_what_is_made_in_bulk_is_what_moodle_makes(): void {
        global $DB;
        $this->mock_clock_with_frozen(time());
        $sink = $this->redirectEvents();
        $this->settle(['letters' => []] + self::ALGEBRA);
        $events = array_map(fn($event): array => [get_class($event), $event->other['itemtype']], $sink->get_events());
        $other = $this->getDataGenerator()->create_course();
        $sink->clear();
        $category = new \grade_category(['courseid' => $other->id, 'fullname' => 'Midterm'], false);
        $category->aggregateonlygraded = 1;
        $category->aggregation = GRADE_AGGREGATE_WEIGHTED_MEAN;
        $category->insert();
        $item = ['courseid' => $other->id, 'itemtype' => 'manual', 'itemname' => 'Quiz', 'categoryid' => $category->id];
        (new \grade_item($item + ['aggregationcoef' => 25, 'decimals' => 2], false))->insert();
        $total = $category->load_grade_item();
        $total->aggregationcoef = 40;
        $total->decimals = 2;
        $total->display = GRADE_DISPLAY_TYPE_REAL;
        $total->update();
        grade_regrade_final_grades($other->id);
        $free = ['id', 'courseid', 'categoryid', 'iteminstance', 'sortorder', 'parent', 'path', 'timecreated', 'timemodified'];
        foreach (['manual' => 'Quiz', 'category' => null] as $type => $name) {
            $row = fn(int $course): array => array_diff_key(
                (array) current($DB->get_records('grade_items', ['courseid' => $course, 'itemtype' => $type], 'id')),
                array_flip($free),
            );
            $this->assertEquals($row($other->id), $row($this->course->id), $type);
        }
        $row = fn(int $course): array => array_diff_key(
            (array) $DB->get_record('grade_categories', ['courseid' => $course, 'fullname' => 'Midterm']),
            array_flip($free),
        );
        $this->assertEquals($row($other->id), $row($this->course->id));
        $ours = $DB->get_record('grade_categories', ['courseid' => $this->course->id, 'fullname' => 'Midterm']);
        $this->assertSame("/$ours->parent/$ours->id/", $ours->path);
        $this->assertSame([
            [\core\event\grade_item_created::class, 'course'],
            [\core\event\grade_item_created::class, 'category'],
            [\core\event\grade_item_created::class, 'manual'],
            [\core\event\grade_item_created::class, 'manual'],
            [\core\event\grade_item_created::class, 'category'],
            [\core\event\grade_item_created::class, 'manual'],
        ], $events);
        $this->assertSame(6, $DB->count_records('grade_items_history', ['source' => 'local_nagasis']));
        $this->assertSame(3, $DB->count_records('grade_categories_history', ['source' => 'local_nagasis']));
    }

    public function test_names_weights_places_and_letters_are_ours(): void {
        $this->settle();
        $document = self::ALGEBRA;
        $document['categories'][0] = ['key' => 'S1', 'name' => 'Middle', 'weight' => 5000];
        $document['items'][1] = ['key' => 'P2', 'name' => 'Essay', 'category' => 'S2', 'weight' => 1000];
        $document['letters'] = [['letter' => 'P', 'minimum' => 5000], ['letter' => 'F', 'minimum' => 0]];
        $this->assertSame([
            ['field' => 'categories/S1', 'before' => ['name' => 'Midterm', 'weight' => 4000],
                'after' => ['name' => 'Middle', 'weight' => 5000]],
            ['field' => 'items/P2', 'before' => ['name' => 'Paper', 'weight' => 7500, 'place' => 'S1'],
                'after' => ['name' => 'Essay', 'weight' => 1000, 'place' => 'S2']],
            ['field' => 'letters', 'before' => [['A', 8500], ['B+', 7050], ['F', 0]], 'after' => [['P', 5000], ['F', 0]]],
        ], $this->settle($document)['changes']);
        $this->assertSame('Essay', $this->item('P2')->itemname);
        $this->assertEquals($this->item('S2')->iteminstance, $this->item('P2')->categoryid);
        $this->assertSame(50.0, (float) $this->item('S1')->aggregationcoef);

        // Without letters, totals are numbers; where a teacher wants percentages, they stay.
        $percentage = $this->item('S2');
        $percentage->display = GRADE_DISPLAY_TYPE_PERCENTAGE;
        $percentage->update();
        $this->settle(['letters' => []] + $document);
        $this->assertEquals(GRADE_DISPLAY_TYPE_REAL, $this->item('#total')->display);
        $this->assertEquals(GRADE_DISPLAY_TYPE_REAL, $this->item('S1')->display);
        $this->assertEquals(GRADE_DISPLAY_TYPE_PERCENTAGE, $this->item('S2')->display);
        $this->assertCount(11, grade_get_letters(\core\context\course::instance($this->course->id)));
    }

    public function test_what_was_changed_or_deleted_in_moodle_comes_back(): void {
        $this->settle();
        $own = new \grade_category(['courseid' => $this->course->id, 'fullname' => 'Mine'], false);
        $own->insert();
        \grade_category::fetch(['id' => $this->item('S2')->iteminstance])->set_parent($own->id);
        $this->item('P1')->set_parent($own->id);
        $this->item('P2')->delete();
        $session = \grade_category::fetch(['id' => $this->item('S1')->iteminstance]);
        \grade_category::set_properties($session, (object) ['aggregation' => GRADE_AGGREGATE_SUM]);
        $session->update();
        $total = $this->item('#total');
        $total->set_calculation('=[[p]]*2');
        $this->item('P3')->set_hidden(1);
        $result = $this->settle();
        $this->assertSame([
            'categories/S2' => ['before' => ['place' => 'Mine'], 'after' => ['place' => '']],
            'items/P1' => ['before' => ['weight' => 0, 'place' => 'Mine'], 'after' => ['weight' => 2500, 'place' => 'S1']],
            'items/P2' => ['before' => null, 'after' => ['name' => 'Paper', 'weight' => 7500, 'place' => 'S1', 'source' => null]],
            'aggregation' => ['before' => 'calculation', 'after' => 'weighted_mean'],
        ], $this->by_field($result));
        $this->assertArrayNotHasKey('notes', $result);
        $this->assertEquals(1, $this->item('P3')->hidden);
        $this->assertNull($this->item('#total')->calculation);
        $session = \grade_category::fetch(['id' => $this->item('S1')->iteminstance]);
        $this->assertEquals(GRADE_AGGREGATE_WEIGHTED_MEAN, $session->aggregation);
    }

    /**
     * A course that is reset may lose all of its gradebook.
     */
    public function test_a_gradebook_that_was_emptied_is_made_again(): void {
        $this->settle();
        \grade_category::fetch_course_category($this->course->id)->delete();
        $this->assertSame('updated', $this->settle()['result']);
        $this->assertEquals(GRADE_DISPLAY_TYPE_REAL_LETTER, $this->item('#total')->display);
        $this->assertNotNull($this->item('P2'));
    }

    public function test_hidden_and_passing_grades_stay_the_teachers(): void {
        $this->settle();
        $item = $this->item('P3');
        $item->hidden = 1;
        $item->gradepass = 50;
        $item->display = GRADE_DISPLAY_TYPE_LETTER;
        $item->update();
        $this->item('P3')->move_after_sortorder(1);
        grade_regrade_final_grades($this->course->id);
        $this->assertSame('unchanged', self::apply()['result']);
        $document = self::ALGEBRA;
        $document['items'][2]['name'] = 'Final exam';
        $this->settle($document);
        $item = $this->item('P3');
        $this->assertEquals([1, 50, GRADE_DISPLAY_TYPE_LETTER], [$item->hidden, $item->gradepass, $item->display]);
    }

    public function test_what_holds_grades_is_never_deleted(): void {
        $student = $this->student();
        $this->settle();
        [$graded, $empty, $session] = [$this->item('P1'), $this->item('P2'), $this->item('S1')];
        $graded->update_final_grade($student, 80, 'test');
        grade_regrade_final_grades($this->course->id);
        $document = self::ALGEBRA;
        array_splice($document['categories'], 0, 1);
        array_splice($document['items'], 0, 2);
        $result = $this->settle($document);
        $this->assertSame(['categories/S1', 'items/P1', 'items/P2'], $this->sorted(array_keys($this->by_field($result))));
        $this->assertSame(['item_kept', 'item_kept'], array_column($result['notes'], 'code'));
        $this->assertFalse(\grade_item::fetch(['id' => $empty->id]));
        $kept = \grade_item::fetch(['id' => $graded->id]);
        $top = \grade_category::fetch_course_category($this->course->id);
        $this->assertEquals([$top->id, 0], [$kept->categoryid, $kept->aggregationcoef]);
        $this->assertEquals(80, $kept->get_final($student)->finalgrade);
        // The session's total had been computed of it.
        $this->assertEquals(0, \grade_item::fetch(['id' => $session->id])->aggregationcoef);

        // It is no longer remembered: the part gets another item when it comes back.
        $this->settle();
        $this->assertNotEquals($graded->id, $this->item('P1')->id);
    }

    public function test_history_is_enough_to_stay(): void {
        $student = $this->student();
        $this->settle();
        $item = $this->item('P1');
        $item->update_final_grade($student, 80, 'test');
        $item->update_final_grade($student, null, 'test');
        grade_regrade_final_grades($this->course->id);
        $document = self::ALGEBRA;
        array_splice($document['items'], 0, 1);
        $this->settle($document);
        $this->assertNotFalse(\grade_item::fetch(['id' => $item->id]));
    }

    public function test_what_is_locked_is_not_changed(): void {
        $quiz = $this->quiz();
        $this->settle();
        $this->item('S1')->set_locked(1);
        $this->assertSame('unchanged', self::apply()['result']);
        $heavier = self::ALGEBRA;
        $heavier['items'][0]['weight'] = 5000;
        $this->assertRefused('item_locked', '/items/0', $heavier);
        $renamed = self::ALGEBRA;
        $renamed['items'][0]['name'] = 'Another name';
        $this->settle($renamed);
        $this->assertRefused('item_locked', '/items/0', self::connected((int) $quiz->id));
        $without = self::ALGEBRA;
        array_splice($without['items'], 0, 1);
        $this->assertRefused('item_locked', null, $without);
        $this->item('S1')->set_locked(0);
        $quiz->set_locked(1);
        $this->assertRefused('item_locked', '/items/0/source', self::connected((int) $quiz->id));
        $quiz->set_locked(0);
        $this->item('#total')->set_locked(1);
        $this->assertRefused('item_locked', '/items/0', $heavier);
        $more = self::ALGEBRA;
        $more['categories'][] = ['key' => 'S3', 'name' => 'Third', 'weight' => 1000];
        $this->assertRefused('item_locked', '/categories/2', $more);
    }

    public function test_what_the_site_forces(): void {
        $wrong = ['aggregation' => GRADE_AGGREGATE_SUM, 'aggregateonlygraded' => 0, 'droplow' => 1, 'keephigh' => 2];
        foreach ($wrong as $name => $value) {
            set_config("grade_$name", $value);
            unset_config("grade_{$name}_flag");
            $this->assertSame('created', batch::run([self::ALGEBRA], true)[0]['result']);
            set_config("grade_{$name}_flag", 1);
            $this->assertRefused('aggregation_forced', null);
            unset_config("grade_{$name}_flag");
            unset_config("grade_$name");
        }
        set_config('grade_aggregation', GRADE_AGGREGATE_WEIGHTED_MEAN);
        set_config('grade_aggregation_flag', 1);
        $this->settle();
    }

    public function test_many_gradebooks_cost_few_queries(): void {
        global $DB;
        $documents = fn(int $from, int $to): array => array_map(
            fn(int $number): array => ['course' => "M$number"] + self::ALGEBRA,
            range($from, $to),
        );
        foreach (range(1, 22) as $number) {
            $this->getDataGenerator()->create_course(['idnumber' => "M$number"]);
        }
        $counts = [];
        foreach ([[1, 2], [3, 22]] as $range) {
            foreach (['made', 'unchanged'] as $what) {
                $before = [$DB->perf_get_reads(), $DB->perf_get_writes()];
                $results = array_column(batch::run($documents(...$range), false), 'result');
                $this->assertSame([$what === 'made' ? 'created' : 'unchanged'], array_values(array_unique($results)));
                $counts[$what][] = [$DB->perf_get_reads() - $before[0], $DB->perf_get_writes() - $before[1]];
            }
        }
        $this->assertSame($counts['unchanged'][0], $counts['unchanged'][1]);
        $this->assertLessThan(15, $counts['unchanged'][0][0]);
        $this->assertSame(0, $counts['unchanged'][0][1]);
        // Events of this course's log and letters are told one by one, rows are not.
        $this->assertLessThan(60, $counts['made'][1][1] - $counts['made'][0][1]);
    }

    public function test_a_gradebook_is_whole_or_absent(): void {
        global $DB;
        $this->preventResetByRollback();
        $second = $this->getDataGenerator()->create_course(['idnumber' => 'C2']);
        $quiz = $this->getDataGenerator()->create_module('quiz', ['course' => $second->id]);
        $item = \grade_item::fetch(['itemmodule' => 'quiz', 'iteminstance' => $quiz->id]);
        // Something that can't be: another course's part comes from this item. The last step finds out.
        $lie = ['courseid' => $this->course->id + 1000000, 'itemkey' => 'P9', 'itemid' => $item->id];
        $DB->insert_record(gradebook_index::TABLE, (object) $lie);
        $before = $DB->get_records('grade_items', ['courseid' => $second->id]);
        $log = ini_set('error_log', '/dev/null');
        $results = batch::run([self::ALGEBRA, ['course' => 'C2'] + self::connected((int) $item->id)], false);
        ini_set('error_log', $log);
        $this->assertSame(['created', 'refused'], array_column($results, 'result'));
        $this->assertSame('failed', $results[1]['code']);
        $this->assertEquals($before, $DB->get_records('grade_items', ['courseid' => $second->id]));
        $this->assertSame(1, $DB->count_records('grade_categories', ['courseid' => $second->id]));
        $this->assertEquals($item->categoryid, \grade_category::fetch_course_category($second->id)->id);
        $this->assertSame(6, count((new gradebook_index([(int) $this->course->id]))->of((int) $this->course->id)->known));
    }

    public function test_contradictions(): void {
        $with = function (string $list, int $index, array $fields): array {
            $document = self::ALGEBRA;
            $document[$list][$index] = $fields + $document[$list][$index];
            return $document;
        };
        $this->assertRefused('schema', '/items/0/key', $with('items', 0, ['key' => 'S1']));
        $this->assertRefused('schema', '/categories/1/key', $with('categories', 1, ['key' => '#total']));
        $this->assertRefused('schema', '/items/1/category', $with('items', 1, ['category' => 'S9']));
        $this->assertRefused('schema', '/categories/1', $with('items', 2, ['weight' => 0]));
        $this->assertRefused('schema', '/letters/1/letter', $with('letters', 1, ['letter' => 'A']));
        $this->assertRefused('schema', '/letters/1/minimum', $with('letters', 1, ['minimum' => 8500]));
        $document = $with('items', 0, ['source' => 1]);
        $document['items'][1]['source'] = 1;
        $this->assertRefused('schema', '/items/1/source', $document);
    }

    public function test_what_is_remembered_of_a_deleted_course_is_forgotten(): void {
        global $DB;
        $this->settle();
        delete_course($this->course->id, false);
        gradebook_index::forget_deleted();
        $this->assertSame(0, $DB->count_records(gradebook_index::TABLE));
    }
}
