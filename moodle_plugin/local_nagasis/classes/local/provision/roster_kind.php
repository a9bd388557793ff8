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
 * Rosters: who is in a course by the SIS.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

use local_nagasis\local\contract\refusal;

/**
 * Rosters: the complete membership of a course by the SIS. Who is absent from one is suspended, never unenrolled.
 */
final class roster_kind implements buffered_kind {
    /** @var directory what this call has made so far */
    private directory $directory;

    /** @var roster_reader what is there */
    private roster_reader $reader;

    /** @var protected_accounts */
    private protected_accounts $protected;

    /** @var int[] ids of roles by short name */
    private array $roles = [];

    /** @var bool whether the enrolment plugin is switched on */
    private bool $enabled;

    /** @var int[] ids of courses whose members this transaction changes */
    private array $touched = [];

    /**
     * Constructor.
     *
     * @param directory $directory
     */
    public function __construct(directory $directory) {
        $this->directory = $directory;
    }

    /**
     * Reads all that these rosters need.
     *
     * @param array $documents
     */
    public function load(array $documents): void {
        $this->reader = new roster_reader($documents);
        $this->protected = new protected_accounts();
        $this->roles = array_map('intval', array_column(get_all_roles(), 'id', 'shortname'));
        $this->enabled = enrol_is_enabled('nagasis');
    }

    /**
     * Plans one roster.
     *
     * @param array $document
     * @return plan
     */
    public function plan(array $document): plan {
        $course = $this->course($document['course']);
        if (!$this->enabled || ($course->instance && (int) $course->instance->status !== ENROL_INSTANCE_ENABLED)) {
            throw new refusal('enrol_disabled', null, ['course' => $document['course']]);
        }
        if ($document['count'] !== count($document['members'])) {
            throw new refusal('count_mismatch', '/count', [
                'count' => $document['count'],
                'members' => count($document['members']),
            ]);
        }
        $changes = new roster_changes($course);
        $results = [];
        $named = [];
        $times = array_count_values(array_map(fn(array $member): string => '=' . $member['user'], $document['members']));
        foreach ($document['members'] as $position => $member) {
            // Who is named is not absent, whatever else is wrong with the entry.
            $named += $this->reader->people($member['user']);
            try {
                if ($times['=' . $member['user']] > 1) {
                    throw new refusal('duplicate_member', "/members/$position/user", ['user' => $member['user']]);
                }
                $result = $this->member($member, "/members/$position", $document['course'], $course, $changes);
            } catch (refusal $refusal) {
                $result = $refusal->as_result();
            }
            $results[] = ['user' => $member['user']] + $result;
        }
        foreach (array_diff_key($course->enrolments, $named) as $enrolment) {
            if ((int) $enrolment->status === ENROL_USER_ACTIVE) {
                $results[] = ['user' => $enrolment->idnumber] + $this->absent($enrolment, $changes);
            }
        }
        return $this->finish($document, $course, $results, $changes);
    }

    /**
     * The plan of one roster, when its members have been compared.
     *
     * @param array $document
     * @param roster_course $course
     * @param array $results of its members
     * @param roster_changes $changes
     * @return plan
     */
    private function finish(array $document, roster_course $course, array $results, roster_changes $changes): plan {
        $result = ['result' => 'unchanged', 'id' => $course->id, 'changes' => [], 'members' => $results];
        if (!array_diff(array_column($results, 'result'), ['unchanged', 'refused'])) {
            return new plan($result);
        }
        $result['result'] = $course->instance ? 'updated' : 'created';
        return new plan($result, function () use ($course, $changes): void {
            $changes->execute();
            $this->touched[] = $course->id;
        }, fn() => $this->announce($document, $results));
    }

    /**
     * Tells the grades of the same call, in a preview, whom they would find in the course.
     *
     * @param array $document
     * @param array $results of its members
     */
    private function announce(array $document, array $results): void {
        global $CFG;
        $graded = explode(',', (string) $CFG->gradebookroles);
        foreach ($document['members'] as $position => $member) {
            $done = in_array($results[$position]['result'], ['created', 'updated'], true);
            if ($done && $member['status'] === 'active' && in_array((string) $this->roles[$member['role']], $graded, true)) {
                $this->directory->made('member', directory::group_key($document['course'], $member['user']), null);
            }
        }
    }

    /**
     * Says once more, just before all of it can be seen, that capabilities in these courses have changed.
     *
     * A session that has loaded its capabilities while the transaction was running would else believe that they are newer.
     */
    public function flush(): void {
        foreach ($this->touched as $courseid) {
            \core\context\course::instance($courseid)->mark_dirty();
        }
        $this->touched = [];
    }

    /**
     * The course of a roster, with its members.
     *
     * @param string $idnumber
     * @return roster_course
     */
    private function course(string $idnumber): roster_course {
        $found = $this->reader->courses($idnumber);
        if (count($found) > 1) {
            throw new refusal('ambiguous_idnumber', '/course', [
                'idnumber' => $idnumber,
                'names' => implode(', ', array_map(
                    fn(\stdClass $course): string => "$course->fullname ($course->shortname)",
                    $found,
                )),
            ]);
        }
        if ($found) {
            return $this->reader->members(array_key_first($found));
        }
        if ($this->directory->find('course', $idnumber) === null) {
            return new roster_course(null);
        }
        throw new refusal('course_missing', '/course', ['idnumber' => $idnumber]);
    }

    /**
     * Compares one person.
     *
     * @param array $member
     * @param string $field of the person in the document
     * @param string $courseidnumber
     * @param roster_course $course
     * @param roster_changes $changes
     * @return array the person's result, without who it is
     */
    private function member(
        array $member,
        string $field,
        string $courseidnumber,
        roster_course $course,
        roster_changes $changes,
    ): array {
        $person = $this->person($member['user'], "$field/user");
        $roleid = $this->roles[$member['role']] ?? throw new refusal('role_missing', "$field/role", ['role' => $member['role']]);
        $groupids = $this->groups($member['groups'], "$field/groups", $courseidnumber, $course);
        $userid = $person ? (int) $person->id : null;
        $enrolment = $course->enrolments[$userid] ?? null;
        $suspended = $member['status'] === 'suspended';
        if (!$enrolment && $suspended) {
            return ['result' => 'unchanged', 'changes' => []];
        }
        if ($person && $this->is_refused($userid, $enrolment, $suspended)) {
            throw new refusal('protected_user', "$field/user", ['user' => user_index::describe($person)]);
        }
        if (!$enrolment) {
            // In a preview some of it has no id yet, and nothing of it is written.
            if ($userid !== null) {
                $changes->enrol($userid, $roleid);
                $changes->groups($userid, array_filter($groupids));
            }
            return ['result' => 'created', 'changes' => []];
        }
        return $this->compare($member, $enrolment, $roleid, $groupids, $course, $changes);
    }

    /**
     * Compares one person who is enrolled.
     *
     * @param array $member
     * @param \stdClass $enrolment
     * @param int $roleid
     * @param array $groupids wanted groups' ids by "=idnumber"; null: would be made
     * @param roster_course $course
     * @param roster_changes $changes
     * @return array
     */
    private function compare(
        array $member,
        \stdClass $enrolment,
        int $roleid,
        array $groupids,
        roster_course $course,
        roster_changes $changes,
    ): array {
        $userid = (int) $enrolment->userid;
        $found = [];
        $held = array_values($course->roles[$userid] ?? []);
        if ($held !== [$roleid]) {
            $names = array_keys(array_intersect($this->roles, $held));
            $found[] = ['field' => 'role', 'before' => implode(', ', $names) ?: null, 'after' => $member['role']];
            $changes->role($userid, $roleid);
        }
        $status = $member['status'] === 'active' ? ENROL_USER_ACTIVE : ENROL_USER_SUSPENDED;
        if ((int) $enrolment->status !== $status) {
            $before = $member['status'] === 'active' ? 'suspended' : 'active';
            $found[] = ['field' => 'status', 'before' => $before, 'after' => $member['status']];
            $changes->status($userid, $status);
        }
        $after = array_map(fn(string $key): string => substr($key, 1), array_keys($groupids));
        $other = array_filter(
            $groupids,
            fn(?int $groupid): bool => $groupid && $course->membership($userid, $groupid) === 'other',
        );
        $before = [
            ...array_values($course->groups_of($userid)),
            ...array_map(fn(string $key): string => substr($key, 1), array_keys($other)),
        ];
        sort($before, SORT_STRING);
        sort($after, SORT_STRING);
        if ($before !== $after) {
            $found[] = ['field' => 'groups', 'before' => $before, 'after' => $after];
            $changes->groups($userid, array_filter($groupids));
        }
        $result = match (true) {
            !$found => 'unchanged',
            array_column($found, 'field') === ['status'] && $member['status'] === 'suspended' => 'suspended',
            default => 'updated',
        };
        return ['result' => $result, 'changes' => $found];
    }

    /**
     * Suspends somebody who is absent from the roster.
     *
     * @param \stdClass $enrolment
     * @param roster_changes $changes
     * @return array
     */
    private function absent(\stdClass $enrolment, roster_changes $changes): array {
        if ($this->protected->has((int) $enrolment->userid)) {
            return (new refusal('protected_user', null, ['user' => user_index::describe($enrolment)]))->as_result();
        }
        $changes->status((int) $enrolment->userid, ENROL_USER_SUSPENDED);
        return [
            'result' => 'suspended',
            'changes' => [['field' => 'status', 'before' => 'active', 'after' => 'suspended']],
        ];
    }

    /**
     * Whether an account can't be what the roster wants: an administrator suspended, or the guest a member.
     *
     * @param int $userid
     * @param \stdClass|null $enrolment
     * @param bool $suspended what the roster wants
     * @return bool
     */
    private function is_refused(int $userid, ?\stdClass $enrolment, bool $suspended): bool {
        if ($this->protected->is_nobody($userid)) {
            return true;
        }
        return $suspended && (int) $enrolment->status === ENROL_USER_ACTIVE && $this->protected->has($userid);
    }

    /**
     * Finds a person.
     *
     * @param string $idnumber
     * @param string $field
     * @return \stdClass|null null: would be made by this call
     */
    private function person(string $idnumber, string $field): ?\stdClass {
        $found = $this->reader->people($idnumber);
        if (count($found) > 1) {
            throw new refusal('ambiguous_idnumber', $field, [
                'idnumber' => $idnumber,
                'names' => implode(', ', array_map(user_index::describe(...), $found)),
            ]);
        }
        if (!$found && $this->directory->find('user', $idnumber) !== null) {
            throw new refusal('user_missing', $field, ['idnumber' => $idnumber]);
        }
        return $found ? reset($found) : null;
    }

    /**
     * Finds groups.
     *
     * @param string[] $idnumbers
     * @param string $field
     * @param string $courseidnumber
     * @param roster_course $course
     * @return array ids by "=idnumber"; null: would be made by this call
     */
    private function groups(array $idnumbers, string $field, string $courseidnumber, roster_course $course): array {
        $ids = [];
        foreach ($idnumbers as $position => $idnumber) {
            $found = $course->groups["=$idnumber"] ?? [];
            if (count($found) > 1) {
                throw new refusal('ambiguous_idnumber', "$field/$position", [
                    'idnumber' => $idnumber,
                    'names' => implode(', ', array_column($found, 'name')),
                ]);
            }
            $key = directory::group_key($courseidnumber, $idnumber);
            if (!$found && $this->directory->find('group', $key) !== null) {
                throw new refusal('group_missing', "$field/$position", ['idnumber' => $idnumber]);
            }
            $ids["=$idnumber"] = array_key_first($found);
        }
        return $ids;
    }
}
