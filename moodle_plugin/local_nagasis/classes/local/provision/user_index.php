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
 * The accounts that some documents concern.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

/**
 * The accounts that some documents are for or could clash with, in three queries; kept right while they change.
 */
final class user_index {
    /** @var string What is read of an account. */
    private const COLUMNS = 'id, idnumber, username, firstname, lastname, email, alternatename, suspended, deleted';

    /** @var \stdClass[][] Accounts by idnumber; the sign in front keeps a key of digits from becoming a number. */
    private array $idnumbers = [];

    /** @var \stdClass[] Accounts by username, also deleted ones: Moodle's own index does not let it be used again. */
    private array $usernames = [];

    /** @var \stdClass[][] Accounts by address in lower case. */
    private array $emails = [];

    /** @var \stdClass[] Accounts by id, so that one account is one object. */
    private array $users = [];

    /**
     * Reads the accounts.
     *
     * @param array $documents
     */
    public function __construct(array $documents) {
        global $CFG, $DB;
        $local = ['mnethostid' => $CFG->mnet_localhost_id];

        [$in, $params] = $DB->get_in_or_equal(array_column($documents, 'idnumber'), SQL_PARAMS_NAMED);
        $this->read("idnumber $in AND deleted = 0 AND mnethostid = :mnethostid", $params + $local);

        // Whoever keeps a name or an address cannot clash by it: to look for addresses is to read the whole table.
        $usernames = $this->wanted($documents, 'username');
        if ($usernames) {
            [$in, $params] = $DB->get_in_or_equal($usernames, SQL_PARAMS_NAMED);
            $this->read("username $in AND mnethostid = :mnethostid", $params + $local);
        }
        $emails = array_map(\core_text::strtolower(...), $this->wanted($documents, 'email'));
        if ($emails && empty($CFG->allowaccountssameemail)) {
            [$in, $params] = $DB->get_in_or_equal($emails, SQL_PARAMS_NAMED);
            $this->read("LOWER(email) $in AND deleted = 0 AND mnethostid = :mnethostid", $params + $local);
        }
    }

    /**
     * What documents want of a field that their accounts don't have yet.
     *
     * @param array $documents
     * @param string $field
     * @return string[]
     */
    private function wanted(array $documents, string $field): array {
        return array_column(array_filter($documents, function (array $document) use ($field): bool {
            $user = $this->by_idnumber($document['idnumber'])[0] ?? null;
            return $user?->$field !== $document[$field];
        }), $field);
    }

    /**
     * An account in words, so that an administrator finds it.
     *
     * @param \stdClass $user
     * @return string
     */
    public static function describe(\stdClass $user): string {
        return trim("$user->firstname $user->lastname") . " ($user->username)";
    }

    /**
     * The accounts with this idnumber.
     *
     * @param string $idnumber
     * @return \stdClass[]
     */
    public function by_idnumber(string $idnumber): array {
        return $this->idnumbers["=$idnumber"] ?? [];
    }

    /**
     * Another account with this username.
     *
     * @param string $username
     * @param \stdClass|null $self
     * @return \stdClass|null
     */
    public function other_with_username(string $username, ?\stdClass $self): ?\stdClass {
        $found = $this->usernames["=$username"] ?? null;
        return $found === $self ? null : $found;
    }

    /**
     * Another account with this address, in whatever case.
     *
     * @param string $email
     * @param \stdClass|null $self
     * @return \stdClass|null
     */
    public function other_with_email(string $email, ?\stdClass $self): ?\stdClass {
        foreach ($this->emails['=' . \core_text::strtolower($email)] ?? [] as $found) {
            if ($found !== $self) {
                return $found;
            }
        }
        return null;
    }

    /**
     * Takes up an account.
     *
     * @param \stdClass $user id is null while it has yet to be made
     */
    public function put(\stdClass $user): void {
        $this->usernames["=$user->username"] = $user;
        if (empty($user->deleted)) {
            $this->emails['=' . \core_text::strtolower($user->email)][] = $user;
            if ($user->idnumber !== '') {
                $this->idnumbers["=$user->idnumber"][] = $user;
            }
        }
    }

    /**
     * Changes an account that is known.
     *
     * @param \stdClass $user
     * @param array $fields
     */
    public function change(\stdClass $user, array $fields): void {
        if (($this->usernames["=$user->username"] ?? null) === $user) {
            unset($this->usernames["=$user->username"]);
        }
        foreach (['emails' => \core_text::strtolower($user->email), 'idnumbers' => $user->idnumber] as $list => $key) {
            $others = array_filter($this->{$list}["=$key"] ?? [], fn($each) => $each !== $user);
            $this->{$list}["=$key"] = array_values($others);
        }
        foreach ($fields as $field => $value) {
            $user->$field = $value;
        }
        $this->put($user);
    }

    /**
     * Reads some accounts.
     *
     * @param string $where
     * @param array $params
     */
    private function read(string $where, array $params): void {
        global $DB;
        foreach ($DB->get_records_select('user', $where, $params, 'id', self::COLUMNS) as $user) {
            if (!isset($this->users[$user->id])) {
                $this->users[$user->id] = $user;
                $this->put($user);
            }
        }
    }
}
