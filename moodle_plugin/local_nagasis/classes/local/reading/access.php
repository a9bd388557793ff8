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
 * When people were last in a course.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\reading;

/**
 * When people were last in a course.
 */
final class access implements reading {
    /**
     * Reads one page in two queries at the most.
     *
     * @param scope $scope since, courses
     * @param int $after
     * @param int $limit
     * @return page
     */
    public function page(scope $scope, int $after, int $limit): page {
        [$where, $params] = $scope->condition();
        $since = ['since' => $scope->since];
        $upto = $scope->courses === null
            ? page::bound('user_lastaccess', $after, $limit, 'timeaccess >= :since', $since) : null;
        $sql = "SELECT l.id, l.userid, l.timeaccess, c.idnumber AS course, u.idnumber
                  FROM {user_lastaccess} l
                  JOIN {course} c ON c.id = l.courseid
                  JOIN {user} u ON u.id = l.userid AND u.deleted = 0
                 WHERE l.id > :after AND l.id <= :upto AND l.timeaccess >= :since AND $where
              ORDER BY l.id";
        [$rows, $lastid] = page::rows(
            $sql,
            $params + $since + ['after' => $after, 'upto' => $upto ?? PHP_INT_MAX],
            $limit,
            $upto,
        );
        return new page(array_map(fn(\stdClass $row): array => [
            'course' => $row->course,
            'id' => (int) $row->userid,
            'user' => $row->idnumber === '' ? null : $row->idnumber,
            'at' => (int) $row->timeaccess,
        ], $rows), $lastid);
    }
}
