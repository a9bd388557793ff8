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
namespace local_nagasis\tests;

defined('MOODLE_INTERNAL') || die();

global $CFG;
require_once($CFG->libdir . '/gradelib.php');

use local_nagasis\local\provision\{batch, gradebook_index};

/**
 * A course, a gradebook of the SIS for it, and what one asks of them.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
abstract class gradebook_testcase extends \advanced_testcase {
    /** @var array A document. */
    protected const ALGEBRA = [
        'kind' => 'gradebook',
        'course' => 'C1',
        'categories' => [
            ['key' => 'S1', 'name' => 'Midterm', 'weight' => 4000],
            ['key' => 'S2', 'name' => 'Final', 'weight' => 6000],
        ],
        'items' => [
            ['key' => 'P1', 'name' => 'Quiz', 'category' => 'S1', 'weight' => 2500],
            ['key' => 'P2', 'name' => 'Paper', 'category' => 'S1', 'weight' => 7500],
            ['key' => 'P3', 'name' => 'Exam', 'category' => 'S2', 'weight' => 10000],
        ],
        'letters' => [
            ['letter' => 'A', 'minimum' => 8500],
            ['letter' => 'B+', 'minimum' => 7050],
            ['letter' => 'F', 'minimum' => 0],
        ],
    ];

    /** @var \stdClass Record of the course. */
    protected \stdClass $course;

    protected function setUp(): void {
        parent::setUp();
        $this->resetAfterTest();
        $this->setAdminUser();
        $this->course = $this->getDataGenerator()->create_course(['idnumber' => 'C1']);
    }

    /**
     * Applies one document.
     *
     * @param array $document
     * @return array
     */
    protected static function apply(array $document = self::ALGEBRA): array {
        return batch::run([$document], false)[0];
    }

    /**
     * An item of the gradebook.
     *
     * @param string $key
     * @return \grade_item|null
     */
    protected function item(string $key): ?\grade_item {
        $found = (new gradebook_index([(int) $this->course->id]))->of((int) $this->course->id)->item($key);
        return $found ? \grade_item::fetch(['id' => $found->id]) : null;
    }

    /**
     * Applies a document, whose preview says the same, and which changes nothing the second time.
     *
     * @param array $document
     * @return array
     */
    protected function settle(array $document = self::ALGEBRA): array {
        global $DB;
        $writes = $DB->perf_get_writes();
        $preview = batch::run([$document], true)[0];
        $this->assertSame($writes, $DB->perf_get_writes(), 'the preview wrote something');
        $result = self::apply($document);
        $this->assertEquals($preview, $result);
        $this->assertArrayNotHasKey('code', $result, $result['message'] ?? '');
        $writes = $DB->perf_get_writes();
        $again = self::apply($document);
        $this->assertSame(['unchanged', []], [$again['result'], $again['changes']]);
        $this->assertSame($writes, $DB->perf_get_writes(), 'the second time wrote something');
        $this->assertFalse($DB->record_exists('grade_items', ['courseid' => $this->course->id, 'needsupdate' => 1]));
        return $result;
    }

    /**
     * A document whose part P1 comes from a teacher's own item.
     *
     * @param int $itemid
     * @return array
     */
    protected static function connected(int $itemid): array {
        $document = self::ALGEBRA;
        $document['items'][0]['source'] = $itemid;
        return $document;
    }

    /**
     * A student in the course.
     *
     * @return int
     */
    protected function student(): int {
        return (int) $this->getDataGenerator()->create_and_enrol($this->course, 'student')->id;
    }

    /**
     * A quiz's item, as it comes when the quiz is made.
     *
     * @param array $fields
     * @return \grade_item
     */
    protected function quiz(array $fields = []): \grade_item {
        // Moodle knows by "add" that it comes from the form for a new activity.
        $fields += ['course' => $this->course->id, 'grade' => 20, 'add' => 'quiz'];
        $quiz = $this->getDataGenerator()->create_module('quiz', $fields);
        return \grade_item::fetch(['itemmodule' => 'quiz', 'iteminstance' => $quiz->id, 'courseid' => $this->course->id]);
    }

    /**
     * Somebody's total.
     *
     * @param string $key
     * @param int $userid
     * @return float|null
     */
    protected function grade(string $key, int $userid): ?float {
        $grade = $this->item($key)->get_final($userid)->finalgrade ?? null;
        return $grade === null ? null : round((float) $grade, 2);
    }

    /**
     * Changes by field.
     *
     * @param array $result
     * @return array
     */
    protected function by_field(array $result): array {
        return array_map(
            fn(array $change): array => array_diff_key($change, ['field' => true]),
            array_column($result['changes'], null, 'field'),
        );
    }

    /**
     * Sorts.
     *
     * @param array $list
     * @return array
     */
    protected function sorted(array $list): array {
        sort($list);
        return $list;
    }

    /**
     * Asserts that a document is refused, and nothing written.
     *
     * @param string $code
     * @param string|null $field
     * @param array $document
     */
    protected function assertRefused(string $code, ?string $field, array $document = self::ALGEBRA): void {
        global $DB;
        $writes = $DB->perf_get_writes();
        foreach ([true, false] as $dryrun) {
            $result = batch::run([$document], $dryrun)[0];
            $this->assertSame([$code, $field], [$result['code'] ?? json_encode($result), $result['field'] ?? null]);
            $this->assertStringNotContainsString('[[', $result['message']);
        }
        $this->assertSame($writes, $DB->perf_get_writes());
    }
}
