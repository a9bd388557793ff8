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
 * What this call has made, or would make.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

/**
 * What the documents of this call have made, or would make, so that later documents can refer to it.
 *
 * A document that is done tells it from execute() with the new id, one that is only previewed from pretend() with null.
 * It knows nothing of what was there before the call. What is rolled back is forgotten by beginning with a new one.
 */
final class directory {
    /** @var array ids by kind and key; null: would be made */
    private array $made = [];

    /**
     * Remembers something that was made, or would be.
     *
     * @param string $kind category, user, course or group
     * @param string $idnumber its idnumber; of a group: group_key()
     * @param int|null $id Moodle's id; null: it would be made
     */
    public function made(string $kind, string $idnumber, ?int $id): void {
        $this->made[$kind]["=$idnumber"] = $id;
    }

    /**
     * Finds something that was made in this call, or would be.
     *
     * @param string $kind category, user, course or group
     * @param string $idnumber its idnumber; of a group: group_key()
     * @return int|null|false Moodle's id; null: it would be made; false: this call has nothing to do with it
     */
    public function find(string $kind, string $idnumber): int|null|false {
        $key = "=$idnumber";
        return array_key_exists($key, $this->made[$kind] ?? []) ? $this->made[$kind][$key] : false;
    }

    /**
     * The key of a course's group. An idnumber may hold a slash; it never holds a control character.
     *
     * @param string $course the course's idnumber
     * @param string $group the group's idnumber
     * @return string
     */
    public static function group_key(string $course, string $group): string {
        return "$course\n$group";
    }
}
