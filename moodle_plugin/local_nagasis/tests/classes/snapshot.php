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
 * What is there, as the cases name it.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\tests;

use local_nagasis\local\provision\visibility;

/**
 * What Moodle holds, in the words of the cases of the contract.
 */
final class snapshot {
    /** @var array What tells one thing of a kind from another. */
    private const NAMES = [
        'categories' => 'idnumber', 'users' => 'idnumber', 'courses' => 'idnumber', 'enrolments' => 'course', 'items' => 'name',
        'gradebooks' => 'course',
    ];

    /** @var array Things by kind. */
    private array $things;

    /**
     * Reads everything.
     */
    public function __construct() {
        $this->things = [
            'categories' => $this->categories(),
            'users' => $this->users(),
            'courses' => $this->courses(),
            'enrolments' => $this->enrolments(),
            'gradebooks' => given_gradebooks::snapshot(),
            'items' => given_gradebooks::foreign(),
            'grades' => given_grades::snapshot(),
        ];
    }

    /**
     * What is missing of an expectation.
     *
     * @param array $then a state as cases have it
     * @return string[] empty if all is as expected
     */
    public function problems(array $then): array {
        $problems = [];
        foreach (array_diff_key($then, ['absent' => true]) as $kind => $wanted) {
            foreach ($wanted as $fields) {
                if (!array_filter($this->things[$kind], fn(array $thing): bool => self::fits($fields, $thing))) {
                    $problems[] = "$kind: not there: " . json_encode($fields, JSON_UNESCAPED_UNICODE);
                }
            }
        }
        foreach ($then['absent'] ?? [] as $kind => $absent) {
            foreach ($absent as $each) {
                $fields = is_array($each) ? $each : [self::NAMES[$kind] => $each];
                if (array_filter($this->things[$kind], fn(array $thing): bool => self::fits($fields, $thing))) {
                    $problems[] = "$kind: there: " . json_encode($fields, JSON_UNESCAPED_UNICODE);
                }
            }
        }
        return $problems ? [...$problems, json_encode($this->things, JSON_UNESCAPED_UNICODE)] : [];
    }

    /**
     * Whether a thing has the fields that are named.
     *
     * @param array $fields
     * @param array $thing
     * @return bool
     */
    private static function fits(array $fields, array $thing): bool {
        foreach ($fields as $name => $wanted) {
            $held = $thing[$name];
            if (is_array($wanted) && is_array($wanted[0] ?? null)) {
                // Other sections and groups may be there.
                foreach ($wanted as $each) {
                    if (!array_filter($held, fn(array $part): bool => self::fits($each, $part))) {
                        return false;
                    }
                }
            } else if (is_array($wanted)) {
                sort($wanted);
                sort($held);
                if ($wanted !== $held) {
                    return false;
                }
            } else if ($wanted !== $held) {
                return false;
            }
        }
        return true;
    }

    /**
     * Categories.
     *
     * @return array
     */
    private function categories(): array {
        global $DB;
        $rows = $DB->get_records('course_categories');
        return array_map(fn(\stdClass $row): array => [
            'idnumber' => (string) $row->idnumber,
            'name' => $row->name,
            'parent' => $row->parent ? (string) $rows[$row->parent]->idnumber : null,
            'visible' => visibility::own(
                (int) $row->visible,
                (int) $row->visibleold,
                $row->parent ? (int) $rows[$row->parent]->visible : null,
            ),
        ], array_values($rows));
    }

    /**
     * Accounts.
     *
     * @return array
     */
    private function users(): array {
        global $DB;
        return array_map(fn(\stdClass $row): array => [
            'idnumber' => $row->idnumber,
            'username' => $row->username,
            'firstname' => $row->firstname,
            'lastname' => $row->lastname,
            'email' => $row->email,
            'alternatename' => (string) $row->alternatename,
            'suspended' => (bool) $row->suspended,
            'lang' => $row->lang,
            'auth' => $row->auth,
            'admin' => is_siteadmin($row->id),
        ], array_values($DB->get_records('user', ['deleted' => 0])));
    }

    /**
     * Courses.
     *
     * @return array
     */
    private function courses(): array {
        global $DB;
        $categories = $DB->get_records('course_categories');
        $courses = [];
        foreach ($DB->get_records_select('course', 'id <> ?', [SITEID]) as $row) {
            $sections = $DB->get_records_sql(
                "SELECT cs.id, cs.name, ns.sectionkey
                   FROM {course_sections} cs
              LEFT JOIN {local_nagasis_section} ns ON ns.sectionid = cs.id
                  WHERE cs.course = ?",
                [$row->id],
            );
            $groups = $DB->get_records('groups', ['courseid' => $row->id]);
            $category = $categories[$row->category];
            $courses[] = [
                'idnumber' => $row->idnumber,
                'shortname' => $row->shortname,
                'fullname' => $row->fullname,
                'category' => (string) $category->idnumber,
                'startdate' => (int) $row->startdate,
                'enddate' => (int) $row->enddate,
                'visible' => visibility::own((int) $row->visible, (int) $row->visibleold, (int) $category->visible),
                'readonly' => \core\context\course::instance($row->id)->is_locked(),
                'summary' => (string) $row->summary,
                'sections' => array_map(
                    fn(\stdClass $each): array => ['key' => (string) $each->sectionkey, 'name' => (string) $each->name],
                    array_values($sections),
                ),
                'groups' => array_map(
                    fn(\stdClass $each): array => ['idnumber' => (string) $each->idnumber, 'name' => $each->name],
                    array_values($groups),
                ),
            ];
        }
        return $courses;
    }

    /**
     * Enrolments. A role is ours, or else of no component, as the enrolment is.
     *
     * @return array
     */
    private function enrolments(): array {
        global $DB;
        $rows = $DB->get_records_sql(
            "SELECT ue.id, ue.status, ue.userid, e.enrol, e.id AS instanceid, c.id AS courseid, c.idnumber AS course,
                    u.idnumber AS member, x.id AS contextid
               FROM {user_enrolments} ue
               JOIN {enrol} e ON e.id = ue.enrolid
               JOIN {course} c ON c.id = e.courseid
               JOIN {user} u ON u.id = ue.userid
               JOIN {context} x ON x.instanceid = c.id AND x.contextlevel = ?",
            [CONTEXT_COURSE],
        );
        return array_map(function (\stdClass $row) use ($DB): array {
            $ours = $row->enrol === 'nagasis';
            $role = $DB->get_fieldset_sql(
                "SELECT r.shortname
                   FROM {role_assignments} ra
                   JOIN {role} r ON r.id = ra.roleid
                  WHERE ra.contextid = ? AND ra.userid = ? AND ra.component = ? AND ra.itemid = ?",
                [$row->contextid, $row->userid, $ours ? 'enrol_nagasis' : '', $ours ? $row->instanceid : 0],
            );
            $groups = $DB->get_fieldset_sql(
                "SELECT g.idnumber
                   FROM {groups_members} gm
                   JOIN {groups} g ON g.id = gm.groupid
                  WHERE g.courseid = ? AND gm.userid = ?",
                [$row->courseid, $row->userid],
            );
            return [
                'course' => $row->course,
                'user' => $row->member,
                'method' => $row->enrol,
                'role' => implode(',', $role),
                'status' => (int) $row->status === ENROL_USER_ACTIVE ? 'active' : 'suspended',
                'groups' => $groups,
            ];
        }, array_values($rows));
    }
}
