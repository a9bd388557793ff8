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
 * Grades by hand, as cases describe them.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\tests;

defined('MOODLE_INTERNAL') || die();

global $CFG;
require_once($CFG->libdir . '/gradelib.php');

use local_nagasis\local\contract\percent;
use local_nagasis\local\provision\gradebook_index;

/**
 * What a teacher has done in the gradebook before a step of a case.
 */
final class given_grades {
    /**
     * Does something to an item: locks it, deletes it.
     *
     * @param array $fields course, item (its key), and locked or deleted
     */
    public static function item(array $fields): void {
        $item = self::find($fields);
        if (array_key_exists('locked', $fields)) {
            // An item whose grades are not computed yet cannot be locked.
            grade_regrade_final_grades($item->courseid);
            self::find($fields)->set_locked((int) $fields['locked']);
        }
        if (!empty($fields['deleted'])) {
            $item->delete('gradebook');
        }
    }

    /**
     * Gives somebody a grade.
     *
     * @param array $fields course, user, item (its key), percent (null: takes it away), feedback, locked
     */
    public static function grade(array $fields): void {
        global $DB;
        $item = self::find($fields);
        $userid = $DB->get_field('user', 'id', ['idnumber' => $fields['user'], 'deleted' => 0], MUST_EXIST);
        if (array_key_exists('percent', $fields) || array_key_exists('feedback', $fields)) {
            $percent = $fields['percent'] ?? null;
            $value = $percent === null ? null : percent::grade($percent, $item->grademin, $item->grademax);
            $final = array_key_exists('percent', $fields) ? $value : false;
            $item->update_final_grade($userid, $final, 'gradebook', $fields['feedback'] ?? false, FORMAT_HTML);
        }
        if (array_key_exists('locked', $fields)) {
            grade_regrade_final_grades($item->courseid);
            $grade = \grade_grade::fetch(['itemid' => $item->id, 'userid' => $userid]);
            $grade->set_locked((int) $fields['locked']);
        }
    }

    /**
     * The item of a key.
     *
     * @param array $fields course, item
     * @return \grade_item
     */
    private static function find(array $fields): \grade_item {
        global $DB;
        $courseid = (int) $DB->get_field('course', 'id', ['idnumber' => $fields['course']], MUST_EXIST);
        $item = (new gradebook_index([$courseid]))->of($courseid)->item($fields['item']);
        return \grade_item::fetch(['id' => $item->id]);
    }

    /**
     * All grades of items that have a key.
     *
     * @return array
     */
    public static function snapshot(): array {
        global $DB;
        $courses = $DB->get_records_select_menu('course', 'id <> ?', [SITEID], '', 'id, idnumber');
        $index = new gradebook_index(array_keys($courses));
        $rows = $DB->get_records_sql(
            "SELECT g.*, i.courseid, u.idnumber AS member
               FROM {grade_grades} g
               JOIN {grade_items} i ON i.id = g.itemid
               JOIN {user} u ON u.id = g.userid",
        );
        $grades = [];
        foreach ($rows as $row) {
            $gradebook = $index->of((int) $row->courseid);
            $key = $gradebook->key((int) $row->itemid);
            if ($key !== null) {
                $range = percent::range($gradebook->items[$row->itemid], $row);
                $grades[] = [
                    'course' => $courses[$row->courseid],
                    'user' => $row->member,
                    'item' => $key,
                    'percent' => percent::of($row->finalgrade, ...$range),
                    'overridden' => (bool) $row->overridden,
                    'feedback' => (string) $row->feedback,
                ];
            }
        }
        return $grades;
    }
}
