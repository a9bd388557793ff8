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
 * Accounts that no document may touch.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

/**
 * Accounts that no document may touch: site administrators, the guest, and the account that the tool's calls run as.
 *
 * Where such an account has an idnumber of the SIS, a wrong row there could lock everybody out of Moodle.
 */
final class protected_accounts {
    /** @var string Username of the account that the tool's calls run as. */
    public const SERVICE_USER = 'nagasis_service';

    /** @var int[] ids of the administrators */
    private array $administrators;

    /** @var int[] ids of the guest and of the service user */
    private array $notpeople;

    /**
     * Constructor. One query.
     */
    public function __construct() {
        global $CFG, $DB;
        $this->administrators = array_map('intval', explode(',', $CFG->siteadmins ?? ''));
        $this->notpeople = [
            (int) ($CFG->siteguest ?? 0),
            (int) $DB->get_field('user', 'id', ['username' => self::SERVICE_USER, 'mnethostid' => $CFG->mnet_localhost_id]),
        ];
    }

    /**
     * All of them.
     *
     * @return int[] never empty
     */
    public function all(): array {
        return array_values(array_unique([...$this->administrators, ...$this->notpeople]));
    }

    /**
     * Whether no document may change or suspend this account.
     *
     * @param int $userid
     * @return bool
     */
    public function has(int $userid): bool {
        return in_array($userid, $this->administrators, true) || $this->is_nobody($userid);
    }

    /**
     * Whether this account is of no person, so that it can't be a member of a course either.
     *
     * @param int $userid
     * @return bool
     */
    public function is_nobody(int $userid): bool {
        return in_array($userid, $this->notpeople, true);
    }
}
