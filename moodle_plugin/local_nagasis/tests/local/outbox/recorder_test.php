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
 * What the observer does, and what it never does.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\outbox;

use local_nagasis\local\echo_guard;
use local_nagasis\local\state;

defined('MOODLE_INTERNAL') || die();

global $CFG;
require_once($CFG->dirroot . '/group/lib.php');

/**
 * What the observer does whatever the event, and what it never does.
 *
 * @covers \local_nagasis\observer
 * @covers \local_nagasis\local\outbox\recorder
 * @covers \local_nagasis\local\outbox\vocabulary
 */
final class recorder_test extends \advanced_testcase {
    /** @var \stdClass */
    private \stdClass $course;

    protected function setUp(): void {
        parent::setUp();
        $this->resetAfterTest();
        $this->setAdminUser();
        $this->course = $this->getDataGenerator()->create_course();
        set_config('toolurl', 'https://tool.example', 'local_nagasis');
        set_config('clientid', 'client15', 'local_nagasis');
    }

    /**
     * Groups that were noted as made.
     *
     * @return \stdClass[]
     */
    private function made(): array {
        global $DB;
        return array_values($DB->get_records(recorder::TABLE, ['type' => 'group.created'], 'id'));
    }

    /**
     * Everything that Moodle is told to tell us is known, and the other way round.
     */
    public function test_every_observed_event_has_a_type(): void {
        $observers = [];
        require(__DIR__ . '/../../../db/events.php');
        $this->assertSame(array_keys(vocabulary::TYPES), array_column($observers, 'eventname'));
        $this->assertCount(count(vocabulary::TYPES), array_unique(vocabulary::TYPES));
        foreach ($observers as $observer) {
            $this->assertTrue($observer['internal']);
            // Moodle 5 grades a quiz in a step of its own.
            if ($observer['eventname'] !== '\mod_quiz\event\attempt_graded') {
                $this->assertTrue(class_exists($observer['eventname']), $observer['eventname']);
            }
        }
    }

    public function test_our_own_changes_are_not_forwarded(): void {
        echo_guard::run(fn() => groups_create_group((object) ['courseid' => $this->course->id, 'name' => 'Ours']));
        $this->assertSame([], $this->made());
        groups_create_group((object) ['courseid' => $this->course->id, 'name' => 'Theirs']);
        $this->assertCount(1, $this->made());
    }

    public function test_nothing_is_recorded_before_pairing(): void {
        unset_config('toolurl', 'local_nagasis');
        groups_create_group((object) ['courseid' => $this->course->id, 'name' => 'Theirs']);
        $this->assertSame([], $this->made());
    }

    public function test_a_change_that_is_undone_leaves_no_row(): void {
        global $DB;
        $this->preventResetByRollback();
        try {
            $transaction = $DB->start_delegated_transaction();
            groups_create_group((object) ['courseid' => $this->course->id, 'name' => 'Undone']);
            $this->assertCount(1, $this->made());
            $transaction->rollback(new \RuntimeException('no'));
        } catch (\RuntimeException $e) {
            $this->assertSame([], $this->made());
        }
    }

    public function test_a_row_that_cannot_be_written_disturbs_nobody(): void {
        global $DB;
        $this->preventResetByRollback();
        $DB->get_manager()->rename_table(new \xmldb_table(recorder::TABLE), 'local_nagasis_gone');
        try {
            $transaction = $DB->start_delegated_transaction();
            $group = groups_create_group((object) ['courseid' => $this->course->id, 'name' => 'Still made']);
            $transaction->allow_commit();
        } finally {
            $DB->get_manager()->rename_table(new \xmldb_table('local_nagasis_gone'), recorder::TABLE);
        }
        $this->assertTrue($DB->record_exists('groups', ['id' => $group]));
        $missed = state::get('captureerror');
        $this->assertSame(['\core\event\group_created', 1], [$missed['event'], $missed['count']]);
    }

    public function test_an_event_costs_one_query(): void {
        global $DB;
        [$first, $second] = array_map(fn(int $id) => \core\event\group_created::create([
            'context' => \context_course::instance($this->course->id), 'objectid' => $id,
        ]), [5, 6]);
        \local_nagasis\observer::record($first);
        $before = $DB->perf_get_queries();
        \local_nagasis\observer::record($second);
        $this->assertSame(1, $DB->perf_get_queries() - $before);
        $this->assertCount(2, $this->made());
    }
}
