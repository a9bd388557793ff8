<?php
/**
 * What the benchmarks set up, measure and take back in Moodle, through Moodle's own PHP API.
 *
 * Usage: php moodle.php COMMAND < arguments.json; prints one JSON value. MOODLE_DIR names the site's code.
 */
define('CLI_SCRIPT', true);
require(getenv('MOODLE_DIR') . '/config.php');
require_once($CFG->libdir . '/clilib.php');
require_once($CFG->libdir . '/gradelib.php');
require_once($CFG->libdir . '/enrollib.php');
require_once($CFG->dirroot . '/course/lib.php');
require_once($CFG->dirroot . '/user/lib.php');
require_once($CFG->dirroot . '/group/lib.php');

\core\session\manager::set_user(get_admin());
$commands = ['about', 'prepare', 'restore', 'remove', 'writes', 'capture', 'fill', 'backlog', 'provoke', 'forget',
    'watch', 'grade'];
$command = $argv[1] ?? '';
if (!in_array($command, $commands, true)) {
    cli_error('Commands: ' . implode(', ', $commands));
}
$arguments = json_decode(stream_get_contents(STDIN) ?: '{}', true, 512, JSON_THROW_ON_ERROR);
$result = ("command_$command")($arguments);
echo json_encode($result, JSON_UNESCAPED_UNICODE | JSON_THROW_ON_ERROR), "\n";

/** What this Moodle is. */
function command_about(array $a): array {
    global $CFG, $DB;
    return ['release' => $CFG->release, 'php' => PHP_VERSION, 'database' => $DB->get_dbfamily(),
        'plugin' => (string) get_config('local_nagasis', 'version'), 'paired' => \local_nagasis\local\tool\client::paired()];
}

/** Web services on, and a token of the administrator for core's functions and one for the plugin's. */
function command_prepare(array $a): array {
    global $CFG, $DB;
    $before = ['enablewebservices' => $CFG->enablewebservices ?? '', 'webserviceprotocols' => $CFG->webserviceprotocols ?? '',
        'enrol_plugins_enabled' => $CFG->enrol_plugins_enabled ?? ''];
    set_config('enablewebservices', 1);
    set_config('webserviceprotocols', implode(',', array_unique(array_filter([...explode(',', $before['webserviceprotocols']), 'rest']))));
    \core\plugininfo\enrol::enable_plugin('nagasis', true);
    $core = $DB->get_record('external_services', ['shortname' => 'nagasis_bench']);
    if (!$core) {
        $id = $DB->insert_record('external_services', (object) ['name' => 'Benchmark', 'shortname' => 'nagasis_bench',
            'enabled' => 1, 'restrictedusers' => 0, 'timecreated' => time(), 'downloadfiles' => 0, 'uploadfiles' => 0]);
        foreach (['core_course_create_categories', 'core_user_create_users', 'core_course_create_courses',
                'enrol_manual_enrol_users'] as $function) {
            $DB->insert_record('external_services_functions', (object) ['externalserviceid' => $id, 'functionname' => $function]);
        }
        $core = $DB->get_record('external_services', ['id' => $id]);
    }
    $ours = $DB->get_record('external_services', ['shortname' => 'local_nagasis'], '*', MUST_EXIST);
    $admin = get_admin();
    $allowed = ['externalserviceid' => $ours->id, 'userid' => $admin->id];
    if (!$DB->record_exists('external_services_users', $allowed)) {
        $DB->insert_record('external_services_users', (object) ($allowed + ['timecreated' => time()]));
    }
    $context = \core\context\system::instance();
    $token = fn($service) => \core_external\util::generate_token(EXTERNAL_TOKEN_PERMANENT, $service, $admin->id, $context,
        time() + HOURSECS);
    return ['before' => $before, 'core' => $token($core), 'plugin' => $token($ours)];
}

/** Takes back what prepare() did. */
function command_restore(array $a): array {
    global $DB;
    $DB->delete_records_list('external_tokens', 'token', [$a['core'], $a['plugin']]);
    $service = $DB->get_field('external_services', 'id', ['shortname' => 'nagasis_bench']);
    $DB->delete_records('external_services_functions', ['externalserviceid' => $service]);
    $DB->delete_records('external_services', ['id' => $service]);
    $ours = $DB->get_field('external_services', 'id', ['shortname' => 'local_nagasis']);
    $DB->delete_records('external_services_users', ['externalserviceid' => $ours, 'userid' => get_admin()->id]);
    foreach ($a['before'] as $name => $value) {
        set_config($name, $value);
    }
    purge_all_caches();
    return [];
}

/** Removes everything whose idnumber begins so. */
function command_remove(array $a): array {
    global $DB;
    $like = $DB->sql_like('idnumber', ':prefix');
    $named = ['prefix' => $DB->sql_like_escape($a['prefix']) . '%'];
    ob_start();
    foreach ($DB->get_records_select('course', $like, $named) as $course) {
        erase($course);
    }
    foreach ($DB->get_records_select('course_categories', $like, $named, 'depth DESC') as $category) {
        core_course_category::get($category->id, MUST_EXIST, true)->delete_full(false);
    }
    foreach (array_chunk($DB->get_records_select('user', "deleted = 0 AND $like", $named), 100) as $users) {
        $transaction = $DB->start_delegated_transaction();
        array_map('delete_user', $users);
        $transaction->allow_commit();
    }
    ob_end_clean();
    return [];
}

/** How many rows were ever written, by table; empty where the database does not count them. */
function command_writes(array $a): array {
    global $CFG, $DB;
    if ($DB->get_dbfamily() !== 'postgres') {
        return [];
    }
    return $DB->get_records_sql_menu('SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_user_tables
        WHERE schemaname = current_schema() AND relname LIKE ?', [$DB->sql_like_escape($CFG->prefix) . '%']);
}

/** What the observer adds to an event: all is rolled back in the end. */
function command_capture(array $a): array {
    require(__DIR__ . '/capture.php');
    $paired = \local_nagasis\local\tool\client::paired();
    if (!$paired) {
        // The observer writes nothing where nobody would ever take it.
        set_config('toolurl', 'https://tool.invalid', 'local_nagasis');
        set_config('clientid', 'benchmark', 'local_nagasis');
    }
    try {
        return measure($a['events']);
    } finally {
        if (!$paired) {
            unset_config('toolurl', 'local_nagasis');
            unset_config('clientid', 'local_nagasis');
        }
    }
}

/** Puts this many events into the outbox, as if people had done something. */
function command_fill(array $a): array {
    global $DB;
    $types = ['user.loggedin', 'grade.changed', 'completion.activity', 'module.updated'];
    $now = time();
    foreach (array_chunk(range(1, $a['events']), 1000) as $numbers) {
        $DB->insert_records('local_nagasis_outbox', array_map(fn($number) => (object) [
            'eventid' => \core\uuid::generate(),
            'type' => $types[$number % 4],
            'activity' => (int) ($number % 4 === 0),
            'timecreated' => $now,
            'userid' => 1000 + $number % 977,
            'actorid' => 2,
            'payload' => json_encode(['course' => 10 + $number % 89, 'object' => $number, 'data' => (object) ['item' => $number % 53]]),
        ], $numbers));
    }
    return command_backlog($a);
}

/** What waits. */
function command_backlog(array $a): array {
    global $DB;
    return ['waiting' => $DB->count_records('local_nagasis_outbox'),
        'setaside' => $DB->count_records('local_nagasis_outbox', ['setaside' => 1])];
}

/** Something that is forwarded happens now and then; the time of each by the event's id. */
function command_provoke(array $a): array {
    global $DB;
    $times = [];
    for ($i = 0; $i < $a['events']; $i++) {
        $after = (int) $DB->get_field_sql('SELECT MAX(id) FROM {local_nagasis_outbox}');
        $now = microtime(true);
        \core\event\user_loggedin::create(['userid' => 2, 'objectid' => 2, 'other' => ['username' => 'admin']])->trigger();
        foreach ($DB->get_records_select('local_nagasis_outbox', 'id > ?', [$after], '', 'id, eventid') as $row) {
            $times[$row->eventid] = $now;
        }
        usleep((int) ($a['pause'] * 1e6));
    }
    return $times;
}

/** Removes courses, accounts and categories by their idnumbers. */
function command_forget(array $a): array {
    global $DB;
    ob_start();
    foreach (array_chunk($a['course'], 500) as $idnumbers) {
        foreach ($DB->get_records_list('course', 'idnumber', $idnumbers) as $course) {
            erase($course);
        }
    }
    foreach (array_chunk($a['user'], 100) as $idnumbers) {
        $transaction = $DB->start_delegated_transaction();
        foreach ($DB->get_records_list('user', 'idnumber', $idnumbers) as $user) {
            $user->deleted || delete_user($user);
        }
        $transaction->allow_commit();
    }
    foreach ($DB->get_records_list('course_categories', 'idnumber', $a['category'], 'depth DESC') as $category) {
        core_course_category::get($category->id, MUST_EXIST, true)->delete_full(false);
    }
    ob_end_clean();
    return [];
}

/** When each of these places became as it should be: seconds since 1970, or null if it did not in time. */
function command_watch(array $a): array {
    global $DB;
    $seen = array_fill(0, count($a['places']), null);
    $sql = "SELECT ue.id, ue.status FROM {user_enrolments} ue JOIN {enrol} e ON e.id = ue.enrolid AND e.enrol = 'nagasis'
              JOIN {course} c ON c.id = e.courseid AND c.idnumber = ? JOIN {user} u ON u.id = ue.userid AND u.idnumber = ?";
    $until = microtime(true) + $a['seconds'];
    while (in_array(null, $seen, true) && microtime(true) < $until) {
        foreach ($a['places'] as $number => $place) {
            if ($seen[$number] !== null) {
                continue;
            }
            $row = $DB->get_record_sql($sql, [$place['course'], $place['user']]);
            if ($row && ((int)$row->status === ENROL_USER_ACTIVE) === $place['active']) {
                $seen[$number] = microtime(true);
            }
        }
        usleep(50000);
    }
    return $seen;
}

/** A teacher gives these grades one after another, spread over so many seconds; when each was given. */
function command_grade(array $a): array {
    global $DB;
    $times = [];
    $items = [];
    $begin = microtime(true);
    $users = $DB->get_records_menu('user', ['deleted' => 0], '', 'idnumber, id');
    foreach ($a['grades'] as $number => $grade) {
        $item = $items[$grade['course']][$grade['key']] ??= grade_item::fetch(['id' => $DB->get_field_sql(
            'SELECT n.itemid FROM {local_nagasis_gradeitem} n JOIN {course} c ON c.id = n.courseid
              WHERE c.idnumber = ? AND n.itemkey = ?', [$grade['course'], $grade['key']], MUST_EXIST)]);
        $times[] = microtime(true);
        // As the grader report does.
        $item->update_final_grade($users[$grade['user']], $item->grademin + ($item->grademax - $item->grademin) * (40.37 + $number % 60) / 101,
            'gradebook');
        $until = $begin + $a['seconds'] * ($number + 1) / count($a['grades']);
        usleep(max(0, (int) (1e6 * ($until - microtime(true)))));
    }
    return $times;
}

/** Deletes a course, also one that is frozen: of that Moodle's recycle bin could make no copy. */
function erase(\stdClass $course): void {
    \core\context\course::instance($course->id)->set_locked(false);
    delete_course($course, false);
}
