<?php
/**
 * What the drills read and do in Moodle, through Moodle's own PHP API.
 *
 * Usage: php drill.php COMMAND < arguments.json; the last line is JSON. MOODLE_DIR names the site's code.
 */
define('CLI_SCRIPT', true);
require(getenv('MOODLE_DIR') . '/config.php');
require_once($CFG->libdir . '/clilib.php');
require_once($CFG->dirroot . '/course/lib.php');
require_once($CFG->dirroot . '/user/lib.php');

\core\session\manager::set_user(get_admin());
$command = 'command_' . ($argv[1] ?? '');
function_exists($command) || cli_error('No such command.');
$arguments = json_decode(stream_get_contents(STDIN) ?: '{}', true, 512, JSON_THROW_ON_ERROR);
echo "\n", json_encode($command($arguments), JSON_UNESCAPED_UNICODE | JSON_THROW_ON_ERROR), "\n";

/** How Moodle's own database is reached. */
function command_database(array $a): array {
    global $CFG, $DB;
    $port = $CFG->dboptions['dbport'] ?? '';
    return ['family' => $DB->get_dbfamily(), 'host' => $CFG->dbhost, 'port' => $port ?: null, 'name' => $CFG->dbname,
        'user' => $CFG->dbuser, 'password' => $CFG->dbpass, 'prefix' => $CFG->prefix];
}

/** Whatever is there twice that must be there once, and what a change that was broken off would leave. */
function command_doubles(array $a): array {
    global $DB;
    $queries = [
        'users' => "SELECT idnumber, COUNT(*) FROM {user} WHERE deleted = 0 AND idnumber <> '' GROUP BY idnumber HAVING COUNT(*) > 1",
        'courses' => "SELECT idnumber, COUNT(*) FROM {course} WHERE idnumber <> '' GROUP BY idnumber HAVING COUNT(*) > 1",
        'categories' => "SELECT idnumber, COUNT(*) FROM {course_categories} WHERE idnumber <> ''
                      GROUP BY idnumber HAVING COUNT(*) > 1",
        'instances' => "SELECT courseid, COUNT(*) FROM {enrol} WHERE enrol = 'nagasis' GROUP BY courseid HAVING COUNT(*) > 1",
        'enrolments' => "SELECT MIN(ue.id), COUNT(*) FROM {user_enrolments} ue JOIN {enrol} e ON e.id = ue.enrolid
                      WHERE e.enrol = 'nagasis' GROUP BY ue.enrolid, ue.userid HAVING COUNT(*) > 1",
        'roles' => "SELECT MIN(id), COUNT(*) FROM {role_assignments} WHERE component = 'enrol_nagasis'
                  GROUP BY contextid, userid, itemid HAVING COUNT(*) > 1",
        'groups' => "SELECT MIN(id), COUNT(*) FROM {groups} WHERE idnumber <> '' GROUP BY courseid, idnumber HAVING COUNT(*) > 1",
        'members' => "SELECT MIN(id), COUNT(*) FROM {groups_members} GROUP BY groupid, userid HAVING COUNT(*) > 1",
        'sections' => "SELECT MIN(id), COUNT(*) FROM {course_sections} GROUP BY course, section HAVING COUNT(*) > 1",
        'users without a context' => "SELECT u.id, 1 FROM {user} u LEFT JOIN {context} c ON c.instanceid = u.id AND c.contextlevel = 30
                      WHERE u.deleted = 0 AND u.idnumber <> '' AND c.id IS NULL",
        'courses without a context' => "SELECT u.id, 1 FROM {course} u LEFT JOIN {context} c ON c.instanceid = u.id
                      AND c.contextlevel = 50 WHERE u.idnumber <> '' AND c.id IS NULL",
        'members without a role' => "SELECT ue.id, 1 FROM {user_enrolments} ue JOIN {enrol} e ON e.id = ue.enrolid AND e.enrol = 'nagasis'
                      JOIN {context} c ON c.contextlevel = 50 AND c.instanceid = e.courseid
                      LEFT JOIN {role_assignments} ra ON ra.contextid = c.id AND ra.userid = ue.userid
                      WHERE ra.id IS NULL",
    ];
    return array_filter(array_map(fn(string $sql): array => $DB->get_records_sql_menu($sql), $queries));
}

/** Moodle's view of its courses and categories, from its caches, against its database. */
function command_cached(array $a): array {
    global $DB;
    $wrong = [];
    foreach ($DB->get_records_menu('course_categories', null, '', 'id, name') as $id => $name) {
        if (core_course_category::get($id, MUST_EXIST, true)->name !== $name) {
            $wrong[] = "category $id";
        }
    }
    foreach ($DB->get_records_select('course', "idnumber <> ''") as $course) {
        $sections = array_map(fn($section): int => (int)$section->id, get_fast_modinfo($course->id)->get_section_info_all());
        $there = array_map('intval', $DB->get_fieldset_select('course_sections', 'id', 'course = ? ORDER BY section', [$course->id]));
        if (array_values($sections) !== $there) {
            $wrong[] = "course $course->id";
        }
    }
    return $wrong;
}

/** An administrator deletes the tokens of the service's user. */
function command_revoke(array $a): array {
    global $DB;
    $service = $DB->get_field('external_services', 'id', ['shortname' => 'local_nagasis'], MUST_EXIST);
    $count = $DB->count_records('external_tokens', ['externalserviceid' => $service]);
    $DB->delete_records('external_tokens', ['externalserviceid' => $service]);
    return ['revoked' => $count];
}

/** Somebody makes an account by hand. */
function command_stranger(array $a): array {
    return ['id' => (int)user_create_user(['username' => $a['username'], 'firstname' => 'By', 'lastname' => 'Hand',
        'email' => $a['username'] . '@drill.invalid', 'password' => 'Drill-12345', 'confirmed' => 1, 'auth' => 'manual',
        'mnethostid' => get_config('core', 'mnet_localhost_id')])];
}

/** … and deletes it. */
function command_leave(array $a): array {
    global $DB;
    delete_user($DB->get_record('user', ['id' => $a['id']], '*', MUST_EXIST));
    return [];
}

/** Somebody renames a course by hand. */
function command_rename(array $a): array {
    global $DB;
    $id = (int)$DB->get_field('course', 'id', ['idnumber' => $a['course']], MUST_EXIST);
    update_course((object)['id' => $id, 'fullname' => $a['fullname']]);
    return ['id' => $id];
}

/** As if the plugin had been silent for long: it says then that it is alive. */
function command_silent(array $a): array {
    \local_nagasis\local\state::set('sentat', 0);
    return [];
}

/** A teacher grades by hand: course, user, item (all by key), value out of 100. */
function command_grade(array $a): array {
    global $DB, $CFG;
    require_once($CFG->libdir . '/gradelib.php');
    $course = (int)$DB->get_field('course', 'id', ['idnumber' => $a['course']], MUST_EXIST);
    $user = (int)$DB->get_field('user', 'id', ['idnumber' => $a['user']], MUST_EXIST);
    $id = $DB->get_field('local_nagasis_gradeitem', 'itemid', ['courseid' => $course, 'itemkey' => $a['item']], MUST_EXIST);
    $item = grade_item::fetch(['id' => $id]);
    return ['done' => $item->update_final_grade($user, $item->grademin + ($item->grademax - $item->grademin) * $a['value'] / 100)];
}

/** Courses, accounts and categories by idnumber: they are deleted. */
function command_forget(array $a): array {
    global $DB;
    ob_start();
    foreach ($a['course'] as $idnumber) {
        foreach ($DB->get_records('course', ['idnumber' => $idnumber]) as $course) {
            // Of a frozen course Moodle's recycle bin could make no copy.
            \core\context\course::instance($course->id)->set_locked(false);
            delete_course($course, false);
        }
    }
    foreach (array_chunk($a['user'], 100) as $idnumbers) {
        $transaction = $DB->start_delegated_transaction();
        foreach ($DB->get_records_list('user', 'idnumber', $idnumbers) as $user) {
            $user->deleted || delete_user($user);
        }
        $transaction->allow_commit();
    }
    foreach ($a['category'] as $idnumber) {
        foreach ($DB->get_fieldset_select('course_categories', 'id', 'idnumber = ?', [$idnumber]) as $id) {
            core_course_category::get($id)->delete_full(false);
        }
    }
    ob_end_clean();
    return [];
}
