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
 * Nobody edits what the SIS owns.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\pairing;

/**
 * ID number and e-mail address are locked, however a person signs in. Else anybody could take another's ID number, and with it
 * the other's place in the SIS.
 */
final class locks_step implements step {
    /** @var string[] Fields of the profile. */
    private const FIELDS = ['idnumber', 'email'];

    #[\Override]
    public function name(): string {
        return 'locks';
    }

    #[\Override]
    public function needed(): array {
        $fields = [];
        $plugins = [];
        foreach (self::plugins() as $auth) {
            foreach (self::FIELDS as $field) {
                if (get_config("auth_$auth", "field_lock_$field") !== 'locked') {
                    $fields[$field] = get_string($field);
                    $plugins[$auth] = get_string('pluginname', "auth_$auth");
                }
            }
        }
        $a = (object) ['fields' => implode(', ', $fields), 'plugins' => implode(', ', $plugins)];
        return $fields ? [get_string('will_lock', 'local_nagasis', $a)] : [];
    }

    #[\Override]
    public function run(): void {
        foreach (self::plugins() as $auth) {
            foreach (self::FIELDS as $field) {
                journal::set_config("field_lock_$field", 'locked', "auth_$auth");
            }
        }
    }

    #[\Override]
    public function undo(): array {
        foreach (journal::plugin_settings() as [$plugin, $name]) {
            if (str_starts_with($name, 'field_lock_')) {
                journal::undo_config($name, $plugin);
            }
        }
        return [];
    }

    /**
     * Ways to sign in that people have.
     *
     * @return string[]
     */
    private static function plugins(): array {
        return array_values(array_diff(get_enabled_auth_plugins(), ['nologin', 'webservice']));
    }
}
