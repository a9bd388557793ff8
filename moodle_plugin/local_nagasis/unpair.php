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
use local_nagasis\output\pairing;

require(__DIR__ . '/../../config.php');
require_once($CFG->libdir . '/adminlib.php');

admin_externalpage_setup('local_nagasis_unpair');

$here = new moodle_url('/local/nagasis/unpair.php');
$problem = '';
if (optional_param('confirm', 0, PARAM_BOOL)) {
    require_sesskey();
    try {
        $SESSION->local_nagasis_report = disconnection::run();
        redirect($here);
    } catch (moodle_exception $e) {
        $problem = $e->getMessage();
    }
}
$report = $SESSION->local_nagasis_report ?? null;
unset($SESSION->local_nagasis_report);

echo $OUTPUT->header();
echo $OUTPUT->heading(get_string('unpair_title', 'local_nagasis'));
if ($problem !== '') {
    echo $OUTPUT->notification(s($problem), \core\output\notification::NOTIFY_ERROR, false);
}
$current = connection::current();
if ($report) {
    echo $OUTPUT->notification(
        get_string($report['error'] === null ? 'unpair_success' : 'unpair_failed', 'local_nagasis'),
        $report['error'] === null ? \core\output\notification::NOTIFY_SUCCESS : \core\output\notification::NOTIFY_ERROR,
        false,
    );
    echo pairing::report($report);
}
if ($current || connection::unfinished()) {
    if ($current) {
        $a = (object) ['tool' => $current['toolname'], 'url' => $current['toolurl'], 'at' => userdate($current['at'])];
        echo html_writer::tag('p', s(get_string('connectedwith', 'local_nagasis', $a)));
    }
    $button = new single_button(
        new moodle_url($here, ['confirm' => 1]),
        get_string('unpair_button', 'local_nagasis'),
        'post',
        single_button::BUTTON_DANGER,
    );
    echo $OUTPUT->confirm(get_string('unpair_intro', 'local_nagasis'), $button, new moodle_url('/local/nagasis/pair.php'));
} else if (!$report) {
    echo html_writer::tag('p', get_string('unpair_nothing', 'local_nagasis'));
    echo $OUTPUT->continue_button(new moodle_url('/local/nagasis/pair.php'));
} else {
    echo $OUTPUT->continue_button(new moodle_url('/local/nagasis/pair.php'));
}
echo $OUTPUT->footer();
