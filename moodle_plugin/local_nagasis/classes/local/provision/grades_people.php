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
 * Who can be graded.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

use local_nagasis\local\contract\refusal;

/**
 * Who can be graded in which course: people with an active enrolment and a role that gets grades. Four queries, and one
 * more for every 5,000 people.
 */
final class grades_people {
    /** @var int Values of one condition; databases bound the number of a statement's parameters. */
    private const CHUNK = 5000;

    /** @var directory What this call has made so far. */
    private readonly directory $directory;

    /** @var array People by "=idnumber" and id: the sign keeps idnumbers of digits from becoming numbers. */
    private array $people = [];

    /** @var array Who has an active enrolment: true by course and user. */
    private array $enrolled = [];

    /** @var array Who has a role that gets grades: true by context and user. */
    private array $graded = [];

    /** @var array Contexts of each course and above it. */
    private array $contexts = [];

    /**
     * Constructor. Reads everything.
     *
     * @param directory $directory
     * @param array $documents
     * @param int[] $courseids
     */
    public function __construct(directory $directory, array $documents, array $courseids) {
        $this->directory = $directory;
        $this->read_people($documents);
        foreach (array_chunk($courseids, self::CHUNK) as $chunk) {
            $this->read_enrolments($chunk);
            $this->read_roles($chunk);
        }
    }

    /**
     * Finds somebody who can be graded.
     *
     * @param string $idnumber
     * @param string $course idnumber
     * @param int|null $courseid null: would be made by this call
     * @param string $field
     * @return int|null the user's id; null: would be made by this call
     * @throws refusal ambiguous_idnumber, user_missing, not_enrolled, no_gradebook_role
     */
    public function require(string $idnumber, string $course, ?int $courseid, string $field): ?int {
        $found = $this->people["=$idnumber"] ?? [];
        if (count($found) > 1) {
            $names = implode(', ', array_map(user_index::describe(...), $found));
            throw new refusal('ambiguous_idnumber', $field, ['idnumber' => $idnumber, 'names' => $names]);
        }
        if (!$found && $this->directory->find('user', $idnumber) !== null) {
            throw new refusal('user_missing', $field, ['idnumber' => $idnumber]);
        }
        $userid = array_key_first($found);
        // In a preview, a roster of this call says who would be a member.
        if ($this->directory->find('member', directory::group_key($course, $idnumber)) === null) {
            return $userid;
        }
        $name = $found ? user_index::describe(reset($found)) : $idnumber;
        if (!isset($this->enrolled[$courseid][$userid])) {
            throw new refusal('not_enrolled', $field, ['user' => $name]);
        }
        if (!$this->gets_grades($courseid, $userid)) {
            throw new refusal('no_gradebook_role', $field, ['user' => $name]);
        }
        return $userid;
    }

    /**
     * Whether somebody has a role that gets grades, in the course or above it.
     *
     * @param int $courseid
     * @param int $userid
     * @return bool
     */
    private function gets_grades(int $courseid, int $userid): bool {
        foreach ($this->contexts[$courseid] ?? [] as $contextid) {
            if (isset($this->graded[$contextid][$userid])) {
                return true;
            }
        }
        return false;
    }

    /**
     * Reads everybody whom the documents name.
     *
     * @param array $documents
     */
    private function read_people(array $documents): void {
        global $CFG, $DB;
        $idnumbers = [];
        foreach ($documents as $document) {
            foreach ($document['grades'] as $grade) {
                $idnumbers['=' . $grade['user']] = $grade['user'];
            }
        }
        foreach (array_chunk(array_values($idnumbers), self::CHUNK) as $chunk) {
            [$in, $params] = $DB->get_in_or_equal($chunk, SQL_PARAMS_NAMED);
            $rows = $DB->get_recordset_select(
                'user',
                "idnumber $in AND deleted = 0 AND mnethostid = :local",
                $params + ['local' => $CFG->mnet_localhost_id],
                'id',
                'id, idnumber, username, firstname, lastname',
            );
            foreach ($rows as $row) {
                $this->people["=$row->idnumber"][(int) $row->id] = $row;
            }
            $rows->close();
        }
    }

    /**
     * Reads who has an active enrolment, by whatever method.
     *
     * @param int[] $courseids
     */
    private function read_enrolments(array $courseids): void {
        global $DB;
        [$in, $params] = $DB->get_in_or_equal($courseids, SQL_PARAMS_NAMED);
        $now = \core\di::get(\core\clock::class)->time();
        $rows = $DB->get_recordset_sql(
            "SELECT ue.id, e.courseid, ue.userid
               FROM {enrol} e
               JOIN {user_enrolments} ue ON ue.enrolid = e.id
              WHERE e.courseid $in AND e.status = :enabled AND ue.status = :active
                    AND ue.timestart <= :now1 AND (ue.timeend = 0 OR ue.timeend > :now2)",
            $params + ['enabled' => ENROL_INSTANCE_ENABLED, 'active' => ENROL_USER_ACTIVE, 'now1' => $now, 'now2' => $now],
        );
        foreach ($rows as $row) {
            $this->enrolled[(int) $row->courseid][(int) $row->userid] = true;
        }
        $rows->close();
    }

    /**
     * Reads who has a role that gets grades, in the courses and above them.
     *
     * @param int[] $courseids
     */
    private function read_roles(array $courseids): void {
        global $CFG, $DB;
        $roles = array_filter(explode(',', (string) $CFG->gradebookroles));
        if (!$roles) {
            return;
        }
        [$in, $params] = $DB->get_in_or_equal($courseids, SQL_PARAMS_NAMED);
        $above = [];
        $where = "contextlevel = :level AND instanceid $in";
        $paths = $DB->get_records_select_menu('context', $where, $params + ['level' => CONTEXT_COURSE], '', 'instanceid, path');
        foreach ($paths as $courseid => $path) {
            $this->contexts[$courseid] = explode('/', trim($path, '/'));
            $above += array_flip($this->contexts[$courseid]);
        }
        if (!$above) {
            return;
        }
        [$inroles, $roleparams] = $DB->get_in_or_equal($roles, SQL_PARAMS_NAMED, 'role');
        [$incontexts, $params] = $DB->get_in_or_equal(array_keys($above), SQL_PARAMS_NAMED, 'context');
        $rows = $DB->get_recordset_select(
            'role_assignments',
            "roleid $inroles AND contextid $incontexts",
            $roleparams + $params,
            '',
            'id, contextid, userid',
        );
        foreach ($rows as $row) {
            $this->graded[(int) $row->contextid][(int) $row->userid] = true;
        }
        $rows->close();
    }
}
