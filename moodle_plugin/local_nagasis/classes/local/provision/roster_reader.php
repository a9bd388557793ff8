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
 * Reads all that rosters need.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

/**
 * Reads courses, people and members for many rosters at once: seven queries, and one more for every 5,000 people.
 */
final class roster_reader {
    /** @var int Values of one condition; databases bound the number of a statement's parameters. */
    private const CHUNK = 5000;

    /** @var array courses by "=idnumber" and id: the sign keeps idnumbers of digits from becoming numbers */
    private array $courses = [];

    /** @var array people by "=idnumber" and id */
    private array $people = [];

    /** @var roster_course[] by id */
    private array $members = [];

    /**
     * Constructor. Reads everything.
     *
     * @param array $documents rosters
     */
    public function __construct(array $documents) {
        $this->courses = $this->by_idnumber(
            'course',
            array_column($documents, 'course'),
            'id, idnumber, shortname, fullname',
            'AND id <> :site',
            ['site' => SITEID],
        );
        $ids = array_merge([], ...array_map('array_keys', array_values($this->courses)));
        foreach ($ids as $id) {
            $this->members[$id] = new roster_course($id);
        }
        $this->read_people($documents);
        if ($ids) {
            $this->read_enrolments($ids);
            $this->read_groups($ids);
        }
    }

    /**
     * The courses with this idnumber.
     *
     * @param string $idnumber
     * @return \stdClass[] by id
     */
    public function courses(string $idnumber): array {
        return $this->courses["=$idnumber"] ?? [];
    }

    /**
     * The people with this idnumber.
     *
     * @param string $idnumber
     * @return \stdClass[] by id
     */
    public function people(string $idnumber): array {
        return $this->people["=$idnumber"] ?? [];
    }

    /**
     * The members of a course that was found.
     *
     * @param int $courseid
     * @return roster_course
     */
    public function members(int $courseid): roster_course {
        return $this->members[$courseid];
    }

    /**
     * Reads everybody whom the rosters name.
     *
     * @param array $documents
     */
    private function read_people(array $documents): void {
        global $CFG;
        $idnumbers = [];
        foreach ($documents as $document) {
            foreach ($document['members'] as $member) {
                $idnumbers['=' . $member['user']] = $member['user'];
            }
        }
        $this->people = $this->by_idnumber(
            'user',
            array_values($idnumbers),
            'id, idnumber, username, firstname, lastname',
            'AND deleted = 0 AND mnethostid = :local',
            ['local' => $CFG->mnet_localhost_id],
        );
    }

    /**
     * Reads records by idnumber.
     *
     * @param string $table
     * @param string[] $idnumbers
     * @param string $fields
     * @param string $and further conditions
     * @param array $params of these
     * @return array by "=idnumber" and id; a database that takes small and capital letters as one gives too many
     */
    private function by_idnumber(string $table, array $idnumbers, string $fields, string $and, array $params): array {
        global $DB;
        $found = [];
        foreach (array_chunk($idnumbers, self::CHUNK) as $chunk) {
            [$in, $inparams] = $DB->get_in_or_equal($chunk, SQL_PARAMS_NAMED);
            foreach ($DB->get_records_select($table, "idnumber $in $and", $inparams + $params, 'id', $fields) as $row) {
                $found["=$row->idnumber"][(int) $row->id] = $row;
            }
        }
        return $found;
    }

    /**
     * Reads the instances, enrolments and roles of the SIS.
     *
     * @param int[] $courseids
     */
    private function read_enrolments(array $courseids): void {
        global $DB;
        [$in, $params] = $DB->get_in_or_equal($courseids, SQL_PARAMS_NAMED);
        $courseof = [];
        foreach ($DB->get_records_select('enrol', "enrol = 'nagasis' AND courseid $in", $params, 'id') as $instance) {
            // There is one. If a script has made a second, the first counts.
            if ($this->members[$instance->courseid]->instance === null) {
                $this->members[$instance->courseid]->instance = $instance;
                $courseof[$instance->id] = $instance->courseid;
            }
        }
        if (!$courseof) {
            return;
        }
        [$in, $params] = $DB->get_in_or_equal(array_keys($courseof), SQL_PARAMS_NAMED);
        $enrolments = $DB->get_recordset_sql(
            "SELECT ue.id, ue.enrolid, ue.userid, ue.status, u.idnumber, u.username, u.firstname, u.lastname
               FROM {user_enrolments} ue
               JOIN {user} u ON u.id = ue.userid
              WHERE ue.enrolid $in
           ORDER BY ue.id",
            $params,
        );
        foreach ($enrolments as $enrolment) {
            $this->members[$courseof[$enrolment->enrolid]]->enrolments[(int) $enrolment->userid] = $enrolment;
        }
        $enrolments->close();
        $roles = $DB->get_recordset_select(
            'role_assignments',
            "component = :component AND itemid $in",
            $params + ['component' => \enrol_nagasis\members::COMPONENT],
            'id',
            'id, itemid, userid, roleid',
        );
        foreach ($roles as $role) {
            $this->members[$courseof[$role->itemid]]->roles[(int) $role->userid][(int) $role->id] = (int) $role->roleid;
        }
        $roles->close();
    }

    /**
     * Reads the groups that have an idnumber, and who is in them.
     *
     * @param int[] $courseids
     */
    private function read_groups(array $courseids): void {
        global $DB;
        [$in, $params] = $DB->get_in_or_equal($courseids, SQL_PARAMS_NAMED);
        $named = $DB->sql_isnotempty('groups', 'g.idnumber', false, false);
        $groups = $DB->get_recordset_sql(
            "SELECT g.id, g.courseid, g.idnumber, g.name FROM {groups} g WHERE g.courseid $in AND $named ORDER BY g.id",
            $params,
        );
        foreach ($groups as $group) {
            $this->members[$group->courseid]->groups["=$group->idnumber"][(int) $group->id] = $group;
        }
        $groups->close();
        $memberships = $DB->get_recordset_sql(
            "SELECT gm.id, gm.groupid, gm.userid, gm.component, gm.itemid, g.courseid
               FROM {groups} g
               JOIN {groups_members} gm ON gm.groupid = g.id
              WHERE g.courseid $in AND $named",
            $params,
        );
        foreach ($memberships as $each) {
            $this->members[$each->courseid]->memberships[(int) $each->userid][(int) $each->groupid] = $each;
        }
        $memberships->close();
    }
}
