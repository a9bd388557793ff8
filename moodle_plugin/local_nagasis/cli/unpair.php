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
 * Ends the connection with the tool.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

use local_nagasis\local\pairing\connection;
use local_nagasis\local\pairing\disconnection;

define('CLI_SCRIPT', true);

require(__DIR__ . '/../../../config.php');
require_once($CFG->libdir . '/clilib.php');

[$options, $unknown] = cli_get_params(['help' => false], ['h' => 'help']);
if ($unknown) {
    cli_error(get_string('cliunknowoption', 'core_admin', implode(PHP_EOL . '  ', $unknown)), 2);
}
if ($options['help']) {
    cli_writeln(get_string('cli_unpairhelp', 'local_nagasis'));
    exit(0);
}

\core\session\manager::set_user(get_admin());

if (!connection::current() && !connection::unfinished()) {
    cli_writeln(get_string('unpair_nothing', 'local_nagasis'));
    exit(0);
}
try {
    $report = disconnection::run(function (array $step): void {
        cli_writeln("- {$step['title']}: " . get_string('result_' . $step['result'], 'local_nagasis'));
        foreach ($step['notes'] as $note) {
            cli_writeln("    $note");
        }
    });
} catch (moodle_exception $e) {
    cli_error($e->getMessage());
}
if ($report['error'] !== null) {
    cli_error(get_string('unpair_failed', 'local_nagasis'));
}
cli_writeln(get_string('unpair_success', 'local_nagasis'));
exit(0);
