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
 * Fingerprints of rosters.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\reading;

use local_nagasis\local\contract\fingerprint;

/**
 * Fingerprints of the memberships that enrol_nagasis holds, of each course that has an idnumber.
 */
final class roster_digest implements digest {
    /** @var int Courses whose members are in memory at once. */
    private const CHUNK = 100;

    /**
     * Reads one page in one query, and three more for every hundred courses.
     *
     * @param keys $keys idnumbers of courses
     * @param int $after
     * @param int $limit
     * @return page
     */
    public function page(keys $keys, int $after, int $limit): page {
        [$where, $params] = $keys->condition('c.idnumber');
        $sql = "SELECT c.id, c.idnumber
                  FROM {course} c
                 WHERE c.id > :after AND c.category > 0 AND $where
              ORDER BY c.id";
        [$rows, $lastid] = page::rows($sql, $params + ['after' => $after], $limit);
        $rows = array_filter($rows, fn(\stdClass $row): bool => $keys->has($row->idnumber));
        $fingerprints = [];
        foreach (array_chunk(array_keys($rows), self::CHUNK) as $courseids) {
            foreach ($this->members($courseids) as $courseid => $members) {
                $fingerprints[$courseid] = fingerprint::roster($rows[$courseid]->idnumber, $members);
            }
        }
        $items = [];
        foreach ($rows as $id => $row) {
            $items[] = [
                'key' => $row->idnumber,
                'id' => (int) $id,
                // A course without members of ours has an empty roster.
                'fingerprint' => $fingerprints[$id] ?? fingerprint::roster($row->idnumber, []),
            ];
        }
        return new page($items, $lastid);
    }

    /**
     * Reads active members with their roles and groups.
     *
     * Three plain queries, put together here: databases make a poor plan for one that joins all of it.
     *
     * @param int[] $courseids
     * @return array [[user's idnumber, role, groups' idnumbers], …] by course id
     */
    private function members(array $courseids): array {
        global $DB;
        [$in, $params] = $DB->get_in_or_equal($courseids, SQL_PARAMS_NAMED);
        $roles = $this->of_members(
            "SELECT ra.id, ra.itemid, ra.userid, r.shortname AS value
               FROM {enrol} e
               JOIN {role_assignments} ra ON ra.component = 'enrol_nagasis' AND ra.itemid = e.id
               JOIN {role} r ON r.id = ra.roleid
              WHERE e.enrol = 'nagasis' AND e.courseid $in",
            $params,
        );
        $groups = $this->of_members(
            "SELECT gm.id, gm.itemid, gm.userid, g.idnumber AS value
               FROM {groups} g
               JOIN {groups_members} gm ON gm.groupid = g.id AND gm.component = 'enrol_nagasis'
              WHERE g.idnumber <> '' AND g.courseid $in",
            $params,
        );
        $members = [];
        $rows = $DB->get_recordset_sql(
            "SELECT ue.id, ue.enrolid, ue.userid, e.courseid, u.idnumber
               FROM {enrol} e
               JOIN {user_enrolments} ue ON ue.enrolid = e.id AND ue.status = :active
               JOIN {user} u ON u.id = ue.userid AND u.deleted = 0
              WHERE e.enrol = 'nagasis' AND e.status = :enabled AND e.courseid $in",
            $params + ['active' => ENROL_USER_ACTIVE, 'enabled' => ENROL_INSTANCE_ENABLED],
        );
        foreach ($rows as $row) {
            // None or two roles, which the plugin never gives, show as something else than a document can say.
            foreach ($roles[$row->enrolid][$row->userid] ?? [''] as $role) {
                $members[$row->courseid][] = [$row->idnumber, $role, $groups[$row->enrolid][$row->userid] ?? []];
            }
        }
        $rows->close();
        return $members;
    }

    /**
     * Reads what belongs to members.
     *
     * @param string $sql gives itemid (the instance), userid and value
     * @param array $params
     * @return array values by instance and user
     */
    private function of_members(string $sql, array $params): array {
        global $DB;
        $found = [];
        $rows = $DB->get_recordset_sql($sql, $params);
        foreach ($rows as $row) {
            $found[$row->itemid][$row->userid][] = $row->value;
        }
        $rows->close();
        return $found;
    }
}
