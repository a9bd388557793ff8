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
 * Tests of courses that can only be read.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

use local_nagasis\local\reading\course_digest;
use local_nagasis\local\reading\keys;

/**
 * What a frozen course means for the people in it.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \local_nagasis\local\provision\freezing
 */
final class freezing_test extends \advanced_testcase {
    /** @var array A document. */
    private const ALGEBRA = [
        'kind' => 'course',
        'idnumber' => 'C1',
        'shortname' => 'ALG',
        'fullname' => 'Algebra',
        'category' => 'T',
        'startdate' => 1767225600,
    ];

    protected function setUp(): void {
        parent::setUp();
        $this->resetAfterTest();
        set_config('contextlocking', 1);
        \core\plugininfo\enrol::enable_plugin('nagasis', 1);
        $this->getDataGenerator()->create_category(['idnumber' => 'T']);
        foreach (['S1', 'T1'] as $idnumber) {
            $this->getDataGenerator()->create_user(['idnumber' => $idnumber, 'username' => strtolower($idnumber)]);
        }
    }

    /**
     * Applies the course, and the roster with it.
     *
     * @param bool $readonly
     * @return array the course's result
     */
    private static function apply(bool $readonly): array {
        $member = ['status' => 'active', 'groups' => []];
        $members = [['user' => 'S1', 'role' => 'student'] + $member, ['user' => 'T1', 'role' => 'editingteacher'] + $member];
        $roster = ['kind' => 'roster', 'course' => 'C1', 'count' => 2, 'members' => $members];
        return batch::run([['readonly' => $readonly] + self::ALGEBRA, $roster], false)[0];
    }

    /**
     * Students read and don't write, nor do teachers, until the course goes on.
     */
    public function test_people(): void {
        global $DB;
        $id = self::apply(false)['id'];
        $assign = $this->getDataGenerator()->create_module('assign', ['course' => $id]);
        $forum = $this->getDataGenerator()->create_module('forum', ['course' => $id]);
        $student = $DB->get_field('user', 'id', ['idnumber' => 'S1']);
        $teacher = $DB->get_field('user', 'id', ['idnumber' => 'T1']);
        $may = function (string $capability, \stdClass $module, string $user): bool {
            return has_capability($capability, \core\context\module::instance($module->cmid), $user);
        };
        foreach ([false, true, false] as $readonly) {
            self::apply($readonly);
            $this->assertTrue($may('mod/assign:view', $assign, $student));
            $this->assertTrue($may('mod/forum:viewdiscussion', $forum, $student));
            $this->assertSame(!$readonly, $may('mod/assign:submit', $assign, $student));
            $this->assertSame(!$readonly, $may('mod/forum:replypost', $forum, $student));
            $this->assertSame(!$readonly, $may('moodle/course:manageactivities', $assign, $teacher));
            $this->assertTrue(can_access_course(get_course($id), $student));
        }
    }

    /**
     * Gradebook and grades of the SIS go on, as somebody who has no capability there: an appeal is decided after the term.
     */
    public function test_grades(): void {
        self::apply(true);
        $this->setUser($this->getDataGenerator()->create_user());
        $documents = [
            [
                'kind' => 'gradebook',
                'course' => 'C1',
                'categories' => [['key' => 'K', 'name' => 'Theory', 'weight' => 10000]],
                'items' => [['key' => 'P1', 'name' => 'Quiz', 'category' => 'K', 'weight' => 10000]],
            ],
            ['kind' => 'grades', 'course' => 'C1', 'grades' => [['user' => 'S1', 'item' => 'P1', 'value' => 8750]]],
        ];
        $this->assertSame(['created', 'updated'], array_column(batch::run($documents, false), 'result'));
        $documents[1]['grades'][0] = ['value' => 9000, 'expected' => 8750] + $documents[1]['grades'][0];
        $this->assertSame(['unchanged', 'updated'], array_column(batch::run($documents, false), 'result'));
        $this->assertSame(['unchanged', 'unchanged'], array_column(batch::run($documents, false), 'result'));
    }

    /**
     * Moodle's own events tell of it, once; nothing is written for what is so already.
     */
    public function test_events(): void {
        global $DB;
        $sink = $this->redirectEvents();
        self::apply(true);
        $of = fn(string $class): int => count(array_filter($sink->get_events(), fn($event): bool => $event instanceof $class));
        $this->assertSame(1, $of(\core\event\context_locked::class));
        $writes = $DB->perf_get_writes();
        $this->assertSame('unchanged', self::apply(true)['result']);
        $this->assertSame($writes, $DB->perf_get_writes());
        self::apply(false);
        $this->assertSame([1, 1], [$of(\core\event\context_locked::class), $of(\core\event\context_unlocked::class)]);
    }

    /**
     * A category that somebody froze is not ours: its courses are as their documents say.
     */
    public function test_frozen_around(): void {
        global $DB;
        self::apply(false);
        \core\context\coursecat::instance($DB->get_field('course_categories', 'id', ['idnumber' => 'T']))->set_locked(true);
        $this->assertSame('unchanged', self::apply(false)['result']);
        $id = self::apply(true)['id'];
        $this->assertSame([$id], freezing::frozen([$id]));
        self::apply(false);
        $this->assertSame([], freezing::frozen([$id]));
        $this->assertTrue(\core\context\course::instance($id)->is_locked());
    }

    /**
     * Where the site no longer freezes, the digest says that the course is open.
     */
    public function test_digest(): void {
        $read = fn(): string => (new course_digest())->page(new keys(['C1']), 0, 10)->items[0]['fingerprint'];
        self::apply(false);
        $open = $read();
        self::apply(true);
        $this->assertNotSame($open, $read());
        set_config('contextlocking', 0);
        $this->assertSame($open, $read());
    }
}
