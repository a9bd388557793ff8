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
 * Totals above grades that were written.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

defined('MOODLE_INTERNAL') || die();

require_once($CFG->libdir . '/gradelib.php');

/**
 * Totals above grades that were written. Moodle computes them, once for a course; and only if one of them can change: what
 * stands by itself, by the SIS or by a teacher, does not.
 */
final class grades_totals {
    /** @var int Up to as many grades of one course, totals are computed for their people alone: that is faster. */
    private const FEW = 4;

    /**
     * Computes totals anew.
     *
     * @param grades_change[][] $changes by course
     * @param gradebook[] $gradebooks by course
     * @param grades_standing $standing what stood there before
     */
    public static function compute(array $changes, array $gradebooks, grades_standing $standing): void {
        $whole = [];
        foreach ($changes as $courseid => $some) {
            if (self::can_change($some, $gradebooks[$courseid], $standing)) {
                if (count($some) > self::FEW || !self::compute_few($some, $gradebooks[$courseid])) {
                    $whole[] = $courseid;
                }
            }
        }
        self::compute_courses($whole);
    }

    /**
     * Computes the totals of a few people, as Moodle does after a single grade.
     *
     * @param grades_change[] $changes of one course
     * @param gradebook $gradebook
     * @return bool whether that was possible
     */
    private static function compute_few(array $changes, gradebook $gradebook): bool {
        if ($gradebook->total()?->needsupdate) {
            return false;
        }
        foreach ($changes as $change) {
            $item = new \grade_item($change->item, false);
            if (grade_regrade_final_grades($gradebook->courseid, $change->userid, $item) !== true) {
                return false;
            }
        }
        return true;
    }

    /**
     * Computes all totals of some courses.
     *
     * @param int[] $courseids
     */
    private static function compute_courses(array $courseids): void {
        global $DB;
        if (!$courseids) {
            return;
        }
        // Moodle computes all totals of a course whose own total is marked; the items that were written need nothing more.
        [$in, $params] = $DB->get_in_or_equal($courseids, SQL_PARAMS_NAMED);
        $DB->set_field_select('grade_items', 'needsupdate', 1, "itemtype = 'course' AND courseid $in", $params);
        foreach ($courseids as $courseid) {
            // What cannot be computed, such as a formula of a teacher's that is broken, stays marked: Moodle tells the teacher.
            grade_regrade_final_grades($courseid);
        }
    }

    /**
     * Whether a total of the course can change.
     *
     * @param grades_change[] $changes
     * @param gradebook $gradebook
     * @param grades_standing $standing
     * @return bool
     */
    private static function can_change(array $changes, gradebook $gradebook, grades_standing $standing): bool {
        foreach ($gradebook->items as $item) {
            if ((string) $item->calculation !== '') {
                return true;
            }
        }
        $written = [];
        foreach ($changes as $change) {
            $written[$change->userid][(int) $change->item->id] = $change;
        }
        foreach ($changes as $change) {
            if ($change->final === false) {
                return true;
            }
            $above = $gradebook->total_of($gradebook->place($change->item) ?? 0);
            if ($above) {
                $own = $written[$change->userid][(int) $above->id] ?? null;
                $overridden = $own ? $own->overridden : !empty($standing->of((int) $above->id, $change->userid)->overridden);
                if (!$overridden) {
                    return true;
                }
            }
        }
        return false;
    }
}
