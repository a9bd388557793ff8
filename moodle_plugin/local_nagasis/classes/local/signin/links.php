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
 * Who is who at the provider.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\signin;

use core\oauth2\issuer;
use local_nagasis\local\provision\protected_accounts;

/**
 * Which account of the provider is which of Moodle: by the person's key in the SIS, which is the ID number here and a claim there.
 * With it nobody needs a mail to confirm it, and neither address nor username counts.
 *
 * Site administrators are never linked: their own way in stays theirs alone.
 */
final class links {
    /** @var string */
    private const TABLE = 'auth_oauth2_linked_login';

    /**
     * The issuer that people sign in by.
     *
     * @return int|null its id; null if there is none, or it is switched off
     */
    public static function issuer(): ?int {
        $id = (int) get_config('local_nagasis', 'signinissuer');
        $issuer = $id ? issuer::get_record(['id' => $id]) : false;
        return $issuer && $issuer->is_available_for_login() && is_enabled_auth('oauth2') ? $id : null;
    }

    /**
     * Links accounts that were made just now.
     *
     * @param \stdClass[] $users id, idnumber, email
     */
    public static function add(array $users): void {
        global $DB;
        $issuer = $users ? self::issuer() : null;
        if ($issuer === null) {
            return;
        }
        $now = \core\di::get(\core\clock::class)->time();
        $names = array_map(fn(\stdClass $user): string => self::name($user->idnumber), $users);
        [$in, $params] = $DB->get_in_or_equal($names, SQL_PARAMS_NAMED);
        $taken = $DB->get_fieldset_select(self::TABLE, 'username', "issuerid = :issuer AND username $in", $params + [
            'issuer' => $issuer,
        ]);
        // Two keys that differ only by capital letters are one for Moodle: nobody is let in as somebody else.
        $free = array_filter(
            array_combine(array_column($users, 'id'), $names),
            fn(string $name): bool => !in_array($name, $taken, true) && count(array_keys($names, $name, true)) === 1,
        );
        $emails = array_column($users, 'email', 'id');
        $DB->insert_records(self::TABLE, array_map(fn(int $id, string $name): array => [
            'timecreated' => $now,
            'timemodified' => $now,
            'usermodified' => self::actor(),
            'userid' => $id,
            'issuerid' => $issuer,
            'username' => $name,
            'email' => $emails[$id],
            'confirmtoken' => '',
            'confirmtokenexpires' => 0,
        ], array_keys($free), $free));
    }

    /**
     * How many accounts have yet to be linked.
     *
     * @param int $issuer
     * @return int
     */
    public static function missing(int $issuer): int {
        global $DB;
        [$where, $params] = self::unlinked($issuer);
        return $DB->count_records_sql("SELECT COUNT(1) FROM {user} u WHERE $where", $params);
    }

    /**
     * Links every account that has an ID number, and parts those whose ID number is another by now.
     *
     * @param int $issuer
     */
    public static function mend(int $issuer): void {
        global $DB;
        $ids = implode(', ', self::protected());
        $DB->delete_records_select(
            self::TABLE,
            "issuerid = :issuer AND userid NOT IN ($ids) AND EXISTS (
                SELECT 1 FROM {user} u
                 WHERE u.id = {" . self::TABLE . "}.userid AND u.idnumber <> :nothing
                   AND LOWER(u.idnumber) <> {" . self::TABLE . "}.username)",
            ['issuer' => $issuer, 'nothing' => ''],
        );
        $now = \core\di::get(\core\clock::class)->time();
        $actor = self::actor();
        [$where, $params] = self::unlinked($issuer);
        $DB->execute(
            "INSERT INTO {" . self::TABLE . "}
                    (timecreated, timemodified, usermodified, userid, issuerid, username, email, confirmtoken, confirmtokenexpires)
             SELECT $now, $now, $actor, u.id, $issuer, LOWER(u.idnumber), u.email, '', 0
               FROM {user} u
              WHERE $where",
            $params,
        );
    }

    /**
     * Removes the links of an issuer. Whoever had no other way in signs in by Moodle itself from now on.
     *
     * @param int $issuer
     * @return int how many those are
     */
    public static function remove(int $issuer): int {
        global $DB;
        $where = "auth = 'oauth2' AND EXISTS (
                      SELECT 1 FROM {" . self::TABLE . "} l WHERE l.userid = {user}.id AND l.issuerid = :issuer)
                  AND NOT EXISTS (
                      SELECT 1 FROM {" . self::TABLE . "} o WHERE o.userid = {user}.id AND o.issuerid <> :other)";
        $params = ['issuer' => $issuer, 'other' => $issuer];
        $count = $DB->count_records_select('user', $where, $params);
        $DB->set_field_select('user', 'auth', 'manual', $where, $params);
        $DB->delete_records(self::TABLE, ['issuerid' => $issuer]);
        return $count;
    }

    /**
     * Which accounts have yet to be linked.
     *
     * @param int $issuer
     * @return array{string, array} condition on {user} u, and its parameters
     */
    private static function unlinked(int $issuer): array {
        global $CFG;
        $ids = implode(', ', self::protected());
        return [
            "u.deleted = 0 AND u.idnumber <> '' AND u.mnethostid = :mnethostid AND u.id NOT IN ($ids)
             AND LOWER(u.idnumber) NOT IN (
                 SELECT l.username FROM {" . self::TABLE . "} l WHERE l.issuerid = $issuer)
             AND LOWER(u.idnumber) IN (
                 SELECT LOWER(k.idnumber) FROM {user} k
                  WHERE k.deleted = 0 AND k.idnumber <> '' GROUP BY LOWER(k.idnumber) HAVING COUNT(1) = 1)",
            ['mnethostid' => $CFG->mnet_localhost_id],
        ];
    }

    /**
     * Accounts that are never linked.
     *
     * @return int[]
     */
    private static function protected(): array {
        return (new protected_accounts())->all();
    }

    /**
     * How the provider's key of a person stands in a link: auth_oauth2 writes what it reads in small letters.
     *
     * @param string $idnumber
     * @return string
     */
    private static function name(string $idnumber): string {
        return \core_text::strtolower($idnumber);
    }

    /**
     * Who does it.
     *
     * @return int
     */
    private static function actor(): int {
        global $USER;
        return (int) $USER->id;
    }
}
