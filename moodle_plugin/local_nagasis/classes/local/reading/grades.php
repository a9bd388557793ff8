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
 * Grades.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\reading;

use local_nagasis\local\contract\percent;

/**
 * Grades: the final ones, and the raw ones that activities gave.
 */
final class grades implements reading {
    /** @var string The key of an item: of the course's total, where the SIS has made the gradebook; of what is remembered. */
    private const KEY = "CASE WHEN i.itemtype = 'course' AND EXISTS (SELECT 1
                                                                     FROM {local_nagasis_gradeitem} made
                                                                    WHERE made.courseid = i.courseid)
                              THEN '#total' ELSE known.itemkey END";

    /**
     * Reads one page in two queries at the most, after old totals have been made new.
     *
     * @param scope $scope courses, items, since, keyed
     * @param int $after
     * @param int $limit
     * @return page
     */
    public function page(scope $scope, int $after, int $limit): page {
        global $DB;
        if ($after === 0) {
            regrading::refresh($scope);
        }
        [$where, $params] = $scope->condition();
        if ($scope->items) {
            [$in, $itemparams] = $DB->get_in_or_equal($scope->items, SQL_PARAMS_NAMED, 'item');
            $where .= " AND i.id $in";
            $params += $itemparams;
        }
        if ($scope->keyed) {
            $where .= ' AND ' . self::KEY . ' IS NOT NULL';
        }
        // Rows that Moodle makes beforehand, for people who have no grade yet, have no time. A grade that was taken away has.
        $since = ['since1' => $scope->since, 'since2' => $scope->since];
        $given = '(timemodified >= :since1 OR (:since2 = 0 AND finalgrade IS NOT NULL))';
        $upto = $scope->courses === null && !$scope->items
            ? page::bound('grade_grades', $after, $limit, $given, $since) : null;
        $sql = "SELECT g.id, g.itemid, g.userid, u.idnumber, g.finalgrade, g.rawgrade, g.rawgrademin, g.rawgrademax, g.overridden,
                       g.locked, g.hidden, g.excluded, g.usermodified, g.timemodified, c.idnumber AS course,
                       " . self::KEY . " AS itemkey,
                       i.itemtype, i.calculation, i.gradetype, i.grademin, i.grademax, s.id AS scale
                  FROM {grade_grades} g
                  JOIN {grade_items} i ON i.id = g.itemid
                  JOIN {course} c ON c.id = i.courseid
                  JOIN {user} u ON u.id = g.userid AND u.deleted = 0
             LEFT JOIN {local_nagasis_gradeitem} known ON known.itemid = i.id
             LEFT JOIN {scale} s ON s.id = i.scaleid
                 WHERE g.id > :after AND g.id <= :upto AND $where
                       AND (g.timemodified >= :since1 OR (:since2 = 0 AND g.finalgrade IS NOT NULL))
              ORDER BY g.id";
        $params += $since + ['after' => $after, 'upto' => $upto ?? PHP_INT_MAX];
        [$rows, $lastid] = page::rows($sql, $params, $limit, $upto);
        $now = \core\di::get(\core\clock::class)->time();
        return new page(array_map(fn(\stdClass $row): array => self::grade($row, $now), $rows), $lastid);
    }

    /**
     * One grade.
     *
     * @param \stdClass $row
     * @param int $now
     * @return array
     */
    private static function grade(\stdClass $row, int $now): array {
        return [
            'course' => $row->course,
            'item' => (int) $row->itemid,
            'key' => $row->itemkey,
            'id' => (int) $row->userid,
            'user' => $row->idnumber === '' ? null : $row->idnumber,
            'percent' => percent::measures($row, $row->scale !== null)
                ? percent::of($row->finalgrade, ...percent::range($row, $row)) : null,
            'final' => $row->finalgrade === null ? null : (float) $row->finalgrade,
            'raw' => $row->rawgrade === null ? null : (float) $row->rawgrade,
            'overridden' => (bool) $row->overridden,
            'locked' => (bool) $row->locked,
            'hidden' => flags::hidden((int) $row->hidden, $now),
            'excluded' => (bool) $row->excluded,
            'by' => $row->usermodified === null ? null : (int) $row->usermodified,
            'at' => (int) $row->timemodified,
        ];
    }
}
