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
namespace local_nagasis\tests;

defined('MOODLE_INTERNAL') || die();

global $CFG;
require_once($CFG->libdir . '/gradelib.php');

use local_nagasis\local\provision\{gradebook, gradebook_index, gradebook_letters};

/**
 * Teachers' own items in gradebooks before a step of a case, and what the gradebooks are after it.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
final class given_gradebooks {
    /**
     * Makes a teacher's own category.
     *
     * @param array $fields course, name
     */
    public static function category(array $fields): void {
        $category = new \grade_category(['courseid' => self::course($fields), 'fullname' => $fields['name']], false);
        $category->insert();
    }

    /**
     * Makes a teacher's own item.
     *
     * @param array $fields course, name, and if need be max, category (its name), weight, numeric
     */
    public static function item(array $fields): void {
        $courseid = self::course($fields);
        $item = new \grade_item([
            'courseid' => $courseid,
            'itemtype' => 'manual',
            'itemname' => $fields['name'],
            'grademax' => $fields['max'] ?? 100,
            'gradetype' => ($fields['numeric'] ?? true) ? GRADE_TYPE_VALUE : GRADE_TYPE_TEXT,
            'aggregationcoef' => ($fields['weight'] ?? 0) / 100,
            'categoryid' => isset($fields['category'])
                ? \grade_category::fetch(['courseid' => $courseid, 'fullname' => $fields['category']])->id : null,
        ], false);
        $item->insert();
        grade_regrade_final_grades($courseid);
    }

    /**
     * Puts ids in the place of names: "@Name" is the id of the item, or of the category's total, of this name.
     *
     * @param array $json
     * @return array
     */
    public static function named(array $json): array {
        global $DB;
        array_walk_recursive($json, function (&$value) use ($DB): void {
            if (is_string($value) && str_starts_with($value, '@')) {
                $value = (int) $DB->get_field_sql(
                    "SELECT i.id
                       FROM {grade_items} i
                  LEFT JOIN {grade_categories} c ON c.id = i.iteminstance AND i.itemtype = 'category'
                      WHERE COALESCE(c.fullname, i.itemname) = ?",
                    [substr($value, 1)],
                    MUST_EXIST,
                );
            }
        });
        return $json;
    }

    /**
     * All gradebooks of the SIS.
     *
     * @return array
     */
    public static function snapshot(): array {
        $found = [];
        foreach (self::all() as $idnumber => [$gradebook, $letters]) {
            if ($gradebook->made()) {
                $parts = ['categories' => [], 'items' => []];
                foreach (self::items($gradebook) as $item) {
                    $ours = $item['key'] !== null && $item['key'] !== gradebook::TOTAL;
                    $list = $item['total'] && !$item['source'] ? 'categories' : 'items';
                    $parts[$list] = [...$parts[$list], ...($ours ? [$item] : [])];
                }
                $found[] = ['course' => $idnumber, 'letters' => $letters] + $parts;
            }
        }
        return $found;
    }

    /**
     * All that is not the SIS's.
     *
     * @return array
     */
    public static function foreign(): array {
        $found = [];
        foreach (self::all() as $idnumber => [$gradebook]) {
            foreach (self::items($gradebook) as $item) {
                if ($item['key'] === null && $item['name'] !== null) {
                    $found[] = ['course' => $idnumber] + $item;
                }
            }
        }
        return $found;
    }

    /**
     * The gradebooks and letters of all courses.
     *
     * @return array by idnumber
     */
    private static function all(): array {
        global $DB;
        $courses = $DB->get_records_select_menu('course', 'id <> ?', [SITEID], '', 'id, idnumber');
        $index = new gradebook_index(array_keys($courses));
        $letters = new gradebook_letters(array_keys($courses));
        $all = [];
        foreach ($courses as $id => $idnumber) {
            $all[$idnumber] = [$index->of($id), $letters->of($id)];
        }
        return $all;
    }

    /**
     * The items of a gradebook.
     *
     * @param gradebook $gradebook
     * @return array
     */
    private static function items(gradebook $gradebook): array {
        return array_map(function (\stdClass $item) use ($gradebook): array {
            $key = $gradebook->key((int) $item->id);
            $own = $gradebook->category_of($item);
            $around = $gradebook->total_of($gradebook->place($item) ?? 0);
            $above = $around && $around->itemtype === 'category' ? $around : null;
            return [
                'key' => $key,
                'name' => $own ? ($own->parent ? $own->fullname : null) : $item->itemname,
                'category' => $above ? $gradebook->key((int) $above->id) ?? $gradebook->category_of($above)->fullname : '',
                'weight' => (int) round($item->aggregationcoef * 100),
                'source' => $key !== null && $gradebook->connected($key),
                'total' => $own !== null,
            ];
        }, array_values($gradebook->items));
    }

    /**
     * The id of a course.
     *
     * @param array $fields
     * @return int
     */
    private static function course(array $fields): int {
        global $DB;
        return (int) $DB->get_field('course', 'id', ['idnumber' => $fields['course']], MUST_EXIST);
    }
}
