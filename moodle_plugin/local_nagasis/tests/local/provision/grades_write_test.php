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
 * Tests of how grades are written.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

use local_nagasis\tests\grades_testcase;

/**
 * How grades are written: items, totals, letters; and what stays as it is.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \local_nagasis\local\provision\grades_kind
 * @covers     \local_nagasis\local\provision\grades_cell
 * @covers     \local_nagasis\local\provision\grades_change
 * @covers     \local_nagasis\local\provision\grades_writer
 * @covers     \local_nagasis\local\provision\grades_announcer
 * @covers     \local_nagasis\local\provision\grades_totals
 * @covers     \local_nagasis\local\provision\grades_standing
 */
final class grades_write_test extends grades_testcase {
    public function test_a_part_counts_in_the_totals_above_it(): void {
        $result = $this->send([['S1', 'A1', 8000], ['S1', 'A2', 5000], ['S2', 'A1', 0]]);
        $this->assertSame('updated', $result['result']);
        $this->assertSame((int) $this->course->id, $result['id']);
        $this->assertSame([], $result['changes']);
        $this->assertSame([
            'user' => 'S1',
            'item' => 'A1',
            'result' => 'updated',
            'changes' => [['field' => 'value', 'before' => null, 'after' => 8000]],
        ], $result['members'][0]);
        $this->assertSame(80.0, $this->final('S1', 'A1'));
        $this->assertSame(62.0, $this->final('S1', 'A'));
        $this->assertSame(62.0, $this->final('S1', '#total'));
        $this->assertSame(0.0, $this->final('S2', '#total'));
        $this->assertSame('0', $this->stands('S1', 'A1')->overridden);
        $this->assertSame('0', $this->stands('S1', '#total')->overridden);
        $this->assertNull($this->stands('S3', 'A1')?->finalgrade);
        $this->assertSame('0', $this->moodle_item('#total')->needsupdate);
    }

    public function test_who_and_when(): void {
        $service = $this->getDataGenerator()->create_user();
        $this->setUser($service);
        $this->send([['S1', 'A1', 8000], ['S1', '#total', 8000]]);
        foreach (['A1', '#total'] as $item) {
            $this->assertSame($service->id, $this->stands('S1', $item)->usermodified);
            $this->assertSame((string) self::NOW, $this->stands('S1', $item)->timemodified);
        }
    }

    public function test_each_change_leaves_one_row_of_history_with_who_answers_for_it(): void {
        global $DB, $USER;
        $this->send([['S1', 'A1', 8000], ['S1', '#total', 8600]]);
        $this->send([['S1', 'A1', 8100, ['expected' => 8000, 'note' => '']]]);
        $rows = $DB->get_records('grade_grades_history', ['itemid' => $this->items['A1']], 'id');
        $this->assertSame([self::NOTE, 'local_nagasis'], array_column($rows, 'source'));
        $this->assertSame(['80.00000', '81.00000'], array_column($rows, 'finalgrade'));
        $this->assertEquals([GRADE_HISTORY_INSERT, GRADE_HISTORY_UPDATE], array_column($rows, 'action'));
        $this->assertSame(
            [$this->stands('S1', 'A1')->id, $USER->id, $USER->id],
            [end($rows)->oldid, end($rows)->loggeduser, end($rows)->usermodified],
        );
        $total = $DB->get_records('grade_grades_history', ['itemid' => $this->items['#total'], 'source' => self::NOTE]);
        $this->assertCount(1, $total);
        $this->assertSame('86.00000', reset($total)->finalgrade);
        $this->assertGreaterThan(0, reset($total)->overridden);
    }

    public function test_a_long_note_fits_and_a_site_without_history_gets_none(): void {
        global $DB;
        $this->send([['S1', 'A1', 8000, ['note' => str_repeat('ខ', 200)]]]);
        $this->assertSame(str_repeat('ខ', 200), $DB->get_field('grade_grades_history', 'source', ['itemid' => $this->items['A1']]));
        set_config('disablegradehistory', 1);
        $before = $DB->count_records('grade_grades_history');
        $this->assertSame('updated', $this->send_one('S1', 'A1', 8100, ['expected' => 8000]));
        $this->assertSame($before, $DB->count_records('grade_grades_history'));
    }

    public function test_the_second_time_nothing_is_written(): void {
        global $DB;
        $grades = [['S1', 'A1', 8000], ['S1', 'A', 8100], ['S1', '#total', 8600], ['S2', 'A1', null, ['text' => 'I']],
            ['S2', '#total', null, ['text' => 'W']], ['S3', 'A1', null], ['S3', '#total', null]];
        $this->send($grades);
        $sink = $this->redirectEvents();
        $writes = $DB->perf_get_writes();
        $result = $this->send($grades);
        $this->assertSame('unchanged', $result['result']);
        $this->assertSame(array_fill(0, 7, 'unchanged'), array_column($result['members'], 'result'));
        $this->assertSame($writes, $DB->perf_get_writes());
        $this->assertSame(0, $sink->count());
    }

    /**
     * Whether the site lets teachers override totals.
     *
     * @return array
     */
    public static function overriding(): array {
        return ['totals may be overridden' => [1], 'totals may not be overridden' => [0]];
    }

    /**
     * What the SIS says of a total survives whatever makes Moodle compute.
     *
     * @dataProvider overriding
     * @param int $allowed
     */
    public function test_totals_stand(int $allowed): void {
        set_config('grade_overridecat', $allowed);
        $this->send([['S1', 'A1', 8000], ['S2', 'A1', 7000]]);
        $this->send([['S1', 'A', 9000], ['S1', '#total', 9150]]);
        $this->assertSame([90.0, 91.5], [$this->final('S1', 'A'), $this->final('S1', '#total')]);
        $this->assertSame([70.0, 70.0], [$this->final('S2', 'A'), $this->final('S2', '#total')]);
        $this->compute_all();
        $this->grade_by_hand('S1', 'A2', 10);
        $this->send([['S1', 'A1', 1000, ['expected' => 8000]]]);
        grade_regrade_final_grades($this->course->id, $this->people['S1']->id, $this->moodle_item('A1'));
        \grade_category::fetch_course_category($this->course->id)->force_regrading();
        grade_regrade_final_grades($this->course->id);
        if (class_exists(\core_course\task\regrade_final_grades::class)) {
            // Moodle 5 computes later, in a task.
            \grade_category::fetch_course_category($this->course->id)->force_regrading();
            grade_regrade_final_grades(...['courseid' => $this->course->id, 'async' => true]);
            ob_start();
            $this->runAdhocTasks(\core_course\task\regrade_final_grades::class);
            ob_end_clean();
            $this->assertSame('0', $this->moodle_item('#total')->needsupdate);
        }
        $this->assertSame([90.0, 91.5], [$this->final('S1', 'A'), $this->final('S1', '#total')]);
    }

    public function test_a_total_of_a_session_counts_in_the_total_of_the_course(): void {
        $this->send([['S1', 'A1', 8000]]);
        $this->send([['S1', 'A', 9000]]);
        $this->assertSame(90.0, $this->final('S1', '#total'));
    }

    public function test_a_total_that_is_taken_back_is_computed_again(): void {
        global $DB;
        $this->send([['S1', 'A1', 8000], ['S1', 'A', 9000], ['S1', '#total', 9150]]);
        $result = $this->send([['S1', 'A', null], ['S1', '#total', null]]);
        $this->assertSame([['field' => 'value', 'before' => 9150, 'after' => null]], $result['members'][1]['changes']);
        $this->assertSame([80.0, 80.0], [$this->final('S1', 'A'), $this->final('S1', '#total')]);
        $this->assertSame('0', $this->stands('S1', '#total')->overridden);
        $this->assertSame(2, $DB->count_records('grade_grades_history', ['itemid' => $this->items['A'], 'source' => self::NOTE]));
        $this->assertSame('unchanged', $this->send_one('S1', '#total', null));
    }

    public function test_a_total_that_moodle_computes_as_the_same_stands_by_itself_from_now_on(): void {
        $this->send([['S1', 'A1', 8000]]);
        $sink = $this->redirectEvents();
        $this->assertSame('updated', $this->send_one('S1', '#total', 8000));
        $this->assertSame(0, $sink->count());
        $this->send([['S1', 'A1', 9000, ['expected' => 8000]]]);
        $this->assertSame(80.0, $this->final('S1', '#total'));
    }

    public function test_what_a_teacher_made_of_a_total_is_the_sis_s(): void {
        $this->send([['S1', 'A1', 8000]]);
        $this->grade_by_hand('S1', '#total', 55);
        $this->assertSame('updated', $this->send_one('S1', '#total', 8600, ['expected' => 8000]));
        $this->assertSame(86.0, $this->final('S1', '#total'));
    }

    public function test_a_letter_stands_as_feedback_without_a_number(): void {
        $result = $this->send([['S1', 'A1', null, ['text' => 'I']], ['S1', '#total', null, ['text' => 'W']]]);
        $this->assertSame([['field' => 'text', 'before' => '', 'after' => 'W']], $result['members'][1]['changes']);
        foreach (['A1' => 'I', '#total' => 'W'] as $item => $text) {
            $this->assertNull($this->final('S1', $item));
            $this->assertSame($text, $this->stands('S1', $item)->feedback);
        }
        $this->compute_all();
        $this->assertNull($this->final('S1', '#total'));
        $result = $this->send([['S1', 'A1', 8000], ['S1', '#total', 8100]]);
        $this->assertSame(
            [['field' => 'value', 'before' => null, 'after' => 8100], ['field' => 'text', 'before' => 'W', 'after' => '']],
            $result['members'][1]['changes'],
        );
        $this->assertNull($this->stands('S1', 'A1')->feedback);
        $this->assertNull($this->stands('S1', '#total')->feedback);
        $this->send([['S1', '#total', null, ['text' => 'W']]]);
        $this->assertNull($this->final('S1', '#total'));
        $this->assertSame('updated', $this->send_one('S1', '#total', null));
        $this->assertSame([80.0, null], [$this->final('S1', '#total'), $this->stands('S1', '#total')->feedback]);
    }

    public function test_feedback_of_a_teacher_is_never_touched(): void {
        $this->grade_by_hand('S1', 'A1', 70, '<p>Well done</p>');
        $this->send([['S1', 'A1', 8000, ['expected' => 7000]]]);
        $this->send([['S1', 'A1', null, ['expected' => 8000]]]);
        $this->assertSame(['<p>Well done</p>', (string) FORMAT_HTML], [
            $this->stands('S1', 'A1')->feedback,
            $this->stands('S1', 'A1')->feedbackformat,
        ]);
        $this->send([['S1', 'A1', null, ['text' => 'I']]]);
        $this->grade_by_hand('S1', 'A1', null, '<p>Come and see me</p>');
        $this->send([['S1', 'A1', 8000]]);
        $this->assertSame('<p>Come and see me</p>', $this->stands('S1', 'A1')->feedback);
    }

    public function test_hidden_and_excluded_stay_so(): void {
        $this->send([['S1', 'A1', 8000], ['S1', 'A2', 5000]]);
        $this->moodle_grade('S1', 'A1')->set_hidden(1);
        $this->moodle_grade('S1', 'A1')->set_excluded(true);
        $this->moodle_item('A2')->set_hidden(1);
        $this->send([['S1', 'A1', 9000, ['expected' => 8000]], ['S1', 'A2', 6000, ['expected' => 5000]]]);
        $grade = $this->stands('S1', 'A1');
        $this->assertSame(['90.00000', '1'], [$grade->finalgrade, $grade->hidden]);
        $this->assertGreaterThan(0, $grade->excluded);
        $this->assertSame(60.0, $this->final('S1', '#total'));
        $this->assertSame('1', $this->moodle_item('A2')->hidden);
    }

    public function test_other_plugins_are_told_of_what_changes(): void {
        $sink = $this->redirectEvents();
        $this->send([['S1', 'A1', 8000], ['S1', 'A', 8000], ['S1', '#total', 8600], ['S2', '#total', null, ['text' => 'W']]]);
        $events = array_filter($sink->get_events(), fn($event): bool => $event instanceof \core\event\user_graded);
        $this->assertSame(
            [$this->items['A1'], $this->items['A'], $this->items['#total']],
            array_map(fn($event): int => (int) $event->other['itemid'], array_values($events)),
        );
        $total = end($events);
        $this->assertSame([true, '86.00000'], [$total->other['overridden'], $total->other['finalgrade']]);
        $this->assertSame((int) $this->people['S1']->id, (int) $total->relateduserid);
        $this->assertSame($this->stands('S1', '#total')->id, (string) $total->objectid);
        $this->assertSame('course', $total->get_grade()->grade_item->itemtype);
    }

    public function test_conditions_on_grades_see_the_new_one(): void {
        $this->send([['S1', 'A1', 8000]]);
        $cache = \cache::make('availability_grade', 'scores');
        $userid = $this->people['S1']->id;
        $cache->set($userid, [$this->items['A1'] => 80.0]);
        $this->send([['S1', 'A1', 9000, ['expected' => 8000]]]);
        $this->assertFalse($cache->get($userid));
        $grade = $this->stands('S1', 'A1');
        $this->assertSame(['0.00000', '100.00000'], [$grade->rawgrademin, $grade->rawgrademax]);
    }
}
