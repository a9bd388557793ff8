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
 * What is done once an hour.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\task;

use core\task\manager;
use local_nagasis\fixtures\fake_tool;
use local_nagasis\local\outbox\outbox;
use local_nagasis\local\outbox\recorder;
use local_nagasis\local\pairing\role_step;
use local_nagasis\local\pairing\token;
use local_nagasis\local\pairing\user_step;

defined('MOODLE_INTERNAL') || die();

require_once(__DIR__ . '/../fixtures/fake_tool.php');

/**
 * What is done once an hour.
 *
 * @covers \local_nagasis\task\maintain
 */
final class maintain_test extends \advanced_testcase {
    /** @var fake_tool */
    private fake_tool $tool;

    protected function setUp(): void {
        parent::setUp();
        $this->resetAfterTest();
        $this->setAdminUser();
        $this->tool = new fake_tool();
    }

    protected function tearDown(): void {
        $this->tool->stop();
        parent::tearDown();
    }

    public function test_the_token_is_renewed_and_a_full_outbox_thinned(): void {
        global $DB;
        (new role_step())->run();
        (new user_step())->run();
        token::confirm(token::offer());
        $token = $DB->get_field('external_tokens', 'token', []);
        $DB->set_field('external_tokens', 'validuntil', time() + DAYSECS);
        outbox::pause();
        set_config('outboxlimit', 2, 'local_nagasis');
        $DB->delete_records(recorder::TABLE);
        for ($i = 0; $i < 5; $i++) {
            $DB->insert_record(recorder::TABLE, (object) [
                'eventid' => \core\uuid::generate(), 'type' => 'user.loggedin', 'activity' => 1,
                'timecreated' => 1700000000 + $i, 'payload' => '{}',
            ]);
        }
        $this->expectOutputRegex('/forgot 3 events/');
        manager::get_scheduled_task(maintain::class)->execute();
        $this->assertSame(['count' => 2, 'oldest' => 1700000003], outbox::backlog());
        $this->assertNotSame($token, $DB->get_field('external_tokens', 'token', []));
        $this->assertSame(['/api/v1/moodle/token'], array_column($this->tool->memory()['requests'], 'path'));
    }

    public function test_nothing_is_done_before_pairing(): void {
        unset_config('toolurl', 'local_nagasis');
        manager::get_scheduled_task(maintain::class)->execute();
        $this->assertSame([], $this->tool->memory()['requests']);
    }
}
