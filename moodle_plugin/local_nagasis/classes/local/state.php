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
 * Small facts that change often.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local;

/**
 * Small facts of the plugin that change often: counters, times, last errors. Values are JSON.
 *
 * Not Moodle's configuration: writing that empties a cache that every page of the site needs.
 */
final class state {
    /** @var string */
    private const TABLE = 'local_nagasis_state';

    /**
     * Reads some facts in one query.
     *
     * @param string[] $names
     * @return array values by name; what was never set is null
     */
    public static function get_many(array $names): array {
        global $DB;
        $found = array_fill_keys($names, null);
        foreach ($DB->get_records_list(self::TABLE, 'name', $names, '', 'name, value') as $row) {
            $found[$row->name] = json_decode($row->value, true);
        }
        return $found;
    }

    /**
     * Reads one fact.
     *
     * @param string $name
     * @return mixed null if it was never set
     */
    public static function get(string $name): mixed {
        return self::get_many([$name])[$name];
    }

    /**
     * Sets one fact.
     *
     * @param string $name at most 50 characters
     * @param mixed $value anything that JSON can hold
     */
    public static function set(string $name, mixed $value): void {
        global $DB;
        $json = json_encode($value, JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES);
        $now = \core\di::get(\core\clock::class)->time();
        $id = $DB->get_field(self::TABLE, 'id', ['name' => $name]);
        if ($id) {
            $DB->update_record(self::TABLE, (object) ['id' => $id, 'value' => $json, 'timemodified' => $now]);
        } else {
            $DB->insert_record(self::TABLE, (object) ['name' => $name, 'value' => $json, 'timemodified' => $now]);
        }
    }

    /**
     * Forgets one fact.
     *
     * @param string $name
     */
    public static function forget(string $name): void {
        global $DB;
        $DB->delete_records(self::TABLE, ['name' => $name]);
    }
}
