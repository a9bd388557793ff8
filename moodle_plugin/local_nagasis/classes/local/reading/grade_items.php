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
 * What is graded.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\reading;

defined('MOODLE_INTERNAL') || die();

require_once($CFG->libdir . '/grade/constants.php');

/**
 * What is graded in courses: activities, manual items, categories, course totals.
 */
final class grade_items implements reading {
    /**
     * Reads one page in one query, after old totals have been made new.
     *
     * @param scope $scope courses
     * @param int $after
     * @param int $limit
     * @return page
     */
    public function page(scope $scope, int $after, int $limit): page {
        if ($after === 0) {
            regrading::refresh($scope);
        }
        [$where, $params] = $scope->condition();
        // The total of a category stands in the category above it.
        $sql = "SELECT i.id, c.idnumber AS course, i.itemtype, i.itemmodule, i.iteminstance, i.itemname, i.idnumber,
                       i.gradetype, i.grademin, i.grademax, i.scaleid, i.aggregationcoef, i.aggregationcoef2,
                       i.hidden, i.locked, i.needsupdate, own.fullname AS ownname,
                       upper.id AS categoryid, upper.aggregation, known.itemkey, known.connected
                  FROM {grade_items} i
                  JOIN {course} c ON c.id = i.courseid
             LEFT JOIN {local_nagasis_gradeitem} known ON known.itemid = i.id
             LEFT JOIN {grade_categories} own ON own.id = i.iteminstance AND i.itemtype IN ('course', 'category')
             LEFT JOIN {grade_categories} upper ON upper.id = COALESCE(own.parent, i.categoryid)
                 WHERE i.id > :after AND $where
              ORDER BY i.id";
        [$rows, $lastid] = page::rows($sql, $params + ['after' => $after], $limit);
        $now = \core\di::get(\core\clock::class)->time();
        return new page(array_map(fn(\stdClass $row): array => $this->item($row, $now), $rows), $lastid);
    }

    /**
     * One item.
     *
     * @param \stdClass $row
     * @param int $now
     * @return array
     */
    private function item(\stdClass $row, int $now): array {
        // In "natural" weighting the weight has a column of its own; elsewhere the coefficient is the weight.
        $weight = (int) $row->aggregation === GRADE_AGGREGATE_SUM ? $row->aggregationcoef2 : $row->aggregationcoef;
        return [
            'course' => $row->course,
            'id' => (int) $row->id,
            'key' => $row->itemkey,
            'source' => (bool) $row->connected,
            'type' => $row->itemtype,
            'module' => $row->itemmodule,
            'instance' => $row->iteminstance === null ? null : (int) $row->iteminstance,
            'name' => $row->itemname ?? ($row->itemtype === 'category' ? $row->ownname : null),
            'idnumber' => (string) $row->idnumber,
            'category' => $row->categoryid === null ? null : (int) $row->categoryid,
            'min' => (float) $row->grademin,
            'max' => (float) $row->grademax,
            'scale' => (int) $row->gradetype === GRADE_TYPE_SCALE && $row->scaleid !== null ? (int) $row->scaleid : null,
            'weight' => $row->categoryid === null ? null : (float) $weight,
            'hidden' => flags::hidden((int) $row->hidden, $now),
            'locked' => (bool) $row->locked,
            'needsupdate' => (bool) $row->needsupdate,
        ];
    }
}
