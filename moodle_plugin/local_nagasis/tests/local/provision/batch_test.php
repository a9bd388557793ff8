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
 * Tests of whole calls.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

use local_nagasis\local\echo_guard;

/**
 * One bad document never stops the others, and each is whole or absent.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \local_nagasis\local\provision\batch
 */
final class batch_test extends \advanced_testcase {
    protected function setUp(): void {
        parent::setUp();
        $this->resetAfterTest();
        $this->setAdminUser();
    }

    /**
     * A document of a person.
     *
     * @param int $number
     * @return array
     */
    private static function user(int $number): array {
        return [
            'kind' => 'user',
            'idnumber' => "S$number",
            'username' => "s$number",
            'firstname' => 'Dara',
            'lastname' => "Sok $number",
            'email' => "s$number@example.edu",
        ];
    }

    /**
     * A document of a class.
     *
     * @param int $number
     * @return array
     */
    private static function course(int $number): array {
        return [
            'kind' => 'course',
            'idnumber' => "C$number",
            'shortname' => "C-$number",
            'fullname' => "Class $number",
            'category' => 'T',
            'startdate' => 1,
            'sections' => [['key' => 'A', 'name' => 'One'], ['key' => 'B', 'name' => 'Two']],
            'groups' => [['idnumber' => 'G', 'name' => 'Group']],
        ];
    }

    /**
     * What Moodle refuses in the middle of writing is taken back, and everything else is done.
     */
    public function test_failure_of_one(): void {
        global $DB;
        $this->preventResetByRollback();
        $this->redirectHook(\core_course\hook\after_course_created::class, function ($hook): void {
            if ($hook->course->idnumber === 'C3') {
                throw new \coding_exception('out of chalk');
            }
        });
        $term = ['kind' => 'category', 'idnumber' => 'T', 'name' => 'Term'];
        $log = $this->silence_log();
        $results = batch::run([$term, ...array_map(self::course(...), range(1, 5)), self::user(1)], false);
        $this->assertStringContainsString('course C3 failed', $log());

        $this->assertSame(
            ['created', 'created', 'created', 'refused', 'created', 'created', 'created'],
            array_column($results, 'result'),
        );
        $this->assertSame('failed', $results[3]['code']);
        $this->assertNull($results[3]['id']);
        $this->assertStringContainsString('out of chalk', $results[3]['message']);
        $this->assertEqualsCanonicalizing(
            ['C1', 'C2', 'C4', 'C5'],
            $DB->get_fieldset_select('course', 'idnumber', 'id <> ?', [SITEID]),
        );
        // Nothing of it is left over.
        $this->assertSame(4 * 3, $DB->count_records_select('course_sections', 'course <> ?', [SITEID]));
        $this->assertSame(4 * 2, $DB->count_records('local_nagasis_section'));
        $this->assertSame(4, $DB->count_records('groups'));
        $this->assertSame(4, $DB->count_records('context', ['contextlevel' => CONTEXT_COURSE]) - 1);
        $ids = array_column($results, 'id', 'key');
        $this->assertSame($ids['C5'], (int) $DB->get_field('course', 'id', ['idnumber' => 'C5']));
        $this->assertCount(4, \core_course_category::get($ids['T'])->get_courses());
    }

    /**
     * An error of PHP in somebody else's code counts as a failure too, also while accounts are changed.
     */
    public function test_failure_of_an_update(): void {
        global $DB;
        $this->preventResetByRollback();
        batch::run(array_map(self::user(...), range(1, 4)), false);
        $this->redirectHook(\core_user\hook\before_user_updated::class, function ($hook): void {
            if ($hook->currentuserdata->idnumber === 'S2') {
                throw new \TypeError('not my type');
            }
        });
        $documents = array_map(fn(int $number): array => ['lastname' => 'New'] + self::user($number), range(1, 5));
        $log = $this->silence_log();
        $results = batch::run($documents, false);
        $log();
        $this->assertSame(['updated', 'refused', 'updated', 'updated', 'created'], array_column($results, 'result'));
        $this->assertStringContainsString('not my type', $results[1]['message']);
        $this->assertSame('Sok 2', $DB->get_field('user', 'lastname', ['idnumber' => 'S2']));
        $this->assertSame(4, $DB->count_records('user', ['lastname' => 'New']));
    }

    /**
     * What was cached while a change was made does not outlive its being taken back.
     */
    public function test_failure_and_caches(): void {
        $this->preventResetByRollback();
        $this->getDataGenerator()->create_category(['idnumber' => 'T']);
        $documents = array_map(self::course(...), [1, 2]);
        $ids = array_column(batch::run($documents, false), 'id');
        $this->redirectHook(\core_course\hook\after_course_updated::class, function ($hook): void {
            if ($hook->course->fullname === 'Bad') {
                throw new \coding_exception('out of chalk');
            }
        });
        $documents[0]['sections'] = [['key' => 'C', 'name' => 'Three'], ['key' => 'D', 'name' => 'Four']];
        $documents[0]['groups'] = [['idnumber' => 'H', 'name' => 'Other']];
        $documents[1]['fullname'] = 'Bad';
        $log = $this->silence_log();
        $results = batch::run($documents, false);
        $log();
        $this->assertSame(['updated', 'refused'], array_column($results, 'result'));
        $this->assertSame(
            [null, 'One', 'Two', 'Three', 'Four'],
            array_map(fn($section): ?string => $section->name, array_values(get_fast_modinfo($ids[0])->get_section_info_all())),
        );
        $this->assertEqualsCanonicalizing(['Group', 'Other'], array_column(groups_get_all_groups($ids[0]), 'name'));
        $this->assertSame('Class 2', get_course($ids[1])->fullname);
    }

    /**
     * Many documents are done in several stretches; a failure in the second does not touch the first.
     */
    public function test_stretches(): void {
        global $DB;
        $this->preventResetByRollback();
        $documents = array_map(self::user(...), range(1, 450));
        // Moodle's own table does not take this name, which the schema allows.
        $documents[300]['username'] = 's1';
        $results = batch::run($documents, false);
        $this->assertSame(449, $DB->count_records_select('user', "idnumber LIKE 'S%'"));
        $this->assertSame('username_taken', $results[300]['code']);
        $this->assertSame(['created' => 449, 'refused' => 1], array_count_values(array_column($results, 'result')));
        $this->assertNotContains(null, array_column(array_filter($results, fn($each) => $each['result'] === 'created'), 'id'));
    }

    /**
     * Our own changes are no news; and the same again writes nothing.
     */
    public function test_no_echo(): void {
        global $DB;
        $depth = [];
        $this->redirectHook(\core_user\hook\before_user_updated::class, function () use (&$depth): void {
            $depth[] = echo_guard::active();
        });
        batch::run([self::user(1)], false);
        batch::run([['lastname' => 'New'] + self::user(1)], false);
        $this->assertSame([true], $depth);
        $this->assertFalse(echo_guard::active());
        $this->assertSame(0, $DB->count_records('local_nagasis_outbox'));

        $writes = $DB->perf_get_writes();
        $reads = $DB->perf_get_reads();
        batch::run([['lastname' => 'New'] + self::user(1)], false);
        $this->assertSame($writes, $DB->perf_get_writes());
        $this->assertLessThanOrEqual(5, $DB->perf_get_reads() - $reads);
    }

    /**
     * Reading does not grow with the number of documents.
     */
    public function test_few_queries(): void {
        global $DB;
        $documents = [['kind' => 'category', 'idnumber' => 'T', 'name' => 'Term']];
        array_push($documents, ...array_map(self::course(...), range(1, 30)), ...array_map(self::user(...), range(1, 300)));
        batch::run($documents, false);
        $reads = $DB->perf_get_reads();
        $results = batch::run($documents, false);
        $this->assertSame(['unchanged' => 331], array_count_values(array_column($results, 'result')));
        $this->assertLessThanOrEqual(15, $DB->perf_get_reads() - $reads);
    }

    /**
     * Keeps the server's log quiet, and gives what was written to it.
     *
     * @return callable
     */
    private function silence_log(): callable {
        $path = make_request_directory() . '/log';
        $before = ini_set('error_log', $path);
        return function () use ($path, $before): string {
            ini_set('error_log', $before);
            return is_readable($path) ? file_get_contents($path) : '';
        };
    }
}
