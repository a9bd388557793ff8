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
 * Tests of who may do what with the token.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\external;

use core_external\external_api;
use local_nagasis\fixtures\service_call;
use local_nagasis\local\pairing\role_step;
use local_nagasis\local\pairing\services_step;
use local_nagasis\local\pairing\steps;
use local_nagasis\local\pairing\token;
use local_nagasis\local\pairing\user_step;

defined('MOODLE_INTERNAL') || die();

require_once(__DIR__ . '/../fixtures/service_call.php');

/**
 * The token's user can do what the service is for, and nothing else.
 *
 * @covers \local_nagasis\external\apply
 * @covers \local_nagasis\external\digest
 * @covers \local_nagasis\external\read
 * @covers \local_nagasis\external\status
 */
final class service_test extends \advanced_testcase {
    /** @var string[] All that the token is for, with arguments that work. */
    private const OURS = [
        'local_nagasis_apply' => ['contract' => '1', 'documents' => '[]', 'dryrun' => '1'],
        'local_nagasis_digest' => ['contract' => '1', 'kind' => 'user', 'after' => '', 'limit' => '10'],
        'local_nagasis_read' => ['contract' => '1', 'what' => 'activity', 'scope' => '{}'],
        'local_nagasis_status' => ['contract' => '1'],
    ];

    /** @var \stdClass The account in whose name the tool works. */
    private \stdClass $user;

    /** @var \stdClass The tool's token. */
    private \stdClass $token;

    #[\Override]
    protected function setUp(): void {
        global $CFG;
        parent::setUp();
        $this->resetAfterTest();
        $this->setAdminUser();
        // Where the mobile app is on, everybody may use the REST protocol; here nobody may by that.
        unassign_capability('webservice/rest:use', $CFG->defaultuserroleid);
        foreach ([...steps::settings(), new role_step(), new user_step()] as $step) {
            $step->run();
        }
        $this->token = token::offer();
        token::confirm($this->token);
        $this->user = user_step::find();
    }

    /**
     * Calls as the REST server does.
     *
     * @param string $function
     * @param array $arguments
     * @param string|null $token another than the tool's
     * @return mixed
     */
    private function call(string $function, array $arguments, ?string $token = null): mixed {
        return (new service_call($token ?? $this->token->token))->run_function($function, $arguments);
    }

    /**
     * The call is refused before the function runs.
     *
     * @param string $errorcode
     * @param string|null $token another than the tool's
     */
    private function assert_refused(string $errorcode, ?string $token = null): void {
        foreach (self::OURS as $function => $arguments) {
            try {
                $this->call($function, $arguments, $token);
                $this->fail("$function was not refused");
            } catch (\moodle_exception $exception) {
                $this->assertSame($errorcode, $exception->errorcode, $function);
            }
        }
    }

    public function test_can_do_this(): void {
        foreach (self::OURS as $function => $arguments) {
            $answer = json_decode($this->call($function, $arguments), true, 512, JSON_THROW_ON_ERROR);
            $this->assertSame(1, $answer['contract'], $function);
        }
    }

    /**
     * Walks all functions of this Moodle, in a process of its own: some of their files want it so.
     *
     * @runInSeparateProcess
     */
    public function test_no_other_function(): void {
        global $DB;
        // The one service that is open to everybody does not open anything either.
        $DB->set_field('external_services', 'enabled', 1, ['shortname' => MOODLE_OFFICIAL_MOBILE_SERVICE]);
        $server = new service_call($this->token->token);
        $server->sign_in();
        $allowed = [];
        $refused = 0;
        foreach ($DB->get_fieldset('external_functions', 'name') as $function) {
            try {
                $server->find_function($function);
                $allowed[] = $function;
            } catch (\webservice_access_exception $exception) {
                $refused++;
            }
        }
        $this->assertEqualsCanonicalizing(array_keys(self::OURS), $allowed);
        $this->assertGreaterThan(400, $refused);
    }

    /**
     * Walks all capabilities of this Moodle: beyond what everybody may do who is signed in, the account has three.
     */
    public function test_no_other_capability(): void {
        global $DB;
        $this->assertFalse(is_siteadmin($this->user));
        $everybody = $this->getDataGenerator()->create_user();
        $stranger = $this->getDataGenerator()->create_user();
        $course = $this->getDataGenerator()->create_course();
        $contexts = [
            \core\context\system::instance(),
            \core\context\coursecat::instance($course->category),
            \core\context\course::instance($course->id),
            \core\context\user::instance($stranger->id),
        ];
        $more = [];
        foreach ($DB->get_fieldset('capabilities', 'name') as $capability) {
            foreach ($contexts as $context) {
                if (has_capability($capability, $context, $this->user) && !has_capability($capability, $context, $everybody)) {
                    $more[$capability] = $capability;
                }
            }
        }
        $this->assertEqualsCanonicalizing(role_step::CAPABILITIES, array_values($more));
    }

    /**
     * Where a function of core would be reached all the same, its own checks refuse this user.
     */
    public function test_core_functions_refuse_the_user(): void {
        $course = $this->getDataGenerator()->create_course();
        $victim = $this->getDataGenerator()->create_user();
        $this->setUser($this->user);
        $calls = [
            'core_user_create_users' => [[['username' => 'x', 'firstname' => 'x', 'lastname' => 'x', 'email' => 'x@x.test']]],
            'core_user_update_users' => [[['id' => $victim->id, 'suspended' => 1]]],
            'core_user_delete_users' => [[$victim->id]],
            'core_course_delete_courses' => [[$course->id]],
            'core_enrol_get_enrolled_users' => [$course->id],
            'core_role_assign_roles' => [[['roleid' => 1, 'userid' => $this->user->id, 'contextlevel' => 'system']]],
            'core_webservice_get_site_info' => [],
        ];
        foreach ($calls as $function => $arguments) {
            try {
                $info = external_api::external_function_info($function);
                $found = call_user_func_array([$info->classname, $info->methodname], $arguments);
                if ($function === 'core_webservice_get_site_info') {
                    $this->assertFalse($found['userissiteadmin']);
                    continue;
                }
                $changed = empty($found['warnings']);
            } catch (\moodle_exception $exception) {
                $changed = false;
            }
            $this->assertFalse($changed, $function);
        }
        $this->assertFalse(user_has_role_assignment($this->user->id, 1));
        $this->assertNotFalse(get_complete_user_data('id', $victim->id));
    }

    public function test_is_not_for_browsers(): void {
        foreach (array_keys(self::OURS) as $function) {
            $this->assertFalse(external_api::external_function_info($function)->allowed_from_ajax, $function);
        }
        $service = services_step::service();
        $this->assertSame(['1', '0', '0'], [$service->restrictedusers, $service->downloadfiles, $service->uploadfiles]);
        // The account has no password that could be typed, and its way to sign in is none.
        $auth = get_auth_plugin($this->user->auth);
        foreach (['', AUTH_PASSWORD_NOT_CACHED, 'password'] as $password) {
            $this->assertFalse($auth->user_login($this->user->username, $password));
            $this->assertFalse($auth->user_login_webservice($this->user->username, $password));
        }
    }

    public function test_expired_token(): void {
        global $DB;
        $DB->set_field('external_tokens', 'validuntil', time() - 1, ['id' => $this->token->id]);
        try {
            $this->call('local_nagasis_status', ['contract' => '1']);
            $this->fail('It has expired');
        } catch (\moodle_exception $exception) {
            $this->assertSame('accessexception', $exception->errorcode);
        }
        $this->assert_refused('invalidtoken');
    }

    public function test_revoked_token(): void {
        token::revoke();
        $this->assert_refused('invalidtoken');
    }

    public function test_invented_token(): void {
        $this->assert_refused('invalidtoken', str_repeat('0', 32));
        $this->assert_refused('invalidtoken', '');
    }

    /**
     * A token of another service, even an administrator's, does not reach our functions.
     */
    public function test_foreign_token(): void {
        global $DB;
        $service = $DB->get_record('external_services', ['shortname' => MOODLE_OFFICIAL_MOBILE_SERVICE], '*', MUST_EXIST);
        $DB->set_field('external_services', 'enabled', 1, ['id' => $service->id]);
        $foreign = \core_external\util::generate_token(
            EXTERNAL_TOKEN_PERMANENT,
            $service,
            get_admin()->id,
            \core\context\system::instance(),
        );
        $this->assert_refused('accessexception', $foreign);
    }

    /**
     * Somebody else's token of our service: the capability is missing, or the person is not on the list.
     */
    public function test_token_of_somebody_else(): void {
        $teacher = $this->getDataGenerator()->create_user();
        $token = \core_external\util::generate_token(
            EXTERNAL_TOKEN_PERMANENT,
            services_step::service(),
            $teacher->id,
            \core\context\system::instance(),
        );
        $this->assert_refused('accessexception', $token);
    }

    public function test_lost_role(): void {
        role_unassign_all(['userid' => $this->user->id, 'component' => 'local_nagasis']);
        $this->assert_refused('accessexception');
    }

    public function test_lost_capability(): void {
        unassign_capability('local/nagasis:read', role_step::id());
        unassign_capability('local/nagasis:apply', role_step::id());
        $this->assert_refused('nopermissions');
    }

    public function test_suspended_account(): void {
        global $DB;
        $DB->set_field('user', 'suspended', 1, ['id' => $this->user->id]);
        $this->assert_refused('wsaccessusersuspended');
    }

    public function test_maintenance(): void {
        set_config('maintenance_enabled', 1);
        $this->assert_refused('sitemaintenance');
    }
}
