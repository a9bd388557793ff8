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
 * The service user.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\pairing;

/**
 * The account in whose name the tool works: it can never sign in, has one role, and may use one service.
 */
final class user_step implements step {
    /** @var string */
    public const USERNAME = 'nagasis_service';

    #[\Override]
    public function name(): string {
        return 'user';
    }

    #[\Override]
    public function needed(): array {
        $user = self::find();
        if (!$user) {
            return [get_string('will_user', 'local_nagasis', self::USERNAME)];
        }
        $right = self::usable($user) && self::has_role((int) $user->id) && self::authorised((int) $user->id);
        return $right ? [] : [get_string('will_menduser', 'local_nagasis', self::USERNAME)];
    }

    #[\Override]
    public function run(): void {
        global $CFG;
        require_once($CFG->dirroot . '/user/lib.php');
        require_once($CFG->dirroot . '/webservice/lib.php');
        $user = self::find();
        if (!$user) {
            journal::note('user', ['exists' => 0], ['exists' => 1]);
            $id = self::create();
        } else {
            $id = (int) $user->id;
            if (!self::usable($user)) {
                user_update_user(['id' => $id] + self::wanted(), false, true);
            }
        }
        set_config('serviceuserid', $id, 'local_nagasis');
        if (!self::has_role($id)) {
            role_assign(role_step::id(), $id, \context_system::instance()->id, 'local_nagasis');
        }
        if (!self::authorised($id)) {
            (new \webservice())->add_ws_authorised_user((object) [
                'externalserviceid' => services_step::service()->id,
                'userid' => $id,
            ]);
        }
    }

    #[\Override]
    public function undo(): array {
        global $DB;
        unset_config('serviceuserid', 'local_nagasis');
        $user = self::find();
        if ($user) {
            $DB->delete_records('external_services_users', [
                'externalserviceid' => services_step::service()->id,
                'userid' => $user->id,
            ]);
            role_unassign_all(['userid' => $user->id, 'component' => 'local_nagasis']);
            if (journal::get('user')) {
                delete_user($user);
            }
        }
        journal::forget('user');
        return [];
    }

    /**
     * The account.
     *
     * @return \stdClass|null
     */
    public static function find(): ?\stdClass {
        global $DB, $CFG;
        $where = ['username' => self::USERNAME, 'mnethostid' => $CFG->mnet_localhost_id, 'deleted' => 0];
        return $DB->get_record('user', $where) ?: null;
    }

    /**
     * Makes the account.
     *
     * @return int its id
     */
    private static function create(): int {
        global $CFG;
        return (int) user_create_user((object) (self::wanted() + [
            'username' => self::USERNAME,
            'mnethostid' => $CFG->mnet_localhost_id,
            'password' => AUTH_PASSWORD_NOT_CACHED,
            // Nothing can be sent there, and Moodle does not try to.
            'email' => self::USERNAME . '@naga.invalid',
            'firstname' => 'Naga SIS',
            'lastname' => get_string('serviceuserlastname', 'local_nagasis'),
            'description' => get_string('serviceuserdescription', 'local_nagasis'),
            'descriptionformat' => FORMAT_PLAIN,
            'maildisplay' => \core_user::MAILDISPLAY_HIDE,
        ]), false, true);
    }

    /**
     * What must be so for the account to be let in by its token, and in no other way.
     *
     * @return array
     */
    private static function wanted(): array {
        return ['auth' => 'webservice', 'confirmed' => 1, 'suspended' => 0, 'emailstop' => 1];
    }

    /**
     * Whether the account is as it must be.
     *
     * @param \stdClass $user
     * @return bool
     */
    private static function usable(\stdClass $user): bool {
        return $user->auth === 'webservice' && $user->confirmed && !$user->suspended;
    }

    /**
     * Whether the account has our role.
     *
     * @param int $id
     * @return bool
     */
    private static function has_role(int $id): bool {
        $role = role_step::id();
        return $role !== null && user_has_role_assignment($id, $role, \context_system::instance()->id);
    }

    /**
     * Whether the account may use our service.
     *
     * @param int $id
     * @return bool
     */
    private static function authorised(int $id): bool {
        global $DB;
        $where = ['externalserviceid' => services_step::service()->id, 'userid' => $id];
        return $DB->record_exists('external_services_users', $where);
    }
}
