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
 * Tests of the token.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\pairing;

use local_nagasis\fixtures\fake_tool;
use local_nagasis\local\state;

defined('MOODLE_INTERNAL') || die();

require_once(__DIR__ . '/../../fixtures/fake_tool.php');

/**
 * Tests of the token and its renewal.
 *
 * @covers \local_nagasis\local\pairing\token
 */
final class token_test extends \advanced_testcase {
    /** @var fake_tool|null */
    private ?fake_tool $tool = null;

    /** @var \incrementing_clock|\frozen_clock|null */
    private $clock = null;

    #[\Override]
    protected function setUp(): void {
        parent::setUp();
        $this->resetAfterTest();
        $this->setAdminUser();
        $this->clock = $this->mock_clock_with_frozen(1772420000);
        $this->tool = new fake_tool();
        (new role_step())->run();
        (new user_step())->run();
        token::confirm(token::offer());
    }

    #[\Override]
    protected function tearDown(): void {
        $this->tool->stop();
        $this->tool = null;
        $this->clock = null;
        parent::tearDown();
    }

    /**
     * Values of the tokens, the oldest first.
     *
     * @return string[]
     */
    private function tokens(): array {
        global $DB;
        return $DB->get_fieldset_select('external_tokens', 'token', '1 = 1 ORDER BY id');
    }

    /**
     * Runs the renewal without its words.
     *
     * @return bool
     */
    private function renew(): bool {
        ob_start();
        try {
            return token::renew_if_due();
        } finally {
            ob_end_clean();
        }
    }

    /**
     * It works for thirty days, and is renewed when ten are left.
     */
    public function test_renewed_in_time(): void {
        $old = $this->tokens();
        $this->assertSame(1772420000 + 30 * DAYSECS, token::expires_at());
        $this->clock->bump(20 * DAYSECS - 1);
        $this->assertFalse($this->renew());
        $this->assertSame([], $this->tool->memory()['requests']);
        $this->clock->bump(1);
        $this->assertTrue($this->renew());
        $this->assertCount(1, $this->tokens());
        $this->assertNotSame($old, $this->tokens());
        $sent = $this->tool->memory()['requests'][0];
        $this->assertSame('/api/v1/moodle/token', $sent['path']);
        $this->assertSame($this->tokens()[0], $sent['body']['token']['token']);
        $this->assertSame(token::expires_at(), $sent['body']['token']['expires_at']);
        $this->assertFalse($this->renew());
    }

    /**
     * The tool says that its token is refused: it gets a new one at once, but not ever more of them.
     */
    public function test_on_request(): void {
        $old = $this->tokens();
        $this->assertTrue(token::renew_on_request());
        $new = $this->tokens();
        $this->assertCount(1, $new);
        $this->assertNotSame($old, $new);
        $this->assertFalse(token::renew_on_request());
        $this->clock->bump(600);
        $this->assertTrue(token::renew_on_request());
        $this->assertNotSame($new, $this->tokens());
        $this->assertCount(2, $this->tool->memory()['requests']);
    }

    /**
     * While the tool does not answer both stay; the same new one is offered until it does, or until it is no longer fresh.
     */
    public function test_tool_down(): void {
        $old = $this->tokens()[0];
        $this->clock->bump(21 * DAYSECS);
        $this->tool->fault('500');
        $this->assertFalse($this->renew());
        $this->assertFalse($this->renew());
        $this->assertCount(2, $this->tokens());
        $this->assertContains($old, $this->tokens());
        $this->assertSame('server_error', state::get('tokenerror')['code']);
        $new = $this->tokens()[1];
        $this->tool->fault('');
        $this->assertTrue($this->renew());
        $this->assertSame([$new], $this->tokens());
        $this->assertNull(state::get('tokenerror'));
    }

    /**
     * The tool refuses: what works stays, and the reason is kept.
     */
    public function test_refused(): void {
        $old = $this->tokens()[0];
        $this->clock->bump(21 * DAYSECS);
        $this->tool->fault('410');
        $this->assertFalse($this->renew());
        $this->assertContains($old, $this->tokens());
        $this->assertSame('site_disconnected', state::get('tokenerror')['code']);
    }

    /**
     * Without a connection there is nothing to renew.
     */
    public function test_not_paired(): void {
        unset_config('clientid', 'local_nagasis');
        $this->clock->bump(40 * DAYSECS);
        $this->assertFalse($this->renew());
        $this->assertSame([], $this->tool->memory()['requests']);
    }

    /**
     * A token that somebody has deleted is replaced.
     */
    public function test_deleted(): void {
        global $DB;
        $DB->delete_records('external_tokens');
        $this->assertNull(token::expires_at());
        $this->assertTrue($this->renew());
        $this->assertNotNull(token::expires_at());
    }

    /**
     * Moodle does not show it to the administrator.
     */
    public function test_not_shown(): void {
        global $SESSION;
        $this->assertFalse(isset($SESSION->webservicenewlycreatedtoken));
    }
}
