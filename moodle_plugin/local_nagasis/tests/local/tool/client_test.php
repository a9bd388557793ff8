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
 * The door to the tool.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\tool;

use Firebase\JWT\JWK;
use Firebase\JWT\JWT;
use local_nagasis\fixtures\fake_tool;
use mod_lti\local\ltiopenid\jwks_helper;

defined('MOODLE_INTERNAL') || die();

require_once(__DIR__ . '/../../fixtures/fake_tool.php');

/**
 * The door to the tool, with a real server behind it.
 *
 * @covers \local_nagasis\local\tool\client
 * @covers \local_nagasis\local\tool\signer
 * @covers \local_nagasis\local\tool\refused
 * @covers \local_nagasis\local\tool\unreachable
 */
final class client_test extends \advanced_testcase {
    /** @var fake_tool */
    private fake_tool $tool;

    protected function setUp(): void {
        parent::setUp();
        $this->resetAfterTest();
        $this->tool = new fake_tool();
    }

    protected function tearDown(): void {
        $this->tool->stop();
        parent::tearDown();
    }

    public function test_a_signature_is_what_the_contract_says(): void {
        global $CFG;
        $header = signer::authorization('client15', 'https://tool.example/api/v1/moodle/check', 'the body');
        $this->assertStringStartsWith('Bearer ', $header);
        $claims = (array) JWT::decode(substr($header, 7), JWK::parseKeySet(jwks_helper::get_jwks()));
        $this->assertSame(['iss', 'sub', 'aud', 'iat', 'exp', 'jti', 'bh'], array_keys($claims));
        $this->assertSame($CFG->wwwroot, $claims['iss']);
        $this->assertSame('client15', $claims['sub']);
        $this->assertSame('https://tool.example/api/v1/moodle/check', $claims['aud']);
        $this->assertSame(60, $claims['exp'] - $claims['iat']);
        $this->assertSame(hash('sha256', 'the body', true), base64_decode(strtr($claims['bh'], '-_', '+/')));
        $again = signer::authorization('client15', 'https://tool.example/api/v1/moodle/check', 'the body');
        $this->assertNotSame($header, $again);
    }

    public function test_a_signed_request_is_taken(): void {
        $this->assertSame([], client::post('/api/v1/moodle/check', ['x' => 'ភាសាខ្មែរ']));
        $request = $this->tool->memory()['requests'][0];
        $this->assertSame(['contract' => 1, 'x' => 'ភាសាខ្មែរ'], [
            'contract' => $request['body']['contract'], 'x' => $request['body']['x'],
        ]);
        $this->assertSame('gzip', $request['encoding']);
        $this->assertTrue($request['signed']);
    }

    public function test_an_offer_is_asked_for_unsigned(): void {
        $this->tool->answers('/api/v1/moodle/offer', ['tool_name' => 'Naga']);
        $answer = client::at($this->tool->url . '/')->send('/api/v1/moodle/offer', ['secret' => 's'], false);
        $this->assertSame(['tool_name' => 'Naga'], $answer);
        $this->assertFalse($this->tool->memory()['requests'][0]['signed']);
        $this->assertSame('/api/v1/moodle/offer', $this->tool->memory()['requests'][0]['path']);
    }

    public function test_another_client_id_is_refused(): void {
        $this->tool->expects('another');
        try {
            client::post('/api/v1/moodle/check', []);
            $this->fail('It was taken.');
        } catch (refused $refusal) {
            $this->assertSame([401, 'request_unsigned', null], [$refusal->status, $refusal->reason, $refusal->field]);
            $this->assertStringContainsString('request_unsigned', $refusal->getMessage());
        }
    }

    public function test_a_refusal_brings_its_field(): void {
        $problem = ['code' => 'pairing_code_used', 'detail' => 'It was used.', 'field' => '/secret', 'extra' => 1];
        $this->tool->answers('/api/v1/moodle/pair', $problem, 400);
        try {
            client::post('/api/v1/moodle/pair', []);
            $this->fail('It was taken.');
        } catch (refused $refusal) {
            $this->assertSame([400, 'pairing_code_used', '/secret'], [$refusal->status, $refusal->reason, $refusal->field]);
            $this->assertSame($problem, $refusal->problem);
            $this->assertStringContainsString('It was used.', $refusal->getMessage());
        }
    }

    /**
     * Answers that are none, and what is said of them.
     *
     * @return array
     */
    public static function unusable(): array {
        return [
            'an error page' => ['500', 'server_error', 500],
            'a page of something else' => ['garbage', 'garbage', 200],
            'a redirect' => ['redirect', 'redirected', 302],
            'three megabytes' => ['flood', 'garbage', 200],
        ];
    }

    /**
     * What is no answer of the tool is never taken for one.
     *
     * @dataProvider unusable
     * @param string $fault
     * @param string $reason
     * @param int $status
     */
    public function test_unusable_answers(string $fault, string $reason, int $status): void {
        $this->tool->fault($fault);
        try {
            client::post('/api/v1/moodle/check', []);
            $this->fail('It was taken.');
        } catch (unreachable $problem) {
            $this->assertSame([$reason, $status], [$problem->reason, $problem->status]);
            $this->assertStringContainsString($this->tool->url, $problem->getMessage());
        }
    }

    public function test_a_list_and_a_problem_without_a_code_are_no_answers(): void {
        $this->tool->answers('/api/v1/moodle/check', [1, 2]);
        $this->assertSame('garbage', $this->reason());
        $this->tool->answers('/api/v1/moodle/check', ['message' => 'no such page'], 404);
        $this->assertSame('garbage', $this->reason());
        $this->tool->answers('/api/v1/moodle/check', ['code' => 'rate_limited'], 429);
        $this->assertSame('busy', $this->reason());
    }

    public function test_a_tool_that_is_down(): void {
        $this->tool->stop();
        $this->assertSame('connection', $this->reason());
    }

    public function test_a_slow_tool_is_not_waited_for_longer_than_asked(): void {
        $this->tool->fault('slow');
        try {
            client::post('/api/v1/moodle/check', [], true, 1);
            $this->fail('It was taken.');
        } catch (unreachable $problem) {
            $this->assertSame('timeout', $problem->reason);
        }
    }

    public function test_moodles_security_settings_are_kept(): void {
        set_config('curlsecurityblockedhosts', '127.0.0.1');
        $this->assertSame('blocked', $this->reason());
        // Moodle's own word on it, for developers.
        $this->resetDebugging();
        $this->assertSame([], $this->tool->memory()['requests']);
    }

    public function test_a_certificate_that_nobody_vouches_for_is_not_believed(): void {
        $folder = make_request_directory();
        $key = openssl_pkey_new(['private_key_bits' => 2048]);
        $certificate = openssl_csr_sign(openssl_csr_new(['commonName' => '127.0.0.1'], $key), null, $key, 2);
        openssl_x509_export($certificate, $pem);
        openssl_pkey_export($key, $keypem);
        file_put_contents("$folder/server.pem", $pem . $keypem);
        $code = '$s = stream_socket_server("ssl://127.0.0.1:0", $n, $e, STREAM_SERVER_BIND | STREAM_SERVER_LISTEN,'
            . ' stream_context_create(["ssl" => ["local_cert" => $argv[1]]]));'
            . ' echo stream_socket_get_name($s, false), "\n"; @stream_socket_accept($s, 20);';
        $process = proc_open([PHP_BINARY, '-r', $code, "$folder/server.pem"], [1 => ['pipe', 'w']], $pipes);
        set_config('toolurl', 'https://' . trim(fgets($pipes[1])), 'local_nagasis');
        $reason = $this->reason();
        proc_terminate($process, 9);
        proc_close($process);
        $this->assertSame('tls', $reason);
    }

    public function test_without_pairing_nothing_is_called(): void {
        unset_config('clientid', 'local_nagasis');
        $this->assertFalse(client::paired());
        $this->assertSame('not_paired', $this->reason());
    }

    public function test_without_a_platform_key_nothing_is_signed(): void {
        unset_config('privatekey', 'mod_lti');
        $this->assertSame('no_key', $this->reason());
    }

    /**
     * Why a request fails.
     *
     * @return string
     */
    private function reason(): string {
        try {
            client::post('/api/v1/moodle/check', []);
        } catch (unreachable $problem) {
            $this->assertStringNotContainsString('[[', $problem->getMessage());
            return $problem->reason;
        }
        return 'none';
    }
}
