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
 * Tests of the checks.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\check;

use core\check\result;
use core\task\manager;
use local_nagasis\fixtures\fake_tool;
use local_nagasis\local\health\probe;
use local_nagasis\local\outbox\outbox;
use local_nagasis\local\pairing\role_step;
use local_nagasis\local\pairing\steps;
use local_nagasis\local\pairing\token as tokens;
use local_nagasis\local\pairing\user_step;
use local_nagasis\local\state;
use local_nagasis\task\send_events;

defined('MOODLE_INTERNAL') || die();

require_once(__DIR__ . '/../fixtures/fake_tool.php');

/**
 * Moodle's status report says how the connection is.
 *
 * @covers \local_nagasis\check\backlog
 * @covers \local_nagasis\check\checks
 * @covers \local_nagasis\check\clock
 * @covers \local_nagasis\check\connection
 * @covers \local_nagasis\check\cron
 * @covers \local_nagasis\check\fromtool
 * @covers \local_nagasis\check\losses
 * @covers \local_nagasis\check\naga_check
 * @covers \local_nagasis\check\setaside
 * @covers \local_nagasis\check\settings
 * @covers \local_nagasis\check\token
 * @covers \local_nagasis\check\tool
 * @covers \local_nagasis\check\totool
 * @covers \local_nagasis\check\versions
 * @covers \local_nagasis\local\health\probe
 * @covers ::local_nagasis_status_checks
 */
final class checks_test extends \advanced_testcase {
    /** @var int What the clock says. */
    private int $now;

    /** @var \incrementing_clock|\frozen_clock */
    private $clock;

    #[\Override]
    protected function setUp(): void {
        parent::setUp();
        $this->resetAfterTest();
        $this->setAdminUser();
        $this->now = time();
        $this->clock = $this->mock_clock_with_frozen($this->now);
    }

    /**
     * As after pairing, with a tool that nobody answers for.
     */
    private function pair(): void {
        foreach ([...steps::settings(), new role_step(), new user_step()] as $step) {
            $step->run();
        }
        tokens::confirm(tokens::offer());
        set_config('toolurl', 'https://tool.naga.invalid', 'local_nagasis');
        set_config('toolname', 'Naga', 'local_nagasis');
        set_config('clientid', 'client15', 'local_nagasis');
        set_config('lastcronstart', $this->now - 30, 'tool_task');
    }

    /**
     * Statuses by id.
     *
     * @param \core\check\check[] $checks
     * @return string[]
     */
    private function statuses(array $checks): array {
        $statuses = [];
        foreach ($checks as $check) {
            $statuses[$check->get_id()] = $check->get_result()->get_status();
        }
        return $statuses;
    }

    /**
     * An event that waits.
     *
     * @param array $fields
     */
    private function waiting(array $fields = []): void {
        global $DB;
        $DB->insert_record('local_nagasis_outbox', (object) ($fields + [
            'eventid' => \core\uuid::generate(),
            'type' => 'grade.changed',
            'timecreated' => $this->now,
            'payload' => '{}',
        ]));
    }

    public function test_not_connected(): void {
        $this->assertSame(['connection' => result::INFO], $this->statuses(checks::all()));
        state::set('pairing', ['role' => ['before' => [], 'after' => []]]);
        $this->assertSame(['connection' => result::WARNING], $this->statuses(checks::all()));
    }

    public function test_all_is_well(): void {
        $this->pair();
        $this->assertSame([
            'connection' => result::OK,
            'token' => result::OK,
            'cron' => result::OK,
            'backlog' => result::OK,
            'setaside' => result::OK,
            'losses' => result::OK,
            'versions' => result::OK,
            'settings' => result::OK,
        ], $this->statuses(checks::local()));
    }

    public function test_moodle_knows_them(): void {
        $this->pair();
        $ours = array_filter(
            \core\check\manager::get_checks('status'),
            fn(\core\check\check $check): bool => $check->get_component() === 'local_nagasis',
        );
        $this->assertCount(12, $ours);
        foreach ($ours as $check) {
            $this->assertStringStartsWith('Naga SIS: ', $check->get_name());
            $this->assertInstanceOf(\action_link::class, $check->get_action_link());
        }
    }

    public function test_token(): void {
        global $DB;
        $this->pair();
        $check = new token();
        $DB->set_field('external_tokens', 'validuntil', $this->now + 7 * DAYSECS);
        $this->assertSame(result::WARNING, $check->get_result()->get_status());
        state::set('tokenerror', ['at' => 1, 'code' => 'tls', 'message' => 'No <b>certificate</b>']);
        $DB->set_field('external_tokens', 'validuntil', $this->now);
        $this->assertSame(result::ERROR, $check->get_result()->get_status());
        $this->assertStringContainsString('No &lt;b&gt;certificate', $check->get_result()->get_details());
        $DB->delete_records('external_tokens');
        $this->assertSame(result::ERROR, $check->get_result()->get_status());
    }

    public function test_cron(): void {
        $this->pair();
        $check = new cron();
        foreach ([200 => result::OK, 201 => result::WARNING, 3601 => result::ERROR] as $age => $status) {
            set_config('lastcronstart', $this->now - $age, 'tool_task');
            $this->assertSame($status, $check->get_result()->get_status(), $age);
        }
        unset_config('lastcronstart', 'tool_task');
        $this->assertSame(result::ERROR, $check->get_result()->get_status());
        set_config('lastcronstart', $this->now, 'tool_task');
        $task = manager::get_scheduled_task(send_events::class);
        $task->set_disabled(true);
        manager::configure_scheduled_task($task);
        $this->assertSame(result::ERROR, $check->get_result()->get_status());
        $this->assertStringContainsString('Send events', $check->get_result()->get_summary());
    }

    public function test_backlog(): void {
        $this->pair();
        $check = new backlog();
        $this->waiting();
        $this->assertSame(result::OK, $check->get_result()->get_status());
        state::set('senderror', ['at' => $this->now, 'code' => 'timeout', 'message' => 'It took too long.']);
        $this->assertSame(result::WARNING, $check->get_result()->get_status());
        $this->assertStringContainsString('It took too long.', $check->get_result()->get_details());
        state::forget('senderror');
        $this->clock->set_to($this->now + 601);
        $this->assertSame(result::WARNING, $check->get_result()->get_status());
        $this->clock->set_to($this->now + 3601);
        $this->assertSame(result::ERROR, $check->get_result()->get_status());
        $this->clock->set_to($this->now);
        outbox::pause();
        $this->assertSame(result::WARNING, $check->get_result()->get_status());
        outbox::resume();
        set_config('outboxlimit', 1, 'local_nagasis');
        $this->assertSame(result::ERROR, $check->get_result()->get_status());
    }

    public function test_set_aside_and_lost(): void {
        $this->pair();
        $this->waiting(['setaside' => 1, 'reason' => 'events_invalid /events/0/at: <i>too old</i>']);
        $result = (new setaside())->get_result();
        $this->assertSame(result::WARNING, $result->get_status());
        $this->assertStringContainsString('&lt;i&gt;too old', $result->get_details());
        $check = new losses();
        state::set('thinned', ['at' => $this->now, 'count' => 5]);
        $this->assertSame(result::WARNING, $check->get_result()->get_status());
        state::set('captureerror', ['at' => $this->now, 'event' => '\core\event\user_graded', 'message' => 'x', 'count' => 1]);
        $this->assertSame(result::ERROR, $check->get_result()->get_status());
    }

    public function test_versions(): void {
        $this->pair();
        $check = new versions();
        state::set('probe', ['error' => ['code' => 'contract_unsupported', 'message' => 'Update the plugin.']]);
        $this->assertSame(result::ERROR, $check->get_result()->get_status());
        state::forget('probe');
        set_config('version', 1, 'enrol_nagasis');
        \core_plugin_manager::reset_caches();
        $this->assertSame(result::ERROR, $check->get_result()->get_status());
        $this->assertStringContainsString('enrol_nagasis', $check->get_result()->get_summary());
    }

    public function test_settings_drifted(): void {
        $this->pair();
        set_config('enablewebservices', 0);
        set_config('field_lock_idnumber', 'unlocked', 'auth_manual');
        $result = (new settings())->get_result();
        $this->assertSame(result::ERROR, $result->get_status());
        $this->assertSame(2, substr_count($result->get_details(), '<li>'));
    }

    public function test_both_ways_by_a_real_call(): void {
        $this->pair();
        $tool = new fake_tool();
        $answer = fn(string $status, int $now): array => [
            'contract' => 1,
            'now' => $now,
            'checks' => [
                ['name' => 'moodle_answers', 'status' => $status, 'summary' => 'Words of the tool.', 'details' => ''],
                ['name' => 'moodle:backlog', 'status' => 'error', 'summary' => 'Ours', 'details' => ''],
            ],
        ];
        $remote = [new totool(), new fromtool(), new clock(), new tool()];
        $tool->answers('/api/v1/moodle/check', $answer('ok', $this->now + 3));
        $this->assertSame(
            ['totool' => result::OK, 'fromtool' => result::OK, 'clock' => result::OK, 'tool' => result::OK],
            $this->statuses($remote),
        );
        $this->assertCount(1, $tool->memory()['requests'], 'Four checks share one call');

        $tool->answers('/api/v1/moodle/check', $answer('error', $this->now - 20));
        $this->clock->set_to($this->now + 60);
        $tool->answers('/api/v1/moodle/check', $answer('error', $this->now + 40));
        $this->assertSame(
            ['totool' => result::OK, 'fromtool' => result::ERROR, 'clock' => result::WARNING, 'tool' => result::OK],
            $this->statuses($remote),
        );
        $this->assertStringContainsString('ahead', (new clock())->get_result()->get_summary());

        $this->clock->set_to($this->now + 120);
        $tool->answers('/api/v1/moodle/check', [
            'now' => $this->now + 120 + 3600,
            'checks' => [['name' => 'launches', 'status' => 'error', 'summary' => '<script>', 'details' => []], 'nonsense', 5],
        ]);
        $this->assertSame(
            ['totool' => result::OK, 'fromtool' => result::UNKNOWN, 'clock' => result::ERROR, 'tool' => result::ERROR],
            $this->statuses($remote),
        );
        $this->assertStringContainsString('&lt;script&gt;', (new tool())->get_result()->get_details());
    }

    public function test_a_tool_that_does_not_answer(): void {
        $this->pair();
        $tool = new fake_tool();
        $tool->answers('/api/v1/moodle/check', ['code' => 'request_expired', 'detail' => 'Too late.'], 401);
        $remote = [new totool(), new fromtool(), new clock(), new tool()];
        $this->assertSame(
            ['totool' => result::ERROR, 'fromtool' => result::UNKNOWN, 'clock' => result::ERROR, 'tool' => result::UNKNOWN],
            $this->statuses($remote),
        );
        $tool->stop();
        $this->assertSame('connection', probe::run()['error']['code']);
        $this->assertSame(result::UNKNOWN, (new clock())->get_result()->get_status());
        // Another connection does not inherit it.
        set_config('clientid', 'client16', 'local_nagasis');
        $this->assertSame('connection', probe::recent()['error']['code']);
        $this->assertSame('client16', probe::last()['client']);
    }
}
