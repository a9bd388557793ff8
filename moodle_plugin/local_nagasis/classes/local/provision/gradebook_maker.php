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
 * New categories and items of gradebooks.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

defined('MOODLE_INTERNAL') || die();

require_once($CFG->libdir . '/gradelib.php');

/**
 * Makes what is new in many gradebooks as Moodle's own classes do, rows, history and events, but all at once.
 */
final class gradebook_maker {
    /** @var string Who made it, for Moodle's history. */
    public const SOURCE = 'local_nagasis';

    /** @var int Decimals of what is ours. */
    public const DECIMALS = 2;

    /**
     * Makes what is new. Ids are put into the changes.
     *
     * @param gradebook_changes[] $all by course id
     */
    public static function make(array $all): void {
        $all = array_filter($all, fn(gradebook_changes $one): bool => $one->newcategories || $one->newitems || !$one->topid);
        if (!$all) {
            return;
        }
        self::top_categories(array_filter($all, fn(gradebook_changes $one): bool => !$one->topid));
        self::categories(array_filter($all, fn(gradebook_changes $one): bool => (bool) $one->newcategories));
        self::items($all);
        \grade_category::clean_record_set();
    }

    /**
     * How totals are shown.
     *
     * @param array $letters
     * @return int
     */
    public static function display(array $letters): int {
        return $letters ? GRADE_DISPLAY_TYPE_REAL_LETTER : GRADE_DISPLAY_TYPE_REAL;
    }

    /**
     * Makes the categories of courses that have had nothing graded.
     *
     * @param gradebook_changes[] $all by course id
     */
    private static function top_categories(array $all): void {
        global $DB;
        if (!$all) {
            return;
        }
        $rows = [];
        foreach (array_keys($all) as $courseid) {
            $rows[] = self::category($courseid, null, '?', 1);
        }
        $DB->insert_records('grade_categories', $rows);
        [$in, $params] = $DB->get_in_or_equal(array_keys($all), SQL_PARAMS_NAMED);
        $path = $DB->sql_concat("'/'", 'id', "'/'");
        $DB->execute("UPDATE {grade_categories} SET path = $path WHERE path IS NULL AND courseid $in", $params);
        $made = $DB->get_records_select('grade_categories', "parent IS NULL AND courseid $in", $params, 'id');
        foreach ($made as $category) {
            $all[$category->courseid]->topid = (int) $category->id;
        }
        self::history('grade_categories', $made);
    }

    /**
     * Makes the categories of sessions.
     *
     * @param gradebook_changes[] $all by course id
     */
    private static function categories(array $all): void {
        global $DB;
        if (!$all) {
            return;
        }
        $rows = [];
        foreach ($all as $courseid => $changes) {
            foreach ($changes->newcategories as $number => $wanted) {
                // Until it has its path, the depth says which one it is.
                $rows[] = self::category($courseid, $changes->topid, $wanted['name'], $number);
            }
        }
        $DB->insert_records('grade_categories', $rows);
        [$in, $params] = $DB->get_in_or_equal(array_keys($all), SQL_PARAMS_NAMED);
        $made = $DB->get_records_select('grade_categories', "path IS NULL AND courseid $in", $params, 'id', 'id, courseid, depth');
        foreach ($made as $id => $category) {
            $changes = $all[$category->courseid];
            $changes->categoryids['=' . $changes->newcategories[$category->depth]['key']] = (int) $id;
        }
        $path = $DB->sql_concat("'/'", 'parent', "'/'", 'id', "'/'");
        $DB->execute("UPDATE {grade_categories} SET path = $path, depth = 2 WHERE path IS NULL AND courseid $in", $params);
        self::history('grade_categories', $DB->get_records_list('grade_categories', 'id', array_keys($made), 'id'));
    }

    /**
     * Makes the items: the courses' totals, those of sessions, and those of parts.
     *
     * @param gradebook_changes[] $all by course id
     */
    private static function items(array $all): void {
        global $DB;
        [$in, $params] = $DB->get_in_or_equal(array_keys($all), SQL_PARAMS_NAMED);
        $sql = "SELECT courseid, MAX(sortorder) FROM {grade_items} WHERE courseid $in GROUP BY courseid";
        $last = $DB->get_records_sql_menu($sql, $params);
        $rows = [];
        $keys = [];
        foreach ($all as $courseid => $changes) {
            $order = (int) ($last[$courseid] ?? 0);
            foreach (self::wanted($changes) as $key => $row) {
                $row += ['courseid' => $courseid, 'sortorder' => ++$order] + self::defaults();
                // All rows of one insertion have their columns in one order.
                ksort($row);
                $rows[] = $row;
                $keys[$courseid][$order] = $key;
            }
        }
        if (!$rows) {
            return;
        }
        $DB->insert_records('grade_items', $rows);
        $made = [];
        foreach ($DB->get_records_select('grade_items', "courseid $in", $params, 'id') as $id => $row) {
            $key = $keys[$row->courseid][$row->sortorder] ?? null;
            if ($key !== null) {
                $all[$row->courseid]->made[$key] = (int) $id;
                $made[$id] = $row;
            }
        }
        self::history('grade_items', $made);
        foreach ($made as $row) {
            \core\event\grade_item_created::create_from_grade_item(new \grade_item($row, false))->trigger();
        }
        self::tell_availability(array_keys($keys));
    }

    /**
     * The items of one course: each session's total, and after it its parts.
     *
     * @param gradebook_changes $changes
     * @return array rows by "=key"
     */
    private static function wanted(gradebook_changes $changes): array {
        $display = self::display($changes->document['letters']);
        $total = ['itemname' => null, 'itemnumber' => null, 'categoryid' => null, 'display' => $display];
        $rows = [];
        if (!$changes->gradebook->top()) {
            $course = ['itemtype' => 'course', 'iteminstance' => $changes->topid, 'aggregationcoef' => 0];
            $rows['=' . gradebook::TOTAL] = $course + $total;
        }
        $new = array_column($changes->newcategories, null, 'key');
        foreach ($changes->document['categories'] as ['key' => $key]) {
            $id = $changes->categoryids["=$key"];
            if (isset($new[$key])) {
                $rows["=$key"] = [
                    'itemtype' => 'category',
                    'iteminstance' => $id,
                    'aggregationcoef' => gradebook_aggregation::coefficient($new[$key]['weight']),
                ] + $total;
            }
            foreach ($changes->newitems as $item) {
                if ($item['category'] === $key) {
                    $rows["=$item[key]"] = [
                        'itemtype' => 'manual',
                        'itemname' => $item['name'],
                        'itemnumber' => 0,
                        'iteminstance' => null,
                        'categoryid' => $id,
                        'aggregationcoef' => gradebook_aggregation::coefficient($item['weight']),
                        'display' => GRADE_DISPLAY_TYPE_DEFAULT,
                    ];
                }
            }
        }
        return $rows;
    }

    /**
     * What all new items have.
     *
     * @return array
     */
    private static function defaults(): array {
        $now = \core\di::get(\core\clock::class)->time();
        return [
            'gradetype' => GRADE_TYPE_VALUE,
            'grademax' => 100,
            'grademin' => 0,
            'decimals' => self::DECIMALS,
            'needsupdate' => 1,
            'timecreated' => $now,
            'timemodified' => $now,
        ];
    }

    /**
     * The row of a category.
     *
     * @param int $courseid
     * @param int|null $parent
     * @param string $name
     * @param int $depth
     * @return array
     */
    private static function category(int $courseid, ?int $parent, string $name, int $depth): array {
        global $CFG;
        $now = \core\di::get(\core\clock::class)->time();
        return [
            'courseid' => $courseid,
            'parent' => $parent,
            'depth' => $depth,
            'path' => null,
            'fullname' => $name,
            'aggregateoutcomes' => (int) ($CFG->grade_aggregateoutcomes ?? 0),
            'timecreated' => $now,
            'timemodified' => $now,
        ] + gradebook_aggregation::RIGHT;
    }

    /**
     * Writes Moodle's history of what was made.
     *
     * @param string $table
     * @param \stdClass[] $rows
     */
    private static function history(string $table, array $rows): void {
        global $CFG, $DB, $USER;
        if (!empty($CFG->disablegradehistory) || !$rows) {
            return;
        }
        $extra = ['action' => GRADE_HISTORY_INSERT, 'source' => self::SOURCE, 'loggeduser' => $USER->id];
        $DB->insert_records($table . '_history', array_map(
            fn(\stdClass $row): array => $extra + ['oldid' => $row->id]
                + array_diff_key((array) $row, ['id' => true, 'timecreated' => true]),
            array_values($rows),
        ));
    }

    /**
     * Tells conditions on grades that there is something new, as grade_item does.
     *
     * @param int[] $courseids
     */
    private static function tell_availability(array $courseids): void {
        global $CFG;
        if (!empty($CFG->enableavailability) && class_exists('\availability_grade\callbacks')) {
            array_map(\availability_grade\callbacks::grade_item_changed(...), $courseids);
        }
    }
}
