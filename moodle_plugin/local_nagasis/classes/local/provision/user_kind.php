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
 * People as user accounts.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

use local_nagasis\local\contract\refusal;
use local_nagasis\local\signin\links;

/**
 * A Person as a user account.
 */
final class user_kind implements buffered_kind {
    /** @var string[] Fields that the SIS owns. */
    private const FIELDS = ['username', 'firstname', 'lastname', 'email', 'alternatename', 'suspended'];

    /** @var directory What this call has made. */
    private readonly directory $directory;

    /** @var user_index Accounts by idnumber, username and address. */
    private user_index $index;

    /** @var protected_accounts Accounts that no document may touch. */
    private protected_accounts $protected;

    /** @var bool Whether people sign in by the school's provider. */
    private bool $signin;

    /** @var array Accounts to be made: plan and record. */
    private array $queue = [];

    /**
     * Constructor.
     *
     * @param directory $directory
     */
    public function __construct(directory $directory) {
        $this->directory = $directory;
    }

    /**
     * Reads the accounts that these documents are for or could clash with.
     *
     * @param array $documents
     */
    public function load(array $documents): void {
        $this->index = new user_index($documents);
        $this->protected = new protected_accounts();
        $this->signin = links::issuer() !== null;
    }

    /**
     * Plans one document.
     *
     * @param array $document
     * @return plan
     */
    public function plan(array $document): plan {
        $found = $this->index->by_idnumber($document['idnumber']);
        if (count($found) > 1) {
            throw new refusal('ambiguous_idnumber', '/idnumber', [
                'idnumber' => $document['idnumber'],
                'names' => implode(', ', array_map(user_index::describe(...), $found)),
            ]);
        }
        return $found ? $this->plan_update($document, reset($found)) : $this->plan_create($document);
    }

    /**
     * Makes the accounts that are waiting.
     */
    public function flush(): void {
        $queue = $this->queue;
        $this->queue = [];
        $ids = user_writer::create(array_column($queue, 'record'));
        foreach ($queue as $index => $each) {
            $each['plan']->result['id'] = $ids[$index];
            $each['record']->id = $ids[$index];
            $this->directory->made('user', $each['record']->idnumber, $ids[$index]);
        }
        links::add(array_column($queue, 'record'));
    }

    /**
     * Plans a new account.
     *
     * @param array $document
     * @return plan
     */
    private function plan_create(array $document): plan {
        if (!exists_auth_plugin($document['auth'])) {
            throw new refusal('auth_missing', '/auth', ['auth' => $document['auth']]);
        }
        $this->check_username($document, null);
        $this->check_email($document, null);
        $record = (object) array_intersect_key($document, array_flip(self::FIELDS));
        $record->suspended = (int) $document['suspended'];
        $record->idnumber = $document['idnumber'];
        // Where the school has a sign-in of its own, "manual" is no wish: nobody has a password here yet.
        $record->auth = $document['auth'] === 'manual' && $this->signin ? 'oauth2' : $document['auth'];
        $record->id = null;
        return new plan(
            ['result' => 'created'],
            function (plan $plan) use ($record): void {
                $this->index->put($record);
                $this->queue[] = ['plan' => $plan, 'record' => $record];
            },
            function () use ($record): void {
                $this->index->put($record);
                $this->directory->made('user', $record->idnumber, null);
            },
        );
    }

    /**
     * Plans what differs in an account.
     *
     * @param array $document
     * @param \stdClass $user
     * @return plan
     */
    private function plan_update(array $document, \stdClass $user): plan {
        $changes = [];
        $record = new \stdClass();
        foreach (self::FIELDS as $field) {
            $before = $field === 'suspended' ? (bool) $user->suspended : (string) $user->$field;
            if ($before !== $document[$field]) {
                $changes[] = ['field' => $field, 'before' => $before, 'after' => $document[$field]];
                $record->$field = $field === 'suspended' ? (int) $document[$field] : $document[$field];
            }
        }
        $id = $user->id === null ? null : (int) $user->id;
        if (!$changes) {
            return new plan(['result' => 'unchanged', 'id' => $id]);
        }
        if ($id !== null && $this->protected->has($id)) {
            throw new refusal('protected_user', '/idnumber', ['user' => user_index::describe($user)]);
        }
        if (isset($record->username)) {
            $this->check_username($document, $user);
        }
        if (isset($record->email)) {
            $this->check_email($document, $user);
        }
        $suspends = array_column($changes, 'field') === ['suspended'] && $document['suspended'];
        $remember = function () use ($user, $record): void {
            $this->index->change($user, (array) $record);
        };
        return new plan(
            ['result' => $suspends ? 'suspended' : 'updated', 'id' => $id, 'changes' => $changes],
            function () use ($id, $record, $remember): void {
                user_writer::update($id, $record);
                $remember();
            },
            $remember,
        );
    }

    /**
     * Refuses a username that Moodle does not allow, or that another account has.
     *
     * @param array $document
     * @param \stdClass|null $self the account that the document is for
     */
    private function check_username(array $document, ?\stdClass $self): void {
        $username = $document['username'];
        $allowed = \core_user::clean_field($username, 'username');
        if ($username !== $allowed || $username === '') {
            throw new refusal('username_invalid', '/username', ['username' => $username, 'allowed' => $allowed]);
        }
        $other = $this->index->other_with_username($username, $self);
        if ($other) {
            throw new refusal('username_taken', '/username', [
                'username' => $username,
                'other' => user_index::describe($other),
            ]);
        }
    }

    /**
     * Refuses what is no address, or what is another account's.
     *
     * @param array $document
     * @param \stdClass|null $self the account that the document is for
     */
    private function check_email(array $document, ?\stdClass $self): void {
        global $CFG;
        if (!validate_email($document['email'])) {
            throw new refusal('email_invalid', '/email', ['email' => $document['email']]);
        }
        if (!empty($CFG->allowaccountssameemail)) {
            return;
        }
        $other = $this->index->other_with_email($document['email'], $self);
        if ($other) {
            throw new refusal('email_taken', '/email', [
                'email' => $document['email'],
                'other' => user_index::describe($other),
            ]);
        }
    }
}
