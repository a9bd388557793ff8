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
 * The grades that stand in Moodle.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

/**
 * The grades that stand in Moodle, of all items that some documents name and of the totals above them: one query for every
 * 1,000 items.
 */
final class grades_standing {
    /** @var int Values of one condition. */
    private const CHUNK = 1000;

    /** @var string What is compared. The rest of a row is read when it is written. */
    private const COLUMNS = 'id, itemid, userid, finalgrade, rawgrade, rawgrademin, rawgrademax, overridden, locked, locktime, '
        . 'feedback, information';

    /** @var array Rows by item and user. */
    private array $rows = [];

    /** @var array Scales that are there: true by id. */
    private array $scales = [];

    /**
     * Constructor. Reads everything.
     *
     * @param \stdClass[] $items rows of grade_items
     */
    public function __construct(array $items) {
        global $DB;
        foreach (array_chunk(array_column($items, 'id'), self::CHUNK) as $chunk) {
            [$in, $params] = $DB->get_in_or_equal($chunk, SQL_PARAMS_NAMED);
            $rows = $DB->get_recordset_select('grade_grades', "itemid $in", $params, '', self::COLUMNS);
            foreach ($rows as $row) {
                $this->rows[(int) $row->itemid][(int) $row->userid] = $row;
            }
            $rows->close();
        }
        $scaleids = array_values(array_unique(array_filter(array_column($items, 'scaleid'))));
        foreach (array_chunk($scaleids, self::CHUNK) as $chunk) {
            [$in, $params] = $DB->get_in_or_equal($chunk, SQL_PARAMS_NAMED);
            $this->scales += array_fill_keys($DB->get_fieldset_select('scale', 'id', "id $in", $params), true);
        }
    }

    /**
     * A grade, or the row that Moodle has made for one beforehand.
     *
     * @param int $itemid
     * @param int|null $userid
     * @return \stdClass|null
     */
    public function of(int $itemid, ?int $userid): ?\stdClass {
        return $this->rows[$itemid][$userid] ?? null;
    }

    /**
     * Whether the scale of an item is there.
     *
     * @param \stdClass $item
     * @return bool
     */
    public function has_scale(\stdClass $item): bool {
        return isset($this->scales[$item->scaleid]);
    }
}
