<?php
/**
 * What the plugin's observer adds to an event: time and queries. Required by moodle.php.
 */

/** Rounds of a kind: the median of many short ones, since other processes come in between. */
const ROUNDS = 20;

/**
 * Measures some kinds of events, with the observer and without, turn by turn.
 *
 * @param int $events of each kind and turn
 * @return array by kind: added milliseconds (median and worst of the rounds) and added queries of an event
 */
function measure(int $events): array {
    global $DB;
    \core\event\user_loggedin::create(['userid' => 2, 'objectid' => 2, 'other' => ['username' => 'admin']]);
    $observers = new ReflectionProperty(\core\event\manager::class, 'allobservers');
    $transaction = $DB->start_delegated_transaction();
    $kinds = kinds();
    foreach ($kinds as $make) {
        $make()->trigger();
    }
    $with = $observers->getValue();
    $without = array_map(fn($list) => array_values(array_filter($list,
        fn($one) => !is_string($one->callable) || !str_contains($one->callable, 'local_nagasis'))), $with);
    $found = [];
    foreach ($kinds as $name => $make) {
        $before = $DB->count_records('local_nagasis_outbox');
        $found[$name] = rounds($make, $events, $observers, $with, $without);
        $found[$name]['rows'] = $DB->count_records('local_nagasis_outbox') - $before;
    }
    try {
        $transaction->rollback(new Exception('measured'));
    } catch (Exception $measured) {
        // All that was made for the measuring is gone, as it must be.
        $observers->setValue(null, $with);
    }
    $make = fn() => login();
    $last = (int) $DB->get_field_sql('SELECT MAX(id) FROM {local_nagasis_outbox}');
    $found['login, outside of a transaction'] = rounds($make, $events, $observers, $with, $without);
    $ours = 'id > ? AND type = ? AND actorid = ?';
    $found['login, outside of a transaction']['rows'] = $DB->count_records_select('local_nagasis_outbox', $ours,
        [$last, 'user.loggedin', 2]);
    $DB->delete_records_select('local_nagasis_outbox', $ours, [$last, 'user.loggedin', 2]);
    return ['kinds' => $found, 'rounds' => ROUNDS, 'commit' => commit_time(ROUNDS * $events)];
}

/** Some rounds, each once with the observer and once without. */
function rounds(callable $make, int $events, ReflectionProperty $observers, array $with, array $without): array {
    global $DB;
    $added = [];
    $queries = 0;
    for ($round = 0; $round < ROUNDS; $round++) {
        $turn = [];
        foreach ($round % 2 ? ['with', 'without'] : ['without', 'with'] as $which) {
            $observers->setValue(null, $$which);
            $made = array_map(fn() => $make(), range(1, $events));
            $asked = $DB->perf_get_queries();
            $began = hrtime(true);
            foreach ($made as $event) {
                $event->trigger();
            }
            $turn[$which] = [(hrtime(true) - $began) / 1e6 / $events, $DB->perf_get_queries() - $asked];
        }
        $added[] = $turn['with'][0] - $turn['without'][0];
        $queries = max($queries, ($turn['with'][1] - $turn['without'][1]) / $events);
    }
    $observers->setValue(null, $with);
    sort($added);
    return ['median' => $added[intdiv(count($added), 2)], 'worst' => end($added), 'queries' => $queries];
}

/** Milliseconds of one small insert that is a transaction by itself: what the disk asks for a commit. */
function commit_time(int $writes): float {
    global $DB;
    $times = [];
    for ($i = 0; $i < $writes; $i++) {
        $began = hrtime(true);
        $DB->insert_record_raw('local_nagasis_state', ['name' => "nbcapture$i", 'value' => '0', 'timemodified' => 0], false);
        $times[] = (hrtime(true) - $began) / 1e6;
    }
    $DB->delete_records_select('local_nagasis_state', "name LIKE 'nbcapture%'");
    sort($times);
    return $times[intdiv(count($times), 2)];
}

/** Makers of events by what happened, in a course that was made for it. */
function kinds(): array {
    global $CFG, $DB;
    $course = create_course((object) ['fullname' => 'Benchmark', 'shortname' => 'nbcapture' . random_string(8),
        'category' => \core_course_category::get_default()->id]);
    $context = \core\context\course::instance($course->id);
    $group = (object) ['id' => groups_create_group((object) ['courseid' => $course->id, 'name' => 'Benchmark'])];
    $item = new grade_item(['courseid' => $course->id, 'itemtype' => 'manual', 'itemname' => 'Benchmark', 'gradetype' => 1]);
    $item->insert();
    $grade = new grade_grade(['itemid' => $item->id, 'userid' => 2, 'rawgrademin' => 0, 'rawgrademax' => 100, 'finalgrade' => 50]);
    $grade->insert();
    $grade->load_grade_item();
    return [
        'grade' => fn() => \core\event\user_graded::create_from_grade($grade),
        'login' => fn() => login(),
        'group' => fn() => \core\event\group_member_added::create(['context' => $context, 'objectid' => $group->id,
            'relateduserid' => 2, 'other' => ['component' => '', 'itemid' => 0]]),
        'course' => fn() => \core\event\course_updated::create(['objectid' => $course->id, 'context' => $context,
            'other' => ['shortname' => $course->shortname, 'fullname' => $course->fullname, 'updatedfields' => []]]),
    ];
}

/** Somebody logs in. */
function login(): \core\event\base {
    return \core\event\user_loggedin::create(['userid' => 2, 'objectid' => 2, 'other' => ['username' => 'admin']]);
}
