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
 * Grades: those of one course by the SIS.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

defined('MOODLE_INTERNAL') || die();

require_once($CFG->libdir . '/gradelib.php');

use local_nagasis\local\contract\{percent, refusal, text};

/**
 * Grades of one course by the SIS. Who or what is not named is left alone; a grade that is refused does not stop the others.
 */
final class grades_kind implements buffered_kind {
    /** @var directory What this call has made so far. */
    private readonly directory $directory;

    /** @var document_courses The courses. */
    private document_courses $courses;

    /** @var gradebook_index Their items. */
    private gradebook_index $gradebooks;

    /** @var grades_people Who can be graded. */
    private grades_people $people;

    /** @var grades_standing What stands there. */
    private grades_standing $standing;

    /** @var grades_writer What this transaction writes. */
    private grades_writer $writer;

    /** @var int Now. */
    private int $now;

    /**
     * Constructor.
     *
     * @param directory $directory
     */
    public function __construct(directory $directory) {
        $this->directory = $directory;
    }

    /**
     * Reads all that these documents need.
     *
     * @param array $documents
     */
    public function load(array $documents): void {
        $this->now = \core\di::get(\core\clock::class)->time();
        $this->courses = new document_courses($this->directory, $documents);
        $ids = $this->courses->ids();
        $this->gradebooks = new gradebook_index($ids);
        $this->people = new grades_people($this->directory, $documents, $ids);
        $this->standing = new grades_standing($this->items($documents, $ids));
        $this->writer = new grades_writer($this->standing);
    }

    /**
     * The items that some documents can change: those that they name, and the totals above them.
     *
     * @param array $documents
     * @param int[] $courseids
     * @return \stdClass[] rows of grade_items
     */
    private function items(array $documents, array $courseids): array {
        $named = [];
        foreach ($documents as $document) {
            foreach ($document['grades'] as $grade) {
                $named["=$grade[item]"] = true;
            }
        }
        $items = [];
        foreach ($courseids as $courseid) {
            $gradebook = $this->gradebooks->of($courseid);
            foreach ($gradebook->items as $item) {
                $key = $gradebook->key((int) $item->id);
                // Whether a total must be computed anew depends on which of them stand by themselves.
                if ($gradebook->category_of($item) || ($key !== null && isset($named["=$key"]))) {
                    $items[] = $item;
                }
            }
        }
        return $items;
    }

    /**
     * Plans the grades of one course.
     *
     * @param array $document
     * @return plan
     */
    public function plan(array $document): plan {
        $courseid = $this->courses->require($document['course']);
        $gradebook = $courseid === null ? new gradebook(null) : $this->gradebooks->of($courseid);
        $preview = $this->directory->find('gradebook', $document['course']) === null;
        if (!$gradebook->made() && !$preview) {
            throw new refusal('gradebook_missing', '/course', ['course' => $document['course']]);
        }
        $this->require_each_once($document['grades']);
        $changes = [];
        $results = [];
        foreach ($document['grades'] as $position => $grade) {
            try {
                [$result, $change] = $this->grade($grade, "/grades/$position", $document['course'], $gradebook);
            } catch (refusal $refusal) {
                [$result, $change] = [$refusal->as_result(), null];
            }
            $results[] = ['user' => $grade['user'], 'item' => $grade['item']] + $result;
            if ($change) {
                $changes[] = $change;
            }
        }
        $updated = in_array('updated', array_column($results, 'result'), true);
        return new plan(
            ['result' => $updated ? 'updated' : 'unchanged', 'id' => $courseid, 'changes' => [], 'members' => $results],
            $changes ? fn() => $this->writer->add($gradebook, $changes) : null,
        );
    }

    /**
     * Writes what was put off.
     */
    public function flush(): void {
        $this->writer->flush();
    }

    /**
     * Compares one grade.
     *
     * @param array $grade
     * @param string $field of the grade in the document
     * @param string $course idnumber
     * @param gradebook $gradebook
     * @return array{array, grades_change|null} its result without whose it is, and what to write
     */
    private function grade(array $grade, string $field, string $course, gradebook $gradebook): array {
        $userid = $this->people->require($grade['user'], $course, $gradebook->courseid, "$field/user");
        $item = $this->item($grade['item'], "$field/item", $course, $gradebook);
        $itemid = (int) ($item->id ?? 0);
        $connected = $gradebook->connected($grade['item']);
        $total = !$connected && in_array($item->itemtype, ['category', 'course'], true);
        $cell = new grades_cell($grade, $item, $this->standing->of($itemid, $userid), $total);
        if ($cell->stands()) {
            return [['result' => 'unchanged', 'changes' => []], null];
        }
        $name = gradebook_check::describe($item, $gradebook);
        if ($gradebook->locked($item) || ($item->locktime && $item->locktime < $this->now)) {
            throw new refusal('item_locked', "$field/item", ['item' => $name]);
        }
        if ($cell->locked($this->now)) {
            throw new refusal('grade_locked', $field, ['item' => $name, 'user' => $grade['user']]);
        }
        if (!$cell->expected()) {
            $refusal = new refusal('changed_in_moodle', "$field/expected", [
                'item' => $name,
                'user' => $grade['user'],
                'stands' => percent::words($cell->percent()),
                'expected' => percent::words($grade['expected']),
            ]);
            return [['changes' => $cell->changes()] + $refusal->as_result(), null];
        }
        // In a preview somebody or something has no id yet, and nothing of it is written.
        $change = $userid && $itemid ? $cell->change($userid, text::shown($grade['note'])) : null;
        return [['result' => 'updated', 'changes' => $cell->changes()], $change];
    }

    /**
     * The item of a grade.
     *
     * @param string $key
     * @param string $field
     * @param string $course idnumber
     * @param gradebook $gradebook
     * @return \stdClass row of grade_items; without an id it would be made by this call
     */
    private function item(string $key, string $field, string $course, gradebook $gradebook): \stdClass {
        $item = $gradebook->item($key);
        if (!$item && $this->directory->find('gradeitem', directory::group_key($course, $key)) === null) {
            return self::would_be($key);
        }
        if (!$item || $item->deleting) {
            throw new refusal('item_missing', $field, ['item' => $key, 'course' => $course]);
        }
        if (!percent::measures($item, $this->standing->has_scale($item))) {
            throw new refusal('source_not_numeric', $field, ['item' => gradebook_check::describe($item, $gradebook)]);
        }
        return $item;
    }

    /**
     * An item that is made by this call, as far as a preview needs it.
     *
     * @param string $key
     * @return \stdClass
     */
    private static function would_be(string $key): \stdClass {
        $type = $key === gradebook::TOTAL ? 'course' : 'manual';
        return (object) [
            'id' => 0, 'itemtype' => $type, 'itemname' => '', 'iteminstance' => 0, 'gradetype' => GRADE_TYPE_VALUE, 'grademin' => 0,
            'grademax' => 100, 'calculation' => null, 'categoryid' => null, 'locked' => 0, 'locktime' => 0, 'deleting' => null,
        ];
    }

    /**
     * Refuses a document that names one grade twice: which of them is meant?
     *
     * @param array $grades
     */
    private function require_each_once(array $grades): void {
        $seen = [];
        foreach ($grades as $position => $grade) {
            $key = "$grade[user]\n$grade[item]";
            if (isset($seen[$key])) {
                $problem = get_string('schema_twice', 'local_nagasis', "$grade[user], $grade[item]");
                throw new refusal('schema', "/grades/$position", ['path' => "/grades/$position", 'problem' => $problem]);
            }
            $seen[$key] = true;
        }
    }
}
