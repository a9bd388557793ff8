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
 * The role of the service user.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\pairing;

/**
 * A role that can do exactly what the tool needs.
 */
final class role_step implements step {
    /** @var string */
    private const SHORTNAME = 'nagasis';

    /** @var string[] All that it may do. */
    public const CAPABILITIES = ['local/nagasis:apply', 'local/nagasis:read', 'webservice/rest:use'];

    #[\Override]
    public function name(): string {
        return 'role';
    }

    #[\Override]
    public function needed(): array {
        $id = self::id();
        if ($id === null) {
            return [get_string('will_role', 'local_nagasis', implode(', ', self::CAPABILITIES))];
        }
        return self::drifted($id) ? [get_string('will_mendrole', 'local_nagasis', implode(', ', self::CAPABILITIES))] : [];
    }

    #[\Override]
    public function run(): void {
        $id = self::id();
        if ($id === null) {
            journal::note('role', ['exists' => 0], ['exists' => 1]);
            $description = get_string('roledescription', 'local_nagasis');
            $id = (int) create_role(get_string('rolename', 'local_nagasis'), self::SHORTNAME, $description);
        }
        set_role_contextlevels($id, [CONTEXT_SYSTEM]);
        foreach (self::drifted($id) as $capability) {
            unassign_capability($capability, $id);
            if (in_array($capability, self::CAPABILITIES, true)) {
                assign_capability($capability, CAP_ALLOW, $id, \context_system::instance()->id, true);
            }
        }
    }

    #[\Override]
    public function undo(): array {
        $id = self::id();
        if (journal::get('role') && $id !== null) {
            delete_role($id);
        }
        journal::forget('role');
        return [];
    }

    /**
     * The role's id.
     *
     * @return int|null null if there is none
     */
    public static function id(): ?int {
        global $DB;
        return ((int) $DB->get_field('role', 'id', ['shortname' => self::SHORTNAME])) ?: null;
    }

    /**
     * Capabilities that the role must get, or must lose.
     *
     * @param int $id
     * @return string[]
     */
    private static function drifted(int $id): array {
        global $DB;
        $has = [];
        $wrong = [];
        foreach ($DB->get_records('role_capabilities', ['roleid' => $id]) as $row) {
            $right = in_array($row->capability, self::CAPABILITIES, true)
                && (int) $row->permission === CAP_ALLOW
                && (int) $row->contextid === (int) \context_system::instance()->id;
            if ($right) {
                $has[] = $row->capability;
            } else {
                $wrong[] = $row->capability;
            }
        }
        return array_values(array_unique([...array_diff(self::CAPABILITIES, $has), ...$wrong]));
    }
}
