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
 * People sign in by the school's provider.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\pairing;

use core\oauth2\api;
use core\oauth2\discovery\openidconnect;
use core\oauth2\endpoint;
use core\oauth2\issuer;
use core\oauth2\user_field_mapping;
use local_nagasis\local\signin\links;
use local_nagasis\local\signin\provider;

/**
 * People sign in by the school's provider: an OAuth 2 service of Moodle, whose button stands on the login page.
 *
 * Accounts are known by the person's key in the SIS. Everybody else has to confirm by mail, as Moodle does it by default: else
 * whoever may set their own address at the provider could come in as anybody, also as an administrator.
 */
final class signin_step implements step {
    /** @var string[] Fields of people that the SIS owns, so that the provider does not change them at each sign-in. */
    private const LOCKED = ['idnumber', 'email', 'firstname', 'lastname', 'alternatename'];

    /** @var provider|null */
    private readonly ?provider $provider;

    /** @var string Address of a provider of which no more is known yet. */
    private readonly string $announced;

    /**
     * Constructor.
     *
     * @param provider|null $provider null: what is there is compared with what it was, or undone
     * @param string $announced address of the provider, before pairing says the rest: for the preview
     */
    public function __construct(?provider $provider = null, string $announced = '') {
        $this->provider = $provider;
        $this->announced = $announced;
    }

    #[\Override]
    public function name(): string {
        return 'signin';
    }

    #[\Override]
    public function needed(): array {
        $issuer = $this->find();
        $known = $this->provider?->issuer ?? ($this->announced ?: (string) get_config('local_nagasis', 'signinurl'));
        if ($known === '') {
            return [];
        }
        $needed = [];
        if (!$issuer) {
            $needed[] = get_string('will_signin', 'local_nagasis', $known);
        } else if ($this->differing($issuer) || !self::discovered($issuer) || $this->lacking($issuer)) {
            $needed[] = get_string('will_mendsignin', 'local_nagasis', $issuer->get('name'));
        }
        if (!is_enabled_auth('oauth2')) {
            $needed[] = get_string('will_signinauth', 'local_nagasis', get_string('pluginname', 'auth_oauth2'));
        }
        if (self::unlocked()) {
            $needed[] = get_string('will_signinlock', 'local_nagasis', implode(', ', array_map(
                fn(string $field): string => \core_user\fields::get_display_name($field),
                self::unlocked(),
            )));
        }
        $missing = $this->provider || $this->announced !== '' ? links::missing((int) $issuer?->get('id')) : 0;
        if ($missing) {
            $needed[] = get_string('will_signinlinks', 'local_nagasis', $missing);
        }
        return $needed;
    }

    #[\Override]
    public function run(): void {
        global $DB;
        $issuer = $this->find();
        if (!$issuer || $this->differing($issuer) || !self::discovered($issuer)) {
            $this->provider->require_usable();
        }
        $transaction = $DB->start_delegated_transaction();
        $issuer = $this->ensure($issuer);
        $id = (int) $issuer->get('id');
        foreach ($this->lacking($issuer) as $external => $internal) {
            (new user_field_mapping(0, (object) [
                'issuerid' => $id,
                'externalfield' => $external,
                'internalfield' => $internal,
            ]))->create();
        }
        set_config('signinissuer', $id, 'local_nagasis');
        set_config('signinurl', $this->provider->issuer, 'local_nagasis');
        set_config('signinclaim', $this->provider->claim, 'local_nagasis');
        links::mend($id);
        $transaction->allow_commit();
        // Locked before anybody can come in by it.
        foreach (self::unlocked() as $field) {
            journal::set_config("field_lock_$field", 'locked', 'auth_oauth2');
        }
        if (!is_enabled_auth('oauth2')) {
            journal::note('signinauth', ['enabled' => 0], ['enabled' => 1]);
            \core\plugininfo\auth::enable_plugin('oauth2', 1);
        }
    }

    #[\Override]
    public function undo(): array {
        global $DB;
        $left = [];
        $entry = journal::get('signin');
        $issuer = $entry ? issuer::get_record(['id' => $entry['after']['id']]) : false;
        if ($issuer) {
            if ($entry['before']['id'] === null) {
                $transaction = $DB->start_delegated_transaction();
                $moved = links::remove((int) $issuer->get('id'));
                self::delete($issuer);
                $transaction->allow_commit();
                if ($moved) {
                    $left[] = get_string('left_signinaccounts', 'local_nagasis', $moved);
                }
            } else {
                $left[] = get_string('left_signin', 'local_nagasis', $issuer->get('name'));
            }
        }
        journal::forget('signin');
        foreach (['signinissuer', 'signinurl', 'signinclaim', 'signinrevision'] as $name) {
            unset_config($name, 'local_nagasis');
        }
        if (journal::get('signinauth')) {
            $used = $DB->record_exists('user', ['auth' => 'oauth2', 'deleted' => 0]);
            foreach (issuer::get_records() as $other) {
                $used = $used || $other->is_available_for_login();
            }
            if ($used) {
                $left[] = get_string('left_signinauth', 'local_nagasis', get_string('pluginname', 'auth_oauth2'));
            } else {
                \core\plugininfo\auth::enable_plugin('oauth2', 0);
            }
            journal::forget('signinauth');
        }
        return $left;
    }

    /**
     * Our issuer: the one that we have made, or one of the same client.
     *
     * @return issuer|null
     */
    private function find(): ?issuer {
        $known = (int) get_config('local_nagasis', 'signinissuer');
        $issuer = $known ? issuer::get_record(['id' => $known]) : false;
        if (!$issuer && $this->provider) {
            foreach (issuer::get_records([], 'id') as $each) {
                $same = rtrim($each->get('baseurl'), '/') === $this->provider->issuer;
                if ($same && $each->get('clientid') === $this->provider->clientid) {
                    return $each;
                }
            }
        }
        return $issuer ?: null;
    }

    /**
     * What must be so for people to come in.
     *
     * @return array
     */
    private function wanted(): array {
        $wanted = [
            'enabled' => true,
            'showonloginpage' => issuer::LOGINONLY,
            'requireconfirmation' => true,
        ];
        return $wanted + ($this->provider ? [
            'baseurl' => $this->provider->issuer,
            'clientid' => $this->provider->clientid,
            'clientsecret' => $this->provider->clientsecret,
        ] : []);
    }

    /**
     * What must be changed of an issuer.
     *
     * @param issuer $issuer
     * @return array new values
     */
    private function differing(issuer $issuer): array {
        return array_filter(
            $this->wanted(),
            fn(mixed $value, string $field): bool => (string) $issuer->get($field) !== (string) $value
                // Who wants the button on all pages may have it.
                && !($field === 'showonloginpage' && (int) $issuer->get($field) === issuer::EVERYWHERE),
            ARRAY_FILTER_USE_BOTH,
        );
    }

    /**
     * Which claims have yet to be mapped, or are mapped to something else.
     *
     * @param issuer $issuer
     * @return string[] field of Moodle by claim
     */
    private function lacking(issuer $issuer): array {
        $claim = $this->provider?->claim ?? (string) get_config('local_nagasis', 'signinclaim');
        // Moodle finds the link by what is mapped to the username.
        $wanted = [$claim => 'username'] + ($claim === 'idnumber' ? [] : ['idnumber' => 'idnumber']);
        $wanted += ['given_name' => 'firstname', 'family_name' => 'lastname', 'email' => 'email'];
        $there = [];
        foreach (user_field_mapping::get_records(['issuerid' => $issuer->get('id')]) as $mapping) {
            $there[$mapping->get('externalfield')] = $mapping->get('internalfield');
        }
        return array_diff_assoc($wanted, $there);
    }

    /**
     * Whether Moodle knows where the provider is asked.
     *
     * @param issuer $issuer
     * @return bool
     */
    private static function discovered(issuer $issuer): bool {
        foreach (['authorization', 'token', 'userinfo'] as $name) {
            if (!$issuer->get_endpoint_url($name)) {
                return false;
            }
        }
        return true;
    }

    /**
     * Makes the issuer, or mends it.
     *
     * @param issuer|null $issuer
     * @return issuer
     */
    private function ensure(?issuer $issuer): issuer {
        if (!$issuer) {
            $issuer = new issuer(0, (object) ($this->wanted() + [
                'name' => get_string('signinname', 'local_nagasis'),
                'image' => '',
            ]));
            $issuer->create();
            openidconnect::discover_endpoints($issuer);
            journal::note('signin', ['id' => null], ['id' => (int) $issuer->get('id')]);
            return $issuer;
        }
        if (!journal::get('signin')) {
            journal::note('signin', ['id' => (int) $issuer->get('id')], ['id' => (int) $issuer->get('id')]);
        }
        $differing = $this->differing($issuer);
        if ($differing) {
            foreach ($differing as $field => $value) {
                $issuer->set($field, $value);
            }
            $issuer->update();
        }
        if (isset($differing['baseurl']) || !self::discovered($issuer)) {
            openidconnect::discover_endpoints($issuer);
        }
        // One field of Moodle has one claim.
        foreach ($this->lacking($issuer) as $external => $internal) {
            foreach (user_field_mapping::get_records(['issuerid' => $issuer->get('id')]) as $mapping) {
                if ($mapping->get('externalfield') === (string) $external || $mapping->get('internalfield') === $internal) {
                    $mapping->delete();
                }
            }
        }
        return $issuer;
    }

    /**
     * Fields that have yet to be locked.
     *
     * @return string[]
     */
    private static function unlocked(): array {
        $locked = fn(string $field): bool => get_config('auth_oauth2', "field_lock_$field") === 'locked';
        return array_values(array_filter(self::LOCKED, fn(string $field): bool => !$locked($field)));
    }

    /**
     * Deletes an issuer, as api::delete_issuer() does it for who is signed in as an administrator; with its mappings.
     *
     * @param issuer $issuer
     */
    private static function delete(issuer $issuer): void {
        $id = (int) $issuer->get('id');
        $account = api::get_system_account($issuer);
        if ($account) {
            $account->delete();
        }
        $of = ['issuerid' => $id];
        foreach ([...endpoint::get_records($of), ...user_field_mapping::get_records($of)] as $part) {
            $part->delete();
        }
        $issuer->delete();
    }
}
