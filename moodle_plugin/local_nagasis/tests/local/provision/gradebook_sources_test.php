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
 * What is the teachers' own in a course with a gradebook of the SIS.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \local_nagasis\local\provision\gradebook_check
 * @covers     \local_nagasis\local\provision\gradebook_comparison
 * @covers     \local_nagasis\local\provision\gradebook_place
 * @covers     \local_nagasis\local\provision\gradebook_writer
 * @covers     \local_nagasis\local\provision\new_activities
 */
final class gradebook_sources_test extends gradebook_testcase {
    public function test_a_quiz_serves_a_part_and_goes_back(): void {
        global $DB;
        $student = $this->student();
        $quiz = $this->quiz(['name' => 'Week 3']);
        $given = ['userid' => $student, 'rawgrade' => 15];
        grade_update('mod/quiz', $this->course->id, 'mod', 'quiz', $quiz->iteminstance, 0, $given);
        $this->settle();
        $own = $this->item('P1');
        $teachers = new \grade_category(['courseid' => $this->course->id, 'fullname' => 'Mine'], false);
        $teachers->insert();
        $quiz = \grade_item::fetch(['id' => $quiz->id]);
        $quiz->set_parent($teachers->id);
        grade_regrade_final_grades($this->course->id);
        $columns = 'categoryid, aggregationcoef, aggregationcoef2, weightoverride';
        $before = $DB->get_record('grade_items', ['id' => $quiz->id], $columns);

        $result = $this->settle(self::connected((int) $quiz->id));
        $this->assertSame([
            'before' => ['name' => 'Quiz', 'source' => null],
            'after' => ['name' => 'Week 3', 'source' => (int) $quiz->id],
        ], $this->by_field($result)['items/P1']);
        $this->assertFalse(\grade_item::fetch(['id' => $own->id]));
        $this->assertSame('Week 3', $this->item('P1')->itemname);
        $this->assertSame(25.0, (float) $this->item('P1')->aggregationcoef);
        $this->assertSame(75.0, $this->grade('S1', $student));

        $this->settle();
        $this->assertEquals($before, $DB->get_record('grade_items', ['id' => $quiz->id], $columns));
        $this->assertNull($this->grade('S1', $student));
        $this->assertEquals(15, \grade_item::fetch(['id' => $quiz->id])->get_final($student)->finalgrade);
    }

    public function test_a_quiz_goes_to_the_top_when_its_category_is_gone(): void {
        $this->settle();
        $teachers = new \grade_category(['courseid' => $this->course->id, 'fullname' => 'Mine'], false);
        $teachers->insert();
        $quiz = $this->quiz();
        $quiz->set_parent($teachers->id);
        $this->settle(self::connected((int) $quiz->id));
        \grade_category::fetch(['id' => $teachers->id])->delete();
        $this->settle();
        $quiz = \grade_item::fetch(['id' => $quiz->id]);
        $top = \grade_category::fetch_course_category($this->course->id);
        $this->assertEquals([$top->id, 0], [$quiz->categoryid, $quiz->aggregationcoef]);
    }

    public function test_a_category_of_activities_serves_a_part(): void {
        $student = $this->student();
        $this->settle();
        $teachers = new \grade_category(['courseid' => $this->course->id, 'fullname' => 'Quizzes', 'aggregation' => 0], false);
        $teachers->insert();
        foreach ([10, 20] as $raw) {
            $quiz = $this->quiz();
            $quiz->set_parent($teachers->id);
            $given = ['userid' => $student, 'rawgrade' => $raw];
            grade_update('mod/quiz', $this->course->id, 'mod', 'quiz', $quiz->iteminstance, 0, $given);
        }
        $total = $teachers->load_grade_item();
        $this->settle(self::connected((int) $total->id));
        $this->assertSame(75.0, $this->grade('P1', $student));
        $this->assertSame(75.0, $this->grade('S1', $student));
        $path = \grade_category::fetch(['id' => $teachers->id])->path;
        $this->assertStringContainsString('/' . $this->item('S1')->iteminstance . '/', $path);

        // What a teacher puts into it comes back.
        $this->item('P3')->set_parent($teachers->id);
        \grade_category::fetch(['id' => $teachers->id])->set_parent(\grade_category::fetch_course_category($this->course->id)->id);
        \grade_category::fetch(['id' => $this->item('S1')->iteminstance])->set_parent($teachers->id);
        grade_regrade_final_grades($this->course->id);
        $this->assertSame('updated', $this->settle(self::connected((int) $total->id))['result']);
        $this->assertEquals($this->item('S2')->iteminstance, $this->item('P3')->categoryid);
        $top = \grade_category::fetch_course_category($this->course->id);
        $session = \grade_category::fetch(['id' => $this->item('S1')->iteminstance]);
        $this->assertEquals($top->id, $session->parent);
        $this->assertSame("{$session->path}$teachers->id/", \grade_category::fetch(['id' => $teachers->id])->path);
        $this->assertSame(75.0, $this->grade('S1', $student));

        // A quiz of that category can't serve another part.
        $document = self::connected((int) $total->id);
        $document['items'][1]['source'] = (int) $quiz->id;
        $this->assertRefused('source_taken', '/items/1/source', $document);

        $this->settle();
        $top = \grade_category::fetch_course_category($this->course->id);
        $this->assertEquals($top->id, \grade_category::fetch(['id' => $teachers->id])->parent);
        $this->assertNull($this->grade('S1', $student));
    }

    public function test_a_quiz_that_waits_for_its_deletion_is_gone(): void {
        global $DB;
        $this->settle();
        $quiz = $this->quiz();
        $this->settle(self::connected((int) $quiz->id));
        $module = get_coursemodule_from_instance('quiz', $quiz->iteminstance);
        $DB->set_field('course_modules', 'deletioninprogress', 1, ['id' => $module->id]);
        $this->assertRefused('source_missing', '/items/0/source', self::connected((int) $quiz->id));
        $this->settle();
        $this->assertSame('manual', $this->item('P1')->itemtype);
        course_delete_module($module->id);
        grade_regrade_final_grades($this->course->id);
        $this->assertSame('unchanged', self::apply()['result']);
    }

    public function test_parts_swap_their_sources(): void {
        $this->settle();
        [$one, $two] = [(int) $this->quiz()->id, (int) $this->quiz()->id];
        $top = (int) \grade_item::fetch(['id' => $one])->categoryid;
        $document = self::connected($one);
        $document['items'][2]['source'] = $two;
        $this->settle($document);
        $document['items'][0]['source'] = $two;
        $document['items'][2]['source'] = $one;
        $this->settle($document);
        $this->assertEquals([$two, $one], [$this->item('P1')->id, $this->item('P3')->id]);
        $this->settle();
        $this->assertEquals([$top, $top], [
            \grade_item::fetch(['id' => $one])->categoryid,
            \grade_item::fetch(['id' => $two])->categoryid,
        ]);
    }

    public function test_sources_that_cannot_be(): void {
        global $DB;
        $this->settle();
        $other = $this->getDataGenerator()->create_course();
        $forum = $this->getDataGenerator()->create_module('forum', ['course' => $other->id, 'scale' => 100, 'assessed' => 1]);
        $foreign = \grade_item::fetch(['itemmodule' => 'forum', 'iteminstance' => $forum->id]);
        $this->assertRefused('source_missing', '/items/0/source', self::connected((int) $foreign->id));
        $this->assertRefused('source_missing', '/items/0/source', self::connected(999999999));
        foreach (['P1', 'P3', 'S1', '#total'] as $key) {
            $this->assertRefused('source_taken', '/items/0/source', self::connected((int) $this->item($key)->id));
        }
        $around = new \grade_category(['courseid' => $this->course->id, 'fullname' => 'Mine'], false);
        $around->insert();
        $this->item('P3')->set_parent($around->id);
        $this->assertRefused('source_taken', '/items/0/source', self::connected((int) $around->load_grade_item()->id));
        $quiz = $this->quiz();
        $DB->set_field('grade_items', 'gradetype', GRADE_TYPE_TEXT, ['id' => $quiz->id]);
        $this->assertRefused('source_not_numeric', '/items/0/source', self::connected((int) $quiz->id));
        $scale = ['gradetype' => GRADE_TYPE_SCALE, 'scaleid' => 999999];
        $DB->update_record('grade_items', (object) ($scale + ['id' => $quiz->id]));
        $this->assertRefused('source_not_numeric', '/items/0/source', self::connected((int) $quiz->id));
        $DB->set_field('grade_items', 'scaleid', $this->getDataGenerator()->create_scale()->id, ['id' => $quiz->id]);
        $this->assertSame('updated', batch::run([self::connected((int) $quiz->id)], true)[0]['result']);
        $module = get_coursemodule_from_instance('quiz', $quiz->iteminstance);
        $DB->set_field('course_modules', 'deletioninprogress', 1, ['id' => $module->id]);
        $this->assertRefused('source_missing', '/items/0/source', self::connected((int) $quiz->id));
    }

    /**
     * A course that has been graded before.
     */
    public function test_a_natural_course_is_adopted(): void {
        $student = $this->student();
        $other = $this->student();
        $quiz = $this->quiz(['name' => 'Old quiz']);
        $extra = $this->quiz(['name' => 'Extra credit']);
        $extra->aggregationcoef = 1;
        $extra->update();
        $given = ['userid' => $student, 'rawgrade' => 15];
        grade_update('mod/quiz', $this->course->id, 'mod', 'quiz', $quiz->iteminstance, 0, $given);
        grade_regrade_final_grades($this->course->id);
        $total = \grade_item::fetch_course_item($this->course->id);
        $this->assertEquals(20, $total->grademax);
        $total->update_final_grade($other, 10, 'test');
        grade_regrade_final_grades($this->course->id);

        $result = $this->settle();
        $this->assertSame('created', $result['result']);
        $this->assertSame(['foreign_left_out', 'foreign_left_out'], array_column($result['notes'], 'code'));
        $this->assertEquals(15, \grade_item::fetch(['id' => $quiz->id])->get_final($student)->finalgrade);
        $this->assertNull($this->grade('#total', $student));
        $this->assertSame(50.0, $this->grade('#total', $other));
        $total = $this->item('#total');
        $this->assertEquals([100, GRADE_DISPLAY_TYPE_REAL_LETTER], [$total->grademax, $total->display]);
        $this->item('P3')->update_final_grade($student, 90, 'test');
        grade_regrade_final_grades($this->course->id);
        $this->assertSame(90.0, $this->grade('#total', $student));
    }

    /**
     * Moodle gives what a teacher makes under a weighted mean the weight 1.
     */
    public function test_foreign_weights_are_named(): void {
        $this->settle();
        $quiz = $this->quiz(['name' => 'Own quiz']);
        $this->assertEquals(1, $quiz->aggregationcoef);
        grade_regrade_final_grades($this->course->id);
        $result = self::apply();
        $this->assertSame('unchanged', $result['result']);
        $this->assertSame(['foreign_weight'], array_column($result['notes'], 'code'));
        $this->assertStringContainsString('Own quiz', $result['notes'][0]['message']);
        $quiz->aggregationcoef = 0;
        $quiz->update();
        $this->assertArrayNotHasKey('notes', self::apply());
    }

    /**
     * In a Moodle that is connected a new activity weighs nothing, and what a teacher says is left alone.
     */
    public function test_new_activities_weigh_nothing(): void {
        set_config('toolurl', 'https://tool.example', 'local_nagasis');
        set_config('clientid', 'C', 'local_nagasis');
        $this->assertTrue(\local_nagasis\local\tool\client::paired());
        $before = $this->quiz();
        $this->assertEquals(0, $before->aggregationcoef);
        $this->settle();
        $quiz = $this->quiz();
        $this->assertEquals(0, $quiz->aggregationcoef);
        $inside = $this->quiz(['gradecat' => $this->item('S1')->iteminstance]);
        $this->assertEquals([0, $this->item('S1')->iteminstance], [$inside->aggregationcoef, $inside->categoryid]);
        grade_regrade_final_grades($this->course->id);
        $this->assertArrayNotHasKey('notes', self::apply());

        $quiz->aggregationcoef = 7;
        $quiz->update();
        $this->assertEquals(7, \grade_item::fetch(['id' => $quiz->id])->aggregationcoef);
        $mine = new \grade_category(['courseid' => $this->course->id, 'fullname' => 'Mine', 'aggregation' => 10], false);
        $mine->insert();
        $this->assertEquals(1, $this->quiz(['gradecat' => $mine->id])->aggregationcoef);
        $other = $this->getDataGenerator()->create_course();
        $category = \grade_category::fetch_course_category($other->id);
        $category->aggregation = GRADE_AGGREGATE_WEIGHTED_MEAN;
        $category->update();
        $module = $this->getDataGenerator()->create_module('quiz', ['course' => $other->id, 'add' => 'quiz']);
        $this->assertEquals(1, \grade_item::fetch(['itemmodule' => 'quiz', 'iteminstance' => $module->id])->aggregationcoef);
    }
}
