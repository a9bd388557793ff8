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
 * Tests of what the plugin lets people do.
 *
 * @package    enrol_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace enrol_nagasis;

/**
 * The enrolments are the SIS's: nobody in a course edits them, no copy of the course carries them, and they go cleanly.
 *
 * @covers \enrol_nagasis_plugin
 * @covers ::enrol_nagasis_allow_group_member_remove
 * @covers ::xmldb_enrol_nagasis_uninstall
 */
final class lib_test extends \advanced_testcase {
    /** @var \stdClass */
    private \stdClass $course;

    /** @var \stdClass the enrolment instance */
    private \stdClass $instance;

    /** @var \stdClass a group of the SIS, in which the student is */
    private \stdClass $group;

    /** @var \stdClass whom the SIS has enrolled */
    private \stdClass $student;

    /** @var \stdClass an editing teacher, enrolled by hand */
    private \stdClass $teacher;

    /**
     * A course with a student by the SIS and a teacher by hand.
     */
    protected function setUp(): void {
        global $CFG, $DB;
        parent::setUp();
        require_once($CFG->dirroot . '/group/lib.php');
        $this->resetAfterTest();
        \core\plugininfo\enrol::enable_plugin('nagasis', 1);
        $generator = $this->getDataGenerator();
        $this->course = $generator->create_course();
        $id = enrol_get_plugin('nagasis')->add_instance($this->course);
        $this->instance = $DB->get_record('enrol', ['id' => $id], '*', MUST_EXIST);
        $this->student = $generator->create_user();
        $this->teacher = $generator->create_and_enrol($this->course, 'editingteacher');
        $this->group = $generator->create_group(['courseid' => $this->course->id, 'idnumber' => 'G1']);
        $studentrole = (int) $DB->get_field('role', 'id', ['shortname' => 'student']);
        (new members($this->instance))->enrol([(int) $this->student->id => $studentrole]);
        (new group_members($this->group, (int) $id))->add([(int) $this->student->id]);
    }

    /**
     * The student's enrolment.
     *
     * @return \stdClass|false
     */
    private function enrolment(): \stdClass|false {
        global $DB;
        return $DB->get_record('user_enrolments', ['enrolid' => $this->instance->id, 'userid' => $this->student->id]);
    }

    /**
     * Counts what belongs to the plugin.
     *
     * @param int|null $courseid
     * @return int[] instances, enrolments, roles, memberships
     */
    private function ours(?int $courseid = null): array {
        global $DB;
        $in = $courseid ? ' = :courseid' : ' > :courseid';
        $params = ['courseid' => $courseid ?? 0];
        return [
            $DB->count_records_select('enrol', "enrol = 'nagasis' AND courseid $in", $params),
            $DB->count_records_sql("SELECT COUNT(1) FROM {user_enrolments} ue JOIN {enrol} e ON e.id = ue.enrolid
                                     WHERE e.enrol = 'nagasis' AND e.courseid $in", $params),
            $DB->count_records_sql("SELECT COUNT(1) FROM {role_assignments} ra JOIN {context} x ON x.id = ra.contextid
                                     WHERE ra.component = 'enrol_nagasis' AND x.instanceid $in", $params),
            $DB->count_records_sql("SELECT COUNT(1) FROM {groups_members} gm JOIN {groups} g ON g.id = gm.groupid
                                     WHERE gm.component = 'enrol_nagasis' AND g.courseid $in", $params),
        ];
    }

    public function test_a_course_has_one_instance(): void {
        $again = enrol_get_plugin('nagasis')->add_instance($this->course);
        $this->assertSame((int) $this->instance->id, $again);
        $this->assertSame([1, 1, 1, 1], $this->ours());
    }

    public function test_new_courses_get_none_by_themselves(): void {
        $course = $this->getDataGenerator()->create_course();
        $this->assertNotContains('nagasis', array_column(enrol_get_instances($course->id, false), 'enrol'));
    }

    public function test_a_teacher_can_do_nothing_to_it(): void {
        global $CFG, $PAGE;
        require_once($CFG->dirroot . '/enrol/locallib.php');
        $this->setUser($this->teacher);
        $plugin = enrol_get_plugin('nagasis');
        $enrolment = $this->enrolment();

        $this->assertTrue($plugin->roles_protected());
        $this->assertFalse($plugin->allow_enrol($this->instance));
        $this->assertFalse($plugin->allow_manage($this->instance));
        $this->assertFalse($plugin->allow_unenrol($this->instance));
        $this->assertFalse($plugin->allow_unenrol_user($this->instance, $enrolment));
        $this->assertFalse($plugin->can_add_instance($this->course->id));
        $this->assertFalse($plugin->can_edit_instance($this->instance));
        $this->assertFalse($plugin->can_delete_instance($this->instance));
        $this->assertFalse($plugin->can_hide_show_instance($this->instance));
        $this->assertFalse($plugin->is_csv_upload_supported());
        $this->assertFalse($plugin->use_standard_editing_ui());

        $PAGE->set_url('/user/index.php');
        $manager = new \course_enrolment_manager($PAGE, $this->course);
        $enrolment->enrolmentinstance = $this->instance;
        $this->assertSame([], $plugin->get_user_enrolment_actions($manager, $enrolment));
        $this->assertFalse($plugin->has_bulk_operations($manager));
        $this->assertFalse(groups_remove_member_allowed($this->group->id, $this->student->id));
    }

    public function test_a_students_own_enrolment_is_not_his_to_end(): void {
        $this->setUser($this->student);
        $this->assertNull(enrol_get_plugin('nagasis')->get_unenrolself_link($this->instance));
    }

    public function test_even_an_administrator_unenrols_nobody_one_by_one(): void {
        global $CFG;
        require_once($CFG->dirroot . '/enrol/externallib.php');
        $this->setAdminUser();
        $this->assertFalse(\core_enrol_external::unenrol_user_enrolment($this->enrolment()->id)['result']);
        $this->assertNotFalse($this->enrolment());
    }

    public function test_an_administrator_may_delete_or_hide_the_instance(): void {
        $this->setAdminUser();
        $plugin = enrol_get_plugin('nagasis');
        $this->assertTrue($plugin->can_delete_instance($this->instance));
        $this->assertTrue($plugin->can_hide_show_instance($this->instance));
        $this->assertFalse($plugin->can_add_instance($this->course->id));
        $plugin->delete_instance($this->instance);
        $this->assertSame([0, 0, 0, 0], $this->ours());
    }

    public function test_groups_are_free_again_when_the_sis_has_nothing_to_say(): void {
        global $DB;
        $DB->set_field('groups', 'idnumber', '', ['id' => $this->group->id]);
        $this->assertTrue(groups_remove_member_allowed($this->group->id, $this->student->id));
        $DB->set_field('groups', 'idnumber', 'G1', ['id' => $this->group->id]);
        $this->assertFalse(groups_remove_member_allowed($this->group->id, $this->student->id));
        \core\plugininfo\enrol::enable_plugin('nagasis', 0);
        $this->assertTrue(groups_remove_member_allowed($this->group->id, $this->student->id));
    }

    public function test_goes_with_its_course_and_its_user(): void {
        delete_user($this->student);
        $this->assertSame([1, 0, 0, 0], $this->ours());
        delete_course($this->course, false);
        $this->assertSame([0, 0, 0, 0], $this->ours());
    }

    public function test_resetting_a_course_keeps_who_the_sis_has_enrolled(): void {
        global $DB;
        $this->setAdminUser();
        $roles = $DB->get_fieldset_select('role', 'id', '1 = 1');
        $data = (object) ['id' => $this->course->id, 'unenrol_users' => $roles, 'courseid' => $this->course->id];
        reset_course_userdata($data);
        $this->assertSame([1, 1, 1, 1], $this->ours());
    }

    /**
     * Backs the course up with its users, and restores it.
     *
     * @param int $target id of the course to restore into
     * @param int $how a constant of \backup
     * @param int $enrolments setting of the restore
     */
    private function restore(int $target, int $how, int $enrolments): void {
        global $CFG, $USER;
        require_once($CFG->dirroot . '/backup/util/includes/backup_includes.php');
        require_once($CFG->dirroot . '/backup/util/includes/restore_includes.php');
        $backup = new \backup_controller(
            \backup::TYPE_1COURSE,
            $this->course->id,
            \backup::FORMAT_MOODLE,
            \backup::INTERACTIVE_NO,
            \backup::MODE_SAMESITE,
            $USER->id,
        );
        $backup->get_plan()->get_setting('users')->set_value(true);
        $backup->execute_plan();
        $folder = 'enrolnagasis' . $backup->get_backupid();
        $backup->get_results()['backup_destination']->extract_to_pathname(
            get_file_packer('application/vnd.moodle.backup'),
            make_backup_temp_directory($folder),
        );
        $backup->destroy();
        $restore = new \restore_controller(
            $folder,
            $target,
            \backup::INTERACTIVE_NO,
            \backup::MODE_SAMESITE,
            $USER->id,
            $how,
        );
        $restore->get_plan()->get_setting('users')->set_value(true);
        $restore->get_plan()->get_setting('enrolments')->set_value($enrolments);
        $this->assertTrue($restore->execute_precheck());
        $restore->execute_plan();
        $restore->destroy();
    }

    public function test_a_restored_course_does_not_carry_it(): void {
        global $CFG, $DB;
        require_once($CFG->dirroot . '/backup/util/includes/backup_includes.php');
        $this->setAdminUser();
        $copy = $this->getDataGenerator()->create_course();
        $this->restore((int) $copy->id, \backup::TARGET_NEW_COURSE, \backup::ENROL_ALWAYS);

        $context = \context_course::instance($copy->id);
        $this->assertTrue(is_enrolled($context, $this->teacher));
        $this->assertFalse(is_enrolled($context, $this->student));
        $this->assertSame([0, 0, 0, 0], $this->ours((int) $copy->id));
        $this->assertFalse($DB->record_exists('role_assignments', [
            'contextid' => $context->id,
            'userid' => $this->student->id,
        ]));
        $group = $DB->get_record('groups', ['courseid' => $copy->id], '*', MUST_EXIST);
        $this->assertFalse(groups_is_member($group->id, $this->student->id));
        $this->assertSame([1, 1, 1, 1], $this->ours((int) $this->course->id));
    }

    public function test_restoring_over_the_course_itself_keeps_what_is_there(): void {
        global $CFG;
        require_once($CFG->dirroot . '/backup/util/includes/backup_includes.php');
        $this->setAdminUser();
        $this->restore((int) $this->course->id, \backup::TARGET_EXISTING_ADDING, \backup::ENROL_ALWAYS);
        $this->assertSame([1, 1, 1, 1], $this->ours());
        $this->assertTrue(is_enrolled(\context_course::instance($this->course->id), $this->student));
    }

    public function test_uninstalling_leaves_nothing(): void {
        global $CFG, $DB;
        require_once($CFG->dirroot . '/enrol/nagasis/db/uninstall.php');
        $this->setAdminUser();
        $talking = $this->getDataGenerator()->create_group(['courseid' => $this->course->id, 'enablemessaging' => 1]);
        $this->getDataGenerator()->create_group_member(['groupid' => $talking->id, 'userid' => $this->teacher->id]);
        (new group_members($talking, (int) $this->instance->id))->add([(int) $this->student->id]);
        $conversation = $DB->get_field('message_conversations', 'id', ['itemid' => $talking->id, 'itemtype' => 'groups']);
        $talkers = ['conversationid' => $conversation];
        $this->assertSame(2, $DB->count_records('message_conversation_members', $talkers));

        xmldb_enrol_nagasis_uninstall();
        \core_plugin_manager::instance()->get_plugin_info('enrol_nagasis')->uninstall_cleanup();
        $this->assertSame([0, 0, 0, 0], $this->ours());
        $this->assertSame(0, $DB->count_records('groups_members', ['userid' => $this->student->id]));
        $this->assertTrue(groups_is_member($talking->id, $this->teacher->id));
        $this->assertSame(1, $DB->count_records('message_conversation_members', $talkers));
        $this->assertFalse(enrol_is_enabled('nagasis'));
    }
}
