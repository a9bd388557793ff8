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
 * The members of one course, as they are.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

/**
 * The members of one course by the SIS, and its groups, as they are.
 */
final class roster_course {
    /** @var int|null id of the course; null: it would be made by this call */
    public ?int $id;

    /** @var \stdClass|null the enrolment instance of the SIS; null: none yet */
    public ?\stdClass $instance = null;

    /** @var \stdClass[] its enrolments by user id, with who it is: userid, status, idnumber, username, firstname, lastname */
    public array $enrolments = [];

    /** @var array the roles' ids of these by user id and id of the assignment */
    public array $roles = [];

    /** @var array groups that have an idnumber, by "=idnumber" and id */
    public array $groups = [];

    /** @var array memberships of these groups, whoever made them, by user id and group id */
    public array $memberships = [];

    /**
     * Constructor.
     *
     * @param int|null $id
     */
    public function __construct(?int $id) {
        $this->id = $id;
    }

    /**
     * Idnumbers of the groups in which the SIS has put somebody.
     *
     * @param int $userid
     * @return string[] by group id
     */
    public function groups_of(int $userid): array {
        $found = [];
        foreach ($this->groups as $key => $groups) {
            foreach (array_keys($groups) as $groupid) {
                if ($this->membership($userid, $groupid) === 'ours') {
                    $found[$groupid] = substr($key, 1);
                }
            }
        }
        return $found;
    }

    /**
     * Whose somebody's membership of a group is.
     *
     * @param int $userid
     * @param int $groupid
     * @return string|null ours, hand (made by a person, so it is adopted when the SIS says the same), other (of another
     *     enrolment plugin, which is left alone); null: not a member
     */
    public function membership(int $userid, int $groupid): ?string {
        $membership = $this->memberships[$userid][$groupid] ?? null;
        if ($membership === null) {
            return null;
        }
        if ($membership->component !== \enrol_nagasis\members::COMPONENT) {
            return $membership->component === '' ? 'hand' : 'other';
        }
        // What an instance that is gone has left belongs to nobody.
        return $this->instance && (int) $membership->itemid === (int) $this->instance->id ? 'ours' : 'hand';
    }
}
