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

use local_nagasis\form\code_form;
use local_nagasis\local\pairing\code;
use local_nagasis\local\pairing\connection;
use local_nagasis\local\pairing\offer;
use local_nagasis\local\tool\refused;
use local_nagasis\local\tool\unreachable;
use local_nagasis\output\pairing;

require(__DIR__ . '/../../config.php');
require_once($CFG->libdir . '/adminlib.php');

admin_externalpage_setup('local_nagasis_pair');

$here = new moodle_url('/local/nagasis/pair.php');
$form = new code_form($here);
$problem = '';
$body = '';

if (optional_param('check', 0, PARAM_BOOL)) {
    require_sesskey();
    \core\session\manager::write_close();
    try {
        connection::check();
        redirect($here);
    } catch (unreachable | refused $e) {
        $problem = $e->getMessage();
    }
}

$text = optional_param('code', '', PARAM_RAW_TRIMMED);
try {
    if (optional_param('confirm', 0, PARAM_BOOL)) {
        require_sesskey();
        $code = code::parse($text);
        $report = connection::make($code, offer::ask($code));
        $SESSION->local_nagasis_report = $report;
        redirect($here);
    }
    if ($form->is_submitted() && $form->is_validated()) {
        $code = code::parse($text);
        connection::require_possible($code);
        $body = pairing::preview($code, offer::ask($code), $text);
    }
} catch (moodle_exception $e) {
    // The words are for the person; what they quote is the tool's, and is escaped below.
    $problem = $e->getMessage();
}

$report = $SESSION->local_nagasis_report ?? null;
unset($SESSION->local_nagasis_report);

echo $OUTPUT->header();
echo $OUTPUT->heading(get_string('pair_title', 'local_nagasis'));
if ($problem !== '') {
    echo $OUTPUT->notification(s($problem), \core\output\notification::NOTIFY_ERROR, false);
}
$current = connection::current();
if ($body !== '') {
    echo $body;
} else {
    if ($report) {
        if ($report['connected']) {
            $words = get_string('pair_success', 'local_nagasis', $report['tool']);
        } else {
            $words = get_string($current ? 'pair_failedagain' : 'pair_failed', 'local_nagasis');
        }
        $kind = $report['connected'] ? \core\output\notification::NOTIFY_SUCCESS : \core\output\notification::NOTIFY_ERROR;
        echo $OUTPUT->notification(s($words), $kind, false);
    } else if ($current) {
        $a = (object) ['tool' => $current['toolname'], 'url' => $current['toolurl'], 'at' => userdate($current['at'])];
        echo $OUTPUT->notification(
            s(get_string('connectedwith', 'local_nagasis', $a)),
            \core\output\notification::NOTIFY_SUCCESS,
            false,
        );
    } else if (connection::unfinished()) {
        $words = get_string('pair_unfinished', 'local_nagasis');
        echo $OUTPUT->notification($words, \core\output\notification::NOTIFY_WARNING, false);
    }
    if ($report && !$report['connected']) {
        echo pairing::report($report);
    }
    if ($current) {
        echo pairing::checklist();
        echo $OUTPUT->single_button(
            new moodle_url($here, ['check' => 1]),
            get_string('checkagain', 'local_nagasis'),
            'post',
        );
    }
    if ($report && $report['connected']) {
        echo pairing::report($report);
    }
    if ($current || connection::unfinished()) {
        echo $OUTPUT->single_button(
            new moodle_url('/local/nagasis/unpair.php'),
            get_string('unpair_title', 'local_nagasis'),
            'get',
        );
    }
    if (!$current) {
        echo html_writer::tag('p', get_string('pair_intro', 'local_nagasis'));
        $form->display();
    } else if (!$report) {
        echo $OUTPUT->heading(get_string('pair_again', 'local_nagasis'), 3, 'mt-4');
        echo html_writer::tag('p', get_string('pair_againhelp', 'local_nagasis'));
        $form->display();
    }
}
echo $OUTPUT->footer();
