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
 * One page of what was read.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\reading;

/**
 * One page of what was read, in the order of Moodle's ids.
 *
 * The cursor is an id: what changes between two pages moves nothing, and no collation decides what "greater" means.
 */
final class page {
    /** @var int The most items of one page. */
    public const MAX_LIMIT = 5000;

    /** @var array[] What the tool gets. */
    public readonly array $items;

    /** @var string|null Where the next page begins; null: this was the last. */
    public readonly ?string $next;

    /**
     * Constructor.
     *
     * @param array[] $items
     * @param int|null $lastid the last id of this page if there is more
     */
    public function __construct(array $items, ?int $lastid = null) {
        $this->items = array_values($items);
        $this->next = $lastid === null ? null : (string) $lastid;
    }

    /**
     * Reads one page.
     *
     * One row more than a page holds is read, so that the last page knows that it is the last.
     *
     * @param string $sql ordered by its first column, an id that is greater than the cursor
     * @param array $params
     * @param int $limit
     * @param int|null $upto the page's last id, if it is known beforehand; it is the condition "id <= :upto" of the SQL
     * @return array{\stdClass[], int|null} the rows, and the last id if there is more
     */
    public static function rows(string $sql, array $params, int $limit, ?int $upto = null): array {
        global $DB;
        if ($upto !== null) {
            return [$DB->get_records_sql($sql, $params), $upto];
        }
        $rows = $DB->get_records_sql($sql, $params, 0, $limit + 1);
        if (count($rows) <= $limit) {
            return [$rows, null];
        }
        array_pop($rows);
        return [$rows, (int) array_key_last($rows)];
    }

    /**
     * The last id of the next page of a whole table.
     *
     * Where nearly all rows are wanted, a database that joins first and takes the page then would sort the whole table for
     * each page; so the page is cut out first.
     *
     * @param string $table
     * @param int $after
     * @param int $limit
     * @param string $select which rows, if not all
     * @param array $params
     * @return int|null null: this is the last page
     */
    public static function bound(string $table, int $after, int $limit, string $select = '1 = 1', array $params = []): ?int {
        global $DB;
        $found = $DB->get_records_select(
            $table,
            "id > :after AND $select",
            $params + ['after' => $after],
            'id',
            'id',
            $limit - 1,
            1,
        );
        return $found ? (int) array_key_first($found) : null;
    }

    /**
     * Checks a cursor and a limit that came from outside.
     *
     * @param string $after the last page's "next"; '' for the first page
     * @param int $limit
     * @return int the id after which to read
     * @throws \invalid_parameter_exception
     */
    public static function require_cursor(string $after, int $limit): int {
        if ($limit < 1 || $limit > self::MAX_LIMIT) {
            throw new \invalid_parameter_exception('limit must be between 1 and ' . self::MAX_LIMIT);
        }
        if ($after === '') {
            return 0;
        }
        if (!preg_match('/^[0-9]{1,18}$/D', $after)) {
            throw new \invalid_parameter_exception('after must be the "next" of an earlier page, or empty');
        }
        return (int) $after;
    }
}
