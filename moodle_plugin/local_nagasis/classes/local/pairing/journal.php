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
 * What pairing has changed, and what was there before.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\pairing;

use local_nagasis\local\state;

/**
 * What pairing has changed, and what was there before. An entry is written before its change is made, so that a pairing that died
 * in the middle can be undone too; undoing restores only what still is as pairing has set it.
 */
final class journal {
    /** @var string Where it is kept. */
    private const NAME = 'pairing';

    /**
     * What was noted under a name.
     *
     * @param string $key
     * @return array|null
     */
    public static function get(string $key): ?array {
        return self::all()[$key] ?? null;
    }

    /**
     * All that was noted.
     *
     * @return array entries by name
     */
    public static function all(): array {
        return state::get(self::NAME) ?? [];
    }

    /**
     * Notes something that is going to be changed. What was there before the first pairing is never overwritten by what a
     * second one finds.
     *
     * @param string $key
     * @param array $before as it is now
     * @param array $after as it is going to be
     */
    public static function note(string $key, array $before, array $after): void {
        $entries = self::all();
        // Where only one of two fields was changed the first time, the other's value before is the one of now.
        $kept = $entries[$key] ?? ['before' => [], 'after' => []];
        $entries[$key] = ['before' => $kept['before'] + $before, 'after' => $after + $kept['after']];
        state::set(self::NAME, $entries);
    }

    /**
     * Forgets what has been undone.
     *
     * @param string $key
     */
    public static function forget(string $key): void {
        $entries = self::all();
        unset($entries[$key]);
        $entries ? state::set(self::NAME, $entries) : state::forget(self::NAME);
    }

    /**
     * Changes one setting of Moodle.
     *
     * @param string $name
     * @param string $value
     * @param string $plugin "core" for Moodle itself
     * @throws \moodle_exception pairforced if config.php says otherwise
     */
    public static function set_config(string $name, string $value, string $plugin = 'core'): void {
        global $CFG;
        $current = self::config($name, $plugin);
        if ($current === $value) {
            return;
        }
        $forced = $plugin === 'core' ? $CFG->config_php_settings : ($CFG->forced_plugin_settings[$plugin] ?? []);
        if (array_key_exists($name, $forced)) {
            $a = (object) ['setting' => $plugin === 'core' ? $name : "$plugin/$name", 'value' => $value];
            throw new \moodle_exception('pairforced', 'local_nagasis', '', $a);
        }
        self::note("config/$plugin/$name", ['value' => $current], ['value' => $value]);
        self::write($name, $value, $plugin);
    }

    /**
     * Takes back one setting, unless somebody has changed it since.
     *
     * @param string $name
     * @param string $plugin "core" for Moodle itself
     */
    public static function undo_config(string $name, string $plugin = 'core'): void {
        $entry = self::get("config/$plugin/$name");
        if ($entry === null) {
            return;
        }
        if (self::config($name, $plugin) === $entry['after']['value']) {
            self::write($name, $entry['before']['value'], $plugin);
        }
        self::forget("config/$plugin/$name");
    }

    /**
     * Settings of Moodle that are noted, but for those of Moodle itself.
     *
     * @return array{string, string}[] plugin and name
     */
    public static function plugin_settings(): array {
        $found = [];
        foreach (array_keys(self::all()) as $key) {
            $parts = explode('/', $key);
            if (count($parts) === 3 && $parts[0] === 'config' && $parts[1] !== 'core') {
                $found[] = [$parts[1], $parts[2]];
            }
        }
        return $found;
    }

    /**
     * The value of a setting.
     *
     * @param string $name
     * @param string $plugin
     * @return string|null null if there is none
     */
    private static function config(string $name, string $plugin): ?string {
        $value = get_config($plugin, $name);
        return $value === false ? null : (string) $value;
    }

    /**
     * Writes a setting as Moodle's own pages do: it stands in the log of configuration changes.
     *
     * @param string $name
     * @param string|null $value null: there is none any more
     * @param string $plugin
     */
    private static function write(string $name, ?string $value, string $plugin): void {
        $before = self::config($name, $plugin);
        set_config($name, $value, $plugin === 'core' ? null : $plugin);
        add_to_config_log($name, $before, $value, $plugin);
    }
}
