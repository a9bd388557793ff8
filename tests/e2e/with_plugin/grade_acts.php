<?php
/**
 * What a teacher and a student do with a quiz, and what stands in Moodle's gradebook.
 *
 * Usage: php grade_acts.php COMMAND < arguments.json; prints one JSON value. MOODLE_DIR names the site's code.
 */
define('CLI_SCRIPT', true);
require(getenv('MOODLE_DIR') . '/config.php');
require_once($CFG->libdir . '/clilib.php');
require_once($CFG->libdir . '/gradelib.php');
require_once($CFG->dirroot . '/course/lib.php');
require_once($CFG->dirroot . '/mod/quiz/locallib.php');
require_once($CFG->libdir . '/questionlib.php');
// As Moodle's own generator of test courses has it: the functions that its forms call, without the forms.
require_once($CFG->libdir . '/phpunit/classes/util.php');

\core\session\manager::set_user(get_admin());
$command = 'command_' . ($argv[1] ?? '');
function_exists($command) || cli_error('No such command.');
$arguments = json_decode(stream_get_contents(STDIN) ?: '{}', true, 512, JSON_THROW_ON_ERROR);
echo "\n", json_encode($command($arguments), JSON_UNESCAPED_UNICODE | JSON_THROW_ON_ERROR), "\n";

/** A quiz of one question, up to 10 points. */
function command_quiz(array $a): array {
    global $DB;
    $made = phpunit_util::get_data_generator()->create_module('quiz', ['course' => $a['course'], 'name' => $a['name'],
        'sumgrades' => 1, 'grade' => 10]);
    $context = \context_module::instance($made->cmid);
    $category = question_get_default_category($context->id, true) ?: question_make_default_categories([$context]);
    $text = fn(string $words): array => ['text' => $words, 'format' => FORMAT_PLAIN];
    $question = question_bank::get_qtype('truefalse')->save_question((object)['qtype' => 'truefalse',
        'category' => $category->id], (object)['category' => "$category->id,$category->contextid", 'name' => 'One',
        'questiontext' => $text('Is it so?'), 'generalfeedback' => $text(''), 'defaultmark' => 1, 'penalty' => 1,
        'correctanswer' => 1, 'feedbacktrue' => $text(''), 'feedbackfalse' => $text(''), 'status' => 'ready', 'idnumber' => null]);
    quiz_add_quiz_question($question->id, $DB->get_record('quiz', ['id' => $made->id]));
    return ['quiz' => (int)$made->id, 'item' => (int)$DB->get_field('grade_items', 'id',
        ['itemtype' => 'mod', 'itemmodule' => 'quiz', 'iteminstance' => $made->id], MUST_EXIST)];
}

/** A student takes the quiz, with the right answer or the wrong one. */
function command_attempt(array $a): array {
    \core\session\manager::set_user(\core_user::get_user($a['user'], '*', MUST_EXIST));
    $started = quiz_prepare_and_start_new_attempt(\mod_quiz\quiz_settings::create($a['quiz'], $a['user']), 1, null);
    $attempt = \mod_quiz\quiz_attempt::create($started->id);
    $attempt->process_submitted_actions(time(), false, [1 => ['answer' => (int)$a['right']]]);
    $attempt = \mod_quiz\quiz_attempt::create($started->id);
    // Since Moodle 5.0 handing in and grading are two.
    if (method_exists($attempt, 'process_submit')) {
        $attempt->process_submit(time(), false);
        $attempt->process_grade_submission(time());
    } else {
        $attempt->process_finish(time(), false);
    }
    return [];
}

/** How an item stands: its category, weight and name, and the grades of some people with their last history. */
function command_item(array $a): array {
    global $DB;
    $item = grade_item::fetch(['id' => $a['item']]);
    $grades = [];
    foreach ($a['users'] as $user) {
        $grade = grade_grade::fetch(['itemid' => $item->id, 'userid' => $user]);
        $history = $DB->get_records('grade_grades_history', ['itemid' => $item->id, 'userid' => $user], 'id DESC', '*', 0, 1);
        $grades[$user] = ['final' => $grade && $grade->finalgrade !== null ? (float)$grade->finalgrade : null,
            'overridden' => $grade && $grade->is_overridden(), 'source' => $history ? reset($history)->source : null];
    }
    return ['name' => $item->itemname, 'category' => $item->get_parent_category()->fullname,
        'weight' => (float)$item->aggregationcoef, 'grades' => $grades ?: new stdClass()];
}

/** The grade items of a course by their keys of the SIS. */
function command_keys(array $a): array {
    global $DB;
    return array_map(intval(...), $DB->get_records_menu('local_nagasis_gradeitem', ['courseid' => $a['course']], '', 'itemkey, itemid'));
}
