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
 * Who is enrolled.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\reading;

/**
 * Who is enrolled in courses, by which method, with which roles: also what is not ours.
 */
final class rosters implements reading {
    /**
     * Reads one page in three queries at the most: the enrolments, and their roles.
     *
     * @param scope $scope courses
     * @param int $after
     * @param int $limit
     * @return page
     */
    public function page(scope $scope, int $after, int $limit): page {
        [$where, $params] = $scope->condition();
        $names = \core_user\fields::for_name()->get_sql('u', false, '', '', false)->selects;
        $from = "FROM {user_enrolments} ue
                 JOIN {enrol} e ON e.id = ue.enrolid
                 JOIN {course} c ON c.id = e.courseid
                 JOIN {user} u ON u.id = ue.userid AND u.deleted = 0";
        $upto = $scope->courses === null ? page::bound('user_enrolments', $after, $limit) : null;
        $params += ['after' => $after, 'upto' => $upto ?? PHP_INT_MAX];
        $sql = "SELECT ue.id, ue.userid, ue.status, ue.timestart, ue.timeend, e.enrol, e.status AS enrolstatus,
                       c.idnumber AS course, u.idnumber, $names
                 $from
                 WHERE ue.id > :after AND ue.id <= :upto AND $where
              ORDER BY ue.id";
        [$rows, $lastid] = page::rows($sql, $params, $limit, $upto);
        $roles = $rows ? $this->roles($from, $where, ['upto' => array_key_last($rows)] + $params) : [];
        $now = \core\di::get(\core\clock::class)->time();
        return new page(array_map(fn(\stdClass $row): array => [
            'course' => $row->course,
            'id' => (int) $row->userid,
            'user' => $row->idnumber === '' ? null : $row->idnumber,
            // Who has an idnumber is known to the tool by it: no name needs to leave Moodle.
            'name' => $row->idnumber === '' ? fullname($row, true) : null,
            'method' => $row->enrol,
            'status' => $this->active($row, $now) ? 'active' : 'suspended',
            'roles' => $roles[$row->id] ?? [],
            'ours' => $row->enrol === 'nagasis',
        ], $rows), $lastid);
    }

    /**
     * Reads the roles of one page's enrolments.
     *
     * A method that protects its roles marks them with its instance; those of the others belong to nobody.
     *
     * @param string $from
     * @param string $where
     * @param array $params
     * @return array roles' short names by enrolment
     */
    private function roles(string $from, string $where, array $params): array {
        global $DB;
        $sql = "SELECT ue.id, e.id AS enrolid, e.enrol, ra.component, ra.itemid, r.shortname
                 $from
                  JOIN {context} x ON x.instanceid = c.id AND x.contextlevel = :courselevel
                  JOIN {role_assignments} ra ON ra.contextid = x.id AND ra.userid = ue.userid
                  JOIN {role} r ON r.id = ra.roleid
                 WHERE ue.id > :after AND ue.id <= :upto AND $where
              ORDER BY ue.id, r.sortorder";
        $roles = [];
        $rows = $DB->get_recordset_sql($sql, $params + ['courselevel' => CONTEXT_COURSE]);
        foreach ($rows as $row) {
            // Compared here and not in SQL: a database that cannot estimate it reads everything, again and again.
            $protected = $row->component === 'enrol_' . $row->enrol && $row->itemid === $row->enrolid;
            if ($protected || ($row->component === '' && $row->enrol !== 'nagasis')) {
                $roles[$row->id][$row->shortname] = $row->shortname;
            }
        }
        $rows->close();
        return array_map('array_values', $roles);
    }

    /**
     * Whether this enrolment lets its user in now.
     *
     * @param \stdClass $row
     * @param int $now
     * @return bool
     */
    private function active(\stdClass $row, int $now): bool {
        return (int) $row->status === ENROL_USER_ACTIVE
            && (int) $row->enrolstatus === ENROL_INSTANCE_ENABLED
            && $row->timestart <= $now
            && (!$row->timeend || $row->timeend > $now);
    }
}
