<?php
/**
 * Real acts in Moodle, through its own PHP API, and what stands in its database.
 *
 * Usage: php acts.php COMMAND < arguments.json; prints one JSON value. MOODLE_DIR names the site's code.
 */
define('CLI_SCRIPT', true);
require(getenv('MOODLE_DIR') . '/config.php');
require_once($CFG->libdir . '/clilib.php');
require_once($CFG->libdir . '/enrollib.php');
require_once($CFG->libdir . '/gradelib.php');
require_once($CFG->libdir . '/completionlib.php');
require_once($CFG->dirroot . '/completion/completion_completion.php');
require_once($CFG->dirroot . '/course/lib.php');
require_once($CFG->dirroot . '/group/lib.php');
require_once($CFG->dirroot . '/user/lib.php');
require_once($CFG->dirroot . '/backup/util/includes/backup_includes.php');
require_once($CFG->dirroot . '/backup/util/includes/restore_includes.php');
require_once($CFG->dirroot . '/mod/assign/locallib.php');
require_once($CFG->dirroot . '/mod/quiz/locallib.php');
require_once($CFG->libdir . '/questionlib.php');
// As Moodle's own generator of test courses has it: the functions that its forms call, without the forms.
require_once($CFG->libdir . '/phpunit/classes/util.php');

const PASSWORD = 'E2e-campus-1';

\core\session\manager::set_user(get_admin());
$command = 'command_' . ($argv[1] ?? '');
function_exists($command) || cli_error('No such command.');
$arguments = json_decode(stream_get_contents(STDIN) ?: '{}', true, 512, JSON_THROW_ON_ERROR);
echo "\n", json_encode($command($arguments), JSON_UNESCAPED_UNICODE | JSON_THROW_ON_ERROR), "\n";

/** A course made by hand, with a student and a teacher in it. */
function command_course(array $a): array {
    $course = create_course((object)['shortname' => $a['name'], 'fullname' => $a['name'], 'idnumber' => '',
        'category' => core_course_category::get_default()->id, 'enablecompletion' => 1, 'numsections' => 1]);
    $out = ['course' => (int)$course->id];
    foreach (['student', 'editingteacher'] as $role) {
        $out[$role] = person($a['name'] . '-' . $role);
        manual($course->id, fn($plugin, $instance) => $plugin->enrol_user($instance, $out[$role], role($role)));
    }
    return $out;
}

/** Grades, and the items that they stand in. */
function command_grades(array $a): array {
    $item = new grade_item(['courseid' => $a['course'], 'itemtype' => 'manual', 'itemname' => 'Oral', 'grademax' => 100]);
    $item->insert();
    $item->grademax = 50;
    $item->update();
    $item->update_final_grade($a['student'], 41.5, 'e2e');
    $grade = (int)$item->get_grade($a['student'], false)->id;
    $item->delete('e2e');
    return ['grade_item.created' => (int)$item->id, 'grade_item.updated' => (int)$item->id,
        'grade_item.deleted' => (int)$item->id, 'grade.changed' => $grade, 'grade.deleted' => $grade];
}

/** A student hands in an assignment; the teacher grades it. */
function command_assignment(array $a): array {
    global $DB;
    $made = generator()->create_module('assign', ['course' => $a['course'], 'assignsubmission_onlinetext_enabled' => 1,
        'submissiondrafts' => 1]);
    $context = \context_module::instance($made->cmid);
    [$course, $cm] = get_course_and_cm_from_cmid($made->cmid, 'assign');
    act_as($a['student']);
    $assign = new assign($context, $cm, $course);
    $submission = $assign->get_user_submission($a['student'], true);
    $text = ['text' => 'My work', 'format' => FORMAT_PLAIN, 'itemid' => file_get_unused_draft_itemid()];
    $assign->get_submission_plugin_by_type('onlinetext')->save($submission, (object)['onlinetext_editor' => $text]);
    $notices = [];
    $assign->submit_for_grading((object)['userid' => $a['student']], $notices);
    act_as($a['editingteacher']);
    $assign = new assign($context, $cm, $course);
    $assign->save_grade($a['student'], (object)['grade' => 42.0, 'attemptnumber' => -1, 'workflowstate' => '']);
    act_as();
    return ['assign.submitted' => (int)$submission->id,
        'assign.graded' => (int)$DB->get_field('assign_grades', 'id', ['assignment' => $made->id, 'userid' => $a['student']])];
}

/** A student takes a quiz of one question. */
function command_quiz(array $a): array {
    global $DB;
    $made = generator()->create_module('quiz', ['course' => $a['course'], 'sumgrades' => 1, 'grade' => 10]);
    $context = \context_module::instance($made->cmid);
    $category = question_get_default_category($context->id, true) ?: question_make_default_categories([$context]);
    $text = fn(string $words): array => ['text' => $words, 'format' => FORMAT_PLAIN];
    $question = question_bank::get_qtype('truefalse')->save_question((object)['qtype' => 'truefalse',
        'category' => $category->id], (object)['category' => "$category->id,$category->contextid", 'name' => 'One',
        'questiontext' => $text('Is it so?'), 'generalfeedback' => $text(''), 'defaultmark' => 1, 'penalty' => 1,
        'correctanswer' => 1, 'feedbacktrue' => $text(''), 'feedbackfalse' => $text(''), 'status' => 'ready', 'idnumber' => null]);
    quiz_add_quiz_question($question->id, $DB->get_record('quiz', ['id' => $made->id]));
    act_as($a['student']);
    $started = quiz_prepare_and_start_new_attempt(\mod_quiz\quiz_settings::create($made->id, $a['student']), 1, null);
    $attempt = \mod_quiz\quiz_attempt::create($started->id);
    $attempt->process_submitted_actions(time(), false, [1 => ['answer' => 1]]);
    $attempt = \mod_quiz\quiz_attempt::create($started->id);
    // Since Moodle 5.0 handing in and grading are two.
    if (method_exists($attempt, 'process_submit')) {
        $attempt->process_submit(time(), false);
        $attempt->process_grade_submission(time());
    } else {
        $attempt->process_finish(time(), false);
    }
    act_as();
    $graded = class_exists('\mod_quiz\event\attempt_graded');
    return ['quiz.submitted' => (int)$started->id] + ($graded ? ['quiz.graded' => (int)$started->id] : []);
}

/** A student completes an activity, and the course. */
function command_completion(array $a): array {
    global $DB;
    $page = generator()->create_module('page', ['course' => $a['course'], 'completion' => COMPLETION_TRACKING_MANUAL]);
    $course = get_course($a['course']);
    act_as($a['student']);
    (new completion_info($course))->update_state(get_fast_modinfo($course)->get_cm($page->cmid), COMPLETION_COMPLETE);
    act_as();
    $whole = new completion_completion(['userid' => $a['student'], 'course' => $a['course']]);
    $whole->mark_complete();
    $where = ['coursemoduleid' => $page->cmid, 'userid' => $a['student']];
    return ['completion.activity' => (int)$DB->get_field('course_modules_completion', 'id', $where),
        'completion.course' => (int)$whole->id];
}

/** Somebody is enrolled, suspended and unenrolled by a teacher. */
function command_enrolments(array $a): array {
    global $DB;
    $user = person('e2e-guestspeaker');
    $out = [];
    manual($a['course'], function ($plugin, $instance) use ($user, &$out): void {
        global $DB;
        $plugin->enrol_user($instance, $user, role('teacher'));
        $enrolment = (int)$DB->get_field('user_enrolments', 'id', ['enrolid' => $instance->id, 'userid' => $user]);
        $assignment = (int)$DB->get_field('role_assignments', 'id', ['userid' => $user]);
        $plugin->update_user_enrol($instance, $user, ENROL_USER_SUSPENDED);
        $plugin->unenrol_user($instance, $user);
        $out = ['enrolment.created' => $enrolment, 'enrolment.updated' => $enrolment, 'enrolment.deleted' => $enrolment,
            'role.assigned' => $assignment, 'role.unassigned' => $assignment];
    });
    delete_user($DB->get_record('user', ['id' => $user]));
    return $out;
}

/** A teacher makes groups. */
function command_groups(array $a): array {
    $group = (int)groups_create_group((object)['courseid' => $a['course'], 'name' => 'Readers']);
    groups_update_group((object)['id' => $group, 'courseid' => $a['course'], 'name' => 'Good readers']);
    groups_add_member($group, $a['student']);
    groups_remove_member($group, $a['student']);
    groups_delete_group($group);
    return array_fill_keys(['group.created', 'group.updated', 'group.deleted', 'group.member_added',
        'group.member_removed'], $group);
}

/** A course is made, changed and deleted by hand; ours is restored into another, and reset. */
function command_courses(array $a): array {
    global $USER;
    $course = create_course((object)['shortname' => 'e2e-short', 'fullname' => 'e2e-short', 'category' => 1]);
    update_course((object)['id' => $course->id, 'fullname' => 'e2e-shorter']);
    delete_course($course->id, false);
    $backup = new backup_controller(backup::TYPE_1COURSE, $a['course'], backup::FORMAT_MOODLE, backup::INTERACTIVE_NO,
        backup::MODE_IMPORT, $USER->id);
    $backup->execute_plan();
    $target = (int)restore_dbops::create_new_course('e2e-copy', 'e2e-copy', 1);
    $restore = new restore_controller($backup->get_backupid(), $target, backup::INTERACTIVE_NO, backup::MODE_IMPORT,
        $USER->id, backup::TARGET_NEW_COURSE);
    $restore->execute_precheck();
    $restore->execute_plan();
    $restore->destroy();
    $backup->destroy();
    reset_course_userdata((object)['id' => $target, 'courseid' => $target]);
    return ['course.created' => (int)$course->id, 'course.updated' => (int)$course->id, 'course.deleted' => (int)$course->id,
        'course.restored' => $target, 'course.reset' => null];
}

/** A teacher makes, renames and deletes a section and an activity. */
function command_content(array $a): array {
    $course = get_course($a['course']);
    $section = course_create_section($course, 0);
    course_update_section($course, $section, ['name' => 'Week one']);
    course_delete_section($course, $section->section, true);
    $page = generator()->create_module('page', ['course' => $a['course'], 'name' => 'Read me']);
    set_coursemodule_name($page->cmid, 'Read me first');
    course_delete_module($page->cmid);
    return array_fill_keys(['section.created', 'section.updated', 'section.deleted'], (int)$section->id)
        + array_fill_keys(['module.created', 'module.updated', 'module.deleted'], (int)$page->cmid);
}

/** An administrator makes and deletes a category and an account. */
function command_administration(array $a): array {
    global $DB;
    $category = core_course_category::create(['name' => 'e2e-clubs']);
    $category->update(['name' => 'e2e-sports clubs']);
    $category->delete_full(false);
    $user = person('e2e-visitor');
    user_update_user((object)['id' => $user, 'firstname' => 'Visiting'], false);
    delete_user($DB->get_record('user', ['id' => $user]));
    return array_fill_keys(['category.created', 'category.updated', 'category.deleted'], (int)$category->id)
        + array_fill_keys(['user.created', 'user.updated', 'user.deleted'], $user);
}

/** Somebody renames a course of the SIS. */
function command_rename(array $a): array {
    global $DB;
    $id = (int)$DB->get_field('course', 'id', ['idnumber' => $a['idnumber']], MUST_EXIST);
    update_course((object)['id' => $id, 'fullname' => $a['fullname']]);
    return ['id' => $id];
}

/** Give people of the SIS a password; returns id and username by idnumber. */
function command_passwords(array $a): array {
    global $DB;
    $out = [];
    foreach ($a['people'] as $idnumber) {
        $user = $DB->get_record('user', ['idnumber' => $idnumber, 'deleted' => 0], '*', MUST_EXIST);
        update_internal_user_password($user, PASSWORD);
        unset_user_preference('auth_forcepasswordchange', $user);
        $out[$idnumber] = ['id' => (int)$user->id, 'username' => $user->username];
    }
    return ['password' => PASSWORD, 'people' => $out];
}

/** How a person's account is entered. */
function command_ways_in(array $a): array {
    global $DB;
    $user = $DB->get_record('user', ['idnumber' => $a['person'], 'deleted' => 0], '*', MUST_EXIST);
    return ['auth' => $user->auth, 'links' => links_of($user->id)];
}

/** How everybody with an ID number enters, by that. */
function command_all_ways_in(array $a): array {
    global $DB;
    $out = [];
    foreach ($DB->get_records_select('user', "idnumber <> '' AND deleted = 0") as $user) {
        $out[$user->idnumber] = ['auth' => $user->auth, 'links' => links_of((int)$user->id),
            'suspended' => (bool)$user->suspended, 'email' => $user->email];
    }
    return $out;
}

/** The administrator's address, and whether their account is linked. */
function command_administrator(array $a): array {
    return ['email' => get_admin()->email, 'links' => links_of(get_admin()->id)];
}

function links_of(int $userid): array {
    global $DB;
    return array_values($DB->get_fieldset('auth_oauth2_linked_login', 'username', ['userid' => $userid, 'confirmtoken' => '']));
}


/** How a person stands in a course of the SIS. */
function command_place(array $a): array {
    global $DB;
    $course = $DB->get_record('course', ['idnumber' => $a['course']], '*', MUST_EXIST);
    $user = $DB->get_record('user', ['idnumber' => $a['person'], 'deleted' => 0], '*', MUST_EXIST);
    $context = \context_course::instance($course->id);
    $roles = array_column(get_user_roles($context, $user->id, false), 'shortname');
    sort($roles);
    return ['course' => (int)$course->id, 'user' => (int)$user->id, 'fullname' => $course->fullname, 'roles' => array_values(array_unique($roles)),
        'active' => is_enrolled($context, $user, '', true), 'enrolled' => is_enrolled($context, $user),
        'account_suspended' => (bool)$user->suspended];
}

/** A forum and an assignment in a course of the SIS, whatever may be changed in it. */
function command_activities(array $a): array {
    global $DB;
    $course = (int)$DB->get_field('course', 'id', ['idnumber' => $a['course']], MUST_EXIST);
    $forum = generator()->create_module('forum', ['course' => $course, 'name' => 'Discuss here', 'type' => 'general']);
    $assign = generator()->create_module('assign', ['course' => $course, 'name' => 'Hand in here',
        'assignsubmission_onlinetext_enabled' => 1]);
    return ['course' => $course, 'forum' => (int)$forum->cmid, 'assign' => (int)$assign->cmid];
}

/** Whether somebody may start a discussion and hand in, as Moodle's own services ask before they do. */
function command_write(array $a): array {
    global $CFG, $DB;
    require_once($CFG->dirroot . '/mod/forum/lib.php');
    $user = $DB->get_record('user', ['idnumber' => $a['person'], 'deleted' => 0], '*', MUST_EXIST);
    act_as((int)$user->id);
    [$course, $cm] = get_course_and_cm_from_cmid($a['forum'], 'forum');
    $forum = $DB->get_record('forum', ['id' => $cm->instance], '*', MUST_EXIST);
    $post = forum_user_can_post_discussion($forum, null, -1, $cm, \context_module::instance($cm->id));
    [$course, $cm] = get_course_and_cm_from_cmid($a['assign'], 'assign');
    $assign = new assign(\context_module::instance($cm->id), $cm, $course);
    return ['post' => (bool)$post, 'submit' => $assign->can_edit_submission($user->id, $user->id)];
}

/** Course module ids of the activities of external tools in a course of the SIS. */
function command_links(array $a): array {
    global $DB;
    $modinfo = get_fast_modinfo($DB->get_field('course', 'id', ['idnumber' => $a['course']], MUST_EXIST));
    return array_values(array_map(fn($cm): int => (int)$cm->id, $modinfo->get_instances_of('lti')));
}

/** Delete the activities of external tools in a course of the SIS. */
function command_unlink(array $a): array {
    global $DB;
    foreach (get_fast_modinfo($DB->get_field('course', 'id', ['idnumber' => $a['course']]))->get_instances_of('lti') as $cm) {
        course_delete_module($cm->id);
    }
    return [];
}

/** Courses, accounts and categories by idnumber; these are deleted. */
function command_forget(array $a): array {
    global $DB;
    foreach ($a['course'] as $idnumber) {
        foreach ($DB->get_records('course', ['idnumber' => $idnumber]) as $course) {
            // Of a frozen course Moodle's recycle bin could make no copy.
            \core\context\course::instance($course->id)->set_locked(false);
            delete_course($course, false);
        }
    }
    foreach ($DB->get_records_select('course', $DB->sql_like('shortname', '?'), ['e2e-%']) as $course) {
        delete_course($course, false);
    }
    foreach ($a['user'] as $idnumber) {
        foreach ($DB->get_records('user', ['idnumber' => $idnumber, 'deleted' => 0]) as $user) {
            delete_user($user);
        }
    }
    foreach ($DB->get_records_select('user', $DB->sql_like('username', '?') . ' AND deleted = 0', ['e2e-%']) as $user) {
        delete_user($user);
    }
    foreach ($a['category'] as $idnumber) {
        foreach ($DB->get_fieldset_select('course_categories', 'id', 'idnumber = ?', [$idnumber]) as $id) {
            core_course_category::get($id)->delete_full(false);
        }
    }
    return [];
}

/** The checklist as this side holds it, and the tool that this Moodle is connected with. */
function command_connection(array $a): array {
    $list = \local_nagasis\local\state::get('checklist');
    $current = \local_nagasis\local\pairing\connection::current();
    return ['tool' => $current['toolurl'] ?? null, 'checks' => $list['checks'] ?? []];
}

/** Somebody tidies up in Moodle, and breaks the connection: the account, its role, the tool in the chooser. */
function command_break(array $a): array {
    global $DB;
    $service = $DB->get_record('user', ['username' => 'nagasis_service', 'deleted' => 0], '*', MUST_EXIST);
    user_update_user((object)['id' => $service->id, 'suspended' => 1], false);
    unassign_capability('local/nagasis:apply', role('nagasis'));
    $DB->set_field('lti_types', 'coursevisible', 0, ['clientid' => get_config('local_nagasis', 'clientid')]);
    return [];
}

/** What was told to people of the SIS, but for what Moodle says of their own sign-ins. */
function command_told(array $a): array {
    global $DB;
    return array_values($DB->get_fieldset_sql("SELECT n.subject FROM {notifications} n JOIN {user} u ON u.id = n.useridto
        WHERE u.idnumber <> '' AND n.eventtype <> 'newlogin'"));
}

/** The number of the last entry of Moodle's log; with ``after``, how often each event happened since, by course. */
function command_log(array $a): array {
    global $DB;
    $happened = [];
    $sql = 'SELECT MIN(id), eventname, courseid, COUNT(*) AS times FROM {logstore_standard_log}
             WHERE id > ? GROUP BY eventname, courseid';
    foreach ($DB->get_records_sql($sql, [$a['after'] ?? PHP_INT_MAX]) as $row) {
        $happened[] = [$row->eventname, (int)$row->courseid, (int)$row->times];
    }
    return ['last' => (int)$DB->get_field_sql('SELECT MAX(id) FROM {logstore_standard_log}'), 'happened' => $happened];
}

/** Events that wait. */
function command_waiting(array $a): array {
    global $DB;
    return ['count' => $DB->count_records('local_nagasis_outbox')];
}

function generator(): testing_data_generator {
    return phpunit_util::get_data_generator();
}

function act_as(?int $userid = null): void {
    \core\session\manager::set_user($userid ? \core_user::get_user($userid, '*', MUST_EXIST) : get_admin());
}

function person(string $username): int {
    return (int)user_create_user(['username' => $username, 'firstname' => 'E2E', 'lastname' => $username,
        'email' => "$username@e2e.invalid", 'password' => PASSWORD, 'confirmed' => 1, 'auth' => 'manual',
        'mnethostid' => get_config('core', 'mnet_localhost_id')]);
}

function role(string $shortname): int {
    global $DB;
    return (int)$DB->get_field('role', 'id', ['shortname' => $shortname], MUST_EXIST);
}

function manual(int $courseid, callable $act): void {
    global $DB;
    $instance = $DB->get_record('enrol', ['courseid' => $courseid, 'enrol' => 'manual'], '*', MUST_EXIST);
    $instance->customint1 = ENROL_DO_NOT_SEND_EMAIL;
    $act(enrol_get_plugin('manual'), $instance);
}
