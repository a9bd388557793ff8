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
 * Web services are on.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\pairing;

/**
 * Web services, their REST protocol and our service are switched on.
 */
final class services_step implements step {
    #[\Override]
    public function name(): string {
        return 'services';
    }

    #[\Override]
    public function needed(): array {
        global $CFG;
        $needed = [];
        if (empty($CFG->enablewebservices)) {
            $needed[] = get_string('will_enablewebservices', 'local_nagasis');
        }
        if (!self::rest()) {
            $needed[] = get_string('will_enablerest', 'local_nagasis');
        }
        if (!self::service()->enabled) {
            $needed[] = get_string('will_enableservice', 'local_nagasis');
        }
        return $needed;
    }

    #[\Override]
    public function run(): void {
        global $DB;
        journal::set_config('enablewebservices', '1');
        if (!self::rest()) {
            journal::note('rest', ['enabled' => 0], ['enabled' => 1]);
            \core\plugininfo\webservice::enable_plugin('rest', 1);
        }
        if (!self::service()->enabled) {
            $DB->set_field('external_services', 'enabled', 1, ['id' => self::service()->id]);
        }
    }

    #[\Override]
    public function undo(): array {
        global $DB;
        $ours = journal::get('rest') || journal::get('config/core/enablewebservices');
        $others = $DB->record_exists_select('external_tokens', 'externalserviceid <> ?', [self::service()->id]);
        if ($ours && $others) {
            journal::forget('rest');
            journal::forget('config/core/enablewebservices');
            return [get_string('left_webservices', 'local_nagasis')];
        }
        if (journal::get('rest')) {
            \core\plugininfo\webservice::enable_plugin('rest', 0);
            journal::forget('rest');
        }
        journal::undo_config('enablewebservices');
        return [];
    }

    /**
     * Our service.
     *
     * @return \stdClass row of external_services
     */
    public static function service(): \stdClass {
        global $DB;
        return $DB->get_record('external_services', ['shortname' => 'local_nagasis'], '*', MUST_EXIST);
    }

    /**
     * Whether the REST protocol is on.
     *
     * @return bool
     */
    private static function rest(): bool {
        global $CFG;
        return in_array('rest', explode(',', $CFG->webserviceprotocols ?? ''), true);
    }
}
