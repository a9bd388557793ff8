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
 * Fingerprints of categories.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\reading;

use local_nagasis\local\contract\fingerprint;
use local_nagasis\local\provision\visibility;

/**
 * Fingerprints of the categories that have an idnumber.
 */
final class category_digest implements digest {
    /**
     * Reads one page in one query.
     *
     * @param keys $keys
     * @param int $after
     * @param int $limit
     * @return page
     */
    public function page(keys $keys, int $after, int $limit): page {
        [$where, $params] = $keys->condition('c.idnumber');
        $sql = "SELECT c.id, c.idnumber, c.name, c.parent, c.visible, c.visibleold,
                       p.idnumber AS parentidnumber, p.visible AS around
                  FROM {course_categories} c
             LEFT JOIN {course_categories} p ON p.id = c.parent
                 WHERE c.id > :after AND $where
              ORDER BY c.id";
        [$rows, $lastid] = page::rows($sql, $params + ['after' => $after], $limit);
        $items = [];
        foreach ($rows as $row) {
            if (!$keys->has($row->idnumber)) {
                continue;
            }
            // A parent without an idnumber is not the top: no document can mean it.
            $parent = $row->parent ? (string) $row->parentidnumber : null;
            $around = $row->around === null ? null : (int) $row->around;
            $visible = visibility::own((int) $row->visible, (int) $row->visibleold, $around);
            $items[] = [
                'key' => $row->idnumber,
                'id' => (int) $row->id,
                'fingerprint' => fingerprint::category($row->idnumber, $row->name, $parent, $visible),
            ];
        }
        return new page($items, $lastid);
    }
}
