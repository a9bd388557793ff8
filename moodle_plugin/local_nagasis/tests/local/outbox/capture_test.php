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
 * Each event, provoked by a real act, and its row.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\outbox;

defined('MOODLE_INTERNAL') || die();

global $CFG;
require_once($CFG->dirroot . '/mod/assign/locallib.php');
require_once($CFG->dirroot . '/mod/assign/tests/generator.php');
require_once($CFG->dirroot . '/course/lib.php');
require_once($CFG->dirroot . '/group/lib.php');
require_once($CFG->dirroot . '/user/lib.php');
require_once($CFG->libdir . '/gradelib.php');
require_once($CFG->libdir . '/completionlib.php');
require_once($CFG->dirroot . '/completion/completion_completion.php');
require_once($CFG->dirroot . '/backup/util/includes/backup_includes.php');
require_once($CFG->dirroot . '/backup/util/includes/restore_includes.php');

/**
 * Each event, provoked by a real act, and its row in the outbox.
 *
 * @covers \local_nagasis\observer
 * @covers \local_nagasis\local\outbox\recorder
 * @covers \local_nagasis\local\outbox\vocabulary
 */
final class capture_test extends \advanced_testcase {
    use \mod_assign_test_generator;

    /** @var \stdClass */
    private \stdClass $course;

    /** @var \stdClass */
    private \stdClass $student;

    /** @var \stdClass */
    private \stdClass $teacher;

    protected function setUp(): void {
        parent::setUp();
        $this->resetAfterTest();
        $this->setAdminUser();
        $generator = $this->getDataGenerator();
        $this->course = $generator->create_course(['enablecompletion' => 1, 'fullname' => 'Secret course']);
        $person = ['firstname' => 'Sokha', 'lastname' => 'Chan', 'email' => 'sokha@example.test', 'idnumber' => 'S1'];
        $this->student = $generator->create_and_enrol($this->course, 'student', $person);
        $this->teacher = $generator->create_and_enrol($this->course, 'editingteacher');
        set_config('toolurl', 'https://tool.example', 'local_nagasis');
        set_config('clientid', 'client15', 'local_nagasis');
    }

    /**
     * Rows of one type since the test began, without what the outbox adds.
     *
     * @param string $type
     * @return array
     */
    private function rows(string $type): array {
        global $DB;
        $all = [];
        foreach ($DB->get_records(recorder::TABLE, null, 'id') as $row) {
            foreach (['Sokha', 'Chan', 'example.test', 'Secret'] as $name) {
                $this->assertStringNotContainsString($name, $row->payload, $row->type);
            }
            $this->assertMatchesRegularExpression('/^[0-9a-f-]{36}$/', $row->eventid);
            $this->assertNull($row->seq);
            $this->assertEquals(0, $row->setaside);
            $this->assertEquals($row->type === 'user.loggedin', $row->activity);
            $this->assertEqualsWithDelta(time(), $row->timecreated, 60);
            if ($row->type === $type) {
                $all[] = ['user' => $row->userid === null ? null : (int) $row->userid]
                    + ['actor' => $row->actorid === null ? null : (int) $row->actorid]
                    + json_decode($row->payload, true);
            }
        }
        return $all;
    }

    /**
     * The row that an act of the administrator should have left.
     *
     * @param int|null $user
     * @param int|null $object
     * @param array $data
     * @param int|null $course none: the test's course
     * @return array
     */
    private function row(?int $user, ?int $object, array $data = [], ?int $course = -1): array {
        $course = $course === -1 ? (int) $this->course->id : $course;
        return ['user' => $user, 'actor' => (int) get_admin()->id, 'course' => $course, 'object' => $object, 'data' => $data];
    }

    /**
     * A grade item made by hand.
     *
     * @return \grade_item
     */
    private function item(): \grade_item {
        $item = new \grade_item([
            'courseid' => $this->course->id, 'itemtype' => 'manual', 'itemname' => 'Secret', 'grademax' => 100,
        ]);
        $item->insert();
        return $item;
    }

    /**
     * Rows of one type about a grade item.
     *
     * @param \grade_item $item
     * @param string $type
     * @return array
     */
    private function of(\grade_item $item, string $type): array {
        return array_values(array_filter($this->rows($type), fn(array $row): bool => $row['object'] === (int) $item->id));
    }

    public function test_grades(): void {
        $item = $this->item();
        $user = (int) $this->student->id;
        $item->update_final_grade($user, 0, 'test');
        $item->update_final_grade($user, 77.5, 'test');
        $grade = (int) $item->get_grade($user, false)->id;
        $rows = array_values(array_filter($this->rows('grade.changed'), fn($row) => $row['data']['item'] === (int) $item->id));
        $data = ['item' => (int) $item->id, 'overridden' => false, 'final' => 0];
        $this->assertEquals($this->row($user, $grade, $data), $rows[0]);
        $this->assertSame(77.5, $rows[1]['data']['final']);

        $item->update_final_grade($user, null, 'test');
        $rows = array_values(array_filter($this->rows('grade.changed'), fn($row) => $row['data']['item'] === (int) $item->id));
        $this->assertNull(end($rows)['data']['final']);
        $item->delete('test');
        $data = ['item' => (int) $item->id, 'overridden' => false, 'final' => null];
        $this->assertSame([$this->row($user, $grade, $data)], $this->rows('grade.deleted'));
    }

    public function test_course_total(): void {
        $item = $this->item();
        $item->update_final_grade($this->student->id, 50, 'test');
        grade_regrade_final_grades($this->course->id);
        $total = (int) \grade_item::fetch_course_item($this->course->id)->id;
        $rows = array_filter($this->rows('grade.changed'), fn($row) => $row['data']['item'] === $total);
        $this->assertEquals(50.0, end($rows)['data']['final']);
        // Nobody did it: Moodle counted.
        $this->assertSame(-1, end($rows)['actor']);

        \grade_item::fetch_course_item($this->course->id)->update_final_grade($this->student->id, 61, 'test');
        $rows = array_filter($this->rows('grade.changed'), fn($row) => $row['data']['item'] === $total);
        $this->assertSame([true, 61], [end($rows)['data']['overridden'], end($rows)['data']['final']]);
    }

    public function test_grade_items(): void {
        $item = $this->item();
        $item->grademax = 50;
        $item->update();
        $quiz = $this->getDataGenerator()->create_module('quiz', ['course' => $this->course->id]);
        $item->delete();
        $data = ['itemtype' => 'manual', 'module' => null];
        $this->assertSame([$this->row(null, (int) $item->id, $data)], $this->of($item, 'grade_item.created'));
        $this->assertContains($this->row(null, (int) $item->id, $data), $this->of($item, 'grade_item.updated'));
        // Moodle gives this to the observers of grade_item_created too, which it extends.
        $this->assertSame([$this->row(null, (int) $item->id, $data)], $this->of($item, 'grade_item.deleted'));
        $made = \grade_item::fetch(['courseid' => $this->course->id, 'itemmodule' => 'quiz', 'iteminstance' => $quiz->id]);
        $data = ['itemtype' => 'mod', 'module' => 'quiz'];
        $this->assertContains($this->row(null, (int) $made->id, $data), $this->rows('grade_item.created'));
    }

    public function test_assignment(): void {
        global $DB;
        $assign = $this->create_instance($this->course, ['assignsubmission_onlinetext_enabled' => 1, 'submissiondrafts' => 1]);
        $this->add_submission($this->student, $assign, 'Secret');
        $this->submit_for_grading($this->student, $assign);
        $cm = (int) $assign->get_course_module()->id;
        $user = (int) $this->student->id;
        $submission = (int) $DB->get_field('assign_submission', 'id', ['userid' => $user]);
        $this->assertSame(
            [['actor' => $user] + $this->row($user, $submission, ['module' => $cm])],
            array_map(fn($row) => ['actor' => $row['actor']] + $row, $this->rows('assign.submitted')),
        );
        $this->setUser($this->teacher);
        $this->mark_submission($this->teacher, $assign, $this->student, 42.0);
        $grade = (int) $DB->get_field('assign_grades', 'id', ['userid' => $user]);
        $rows = $this->rows('assign.graded');
        $this->assertEquals(['actor' => (int) $this->teacher->id] + $this->row($user, $grade, ['module' => $cm]), end($rows));
        $changed = $this->rows('grade.changed');
        $this->assertContains(42.0, array_map(fn($row) => (float) $row['data']['final'], $changed));
    }

    public function test_quiz(): void {
        $quizzes = $this->getDataGenerator()->get_plugin_generator('mod_quiz');
        $quiz = $quizzes->create_instance(['course' => $this->course->id, 'sumgrades' => 1, 'grade' => 10]);
        $questions = $this->getDataGenerator()->get_plugin_generator('core_question');
        $context = \context_course::instance($this->course->id);
        $category = $questions->create_question_category(['contextid' => $context->id]);
        $question = $questions->create_question('truefalse', null, ['category' => $category->id]);
        quiz_add_quiz_question($question->id, $quiz);
        $this->setUser($this->student);
        $attempt = $quizzes->create_attempt($quiz->id, $this->student->id);
        $quizzes->submit_responses($attempt->id, [1 => 'True'], false, true);
        $cm = (int) $quiz->cmid;
        $user = (int) $this->student->id;
        $expected = ['actor' => $user] + $this->row($user, (int) $attempt->id, ['module' => $cm]);
        $this->assertEquals([$expected], $this->rows('quiz.submitted'));
        if (class_exists('\mod_quiz\event\attempt_graded')) {
            $this->assertCount(1, $this->rows('quiz.graded'));
        }
    }

    public function test_completion(): void {
        global $DB;
        $page = $this->getDataGenerator()->create_module('page', ['course' => $this->course->id, 'completion' => 1]);
        $cm = get_fast_modinfo($this->course)->get_cm($page->cmid);
        $completion = new \completion_info($this->course);
        $user = (int) $this->student->id;
        $completion->update_state($cm, COMPLETION_COMPLETE, $user);
        $object = (int) $DB->get_field('course_modules_completion', 'id', ['userid' => $user]);
        $data = ['state' => 1, 'module' => (int) $cm->id];
        $this->assertSame([$this->row($user, $object, $data)], $this->rows('completion.activity'));

        $whole = new \completion_completion(['userid' => $user, 'course' => $this->course->id]);
        $whole->mark_complete();
        $this->assertSame([$this->row($user, (int) $whole->id)], $this->rows('completion.course'));
    }

    public function test_enrolments_and_roles(): void {
        global $DB;
        $user = (int) $this->getDataGenerator()->create_user()->id;
        $instance = $DB->get_record('enrol', ['courseid' => $this->course->id, 'enrol' => 'manual'], '*', MUST_EXIST);
        $role = (int) $DB->get_field('role', 'id', ['shortname' => 'student']);
        $plugin = enrol_get_plugin('manual');
        $plugin->enrol_user($instance, $user, $role);
        $plugin->update_user_enrol($instance, $user, ENROL_USER_SUSPENDED);
        $enrolment = (int) $DB->get_field('user_enrolments', 'id', ['userid' => $user]);
        $assignment = (int) $DB->get_field('role_assignments', 'id', ['userid' => $user]);
        $plugin->unenrol_user($instance, $user);
        foreach (['created', 'updated', 'deleted'] as $what) {
            $expected = $this->row($user, $enrolment, ['method' => 'manual']);
            $this->assertSame([$expected], $this->rows("enrolment.$what"), $what);
        }
        $data = ['role' => $role, 'component' => null];
        $this->assertSame([$this->row($user, $assignment, $data)], $this->rows('role.assigned'));
        $this->assertSame([$this->row($user, $assignment, $data)], $this->rows('role.unassigned'));
    }

    public function test_a_role_in_the_whole_site(): void {
        global $DB;
        $role = (int) $DB->get_field('role', 'id', ['shortname' => 'manager']);
        $id = (int) role_assign($role, $this->teacher->id, \context_system::instance());
        $expected = $this->row((int) $this->teacher->id, $id, ['role' => $role, 'component' => null], null);
        $this->assertSame([$expected], $this->rows('role.assigned'));
    }

    public function test_groups(): void {
        $group = (int) groups_create_group((object) ['courseid' => $this->course->id, 'name' => 'Secret']);
        groups_update_group((object) ['id' => $group, 'courseid' => $this->course->id, 'name' => 'Secret 2']);
        $user = (int) $this->student->id;
        groups_add_member($group, $user);
        groups_remove_member($group, $user);
        groups_add_member($group, $user, 'enrol_nagasis', 5);
        groups_delete_group($group);
        foreach (['created', 'updated', 'deleted'] as $what) {
            $this->assertSame([$this->row(null, $group)], $this->rows("group.$what"), $what);
        }
        $added = $this->rows('group.member_added');
        $this->assertSame($this->row($user, $group, ['component' => null]), $added[0]);
        $this->assertSame($this->row($user, $group, ['component' => 'enrol_nagasis']), $added[1]);
        $this->assertSame($this->row($user, $group, ['component' => null]), $this->rows('group.member_removed')[0]);
    }

    public function test_courses(): void {
        $course = create_course((object) ['shortname' => 'X1', 'fullname' => 'Secret', 'idnumber' => 'CH1', 'category' => 1]);
        update_course((object) ['id' => $course->id, 'fullname' => 'Secret 2']);
        delete_course($course->id, false);
        $id = (int) $course->id;
        $this->assertSame([$this->row(null, $id, [], $id)], $this->rows('course.created'));
        $this->assertSame([$this->row(null, $id, [], $id)], $this->rows('course.updated'));
        $this->assertSame([$this->row(null, $id, ['idnumber' => 'CH1'], $id)], $this->rows('course.deleted'));
    }

    public function test_course_reset(): void {
        reset_course_userdata((object) ['id' => $this->course->id, 'courseid' => $this->course->id]);
        $this->assertSame([$this->row(null, null)], $this->rows('course.reset'));
    }

    public function test_course_restored(): void {
        global $USER;
        $backup = new \backup_controller(
            \backup::TYPE_1COURSE,
            $this->course->id,
            \backup::FORMAT_MOODLE,
            \backup::INTERACTIVE_NO,
            \backup::MODE_IMPORT,
            $USER->id,
        );
        $backup->execute_plan();
        $backup->destroy();
        $target = (int) \restore_dbops::create_new_course('Secret copy', 'X2', 1);
        $restore = new \restore_controller(
            $backup->get_backupid(),
            $target,
            \backup::INTERACTIVE_NO,
            \backup::MODE_IMPORT,
            $USER->id,
            \backup::TARGET_NEW_COURSE,
        );
        $restore->execute_precheck();
        $restore->execute_plan();
        $restore->destroy();
        $data = ['from' => (int) $this->course->id, 'target' => \backup::TARGET_NEW_COURSE];
        $this->assertSame([$this->row(null, $target, $data, $target)], $this->rows('course.restored'));
    }

    public function test_sections(): void {
        $section = course_create_section($this->course, 0);
        course_update_section($this->course, $section, ['name' => 'Secret']);
        $number = (int) $section->section;
        course_delete_section($this->course, $section->section, true);
        foreach (['created', 'updated', 'deleted'] as $what) {
            $rows = $this->rows("section.$what");
            $this->assertSame((int) $section->id, $rows[0]['object'], $what);
            $this->assertSame(['number'], array_keys($rows[0]['data']));
        }
        $this->assertSame($number, $this->rows('section.deleted')[0]['data']['number']);
    }

    public function test_modules(): void {
        $page = $this->getDataGenerator()->create_module('page', ['course' => $this->course->id, 'name' => 'Secret']);
        \core_courseformat\formatactions::cm($this->course)->rename($page->cmid, 'Secret 2');
        course_delete_module($page->cmid);
        $expected = $this->row(null, (int) $page->cmid, ['module' => 'page', 'instance' => (int) $page->id]);
        foreach (['created', 'updated', 'deleted'] as $what) {
            $this->assertSame([$expected], $this->rows("module.$what"), $what);
        }
    }

    public function test_categories(): void {
        $first = \core_course_category::create(['name' => 'Secret one']);
        $second = \core_course_category::create(['name' => 'Secret two']);
        $first->update(['name' => 'Secret three']);
        $first->delete_move($second->id);
        $second->delete_full(false);
        $this->assertSame($this->row(null, (int) $first->id, [], null), $this->rows('category.created')[0]);
        $this->assertContains($this->row(null, (int) $first->id, [], null), $this->rows('category.updated'));
        $this->assertSame(
            [
                $this->row(null, (int) $first->id, ['movedto' => (int) $second->id], null),
                $this->row(null, (int) $second->id, ['movedto' => null], null),
            ],
            $this->rows('category.deleted'),
        );
    }

    public function test_users(): void {
        global $DB;
        $id = (int) user_create_user([
            'username' => 'sokha2', 'firstname' => 'Sokha', 'lastname' => 'Chan', 'email' => 'two@example.test', 'idnumber' => 'S2',
            'mnethostid' => get_config('core', 'mnet_localhost_id') ?: 1, 'password' => 'Student-1234', 'confirmed' => 1,
        ]);
        user_update_user((object) ['id' => $id, 'firstname' => 'Sokha 2'], false);
        delete_user($DB->get_record('user', ['id' => $id]));
        $this->assertSame([$this->row($id, $id, [], null)], $this->rows('user.created'));
        $this->assertSame([$this->row($id, $id, [], null)], $this->rows('user.updated'));
        $this->assertSame([$this->row($id, $id, ['idnumber' => 'S2'], null)], $this->rows('user.deleted'));
    }

    public function test_logins(): void {
        global $DB;
        $this->setUser(null);
        @complete_user_login($DB->get_record('user', ['id' => $this->student->id]));
        $id = (int) $this->student->id;
        $this->assertSame([['actor' => $id] + $this->row($id, $id, [], null)], array_map(
            fn($row) => ['actor' => $row['actor']] + $row,
            $this->rows('user.loggedin'),
        ));
        $this->setUser(null);
        @complete_user_login(guest_user());
        $this->assertCount(1, $this->rows('user.loggedin'));
    }
}
