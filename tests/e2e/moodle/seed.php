<?php
/**
 * What the tests change and read in Moodle, through Moodle's own PHP API.
 *
 * Usage: php seed.php COMMAND < arguments.json; prints one JSON value. MOODLE_DIR names the site's code.
 */
define('CLI_SCRIPT', true);
require(getenv('MOODLE_DIR') . '/config.php');
require_once($CFG->libdir . '/clilib.php');
require_once($CFG->libdir . '/enrollib.php');
require_once($CFG->libdir . '/filelib.php');
require_once($CFG->libdir . '/gradelib.php');
require_once($CFG->libdir . '/grade/grade_item.php');
require_once($CFG->libdir . '/grade/grade_grade.php');
require_once($CFG->dirroot . '/course/lib.php');
require_once($CFG->dirroot . '/user/lib.php');
require_once($CFG->dirroot . '/mod/lti/locallib.php');

\core\session\manager::set_user(get_admin());
$commands = ['about', 'fetch', 'seed', 'remove', 'config', 'enrol', 'unenrol', 'grades', 'grade',
    'lock', 'types', 'activities'];
$command = $argv[1] ?? '';
if (!in_array($command, $commands, true)) {
    cli_error('Commands: ' . implode(', ', $commands));
}
$arguments = json_decode(stream_get_contents(STDIN) ?: '{}', true, 512, JSON_THROW_ON_ERROR);
$result = ("command_$command")($arguments);
echo json_encode($result, JSON_UNESCAPED_UNICODE | JSON_THROW_ON_ERROR), "\n";

/** What this Moodle is, and whether it would call this address at all. */
function command_about(array $a): array {
    global $CFG;
    $helper = new \core\files\curl_security_helper();
    return ['release' => $CFG->release, 'url' => $CFG->wwwroot, 'https' => is_https(),
        'blocked' => (bool)$helper->url_is_blocked($a['tool_url'])];
}

/** Fetch an address as mod_lti fetches a tool's keys: null, or the body. */
function command_fetch(array $a): array {
    $response = download_file_content($a['url'], null, null, true, 20, 10);
    return ['status' => (int)($response->status ?? 0), 'error' => (string)($response->error ?? ''),
        'body' => (string)($response->results ?? '')];
}

/** Courses, people and enrolments; may be repeated. */
function command_seed(array $a): array {
    global $DB, $CFG;
    $out = ['courses' => [], 'users' => []];
    foreach ($a['courses'] as $c) {
        $course = $DB->get_record('course', ['shortname' => $c['shortname']]);
        if (!$course) {
            $course = create_course((object)($c + ['category' => core_course_category::get_default()->id,
                'format' => 'topics', 'numsections' => 2, 'visible' => 1,
                'startdate' => usergetmidnight(time()) - WEEKSECS]));
        }
        $out['courses'][$c['shortname']] = (int)$course->id;
    }
    $hashes = [];
    foreach (array_chunk($a['people'], 100) as $chunk) {
        $transaction = $DB->start_delegated_transaction();
        foreach ($chunk as $p) {
            $known = $DB->get_record('user', ['username' => $p['username'], 'deleted' => 0]);
            if (!$known) {
                // One hash for one password: hashing three hundred times would be most of the work.
                $hashes[$p['password']] ??= hash_internal_user_password($p['password']);
                $new = (object)['username' => $p['username'], 'firstname' => $p['firstname'],
                    'lastname' => $p['lastname'], 'email' => $p['email'], 'idnumber' => $p['idnumber'],
                    'password' => $hashes[$p['password']], 'auth' => 'manual', 'confirmed' => 1, 'lang' => 'en',
                    'mnethostid' => $CFG->mnet_localhost_id, 'policyagreed' => 1];
                $id = user_create_user($new, false);
            } else {
                $id = $known->id;
                if ($known->idnumber !== $p['idnumber']) {
                    user_update_user((object)['id' => $id, 'idnumber' => $p['idnumber']], false);
                }
            }
            $out['users'][$p['username']] = (int)$id;
            foreach ($p['enrolments'] as $e) {
                enrol($out['courses'][$e['course']], $id, $e['role'], !empty($e['suspended']));
            }
        }
        $transaction->allow_commit();
    }
    return $out;
}

/** Delete the courses, people and LTI types that carry the tests' prefix and the tool's host. */
function command_remove(array $a): array {
    global $DB;
    $out = ['courses' => 0, 'users' => 0, 'types' => 0];
    $like = $DB->sql_like('shortname', '?');
    foreach ($DB->get_records_select('course', $like, [$DB->sql_like_escape($a['prefix']) . '%']) as $course) {
        delete_course($course, false);
        $out['courses']++;
    }
    foreach ($DB->get_records('lti_types', ['tooldomain' => $a['tool_domain']]) as $type) {
        lti_delete_type($type->id);
        $DB->delete_records('lti_coursevisible', ['typeid' => $type->id]);
        $DB->delete_records('lti_access_tokens', ['typeid' => $type->id]);
        $out['types']++;
    }
    $like = $DB->sql_like('username', '?') . ' AND deleted = 0';
    foreach ($DB->get_records_select('user', $like, [$DB->sql_like_escape($a['prefix']) . '%']) as $user) {
        delete_user($user);
        $out['users']++;
    }
    return $out;
}

/** Set one setting of a plugin (null unsets it); returns what it was. */
function command_config(array $a): array {
    $old = get_config($a['plugin'], $a['name']);
    if (array_key_exists('value', $a)) {
        $a['value'] === null ? unset_config($a['name'], $a['plugin']) : set_config($a['name'], $a['value'], $a['plugin']);
    }
    return ['old' => $old === false ? null : $old];
}

function command_enrol(array $a): array {
    enrol(course_id($a['course']), user_id($a['username']), $a['role'] ?? 'student', !empty($a['suspended']));
    return [];
}

function command_unenrol(array $a): array {
    [$plugin, $instance] = manual_instance(course_id($a['course']));
    $plugin->unenrol_user($instance, user_id($a['username']));
    return [];
}

/** Every grade item of a course with its grades, as the gradebook holds them. */
function command_grades(array $a): array {
    global $DB;
    $courseid = course_id($a['course']);
    grade_regrade_final_grades($courseid);
    $out = [];
    foreach (grade_item::fetch_all(['courseid' => $courseid]) ?: [] as $item) {
        if ($item->itemtype === 'course' || $item->itemtype === 'category') {
            continue;
        }
        $grades = [];
        foreach (grade_grade::fetch_all(['itemid' => $item->id]) ?: [] as $grade) {
            $grades[$DB->get_field('user', 'username', ['id' => $grade->userid])] = [
                'final' => $grade->finalgrade === null ? null : round((float)$grade->finalgrade, 2),
                'feedback' => $grade->feedback, 'locked' => (bool)$grade->locked,
                'modified' => (int)$grade->timemodified];
        }
        $gbs = $DB->get_record('ltiservice_gradebookservices', ['gradeitemid' => $item->id]);
        $out[] = ['id' => (int)$item->id, 'name' => $item->itemname, 'type' => $item->itemtype,
            'maximum' => (float)$item->grademax, 'locked' => (bool)$item->locked, 'grades' => (object)$grades,
            'resource_id' => $gbs ? $gbs->resourceid : null, 'tag' => $gbs ? $gbs->tag : null];
    }
    return $out;
}

/** Change a grade as the grader report does; null clears it. */
function command_grade(array $a): array {
    $item = grade_item::fetch(['id' => $a['item']]);
    $done = $item->update_final_grade(user_id($a['username']), $a['value'], 'gradebook', false, FORMAT_MOODLE);
    return ['done' => (bool)$done];
}

/** Lock or unlock a whole grade item, or one person's grade in it. */
function command_lock(array $a): array {
    $item = grade_item::fetch(['id' => $a['item']]);
    if (empty($a['username'])) {
        return ['done' => (bool)$item->set_locked((int)$a['locked'], false, false)];
    }
    $grade = $item->get_grade(user_id($a['username']), true);
    return ['done' => (bool)$grade->set_locked((int)$a['locked'], false, false)];
}

/** The LTI types of a host, with what registration configured in them. */
function command_types(array $a): array {
    global $DB;
    $out = [];
    foreach ($DB->get_records('lti_types', ['tooldomain' => $a['tool_domain']], 'id') as $type) {
        $out[] = ['id' => (int)$type->id, 'name' => $type->name, 'state' => (int)$type->state,
            'client_id' => $type->clientid, 'base_url' => $type->baseurl,
            'config' => $DB->get_records_menu('lti_types_config', ['typeid' => $type->id], 'name', 'name, value')];
    }
    return $out;
}

/** The course's LTI activities, by name. */
function command_activities(array $a): array {
    $out = [];
    foreach (get_fast_modinfo(course_id($a['course']))->get_instances_of('lti') as $cm) {
        $out[$cm->name] = (int)$cm->id;
    }
    return $out;
}

function manual_instance(int $courseid): array {
    global $DB;
    $plugin = enrol_get_plugin('manual');
    $instance = $DB->get_record('enrol', ['courseid' => $courseid, 'enrol' => 'manual'], '*', IGNORE_MULTIPLE);
    if (!$instance) {
        $id = $plugin->add_instance(get_course($courseid), ['status' => ENROL_INSTANCE_ENABLED]);
        $instance = $DB->get_record('enrol', ['id' => $id], '*', MUST_EXIST);
    }
    if ((int)$instance->customint1 !== ENROL_DO_NOT_SEND_EMAIL) {
        $instance->customint1 = ENROL_DO_NOT_SEND_EMAIL;
        $DB->update_record('enrol', $instance);
    }
    return [$plugin, $instance];
}

function enrol(int $courseid, int $userid, string $role, bool $suspended): void {
    global $DB;
    [$plugin, $instance] = manual_instance($courseid);
    $roleid = $DB->get_field('role', 'id', ['shortname' => $role], MUST_EXIST);
    // No start: Names and Roles hides an enrolment that has only just begun.
    $plugin->enrol_user($instance, $userid, $roleid, 0, 0, $suspended ? ENROL_USER_SUSPENDED : ENROL_USER_ACTIVE);
}

function course_id(string $shortname): int {
    global $DB;
    return (int)$DB->get_field('course', 'id', ['shortname' => $shortname], MUST_EXIST);
}

function user_id(string $username): int {
    global $DB;
    return (int)$DB->get_field('user', 'id', ['username' => $username, 'deleted' => 0], MUST_EXIST);
}
