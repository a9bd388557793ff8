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
 * Connects this Moodle with the tool.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

use local_nagasis\local\pairing\code;
use local_nagasis\local\pairing\connection;
use local_nagasis\local\pairing\offer;
use local_nagasis\local\pairing\steps;
use local_nagasis\output\pairing;

define('CLI_SCRIPT', true);

require(__DIR__ . '/../../../config.php');
require_once($CFG->libdir . '/clilib.php');

[$options, $unknown] = cli_get_params(
    ['code' => '', 'preview' => false, 'help' => false],
    ['h' => 'help'],
);
if ($unknown) {
    cli_error(get_string('cliunknowoption', 'core_admin', implode(PHP_EOL . '  ', $unknown)), 2);
}
if ($options['help'] || !is_string($options['code']) || $options['code'] === '') {
    cli_writeln(get_string('cli_pairhelp', 'local_nagasis'));
    exit($options['help'] ? 0 : 2);
}

// What is changed stands in Moodle's logs under somebody's name.
\core\session\manager::set_user(get_admin());

$show = function (string $title, array $lines, string $word = ''): void {
    cli_writeln('- ' . $title . ($word === '' ? '' : ": $word"));
    foreach ($lines as $line) {
        cli_writeln('    ' . $line);
    }
};

try {
    $code = code::parse($options['code']);
    connection::require_possible($code);
    $offer = offer::ask($code);
    cli_heading("$offer->toolname, $offer->toolurl");
    if ($options['preview']) {
        foreach (steps::preview($offer) as $step) {
            $show($step['title'], $step['needed'] ?: [get_string('nothingtodo', 'local_nagasis')]);
        }
        exit(0);
    }
    $report = connection::make($code, $offer, fn(array $step) => $show(
        $step['title'],
        $step['notes'],
        get_string('result_' . $step['result'], 'local_nagasis'),
    ));
} catch (moodle_exception $e) {
    cli_error($e->getMessage());
}

if (!$report['connected']) {
    cli_error(get_string(connection::current() ? 'pair_failedagain' : 'pair_failed', 'local_nagasis'));
}
cli_writeln(get_string('pair_success', 'local_nagasis', $report['tool']));
cli_heading(get_string('checklist', 'local_nagasis'));
foreach ($report['checks'] as $check) {
    $status = get_string('status' . $check['status']);
    $show("[$status] " . pairing::words($check), array_filter([$check['details']]));
}
exit(0);
