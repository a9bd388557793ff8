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
 * Makes old totals new before they are read.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\reading;

defined('MOODLE_INTERNAL') || die();

require_once($CFG->libdir . '/gradelib.php');

/**
 * Makes old totals new before they are read. Moodle calculates them when somebody looks into the gradebook; nobody may.
 */
final class regrading {
    /** @var int Seconds after which the rest is left as it is; "needsupdate" of the items says so. */
    private const SECONDS = 20;

    /**
     * Calculates what is old in the courses that are asked for by name. A reading of all courses calculates nothing.
     *
     * @param scope $scope
     */
    public static function refresh(scope $scope): void {
        global $DB;
        if (!$scope->courses) {
            return;
        }
        [$where, $params] = $scope->condition();
        $courseids = $DB->get_fieldset_sql(
            "SELECT DISTINCT c.id FROM {grade_items} i JOIN {course} c ON c.id = i.courseid WHERE i.needsupdate = 1 AND $where",
            $params,
        );
        $clock = \core\di::get(\core\clock::class);
        $end = $clock->time() + self::SECONDS;
        foreach ($courseids as $courseid) {
            if ($clock->time() >= $end) {
                return;
            }
            grade_regrade_final_grades($courseid);
        }
    }
}
