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
 * A restored Moodle, a restored tool, malformed events, a full outbox.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\outbox;

use local_nagasis\fixtures\outbox_testcase;
use local_nagasis\local\provision\batch as documents;
use local_nagasis\local\state;

defined('MOODLE_INTERNAL') || die();

require_once(__DIR__ . '/../../fixtures/outbox_testcase.php');

/**
 * What is not the ordinary way of an event: epochs, holes, thinning.
 *
 * @covers \local_nagasis\local\outbox\outbox
 * @covers \local_nagasis\local\outbox\courier
 * @covers \local_nagasis\local\outbox\numbering
 */
final class exceptions_test extends outbox_testcase {
    public function test_a_restored_moodle_begins_a_new_epoch(): void {
        global $DB;
        $this->events(10);
        outbox::send(30);
        $epoch = outbox::epoch();
        // As it was after the sixth event, when the backup was made.
        state::set('lastseq', 6);
        state::set('heldseq', 6);
        state::set('heldid', $this->held()[5]);
        $ids = $this->events(2);
        $this->assertSame(['sent' => 2, 'setaside' => 0, 'error' => null, 'busy' => false], outbox::send(30));
        $this->assertNotSame($epoch, outbox::epoch());
        $this->assertSame(outbox::epoch(), $this->tool->memory()['epoch']);
        $this->assertSame($ids, $this->held());
        $this->assertSame([1, 2], array_keys($this->tool->memory()['events']));
        $this->assertCount(10, $this->tool->memory()['ended'][$epoch]);
        $this->assertSame(2, state::get('heldseq'));
    }

    public function test_a_restored_moodle_that_went_on_is_known_by_the_event_before(): void {
        $this->events(5);
        outbox::send(30);
        $epoch = outbox::epoch();
        state::set('heldid', \core\uuid::generate());
        $this->events(9);
        $this->assertSame(9, outbox::send(30)['sent']);
        $this->assertNotSame($epoch, outbox::epoch());
    }

    public function test_a_restored_moodle_in_which_nothing_waits_tells_of_it_at_once(): void {
        $this->events(3);
        outbox::send(30);
        $epoch = outbox::epoch();
        // The backup knows two of the three.
        state::set('lastseq', 2);
        state::set('heldseq', 2);
        $this->assertSame(['sent' => 0, 'setaside' => 0, 'error' => null, 'busy' => false], outbox::send(30, true));
        $this->assertNotSame($epoch, outbox::epoch());
        $this->assertSame(outbox::epoch(), $this->tool->memory()['epoch']);
        $this->assertCount(3, $this->tool->memory()['requests']);
    }

    public function test_what_the_tool_writes_has_a_number_and_what_it_finds_unchanged_has_none(): void {
        $category = [
            'kind' => 'category', 'idnumber' => 'T1', 'name' => 'Term 1', 'parent' => null, 'visible' => true,
        ];
        foreach ([$category, $category, ['name' => 'Term one'] + $category] as $document) {
            $this->assertNotSame('refused', documents::run([(object) $document], false)[0]['result']);
        }
        documents::run([(object) (['name' => 'Only asked'] + $category)], true);
        $this->assertSame(2, outbox::send(30)['sent']);
        $this->assertSame([1 => 'sync.applied', 2 => 'sync.applied'], $this->tool->types());
        $this->assertSame(2, outbox::position()['last']);
    }

    public function test_a_restored_tool_takes_what_comes(): void {
        $this->events(5);
        outbox::send(30);
        $this->tool->forget_after(2);
        $this->events(1);
        $this->assertSame(1, outbox::send(30)['sent']);
        $this->assertSame([1, 2, 6], array_keys($this->tool->memory()['events']));
    }

    public function test_a_tool_that_always_ends_the_epoch_does_not_keep_us(): void {
        $this->events(1);
        $this->tool->answers('/api/v1/moodle/events', ['code' => 'epoch_over'], 409);
        $this->assertSame('epoch_over', outbox::send(30)['error']);
        $this->assertCount(2, $this->tool->memory()['requests']);
        $this->assertSame(1, outbox::backlog()['count']);
    }

    public function test_malformed_events_are_set_aside_and_the_others_go_on(): void {
        $before = $this->events(130);
        [$bad] = $this->events(1, 'odd.first');
        $between = $this->events(40);
        [$worse] = $this->events(1, 'odd.second');
        $after = $this->events(20);
        $this->tool->refuse(['odd.first', 'odd.second']);

        $report = outbox::send(30);
        $this->assertSame(['sent' => 190, 'setaside' => 2, 'error' => null, 'busy' => false], $report);
        $this->assertSame([...$before, $bad, ...$between, $worse, ...$after], $this->held());
        $types = $this->tool->types();
        $this->assertSame(['hole', 'hole'], [$types[131], $types[172]]);
        $this->assertLessThan(40, count($this->tool->memory()['requests']));
        $this->assertSame(0, outbox::backlog()['count']);
        $this->assertSame(2, outbox::count_set_aside());
        $this->assertSame([$worse, $bad], array_column(outbox::set_aside(), 'eventid'));
        $this->assertStringContainsString('events_invalid /events/0/type: It is', outbox::set_aside()[0]->reason);

        // The tool learns them: the holes are filled.
        $this->tool->refuse([]);
        $this->assertSame(1, outbox::resend_from(132));
        $this->assertTrue(outbox::resend((int) outbox::set_aside()[0]->id));
        $this->assertSame(2, outbox::send(30)['sent']);
        $types = $this->tool->types();
        $this->assertSame(['odd.first', 'odd.second'], [$types[131], $types[172]]);
        $this->assertSame(0, outbox::count_set_aside());
    }

    public function test_an_event_that_was_set_aside_can_be_discarded(): void {
        $this->events(1, 'odd.first');
        $this->tool->refuse(['odd.first']);
        outbox::send(30);
        $id = (int) outbox::set_aside()[0]->id;
        $this->assertTrue(outbox::discard($id));
        $this->assertFalse(outbox::discard($id));
        $this->assertSame(0, outbox::count_set_aside());
        $this->tool->refuse([]);
        $this->events(1);
        outbox::send(30);
        $this->assertSame(['hole', 'grade.changed'], array_values($this->tool->types()));
    }

    public function test_a_tool_that_refuses_even_holes_takes_nothing_from_us(): void {
        $this->events(4);
        $this->tool->fault('everything');
        $report = outbox::send(30);
        $this->assertSame(['sent' => 0, 'setaside' => 0, 'error' => 'events_invalid', 'busy' => false], $report);
        $this->assertSame(0, outbox::count_set_aside());
        $this->assertSame(4, outbox::backlog()['count']);
    }

    public function test_a_full_outbox_forgets_the_oldest_activity_alone(): void {
        global $DB;
        set_config('outboxlimit', 10, 'local_nagasis');
        $this->events(4, 'user.loggedin');
        $this->events(9);
        $this->events(3, 'user.loggedin');
        $this->assertSame(6, outbox::thin());
        $this->assertSame(10, outbox::backlog()['count']);
        $this->assertSame(9, $DB->count_records(recorder::TABLE, ['type' => 'grade.changed']));
        $this->assertSame(6, state::get('thinned')['count']);
        $this->events(5);
        $this->assertSame(1, outbox::thin());
        $this->assertSame(14, outbox::backlog()['count']);
        $this->assertSame(0, outbox::thin());
    }

    public function test_numbered_activity_is_not_forgotten(): void {
        set_config('outboxlimit', 1, 'local_nagasis');
        $this->tool->fault('500');
        $this->events(1);
        $this->events(3, 'user.loggedin');
        numbering::give(3);
        $this->assertSame(1, outbox::thin());
        $this->assertSame(3, outbox::backlog()['count']);
    }
}
