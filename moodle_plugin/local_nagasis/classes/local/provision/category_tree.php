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
 * All course categories.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

/**
 * All course categories, in one query; kept right while they change. A node's id is null while it has yet to be made.
 */
final class category_tree {
    /** @var \stdClass[][] Nodes by idnumber; the sign in front keeps a key of digits from becoming a number. */
    private array $idnumbers = [];

    /**
     * Reads the categories.
     */
    public function __construct() {
        global $DB;
        $columns = 'id, idnumber, name, parent, visible, visibleold';
        $rows = $DB->get_records('course_categories', null, 'id', $columns);
        $nodes = [];
        foreach ($rows as $row) {
            $around = $row->parent ? (int) ($rows[$row->parent]->visible ?? 1) : null;
            $own = visibility::own((int) $row->visible, (int) $row->visibleold, $around);
            $nodes[$row->id] = self::node((int) $row->id, (string) $row->idnumber, $row->name, $own);
        }
        foreach ($rows as $row) {
            $nodes[$row->id]->parent = $nodes[$row->parent] ?? null;
            $this->put($nodes[$row->id]);
        }
    }

    /**
     * A node that stands nowhere yet.
     *
     * @param int|null $id
     * @param string $idnumber
     * @param string $name
     * @param bool $own whether it is itself meant to be visible
     * @return \stdClass
     */
    public static function node(?int $id, string $idnumber, string $name, bool $own): \stdClass {
        return (object) ['id' => $id, 'idnumber' => $idnumber, 'name' => $name, 'own' => $own, 'parent' => null];
    }

    /**
     * Takes up a node.
     *
     * @param \stdClass $node
     */
    public function put(\stdClass $node): void {
        if ($node->idnumber !== '') {
            $this->idnumbers["=$node->idnumber"][] = $node;
        }
    }

    /**
     * The categories with this idnumber.
     *
     * @param string $idnumber
     * @return \stdClass[]
     */
    public function find(string $idnumber): array {
        return $this->idnumbers["=$idnumber"] ?? [];
    }

    /**
     * Whether people see what is in this category.
     *
     * @param \stdClass|null $node null: the top
     * @return bool
     */
    public static function is_shown(?\stdClass $node): bool {
        for (; $node; $node = $node->parent) {
            if (!$node->own) {
                return false;
            }
        }
        return true;
    }

    /**
     * A category in words, so that an administrator finds it.
     *
     * @param \stdClass $node
     * @return string
     */
    public static function describe(\stdClass $node): string {
        return $node->parent ? self::describe($node->parent) . ' / ' . $node->name : $node->name;
    }
}
