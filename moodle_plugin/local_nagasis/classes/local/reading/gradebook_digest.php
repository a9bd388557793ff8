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
 * Fingerprints of gradebooks.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\reading;

use local_nagasis\local\contract\fingerprint;
use local_nagasis\local\provision\{gradebook, gradebook_aggregation, gradebook_index, gradebook_letters};

/**
 * Fingerprints of the gradebooks that have been made in courses that have an idnumber.
 */
final class gradebook_digest implements digest {
    /**
     * Reads one page in five queries: the courses, what is ours in them, their items, their categories, their letters.
     *
     * @param keys $keys
     * @param int $after
     * @param int $limit
     * @return page
     */
    public function page(keys $keys, int $after, int $limit): page {
        [$where, $params] = $keys->condition('c.idnumber');
        $sql = "SELECT c.id, c.idnumber
                  FROM {course} c
                 WHERE c.id > :after AND c.category > 0 AND $where
                       AND EXISTS (SELECT 1 FROM {" . gradebook_index::TABLE . "} made WHERE made.courseid = c.id)
              ORDER BY c.id";
        [$rows, $lastid] = page::rows($sql, $params + ['after' => $after], $limit);
        $rows = array_filter($rows, fn(\stdClass $row): bool => $keys->has($row->idnumber));
        $gradebooks = new gradebook_index(array_keys($rows));
        $letters = new gradebook_letters(array_keys($rows));
        $forced = (bool) gradebook_aggregation::forced();
        $items = [];
        foreach ($rows as $id => $row) {
            [$categories, $parts] = self::ours($gradebooks->of($id));
            $right = !$forced && self::adds_up($gradebooks->of($id), array_column($categories, 0));
            $items[] = [
                'key' => $row->idnumber,
                'id' => (int) $id,
                'fingerprint' => fingerprint::gradebook($row->idnumber, $right ? $categories : null, $parts, $letters->of($id)),
            ];
        }
        return new page($items, $lastid);
    }

    /**
     * Sessions and parts that are remembered and there.
     *
     * @param gradebook $gradebook
     * @return array{array, array} as fingerprint::gradebook() has them
     */
    private static function ours(gradebook $gradebook): array {
        $categories = [];
        $parts = [];
        foreach ($gradebook->known as $known) {
            $item = $gradebook->item($known->itemkey);
            if (!$item || $item->deleting || $known->itemkey === gradebook::TOTAL) {
                continue;
            }
            $weight = gradebook_aggregation::weight($item);
            if ($item->itemtype === 'category' && !$known->connected) {
                $categories[] = [$known->itemkey, $gradebook->category_of($item)->fullname, $weight];
                continue;
            }
            $name = $known->connected ? '' : (string) $item->itemname;
            $around = $gradebook->total_of($gradebook->place($item) ?? 0);
            $key = $around && $around->itemtype === 'category' ? $gradebook->key((int) $around->id) : null;
            $session = $key === null || $gradebook->connected($key) ? '' : $key;
            $parts[] = [$known->itemkey, $name, $session, $weight, $known->connected ? (int) $item->id : null];
        }
        return [$categories, $parts];
    }

    /**
     * Whether the sessions stand directly below the course's category, and all of these count as the SIS does.
     *
     * @param gradebook $gradebook
     * @param string[] $sessions their keys
     * @return bool
     */
    private static function adds_up(gradebook $gradebook, array $sessions): bool {
        $top = $gradebook->top();
        if (!$top || !gradebook_aggregation::is_right($top, $gradebook->total())) {
            return false;
        }
        foreach ($sessions as $key) {
            $total = $gradebook->item($key);
            $category = $gradebook->category_of($total);
            if ($category->parent !== $top->id || !gradebook_aggregation::is_right($category, $total)) {
                return false;
            }
        }
        return true;
    }
}
