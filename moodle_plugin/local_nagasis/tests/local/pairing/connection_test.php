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
 * Tests of making the connection.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\pairing;

use local_nagasis\fixtures\connection_testcase;
use local_nagasis\fixtures\pairing_codes;
use local_nagasis\local\state;
use local_nagasis\local\tool\client;

defined('MOODLE_INTERNAL') || die();

require_once(__DIR__ . '/../../fixtures/connection_testcase.php');

/**
 * Tests of making the connection, with a tool that really answers.
 *
 * @covers \local_nagasis\local\pairing\connection
 * @covers \local_nagasis\local\pairing\disconnection
 * @covers \local_nagasis\local\pairing\steps
 * @covers \local_nagasis\local\pairing\services_step
 * @covers \local_nagasis\local\pairing\enrolment_step
 * @covers \local_nagasis\local\pairing\locks_step
 * @covers \local_nagasis\local\pairing\role_step
 * @covers \local_nagasis\local\pairing\user_step
 * @covers \local_nagasis\local\pairing\lti_step
 * @covers \local_nagasis\local\pairing\versions
 */
final class connection_test extends connection_testcase {
    /**
     * All that is set when nothing was.
     */
    public function test_everything(): void {
        global $DB, $CFG;
        set_config('enablewebservices', '0');
        set_config('webserviceprotocols', 'soap');
        $report = $this->connect();
        $this->assertNull($report['error']);
        $this->assertTrue($report['connected']);
        $this->assertSame(['done'], array_values(array_unique($this->results($report))));
        $this->assertSame(['ok', 'unknown'], array_column($report['checks'], 'status'));
        $this->assertSame($report['checks'], state::get('checklist')['checks']);
        $this->assertTrue(client::paired());
        $this->assertSame($this->tool->url, connection::current()['toolurl']);
        $this->assertEquals(1, $CFG->enablewebservices);
        $this->assertSame('soap,rest', $CFG->webserviceprotocols);
        $this->assertTrue(enrol_is_enabled('nagasis'));
        foreach (array_diff(get_enabled_auth_plugins(), ['nologin']) as $auth) {
            $this->assertSame('locked', get_config("auth_$auth", 'field_lock_idnumber'), $auth);
            $this->assertSame('locked', get_config("auth_$auth", 'field_lock_email'), $auth);
        }
        $user = user_step::find();
        $this->assertSame('webservice', $user->auth);
        $this->assertSame('1', $user->emailstop);
        $this->assertEqualsCanonicalizing(
            role_step::CAPABILITIES,
            $DB->get_fieldset('role_capabilities', 'capability', ['roleid' => role_step::id()]),
        );
        $this->assertTrue(has_all_capabilities(role_step::CAPABILITIES, \context_system::instance(), $user));
        $type = $DB->get_record('lti_types', ['clientid' => get_config('local_nagasis', 'clientid')], '*', MUST_EXIST);
        $this->assertEquals(LTI_TOOL_STATE_CONFIGURED, $type->state);
        $this->assertEquals(LTI_COURSEVISIBLE_ACTIVITYCHOOSER, $type->coursevisible);
        $this->assertSame($CFG->wwwroot, $this->sent()['lti']['issuer']);
        $this->assertSame([], steps::drifted());
    }

    /**
     * What is sent has the form of the contract.
     */
    public function test_request(): void {
        global $DB;
        $this->connect();
        $sent = $this->sent();
        $schema = json_decode(file_get_contents(__DIR__ . '/../../../contract/schema/pairing.json'), true);
        $this->assertEqualsCanonicalizing(array_keys($schema['properties']), array_keys($sent));
        foreach (['lti' => 'LtiRegistration', 'token' => 'ServiceToken', 'versions' => 'Versions'] as $field => $name) {
            $this->assertEqualsCanonicalizing(array_keys($schema['$defs'][$name]['properties']), array_keys($sent[$field]));
        }
        $this->assertSame(pairing_codes::SECRET, $sent['secret']);
        $token = $DB->get_record('external_tokens', ['token' => $sent['token']['token']], '*', MUST_EXIST);
        $this->assertSame(64, strlen($token->token));
        $this->assertEquals(user_step::find()->id, $token->userid);
        $this->assertEquals($sent['token']['expires_at'], $token->validuntil);
        $this->assertSame(state::get('epoch'), $sent['epoch']);
    }

    /**
     * Twice is once, and mends what was changed in between.
     */
    public function test_again_repairs(): void {
        global $DB;
        $this->connect();
        $clientid = get_config('local_nagasis', 'clientid');
        $results = $this->results($this->connect());
        unset($results['token']);
        $this->assertSame(['already'], array_values(array_unique($results)));
        $this->assertSame(1, $DB->count_records('external_tokens'));

        set_config('field_lock_idnumber', 'unlocked', 'auth_manual');
        $user = user_step::find();
        $DB->set_field('user', 'suspended', 1, ['id' => $user->id]);
        assign_capability('moodle/site:config', CAP_ALLOW, role_step::id(), SYSCONTEXTID);
        unassign_capability('local/nagasis:read', role_step::id());
        $type = $DB->get_record('lti_types', ['clientid' => $clientid]);
        lti_set_state_for_type($type->id, LTI_TOOL_STATE_PENDING);
        $this->assertCount(3, steps::drifted());
        $report = $this->connect();
        $this->assertSame(
            ['services' => 'already', 'enrolment' => 'already', 'locks' => 'done', 'freezing' => 'already', 'role' => 'done',
                'user' => 'done', 'lti' => 'done', 'token' => 'done'],
            $this->results($report),
        );
        $this->assertSame([], steps::drifted());
        $this->assertFalse(has_capability('moodle/site:config', \context_system::instance(), $user));
        $this->assertSame($clientid, get_config('local_nagasis', 'clientid'));
        $this->assertEquals(LTI_TOOL_STATE_CONFIGURED, $DB->get_field('lti_types', 'state', ['id' => $type->id]));

        disconnection::run();
        $this->assertSame('unlocked', get_config('auth_manual', 'field_lock_idnumber') ?: 'unlocked');
        $this->assertFalse($DB->record_exists('lti_types', ['clientid' => $clientid]));
    }

    /**
     * The preview says what then is done.
     */
    public function test_preview(): void {
        $preview = steps::preview(pairing_codes::offer($this->tool->url));
        $report = $this->connect();
        foreach ($preview as $index => $step) {
            if ($step['name'] !== 'token') {
                $this->assertSame($step['needed'], $report['steps'][$index]['notes']);
            }
        }
    }

    /**
     * How people will sign in is in the preview, where the tool knows a provider; what it says of it is shown and not done.
     */
    public function test_preview_of_signing_in(): void {
        $issuer = 'https://login.example.com/realms/school';
        $offer = pairing_codes::offer($this->tool->url, ['sign_in_url' => "$issuer/"]);
        $steps = array_column(steps::preview($offer), 'needed', 'name');
        $this->assertStringContainsString($issuer, $steps['signin'][0]);
        $this->assertFalse(get_config('local_nagasis', 'signinurl'));
        $this->assertArrayNotHasKey('signin', array_column(
            steps::preview(pairing_codes::offer($this->tool->url, ['sign_in_url' => 'javascript:alert(1)'])),
            'needed',
            'name',
        ));
    }

    /**
     * A tool that is registered already keeps its type, its client id and what an administrator has set beyond.
     */
    public function test_adopts(): void {
        global $DB;
        $offer = pairing_codes::offer($this->tool->url);
        $config = (object) [
            'lti_toolurl' => "{$this->tool->url}/lti/launch",
            'lti_typename' => 'Old name',
            'lti_ltiversion' => LTI_VERSION_1P3,
            'lti_clientid' => 'oldclient',
            'lti_initiatelogin' => $offer->loginurl,
            'lti_redirectionuris' => $offer->launchurl,
            'lti_keytype' => LTI_JWK_KEYSET,
            'lti_publickeyset' => $offer->keysurl,
            'lti_coursevisible' => LTI_COURSEVISIBLE_PRECONFIGURED,
            'lti_sendname' => LTI_SETTING_NEVER,
            'lti_customparameters' => 'a=b',
            'ltiservice_memberships' => 0,
            'lti_coursecategories' => '1',
        ];
        $id = lti_add_type((object) ['state' => LTI_TOOL_STATE_PENDING, 'clientid' => 'oldclient'], $config);
        $before = [$DB->get_record('lti_types', ['id' => $id]), lti_get_type_config($id)];
        $this->connect();
        $this->assertSame('oldclient', get_config('local_nagasis', 'clientid'));
        $this->assertSame((string) $id, $this->sent()['lti']['deployment_id']);
        $type = $DB->get_record('lti_types', ['id' => $id]);
        $this->assertSame('Old name', $type->name);
        $this->assertEquals(LTI_TOOL_STATE_CONFIGURED, $type->state);
        $this->assertSame('a=b', lti_get_type_config($id)['customparameters']);
        $this->assertSame('2', lti_get_type_config($id)['ltiservice_gradesynchronization']);
        $this->assertTrue($DB->record_exists('lti_types_categories', ['typeid' => $id, 'categoryid' => 1]));

        $report = disconnection::run();
        $this->assertSame('left', $this->results($report)['lti']);
        $after = [$DB->get_record('lti_types', ['id' => $id]), lti_get_type_config($id)];
        foreach (['state', 'coursevisible', 'name', 'clientid', 'baseurl'] as $field) {
            $this->assertSame($before[0]->$field, $after[0]->$field, $field);
        }
        ksort($before[1]);
        ksort($after[1]);
        $this->assertSame($before[1], $after[1]);
        $this->assertTrue($DB->record_exists('lti_types_categories', ['typeid' => $id, 'categoryid' => 1]));
    }

    /**
     * The tool refuses: nothing is connected, the reason is told, and all can be taken back.
     */
    public function test_refused(): void {
        $this->tool->answers('/api/v1/moodle/pair', ['code' => 'pairing_code_expired', 'detail' => 'Too late.'], 400);
        $report = $this->connect();
        $this->assertFalse($report['connected']);
        $this->assertSame('failed', $this->results($report)['token']);
        $this->assertStringContainsString('Too late.', $report['error']);
        $this->assertNull(connection::current());
        $this->assertTrue(connection::unfinished());
        $report = disconnection::run();
        $this->assertNull($report['error']);
        $this->assertFalse(connection::unfinished());
        $this->assertNull(user_step::find());
    }

    /**
     * A lost answer is asked for once more, with the same request.
     */
    public function test_lost_answer(): void {
        $this->tool->answers('/api/v1/moodle/pair', ['code' => ''], 500);
        $report = $this->connect();
        $this->assertFalse($report['connected']);
        $bodies = array_column($this->tool->memory()['requests'], 'body');
        $this->assertCount(2, $bodies);
        $this->assertSame($bodies[0], $bodies[1]);
        $this->tool->answers('/api/v1/moodle/pair', ['site' => 7, 'contract' => 1, 'checks' => []]);
        $this->connect();
        // The token that the tool may have got is the one that it gets.
        $this->assertSame($bodies[0]['token'], $this->sent()['token']);
    }

    /**
     * A second tool is refused while one is connected.
     */
    public function test_another_tool(): void {
        $this->connect();
        $this->expectException(\moodle_exception::class);
        $this->expectExceptionMessage('Disconnect it first');
        connection::make(pairing_codes::code('https://other.example.com'), pairing_codes::offer('https://other.example.com'));
    }

    /**
     * A Moodle without HTTPS is told so before anything is done.
     */
    public function test_no_https(): void {
        global $CFG;
        $CFG->wwwroot = 'http://www.example.com/moodle';
        try {
            $this->connect();
            $this->fail('was connected');
        } catch (\moodle_exception $e) {
            $this->assertSame('pairnohttps', $e->errorcode);
        }
        $this->assertFalse(connection::unfinished());
    }

    /**
     * A step that fails ends it, and what was done before it is taken back by unpairing.
     */
    public function test_dies_in_the_middle(): void {
        global $CFG;
        set_config('field_lock_idnumber', 'unlocked', 'auth_manual');
        $CFG->forced_plugin_settings['auth_manual']['field_lock_email'] = 'unlocked';
        $report = $this->connect();
        unset($CFG->forced_plugin_settings['auth_manual']);
        $this->assertSame('failed', $this->results($report)['locks']);
        $this->assertArrayNotHasKey('role', $this->results($report));
        $this->assertSame('locked', get_config('auth_manual', 'field_lock_idnumber'));
        $this->assertTrue(enrol_is_enabled('nagasis'));
        disconnection::run();
        $this->assertSame('unlocked', get_config('auth_manual', 'field_lock_idnumber'));
        $this->assertFalse(enrol_is_enabled('nagasis'));
    }

    /**
     * The service user and its role are not news for the tool.
     */
    public function test_no_echo(): void {
        global $DB;
        $this->connect();
        $this->connect();
        $this->assertSame(0, $DB->count_records('local_nagasis_outbox'));
    }

    /**
     * The tool is asked once more when all is in place: what it found in the middle of pairing is old by then.
     */
    public function test_checked_at_the_end(): void {
        $this->tool->answers('/api/v1/moodle/check', ['contract' => 1, 'now' => 1, 'checks' => [
            ['name' => 'all', 'status' => 'ok', 'summary' => 'All is well.', 'details' => ''],
        ]]);
        $report = $this->connect();
        $this->assertSame(['all'], array_column($report['checks'], 'name'));
        $this->assertSame(['all'], array_column(state::get('checklist')['checks'], 'name'));
    }

    /**
     * Asking the tool how it is.
     */
    public function test_check(): void {
        $this->connect();
        $this->tool->answers('/api/v1/moodle/check', ['contract' => 1, 'now' => 1, 'checks' => [
            ['name' => 'clock', 'status' => 'warning', 'summary' => 'The clocks differ.', 'details' => '20 s'],
        ]]);
        $this->assertSame(['clock'], array_column(connection::check(), 'name'));
        $this->assertSame('The clocks differ.', state::get('checklist')['checks'][0]['summary']);
    }
}
