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
    /**
     * Reads one page in two queries: the courses, and their members as a stream.
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
        foreach ($this->rosters(array_keys($rows)) as $courseid => $members) {
            $fingerprints[$courseid] = fingerprint::roster($rows[$courseid]->idnumber, $members);
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
     * Reads active members, a course at a time.
     *
     * @param int[] $courseids
     * @return \Generator course id => [[idnumber, role, groups' idnumbers], …]
     */
    private function rosters(array $courseids): \Generator {
        $courseid = 0;
        $members = [];
        foreach ($this->rows($courseids) as $row) {
            if ((int) $row->courseid !== $courseid) {
                if ($members) {
                    yield $courseid => self::members($members);
                }
                $courseid = (int) $row->courseid;
                $members = [];
            }
            // Two roles, which the plugin never gives, are two members: the tool sees that something is wrong.
            $member = &$members[$row->userid][(string) $row->role];
            $member ??= [$row->useridnumber, (string) $row->role, []];
            if ($row->groupidnumber !== null) {
                $member[2][$row->groupid] = $row->groupidnumber;
            }
            unset($member);
        }
        if ($members) {
            yield $courseid => self::members($members);
        }
    }

    /**
     * Active members with their roles and groups, ordered by course.
     *
     * @param int[] $courseids
     * @return \Generator
     */
    private function rows(array $courseids): \Generator {
        global $DB;
        if (!$courseids) {
            return;
        }
        [$in, $params] = $DB->get_in_or_equal($courseids, SQL_PARAMS_NAMED);
        // A member who is in two groups has two rows.
        $sql = "SELECT e.courseid, ue.userid, u.idnumber AS useridnumber, r.shortname AS role,
                       g.id AS groupid, g.idnumber AS groupidnumber
                  FROM {enrol} e
                  JOIN {user_enrolments} ue ON ue.enrolid = e.id AND ue.status = :active
                  JOIN {user} u ON u.id = ue.userid AND u.deleted = 0
                  JOIN {context} x ON x.instanceid = e.courseid AND x.contextlevel = :courselevel
             LEFT JOIN {role_assignments} ra ON ra.contextid = x.id AND ra.userid = ue.userid
                       AND ra.component = 'enrol_nagasis' AND ra.itemid = e.id
             LEFT JOIN {role} r ON r.id = ra.roleid
             LEFT JOIN {groups_members} gm ON gm.userid = ue.userid
                       AND gm.component = 'enrol_nagasis' AND gm.itemid = e.id
             LEFT JOIN {groups} g ON g.id = gm.groupid AND g.idnumber <> ''
                 WHERE e.enrol = 'nagasis' AND e.status = :enabled AND e.courseid $in
              ORDER BY e.courseid";
        $params += [
            'active' => ENROL_USER_ACTIVE,
            'enabled' => ENROL_INSTANCE_ENABLED,
            'courselevel' => CONTEXT_COURSE,
        ];
        $rows = $DB->get_recordset_sql($sql, $params);
        try {
            yield from $rows;
        } finally {
            $rows->close();
        }
    }

    /**
     * Flattens the members of one course.
     *
     * @param array $members by user and role
     * @return array
     */
    private static function members(array $members): array {
        $flat = [];
        foreach ($members as $roles) {
            foreach ($roles as $member) {
                $member[2] = array_values($member[2]);
                $flat[] = $member;
            }
        }
        return $flat;
    }
}
