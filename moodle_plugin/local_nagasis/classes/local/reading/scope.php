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
 * What to read.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\reading;

/**
 * What to read: of which courses, which grade items, since when.
 */
final class scope {
    /** @var int Seconds since 1970; what changed at this second is read, too. */
    public readonly int $since;

    /** @var array|null Idnumbers by course id; null: all courses that have one. */
    public readonly ?array $courses;

    /** @var int[] Ids of grade items; empty: all. */
    public readonly array $items;

    /** @var bool Only items that have a key in the gradebook of the SIS. */
    public readonly bool $keyed;

    /**
     * Constructor.
     *
     * @param int $since
     * @param array|null $courses
     * @param int[] $items
     * @param bool $keyed
     */
    private function __construct(int $since, ?array $courses, array $items, bool $keyed) {
        $this->since = $since;
        $this->courses = $courses;
        $this->items = $items;
        $this->keyed = $keyed;
    }

    /**
     * Checks a scope that came from outside.
     *
     * @param mixed $raw decoded JSON
     * @param string[] $allowed which of its members this reading has
     * @return self
     * @throws \invalid_parameter_exception
     */
    public static function require(mixed $raw, array $allowed): self {
        if (!is_array($raw) || ($raw !== [] && array_is_list($raw))) {
            throw new \invalid_parameter_exception('scope must be a JSON object');
        }
        $unknown = array_diff(array_keys($raw), $allowed);
        if ($unknown) {
            throw new \invalid_parameter_exception('scope/' . reset($unknown) . ' is unknown; allowed: ' . implode(', ', $allowed));
        }
        $since = $raw['since'] ?? 0;
        if (!is_int($since) || $since < 0) {
            throw new \invalid_parameter_exception('scope/since must be seconds since 1970');
        }
        $courses = keys::require_list($raw['courses'] ?? [], 'scope/courses');
        $items = $raw['items'] ?? [];
        if (!is_array($items) || !array_is_list($items) || count($items) > page::MAX_LIMIT) {
            throw new \invalid_parameter_exception('scope/items must be a JSON array of at most ' . page::MAX_LIMIT . ' ids');
        }
        foreach ($items as $index => $item) {
            if (!is_int($item) || $item < 1) {
                throw new \invalid_parameter_exception("scope/items/$index must be the id of a grade item");
            }
        }
        $keyed = $raw['keyed'] ?? false;
        if (!is_bool($keyed)) {
            throw new \invalid_parameter_exception('scope/keyed must be true or false');
        }
        return new self($since, $courses->all() ? null : self::find($courses), array_values(array_unique($items)), $keyed);
    }

    /**
     * The condition in SQL that a course is one of those. The course's table must be joined as "c".
     *
     * @return array{string, array} SQL and its parameters
     */
    public function condition(): array {
        global $DB;
        if ($this->courses === null) {
            return ["c.idnumber <> '' AND c.category > 0", []];
        }
        [$in, $params] = $DB->get_in_or_equal(array_keys($this->courses), SQL_PARAMS_NAMED, 'course', true, 0);
        return ["c.id $in", $params];
    }

    /**
     * Finds courses.
     *
     * @param keys $keys
     * @return array idnumbers by course id
     */
    private static function find(keys $keys): array {
        global $DB;
        [$where, $params] = $keys->condition('idnumber');
        $found = $DB->get_records_select_menu('course', "$where AND category > 0", $params, 'id', 'id, idnumber');
        return array_filter($found, fn(string $idnumber): bool => $keys->has($idnumber));
    }
}
