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
 * The status page: how the connection is, and what can be done about it.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

use local_nagasis\local\health\actions;
use local_nagasis\output\status_page;

require(__DIR__ . '/../../config.php');
require_once($CFG->libdir . '/adminlib.php');

admin_externalpage_setup('local_nagasis_status');

$here = new moodle_url('/local/nagasis/index.php');
$action = optional_param('action', '', PARAM_ALPHA);
$number = optional_param('number', 0, PARAM_INT);

if (in_array($action, actions::NAMES, true) && data_submitted() && confirm_sesskey()) {
    if ($action === 'discard' && !optional_param('confirm', 0, PARAM_BOOL)) {
        // What is discarded cannot be had back.
        echo $OUTPUT->header();
        echo $OUTPUT->confirm(
            get_string('status_discardconfirm', 'local_nagasis'),
            new single_button(
                new moodle_url($here, ['action' => 'discard', 'number' => $number, 'confirm' => 1]),
                get_string('status_discard', 'local_nagasis'),
            ),
            $here,
        );
        echo $OUTPUT->footer();
        die;
    }
    [$words, $kind] = actions::run($action, $number);
    redirect($here, $words, null, $kind);
}

echo $OUTPUT->header();
// Notifications are told by now. The tool is called, and calls this Moodle back: no other page may wait for that.
\core\session\manager::write_close();
echo $OUTPUT->heading(get_string('status_title', 'local_nagasis'));
echo $OUTPUT->render_from_template('local_nagasis/status_page', (new status_page())->export_for_template($OUTPUT));
echo $OUTPUT->footer();
