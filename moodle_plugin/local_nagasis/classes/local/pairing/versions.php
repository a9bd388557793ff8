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
 * What runs here.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\pairing;

use local_nagasis\local\contract\contract;

/**
 * What runs here, as the contract has it.
 */
final class versions {
    /**
     * Versions of Moodle, the plugins, PHP and the database, and of the contract that the plugin speaks.
     *
     * @return array
     */
    public static function all(): array {
        global $CFG, $DB;
        $server = $DB->get_server_info();
        return [
            'moodle' => \core_text::substr($CFG->release, 0, 100),
            'plugin' => self::release('local_nagasis'),
            'enrol_plugin' => self::release('enrol_nagasis'),
            'php' => \core_text::substr(PHP_VERSION, 0, 50),
            'database' => \core_text::substr($DB->get_dbfamily() . ' ' . ($server['version'] ?? ''), 0, 50),
            'contracts' => contract::SUPPORTED,
        ];
    }

    /**
     * The release of a plugin.
     *
     * @param string $component
     * @return string
     */
    private static function release(string $component): string {
        $info = \core_plugin_manager::instance()->get_plugin_info($component);
        return $info ? \core_text::substr((string) ($info->release ?? $info->versiondisk), 0, 50) : '';
    }
}
