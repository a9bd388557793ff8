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
 * Tests of the privacy provider.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\privacy;

use core\context\system as system_context;
use core_privacy\local\metadata\collection;
use core_privacy\local\request\approved_contextlist;
use core_privacy\local\request\approved_userlist;
use core_privacy\local\request\userlist;
use core_privacy\local\request\writer;
use local_nagasis\fixtures\fake_tool;
use local_nagasis\local\outbox\numbering;
use local_nagasis\local\outbox\outbox;

defined('MOODLE_INTERNAL') || die();

require_once(__DIR__ . '/../fixtures/fake_tool.php');

/**
 * What is known of a person can be had, and be deleted.
 *
 * @covers \local_nagasis\privacy\provider
 */
final class provider_test extends \core_privacy\tests\provider_testcase {
    /** @var \stdClass */
    private \stdClass $student;

    /** @var \stdClass */
    private \stdClass $other;

    /** @var \stdClass */
    private \stdClass $teacher;

    #[\Override]
    protected function setUp(): void {
        parent::setUp();
        $this->resetAfterTest();
        $this->student = $this->getDataGenerator()->create_user();
        $this->other = $this->getDataGenerator()->create_user();
        $this->teacher = $this->getDataGenerator()->create_user();
        $this->event('user.loggedin', $this->student, $this->student);
        $this->event('grade.changed', $this->student, $this->teacher);
        $this->event('grade.changed', $this->other, $this->teacher);
        $this->event('course.updated', null, $this->teacher);
    }

    /**
     * An event that waits.
     *
     * @param string $type
     * @param \stdClass|null $user
     * @param \stdClass $actor
     */
    private function event(string $type, ?\stdClass $user, \stdClass $actor): void {
        global $DB;
        $DB->insert_record('local_nagasis_outbox', (object) [
            'eventid' => \core\uuid::generate(),
            'type' => $type,
            'timecreated' => 1772409600,
            'userid' => $user?->id,
            'actorid' => $actor->id,
            'payload' => '{"course":5,"data":{"final":80}}',
        ]);
    }

    /**
     * How many events wait that match.
     *
     * @param array $where
     * @return int
     */
    private function waiting(array $where = []): int {
        global $DB;
        return $DB->count_records('local_nagasis_outbox', $where);
    }

    public function test_metadata(): void {
        $items = provider::get_metadata(new collection('local_nagasis'))->get_collection();
        $this->assertCount(2, $items);
        $columns = array_keys($GLOBALS['DB']->get_columns('local_nagasis_outbox'));
        foreach ($items as $item) {
            foreach ($item->get_privacy_fields() as $string) {
                $this->assertTrue(get_string_manager()->string_exists($string, 'local_nagasis'), $string);
            }
        }
        $this->assertSame([], array_diff(array_keys($items[0]->get_privacy_fields()), $columns));
    }

    public function test_whose(): void {
        $system = system_context::instance();
        foreach ([$this->student, $this->teacher] as $person) {
            $this->assertSame([$system->id], array_map('intval', provider::get_contexts_for_userid($person->id)->get_contextids()));
        }
        $stranger = $this->getDataGenerator()->create_user();
        $this->assertSame([], provider::get_contexts_for_userid($stranger->id)->get_contextids());
        $userlist = new userlist($system, 'local_nagasis');
        provider::get_users_in_context($userlist);
        $expected = [$this->student->id, $this->other->id, $this->teacher->id];
        $this->assertEqualsCanonicalizing($expected, $userlist->get_userids());
        $course = \core\context\course::instance($this->getDataGenerator()->create_course()->id);
        $userlist = new userlist($course, 'local_nagasis');
        provider::get_users_in_context($userlist);
        $this->assertCount(0, $userlist);
    }

    public function test_export(): void {
        $system = system_context::instance();
        $this->export_context_data_for_user($this->student->id, $system, 'local_nagasis');
        $path = [get_string('pluginname', 'local_nagasis'), get_string('privacy:path:outbox', 'local_nagasis')];
        $events = writer::with_context($system)->get_data($path)->events;
        $this->assertSame(['user.loggedin', 'grade.changed'], array_column($events, 'type'));
        $this->assertSame(['Yes', 'No'], array_column($events, 'done_by_you'));
        $this->assertSame(80, $events[1]['details']['data']['final']);
    }

    public function test_delete_one(): void {
        $contexts = [system_context::instance()->id];
        provider::delete_data_for_user(new approved_contextlist($this->student, 'local_nagasis', $contexts));
        $this->assertSame(0, $this->waiting(['userid' => $this->student->id]));
        $this->assertSame(2, $this->waiting());
        // What a teacher did to others stays, without the teacher.
        provider::delete_data_for_user(new approved_contextlist($this->teacher, 'local_nagasis', $contexts));
        $this->assertSame(0, $this->waiting(['actorid' => $this->teacher->id]));
        $this->assertSame(1, $this->waiting(['userid' => $this->other->id]));
        $this->assertSame(2, $this->waiting());
    }

    public function test_delete_some(): void {
        $system = system_context::instance();
        provider::delete_data_for_users(new approved_userlist($system, 'local_nagasis', [$this->student->id, $this->other->id]));
        $this->assertSame(1, $this->waiting());
        provider::delete_data_for_users(new approved_userlist($system, 'local_nagasis', []));
        $this->assertSame(1, $this->waiting());
    }

    public function test_delete_all(): void {
        $course = \core\context\course::instance($this->getDataGenerator()->create_course()->id);
        provider::delete_data_for_all_users_in_context($course);
        $this->assertSame(4, $this->waiting());
        provider::delete_data_for_all_users_in_context(system_context::instance());
        $this->assertSame(1, $this->waiting(['actorid' => null]));
        $this->assertSame(1, $this->waiting());
    }

    /**
     * What is deleted after it got its number leaves a hole, and the others reach the tool.
     */
    public function test_deleting_does_not_stop_sending(): void {
        $tool = new fake_tool();
        numbering::give(100);
        $contexts = [system_context::instance()->id];
        provider::delete_data_for_user(new approved_contextlist($this->student, 'local_nagasis', $contexts));
        $report = outbox::send(5);
        $this->assertNull($report['error']);
        $this->assertSame([1 => 'hole', 2 => 'hole', 3 => 'grade.changed', 4 => 'course.updated'], $tool->types());
        $this->assertSame(0, $this->waiting());
        $tool->stop();
    }
}
