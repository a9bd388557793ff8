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
 * Tests of how people sign in.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\signin;

use core\oauth2\issuer;
use core\oauth2\user_field_mapping;
use local_nagasis\fixtures\fake_provider;
use local_nagasis\fixtures\fake_tool;
use local_nagasis\fixtures\pairing_codes;
use local_nagasis\local\pairing\connection;
use local_nagasis\local\pairing\disconnection;
use local_nagasis\local\pairing\journal;
use local_nagasis\local\pairing\signin_step;
use local_nagasis\local\pairing\steps;
use local_nagasis\local\provision\batch;
use local_nagasis\local\state;

defined('MOODLE_INTERNAL') || die();

require_once(__DIR__ . '/../../fixtures/fake_provider.php');
require_once(__DIR__ . '/../../fixtures/fake_tool.php');
require_once(__DIR__ . '/../../fixtures/pairing_codes.php');

/**
 * Tests of how people sign in, with a provider that really answers over HTTPS.
 *
 * @covers \local_nagasis\local\signin\signin
 * @covers \local_nagasis\local\signin\provider
 * @covers \local_nagasis\local\signin\links
 * @covers \local_nagasis\local\pairing\signin_step
 * @covers \local_nagasis\local\pairing\connection
 * @covers \local_nagasis\check\signin
 */
final class signin_test extends \advanced_testcase {
    /** @var fake_provider|null */
    private ?fake_provider $provider = null;

    /** @var fake_tool|null */
    private ?fake_tool $tool = null;

    #[\Override]
    protected function setUp(): void {
        parent::setUp();
        $this->resetAfterTest();
        $this->setAdminUser();
        $this->provider = new fake_provider();
    }

    #[\Override]
    protected function tearDown(): void {
        $this->provider->stop();
        $this->provider = null;
        $this->tool?->stop();
        $this->tool = null;
        parent::tearDown();
    }

    /**
     * Links: username at the provider, by account.
     *
     * @return string[]
     */
    private function linked(): array {
        global $DB;
        return $DB->get_records_menu('auth_oauth2_linked_login', ['confirmtoken' => ''], 'username', 'userid, username');
    }

    /**
     * Services of Moodle that are of our client.
     *
     * @return int
     */
    private function ours(): int {
        return count(array_filter(issuer::get_records(), fn(issuer $issuer): bool => $issuer->get('clientid') === 'moodle'));
    }

    /**
     * A document of a person.
     *
     * @param string $name
     * @param array $other
     * @return array
     */
    private function person(string $name, array $other = []): array {
        return $other + [
            'kind' => 'user',
            'idnumber' => "KEY-$name",
            'username' => $name,
            'firstname' => 'Sok',
            'lastname' => 'Dara',
            'email' => "$name@school.example",
            'alternatename' => '',
            'suspended' => false,
            'auth' => 'manual',
        ];
    }

    /**
     * Nothing was there: the issuer stands on the login page, mapped, locked, and switched on; done again nothing is done.
     */
    public function test_set_up(): void {
        $this->assertFalse(is_enabled_auth('oauth2'));
        $notes = signin::apply($this->provider->said());
        $this->assertStringContainsString($this->provider->issuer, $notes[0]);
        $issuer = new issuer(links::issuer());
        $this->assertTrue($issuer->is_available_for_login());
        $this->assertSame('a secret of the tests', $issuer->get('clientsecret'));
        // Whoever is linked to nobody has to confirm: an address proves nothing.
        $this->assertEquals(1, $issuer->get('requireconfirmation'));
        $this->assertSame("{$this->provider->issuer}/protocol/openid-connect/token", $issuer->get_endpoint_url('token'));
        $mappings = [];
        foreach (user_field_mapping::get_records(['issuerid' => $issuer->get('id')]) as $mapping) {
            $mappings[$mapping->get('externalfield')] = $mapping->get('internalfield');
        }
        $expected = ['person_uuid' => 'username', 'idnumber' => 'idnumber', 'given_name' => 'firstname', 'email' => 'email'];
        foreach ($expected as $claim => $field) {
            $this->assertSame($field, $mappings[$claim] ?? null, $claim);
        }
        foreach (['idnumber', 'email', 'firstname', 'lastname'] as $field) {
            $this->assertSame('locked', get_config('auth_oauth2', "field_lock_$field"));
        }
        $this->assertSame([], signin::apply($this->provider->said()));
        $this->assertSame(1, $this->ours());
        $this->assertSame('OK', strtoupper((new \local_nagasis\check\signin())->get_result()->get_status()));
    }

    /**
     * People who are there already are linked by their ID number; administrators, and whose key is not theirs alone, are not.
     */
    public function test_people_who_are_there(): void {
        global $CFG, $DB;
        $generator = $this->getDataGenerator();
        $sok = $generator->create_user(['idnumber' => 'KEY-Sok']);
        $none = $generator->create_user();
        $generator->create_user(['idnumber' => 'twice']);
        $generator->create_user(['idnumber' => 'TWICE']);
        $head = $generator->create_user(['idnumber' => 'KEY-head', 'auth' => 'manual']);
        set_config('siteadmins', "$CFG->siteadmins,$head->id");
        $DB->set_field('user', 'idnumber', 'KEY-admin', ['username' => 'admin']);
        $sink = $this->redirectEmails();
        signin::apply($this->provider->said());
        $this->assertSame([$sok->id => 'key-sok'], $this->linked());
        $this->assertSame(0, $sink->count());
        // Their password works still.
        $this->assertSame(['manual'], array_unique($DB->get_fieldset_select('user', 'auth', "username <> 'guest'")));
        // By hand, later.
        $DB->set_field('user', 'idnumber', 'KEY-new', ['id' => $none->id]);
        $DB->set_field('user', 'idnumber', 'KEY-other', ['id' => $sok->id]);
        signin::maintain();
        $this->assertEquals([$none->id => 'key-new', $sok->id => 'key-other'], $this->linked());
    }

    /**
     * Whom the engine makes has no other way in, and is linked before the first visit.
     */
    public function test_people_who_come(): void {
        global $DB;
        batch::run([$this->person('before')], false);
        signin::apply($this->provider->said());
        $results = batch::run([
            $this->person('one'),
            $this->person('two', ['auth' => 'nologin']),
            $this->person('before', ['firstname' => 'Another']),
        ], false);
        $this->assertSame(['created', 'created', 'updated'], array_column($results, 'result'));
        $auths = $DB->get_records_menu('user', ['lastname' => 'Dara'], 'username', 'username, auth');
        $this->assertSame(['before' => 'manual', 'one' => 'oauth2', 'two' => 'nologin'], $auths);
        $this->assertSame(['key-before', 'key-one', 'key-two'], array_values($this->linked()));
        // By another name they are the same.
        batch::run([$this->person('one', ['username' => 'married', 'email' => 'married@school.example'])], false);
        $id = array_search('key-one', $this->linked(), true);
        $this->assertSame('married', $DB->get_field('user', 'username', ['id' => $id]));
        $this->assertSame('unchanged', batch::run([$this->person('two')], false)[0]['result']);
    }

    /**
     * A service that somebody has switched off makes nobody's account one that cannot be entered.
     */
    public function test_switched_off(): void {
        global $DB;
        signin::apply($this->provider->said());
        $issuer = new issuer(links::issuer());
        $issuer->set('enabled', false);
        $issuer->update();
        $this->assertNotSame([], steps::drifted());
        $this->assertSame('error', (new \local_nagasis\check\signin())->get_result()->get_status());
        batch::run([$this->person('one')], false);
        $this->assertSame('manual', $DB->get_field('user', 'auth', ['username' => 'one']));
        $this->assertNotSame([], signin::apply($this->provider->said()));
        $this->assertSame([], (new signin_step())->needed());
        $this->assertSame(['key-one'], array_values($this->linked()));
    }

    /**
     * Taken back, nothing of it is left, and everybody has a way in.
     */
    public function test_undone(): void {
        global $CFG, $DB;
        $before = [get_config('auth_oauth2'), $CFG->auth, journal::all()];
        $other = $this->getDataGenerator()->create_user(['idnumber' => 'KEY-elsewhere', 'auth' => 'oauth2']);
        $DB->insert_record('auth_oauth2_linked_login', [
            'timecreated' => 1, 'timemodified' => 1, 'usermodified' => 2, 'userid' => $other->id, 'issuerid' => 4711,
            'username' => 'elsewhere', 'email' => 'e@example.com', 'confirmtoken' => '',
        ]);
        signin::apply($this->provider->said());
        batch::run([$this->person('one')], false);
        $left = (new signin_step())->undo();
        $this->assertStringContainsString('1 account', $left[0]);
        $this->assertSame('manual', $DB->get_field('user', 'auth', ['username' => 'one']));
        $this->assertSame('oauth2', $DB->get_field('user', 'auth', ['id' => $other->id]));
        $this->assertSame(['elsewhere'], array_values($this->linked()));
        $this->assertSame(0, $this->ours());
        $this->assertFalse($DB->record_exists('oauth2_endpoint', []));
        // Somebody comes in by another service: the way stays on.
        $this->assertTrue(is_enabled_auth('oauth2'));
        foreach (journal::plugin_settings() as [$plugin, $name]) {
            journal::undo_config($name, $plugin);
        }
        $DB->delete_records('user', ['id' => $other->id]);
        \core\plugininfo\auth::enable_plugin('oauth2', 0);
        signin::apply($this->provider->said());
        (new signin_step())->undo();
        foreach (journal::plugin_settings() as [$plugin, $name]) {
            journal::undo_config($name, $plugin);
        }
        $this->assertEquals($before, [get_config('auth_oauth2'), $CFG->auth, journal::all()]);
    }

    /**
     * Another secret, claim or address is taken over, and links stay.
     */
    public function test_changed(): void {
        $sok = $this->getDataGenerator()->create_user(['idnumber' => 'KEY-Sok']);
        signin::apply($this->provider->said());
        $first = links::issuer();
        $changed = ['client_secret' => 'another', 'person_claim' => 'sis_key', 'revision' => '2'];
        signin::apply($this->provider->said($changed));
        $this->assertSame($first, links::issuer());
        $this->assertSame('another', (new issuer($first))->get('clientsecret'));
        $names = user_field_mapping::get_records(['issuerid' => $first, 'internalfield' => 'username']);
        $this->assertSame(['sis_key'], array_map(fn($mapping) => $mapping->get('externalfield'), array_values($names)));
        $this->assertSame([$sok->id => 'key-sok'], $this->linked());
    }

    /**
     * What keeps a provider from being used.
     *
     * @return array
     */
    public static function problems(): array {
        return [
            'down' => ['signinnoanswer', fn(self $test) => $test->provider->stop()],
            'not trusted' => ['signincertificate', function (self $test): void {
                $test->provider->stop();
                $test->provider = new fake_provider(false);
            }],
            'blocked' => ['signinblocked', fn() => set_config('curlsecurityblockedhosts', '127.0.0.1')],
            'plain' => ['signinnothttps', null, ['issuer' => 'http://login.example.com/realms/school']],
            'plain endpoints' => ['signinnothttps', fn(self $test) => $test->provider->says(['token_endpoint' => 'http://a.b/'])],
            'another' => ['signinother', fn(self $test) => $test->provider->says(['issuer' => 'https://thief.example'])],
            'nothing' => ['signinunclear', null, ['client_secret' => '']],
        ];
    }

    /**
     * A provider that cannot be used is named with a way out; nothing of it is set up.
     *
     * @dataProvider problems
     * @param string $code
     * @param \Closure|null $break
     * @param array $said
     */
    public function test_problem(string $code, ?\Closure $break, array $said = []): void {
        global $DB;
        $break && $break($this);
        try {
            signin::apply($this->provider->said($said));
            $this->fail('It was taken.');
        } catch (\moodle_exception $e) {
            $this->assertSame($code, $e->errorcode, $e->getMessage());
        }
        if ($code === 'signinblocked') {
            $this->assertDebuggingCalled();
        }
        $this->assertFalse($DB->record_exists('oauth2_issuer', []));
        $this->assertFalse(is_enabled_auth('oauth2'));
        $this->assertSame([], journal::all());
        $check = (new \local_nagasis\check\signin())->get_result();
        $this->assertSame('error', $check->get_status());
        $this->assertStringNotContainsString('a secret of the tests', $check->get_details());
    }

    /**
     * Pairing sets it up; unpairing takes it back.
     */
    public function test_paired(): void {
        $this->pair($this->provider->said());
        $report = connection::make(pairing_codes::code($this->tool->url), pairing_codes::offer($this->tool->url));
        $this->assertTrue($report['connected']);
        $this->assertSame('done', array_column($report['steps'], 'result', 'name')['signin']);
        $this->assertStringNotContainsString('a secret of the tests', json_encode($report));
        $this->assertSame([], steps::drifted());
        $this->tool->expects(get_config('local_nagasis', 'clientid'));
        $this->tool->answers('/api/v1/moodle/unpair', []);
        $undone = disconnection::run();
        $this->assertNull($undone['error']);
        $this->assertSame(0, $this->ours());
        $this->assertSame([], journal::all());
    }

    /**
     * A provider that is down does not hold the connection up; what it would be is fetched later.
     */
    public function test_paired_without_the_provider(): void {
        $this->provider->stop();
        $this->pair($this->provider->said());
        $report = connection::make(pairing_codes::code($this->tool->url), pairing_codes::offer($this->tool->url));
        $this->assertTrue($report['connected']);
        $this->assertNull($report['error']);
        $step = end($report['steps']);
        $this->assertSame(['signin', 'left'], [$step['name'], $step['result']]);
        $this->assertNull(links::issuer());

        $this->provider = new fake_provider();
        $this->tool->answers('/api/v1/moodle/sign-in', ['sign_in' => $this->provider->said(['revision' => '2'])]);
        signin::heard('2');
        $this->assertNull(links::issuer(), 'It was tried just now.');
        state::set('signintried', 0);
        signin::heard('2');
        $this->assertNotNull(links::issuer());
        $this->assertNull(state::get('signinerror'));
        $asked = count($this->asked());
        signin::heard('2');
        signin::heard(null);
        $this->assertCount($asked, $this->asked());
        $said = $this->provider->said(['client_secret' => 'x', 'revision' => '3']);
        $this->tool->answers('/api/v1/moodle/sign-in', ['sign_in' => $said]);
        signin::heard('3');
        $this->assertSame('x', (new issuer(links::issuer()))->get('clientsecret'));
    }

    /**
     * Starts a tool that answers pairing.
     *
     * @param array $said by what people sign in
     */
    private function pair(array $said): void {
        $this->tool = new fake_tool();
        unset_config('toolurl', 'local_nagasis');
        unset_config('clientid', 'local_nagasis');
        $this->tool->answers('/api/v1/moodle/pair', ['site' => 7, 'contract' => 1, 'checks' => [], 'sign_in' => $said]);
    }

    /**
     * How often the tool was asked.
     *
     * @return array
     */
    private function asked(): array {
        return array_filter($this->tool->memory()['requests'], fn($each) => $each['path'] === '/api/v1/moodle/sign-in');
    }
}
