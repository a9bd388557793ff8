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
 * Writes user accounts.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

/**
 * Writes user accounts: changes by Moodle's own function, new ones in bulk with the same effects.
 */
final class user_writer {
    /**
     * Makes accounts as user_create_user() does, with a fixed number of statements for all of them.
     *
     * Whoever signs in with a password has to ask for one: none is set, and no mail is sent.
     *
     * @param \stdClass[] $records with the fields of a document
     * @return int[] their ids, by the same keys
     */
    public static function create(array $records): array {
        global $CFG, $DB;
        require_once($CFG->dirroot . '/user/lib.php');
        if (!$records) {
            return [];
        }
        $defaults = self::defaults();
        $DB->insert_records('user', array_map(function (\stdClass $record) use ($defaults): array {
            $user = (array) $record + $defaults;
            unset($user['id']);
            return $user;
        }, array_values($records)));

        [$in, $params] = $DB->get_in_or_equal(array_column($records, 'username'), SQL_PARAMS_NAMED);
        $params['mnethostid'] = $CFG->mnet_localhost_id;
        $where = "username $in AND mnethostid = :mnethostid";
        $found = $DB->get_records_select_menu('user', $where, $params, '', 'username, id');
        $ids = array_map(fn(\stdClass $record): int => (int) $found[$record->username], $records);

        context_maker::make(CONTEXT_USER, $ids, \core\context\system::instance());
        foreach ($ids as $id) {
            \core\event\user_created::create_from_userid($id)->trigger();
        }
        \cache::make('core', 'presignup')->purge_current_user();
        return $ids;
    }

    /**
     * Changes some fields of an account.
     *
     * @param int $id
     * @param \stdClass $fields
     */
    public static function update(int $id, \stdClass $fields): void {
        global $CFG;
        require_once($CFG->dirroot . '/user/lib.php');
        user_update_user((object) (['id' => $id] + (array) $fields), false);
        if (!empty($fields->suspended)) {
            \core\session\manager::destroy_user_sessions($id);
        }
    }

    /**
     * What a new account has beside the fields of its document.
     *
     * @return array
     */
    private static function defaults(): array {
        global $CFG;
        $defaults = [
            'confirmed' => 1,
            'mnethostid' => $CFG->mnet_localhost_id,
            'password' => AUTH_PASSWORD_NOT_CACHED,
            'country' => \core_user::get_property_default('country') ?: '',
            'timecreated' => \core\di::get(\core\clock::class)->time(),
        ];
        $defaults['timemodified'] = $defaults['timecreated'];
        $settings = ['calendartype', 'maildisplay', 'mailformat', 'maildigest', 'autosubscribe', 'trackforums', 'lang', 'city'];
        foreach ($settings as $setting) {
            $defaults[$setting] = \core_user::get_property_default($setting);
        }
        return $defaults;
    }
}
