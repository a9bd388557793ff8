<?php
/**
 * What of the two plugins stands in Moodle's database, wherever it is, and the settings that pairing changes.
 *
 * Usage: php remains.php find < {} ; prints {"rows": {table: number}, "settings": {...}}. MOODLE_DIR names the site's code.
 */
define('CLI_SCRIPT', true);
require(getenv('MOODLE_DIR') . '/config.php');
require_once($CFG->libdir . '/clilib.php');

// What was done stays on record: Moodle keeps its logs, and the rows of deleted accounts, after everything.
const HISTORY = ['logstore_standard_log', 'task_log', 'config_log', 'upgrade_log', 'user_password_history', 'sessions',
    'backup_controllers', 'grade_items_history', 'grade_grades_history', 'grade_categories_history', 'cache_flags'];

$rows = [];
foreach ($DB->get_tables(false) as $table) {
    if (str_contains($table, 'nagasis')) {
        $rows["table $table"] = 1;
    }
    if (in_array($table, HISTORY, true)) {
        continue;
    }
    $parts = [];
    foreach ($DB->get_columns($table) as $column) {
        if ($column->meta_type === 'C' || $column->meta_type === 'X') {
            $parts[] = $DB->sql_like($column->name, "'%nagasis%'", false);
        }
    }
    if ($parts) {
        $where = '(' . implode(' OR ', $parts) . ')' . ($table === 'user' ? ' AND deleted = 0' : '');
        $count = $DB->count_records_select($table, $where);
        if ($count) {
            $rows[$table] = $count;
        }
    }
}
$settings = [];
foreach (['enablewebservices', 'webserviceprotocols', 'enrol_plugins_enabled', 'auth'] as $name) {
    $settings[$name] = get_config('core', $name);
}
foreach ($DB->get_records_select('config_plugins', $DB->sql_like('name', '?'), ['field_lock_%']) as $row) {
    $settings["$row->plugin/$row->name"] = $row->value;
}
ksort($settings);
$orphans = $DB->count_records_sql('SELECT COUNT(1) FROM {user_enrolments} ue LEFT JOIN {enrol} e ON e.id = ue.enrolid
    WHERE e.id IS NULL');
echo "\n", json_encode(['rows' => (object)$rows, 'settings' => $settings, 'orphans' => $orphans,
    'tools' => $DB->count_records('lti_types')], JSON_THROW_ON_ERROR), "\n";
