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
 * The enrolment plugin is on.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\pairing;

/**
 * The enrolment plugin of the SIS is switched on.
 */
final class enrolment_step implements step {
    #[\Override]
    public function name(): string {
        return 'enrolment';
    }

    #[\Override]
    public function needed(): array {
        return enrol_is_enabled('nagasis') ? [] : [get_string('will_enableenrol', 'local_nagasis')];
    }

    #[\Override]
    public function run(): void {
        if (!enrol_is_enabled('nagasis')) {
            journal::note('enrol', ['enabled' => 0], ['enabled' => 1]);
            \core\plugininfo\enrol::enable_plugin('nagasis', 1);
        }
    }

    #[\Override]
    public function undo(): array {
        global $DB;
        if (!journal::get('enrol')) {
            return [];
        }
        journal::forget('enrol');
        $select = "enrolid IN (SELECT id FROM {enrol} WHERE enrol = 'nagasis')";
        if ($DB->record_exists_select('user_enrolments', $select)) {
            // Switching it off would close their courses to all whom the SIS has enrolled.
            return [get_string('left_enrol', 'local_nagasis')];
        }
        \core\plugininfo\enrol::enable_plugin('nagasis', 0);
        return [];
    }
}
