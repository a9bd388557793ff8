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
 * What one roster would change.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

use enrol_nagasis\{group_members, members};

/**
 * What one roster would change, collected while its members are compared, and written in bulk.
 */
final class roster_changes {
    /** @var roster_course the members as they are */
    private roster_course $course;

    /** @var int[] roles of people to be enrolled, by user id */
    private array $enrol = [];

    /** @var array people to be let in again or suspended, by the new status */
    private array $status = [ENROL_USER_ACTIVE => [], ENROL_USER_SUSPENDED => []];

    /** @var array roles to be given: pairs of user id and role id */
    private array $assign = [];

    /** @var int[] ids of role assignments to be taken away */
    private array $unassign = [];

    /** @var array people to be put into groups, by group id */
    private array $join = [];

    /** @var array ids of memberships to be made the SIS's, by group id */
    private array $adopt = [];

    /** @var array people to be taken out of groups, by group id */
    private array $leave = [];

    /**
     * Constructor.
     *
     * @param roster_course $course
     */
    public function __construct(roster_course $course) {
        $this->course = $course;
    }

    /**
     * Somebody is to be enrolled.
     *
     * @param int $userid
     * @param int $roleid
     */
    public function enrol(int $userid, int $roleid): void {
        $this->enrol[$userid] = $roleid;
        // What an enrolment that was deleted behind Moodle's back has left.
        array_push($this->unassign, ...array_keys($this->course->roles[$userid] ?? []));
    }

    /**
     * Somebody who is enrolled is to be suspended or let in again.
     *
     * @param int $userid
     * @param int $status
     */
    public function status(int $userid, int $status): void {
        $this->status[$status][] = $userid;
    }

    /**
     * Somebody who is enrolled is to have one role and no other.
     *
     * @param int $userid
     * @param int $roleid
     */
    public function role(int $userid, int $roleid): void {
        $held = $this->course->roles[$userid] ?? [];
        $keep = array_search($roleid, $held, true);
        if ($keep === false) {
            $this->assign[] = [$userid, $roleid];
        }
        array_push($this->unassign, ...array_diff(array_keys($held), [$keep]));
    }

    /**
     * Somebody is to be in these groups by the SIS, and in no others by it.
     *
     * @param int $userid
     * @param int[] $groupids
     */
    public function groups(int $userid, array $groupids): void {
        foreach ($groupids as $groupid) {
            $held = $this->course->membership($userid, $groupid);
            if ($held === null) {
                $this->join[$groupid][] = $userid;
            } else if ($held === 'hand') {
                $this->adopt[$groupid][] = (int) $this->course->memberships[$userid][$groupid]->id;
            }
        }
        foreach (array_diff(array_keys($this->course->groups_of($userid)), $groupids) as $groupid) {
            $this->leave[$groupid][] = $userid;
        }
    }

    /**
     * Writes all of it.
     */
    public function execute(): void {
        global $DB;
        $instance = $this->course->instance ?? $this->make_instance();
        $members = new members($instance);
        // Roles are given before others are taken, so that nobody is without one in between.
        $members->set_status($this->status[ENROL_USER_ACTIVE], ENROL_USER_ACTIVE);
        $members->assign($this->assign);
        $members->unassign($this->unassign);
        $members->enrol($this->enrol);
        $members->set_status($this->status[ENROL_USER_SUSPENDED], ENROL_USER_SUSPENDED);

        $groupids = array_unique(array_merge(array_keys($this->join), array_keys($this->adopt), array_keys($this->leave)));
        foreach ($DB->get_records_list('groups', 'id', $groupids, 'id') as $id => $group) {
            $writer = new group_members($group, (int) $instance->id);
            $writer->adopt($this->adopt[$id] ?? []);
            $writer->add($this->join[$id] ?? []);
            $writer->remove($this->leave[$id] ?? []);
        }
    }

    /**
     * Makes the course's enrolment instance of the SIS.
     *
     * @return \stdClass
     */
    private function make_instance(): \stdClass {
        global $DB;
        $id = enrol_get_plugin('nagasis')->add_instance((object) ['id' => $this->course->id]);
        return $DB->get_record('enrol', ['id' => $id], '*', MUST_EXIST);
    }
}
