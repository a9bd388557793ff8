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
 * Delivery of events, with a real server that has faults.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\outbox;

use local_nagasis\fixtures\outbox_testcase;
use local_nagasis\local\state;

defined('MOODLE_INTERNAL') || die();

require_once(__DIR__ . '/../../fixtures/outbox_testcase.php');

/**
 * Delivery of events, with a real server that has faults.
 *
 * @covers \local_nagasis\local\outbox\outbox
 * @covers \local_nagasis\local\outbox\courier
 * @covers \local_nagasis\local\outbox\numbering
 * @covers \local_nagasis\local\outbox\batch
 */
final class delivery_test extends outbox_testcase {
    public function test_events_arrive_in_order_and_leave(): void {
        $ids = $this->events(2300);
        $report = outbox::send(30);
        $this->assertSame(['sent' => 2300, 'setaside' => 0, 'error' => null, 'busy' => false], $report);
        $this->assertSame($ids, $this->held());
        $this->assertSame(range(1, 2300), array_keys($this->tool->memory()['events']));
        $this->assertSame(['count' => 0, 'oldest' => null], outbox::backlog());
        $requests = $this->tool->memory()['requests'];
        $this->assertSame([1000, 1000, 300], array_column(array_column($requests, 'body'), 'count'));
        $this->assertSame([1300, 300, 0], array_column(array_column($requests, 'body'), 'backlog'));
        $this->assertSame(['gzip', 'gzip', 'gzip'], array_column($requests, 'encoding'));
        $this->assertSame([null, $ids[999], $ids[1999]], array_column(array_column($requests, 'body'), 'after'));
        $this->assertSame([1, 1001, 2001], array_column(array_column($requests, 'body'), 'first'));
        $this->assertSame(2300, state::get('heldseq'));
        $this->assertSame($ids[2299], state::get('heldid'));
        $this->assertEqualsWithDelta(time(), state::get('sentat'), 5);
        $first = $this->tool->memory()['events'][1];
        $this->assertSame(
            ['seq' => 1, 'id' => $ids[0], 'at' => 1700000000, 'type' => 'grade.changed', 'actor' => 2, 'user' => 5,
                'course' => 7, 'object' => 1, 'data' => []],
            $first,
        );
    }

    public function test_what_comes_later_goes_on_counting(): void {
        $this->events(3);
        outbox::send(30);
        $this->events(2);
        outbox::send(30);
        $this->assertSame(range(1, 5), array_keys($this->tool->memory()['events']));
    }

    public function test_nothing_is_sent_when_nothing_waits_unless_to_greet(): void {
        outbox::send(30);
        $this->assertSame([], $this->tool->memory()['requests']);
        outbox::send(30, true);
        $this->assertSame([0], array_column(array_column($this->tool->memory()['requests'], 'body'), 'count'));
        $this->assertNotNull(state::get('sentat'));
    }

    /**
     * Faults after which everything waits, and the code that the administrator sees.
     *
     * @return array
     */
    public static function faults(): array {
        return [
            'an error of its own' => ['500', 'server_error'],
            'it does not know us' => ['401', 'site_unknown'],
            'it ended the connection' => ['410', 'site_disconnected'],
            'it wants another version' => ['400', 'contract_unsupported'],
            'something else answers' => ['garbage', 'garbage'],
            'it claims more than it was sent' => ['liar', 'garbage'],
            'it stores nothing' => ['forgetful', 'not_held'],
            'it sends us elsewhere' => ['redirect', 'redirected'],
            'too much comes back' => ['flood', 'garbage'],
            'the message, not an event, is refused' => ['envelope', 'events_invalid'],
            'it is slow' => ['slow', 'timeout'],
        ];
    }

    /**
     * Nothing is lost and nothing repeated whatever the tool answers.
     *
     * @dataProvider faults
     * @param string $fault
     * @param string $code
     */
    public function test_events_wait_out_a_fault(string $fault, string $code): void {
        $ids = $this->events(5);
        $this->tool->fault($fault);
        $report = outbox::send(1);
        $this->assertSame(['sent' => 0, 'setaside' => 0, 'error' => $code, 'busy' => false], $report);
        $this->assertSame(5, outbox::backlog()['count']);
        $this->assertSame($code, state::get('senderror')['code']);
        $this->assertNotSame('', state::get('senderror')['message']);

        $this->tool->start();
        $this->tool->fault('');
        $more = $this->events(2);
        $this->assertSame(7, outbox::send(30)['sent']);
        $this->assertSame([...$ids, ...$more], $this->held());
        $this->assertNull(state::get('senderror'));
    }

    public function test_events_wait_while_the_tool_is_down(): void {
        $ids = $this->events(5);
        $this->tool->stop();
        $this->assertSame('connection', outbox::send(10)['error']);
        $this->tool->start();
        $this->assertSame(5, outbox::send(30)['sent']);
        $this->assertSame($ids, $this->held());
    }

    public function test_a_tool_that_dies_after_storing_holds_each_event_once(): void {
        $ids = $this->events(5);
        $this->tool->fault('dies');
        $this->assertSame('connection', outbox::send(10)['error']);
        $this->assertSame($ids, $this->held());
        $this->assertSame(5, outbox::backlog()['count']);
        $more = $this->events(1);
        $this->tool->fault('');
        $this->tool->start();
        $this->assertNull(outbox::send(30)['error']);
        $this->assertSame([...$ids, ...$more], $this->held());
        $this->assertSame(0, outbox::backlog()['count']);
    }

    public function test_batches_shrink_for_a_proxy_that_takes_little(): void {
        $ids = $this->events(20);
        $this->tool->fault('small');
        $this->assertSame(20, outbox::send(30)['sent']);
        $this->assertSame($ids, $this->held());
        $this->assertSame(0, outbox::count_set_aside());
    }

    public function test_batches_shrink_for_a_slow_tool_and_grow_again(): void {
        $this->events(1000);
        $this->tool->fault('slow');
        outbox::send(1);
        $this->assertSame(500, state::get('sendsize'));
        $this->tool->fault('');
        $this->tool->start();
        outbox::send(30);
        $this->assertNull(state::get('sendsize'));
        $counts = array_column(array_column($this->tool->memory()['requests'], 'body'), 'count');
        $this->assertSame([500, 500], array_slice($counts, -2));
    }

    public function test_a_pause(): void {
        $this->events(3);
        $this->assertTrue(outbox::waiting());
        outbox::pause();
        $this->assertTrue(outbox::paused());
        $this->assertFalse(outbox::waiting());
        $this->assertSame(0, outbox::send(30)['sent']);
        $this->assertSame([], $this->tool->memory()['requests']);
        outbox::resume();
        $this->assertTrue(outbox::waiting());
        $this->assertSame(3, outbox::send(30)['sent']);
        $this->assertFalse(outbox::waiting());
    }

    public function test_a_number_whose_event_is_gone_becomes_a_hole(): void {
        global $DB;
        $ids = $this->events(6);
        $this->tool->fault('500');
        outbox::send(30);
        $DB->delete_records_list(recorder::TABLE, 'eventid', [$ids[0], $ids[3], $ids[5]]);
        // Sent twice, the hole has one id.
        $this->tool->fault('dies');
        outbox::send(30);
        $this->tool->fault('');
        $this->tool->start();
        $this->events(1);
        $this->assertSame(4, outbox::send(30)['sent']);
        $expected = ['hole', 'grade.changed', 'grade.changed', 'hole', 'grade.changed', 'hole', 'grade.changed'];
        $this->assertSame($expected, array_values($this->tool->types()));
        $pattern = '/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/';
        foreach ($this->held() as $id) {
            $this->assertMatchesRegularExpression($pattern, $id);
        }
    }

    public function test_only_one_process_sends(): void {
        global $CFG;
        // The database's own locks are the connection's: it could take one twice.
        $CFG->lock_factory = '\core\lock\file_lock_factory';
        $lock = \core\lock\lock_config::get_lock_factory('local_nagasis')->get_lock('outbox', 0);
        $this->events(1);
        $report = outbox::send(30);
        $lock->release();
        $this->assertTrue($report['busy']);
        $this->assertSame(1, outbox::backlog()['count']);
    }

    public function test_what_is_rolled_back_leaves_no_gap(): void {
        global $DB;
        $this->preventResetByRollback();
        $first = $this->events(1);
        $transaction = $DB->start_delegated_transaction();
        $this->events(2);
        try {
            $transaction->rollback(new \RuntimeException('no'));
        } catch (\RuntimeException $e) {
            $last = $this->events(1);
        }
        outbox::send(30);
        $this->assertSame([...$first, ...$last], $this->held());
        $this->assertSame([1, 2], array_keys($this->tool->memory()['events']));
    }

    public function test_a_moodle_that_is_not_paired_sends_nothing(): void {
        $this->events(1);
        unset_config('toolurl', 'local_nagasis');
        $this->assertSame(['sent' => 0, 'setaside' => 0, 'error' => null, 'busy' => false], outbox::send(30));
        outbox::clear();
        $this->assertSame(0, outbox::backlog()['count']);
        $this->assertNull(state::get('epoch'));
    }
}
