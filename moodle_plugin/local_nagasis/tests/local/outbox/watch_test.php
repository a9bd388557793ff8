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
 * When events are sent.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\outbox;

use core\task\manager;
use local_nagasis\fixtures\fake_tool;
use local_nagasis\local\state;
use local_nagasis\task\send_events;
use local_nagasis\task\watch_outbox;

defined('MOODLE_INTERNAL') || die();

global $CFG;
require_once($CFG->dirroot . '/group/lib.php');
require_once(__DIR__ . '/../../fixtures/fake_tool.php');

/**
 * When events are sent: each minute, and in between.
 *
 * @covers \local_nagasis\local\outbox\watch
 * @covers \local_nagasis\task\send_events
 * @covers \local_nagasis\task\watch_outbox
 */
final class watch_test extends \advanced_testcase {
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

    /**
     * Something happens.
     */
    private function happen(): void {
        global $SITE;
        groups_create_group((object) ['courseid' => $SITE->id, 'name' => \core\uuid::generate()]);
    }

    /**
     * Watches that are left.
     *
     * @return \stdClass[]
     */
    private function watches(): array {
        global $DB;
        return array_values($DB->get_records('task_adhoc', ['classname' => '\\' . watch_outbox::class]));
    }

    /**
     * Runs the scheduled task.
     *
     * @return string what it said
     */
    private function minute(): string {
        ob_start();
        manager::get_scheduled_task(send_events::class)->execute();
        return ob_get_clean();
    }

    public function test_each_minute_sends_and_leaves_one_watch(): void {
        $this->happen();
        $this->assertStringContainsString('sent 1', $this->minute());
        $this->assertSame(['group.created'], array_values($this->tool->types()));
        $this->assertCount(1, $this->watches());
        $this->assertSame('', $this->minute());
        $this->assertCount(1, $this->watches());
    }

    public function test_a_watch_that_was_killed_is_replaced(): void {
        global $DB;
        $this->minute();
        $DB->set_field('task_adhoc', 'timestarted', time() - 100);
        $DB->set_field('task_adhoc', 'nextruntime', time() - 100);
        $lost = $this->watches()[0]->id;
        $this->minute();
        $this->assertCount(1, $this->watches());
        $this->assertNotSame($lost, $this->watches()[0]->id);
    }

    public function test_a_fault_is_said_and_the_task_does_not_fail(): void {
        $this->happen();
        $this->tool->fault('500');
        $this->assertStringContainsString('problem: server_error', $this->minute());
        $this->assertSame([], $this->watches());
    }

    public function test_the_tool_hears_of_us_although_nothing_happens(): void {
        $clock = $this->mock_clock_with_frozen(1800000000);
        $this->minute();
        $this->assertCount(1, $this->tool->memory()['requests']);
        $clock->bump(240);
        $this->minute();
        $this->assertCount(1, $this->tool->memory()['requests']);
        $clock->bump(60);
        $this->minute();
        $this->assertCount(2, $this->tool->memory()['requests']);
        $this->assertSame(1800000300, state::get('sentat'));
    }

    public function test_a_tool_that_ended_the_connection_is_asked_once_an_hour(): void {
        $clock = $this->mock_clock_with_frozen(1800000000);
        $this->tool->fault('410');
        $this->happen();
        $this->assertStringContainsString('site_disconnected', $this->minute());
        $clock->bump(3540);
        $this->minute();
        $this->assertCount(1, $this->tool->memory()['requests']);
        $clock->bump(60);
        $this->tool->fault('');
        $this->minute();
        $this->assertCount(2, $this->tool->memory()['requests']);
        $this->assertNull(state::get('senderror'));
    }

    public function test_nothing_runs_before_pairing_or_in_a_pause(): void {
        outbox::pause();
        $this->happen();
        $this->minute();
        $this->assertSame([], $this->watches());
        outbox::resume();
        unset_config('toolurl', 'local_nagasis');
        $this->minute();
        $this->assertSame([], $this->watches());
        $this->assertSame([], $this->tool->memory()['requests']);
    }

    public function test_a_watch_sends_what_happens(): void {
        $this->happen();
        $this->expectOutputRegex('/sent 1/');
        (new watch())->run(1);
        $this->assertSame(['group.created'], array_values($this->tool->types()));
    }

    public function test_a_watch_makes_way(): void {
        $other = new \core\task\asynchronous_copy_task();
        manager::queue_adhoc_task($other);
        $began = hrtime(true);
        (new watch())->run(50);
        $this->assertLessThan(10, (hrtime(true) - $began) / 1e9);
        $this->assertCount(1, $this->watches());
    }

    public function test_a_watch_does_not_make_way_for_what_waits_already(): void {
        global $DB;
        manager::queue_adhoc_task(new \core\task\asynchronous_copy_task());
        $DB->set_field('task_adhoc', 'nextruntime', time() - 500);
        (new watch())->run(1);
        $this->assertCount(0, $this->watches());
    }

    public function test_a_watch_ends_before_cron_comes_again_and_leaves_the_next(): void {
        $clock = $this->mock_clock_with_frozen(1800000000);
        set_config('lastcronstart', 1800000000 - 90, 'tool_task');
        $this->assertSame(28, watch::seconds_left());
        $clock->bump(29);
        $this->assertSame(0, watch::seconds_left());
        (new watch_outbox())->execute();
        // Cron comes at 1800000030; what is due before that second is taken, but not by this process again.
        $this->assertSame([1800000029], array_map(fn($watch) => (int) $watch->nextruntime, $this->watches()));
        $this->minute();
        $this->assertCount(1, $this->watches());
    }

    public function test_a_watch_that_meets_a_fault_leaves_no_other(): void {
        $this->happen();
        $this->tool->fault('500');
        (new watch_outbox())->execute();
        $this->assertSame([], $this->watches());
        outbox::pause();
        (new watch_outbox())->execute();
        $this->assertSame([], $this->watches());
    }
}
