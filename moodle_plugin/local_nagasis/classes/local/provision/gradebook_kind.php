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
 * Gradebooks: how a course's grades add up.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

defined('MOODLE_INTERNAL') || die();

require_once($CFG->libdir . '/gradelib.php');

/**
 * How a course's grades add up: sessions as categories, parts as items, letters. Teachers' own items are theirs.
 */
final class gradebook_kind implements buffered_kind {
    /** @var directory What this call has made so far. */
    private readonly directory $directory;

    /** @var document_courses The courses. */
    private document_courses $courses;

    /** @var gradebook_index Their gradebooks. */
    private gradebook_index $gradebooks;

    /** @var gradebook_letters Their letters. */
    private gradebook_letters $letters;

    /** @var array Ids, as keys, of items that could go and hold grades or have a history. */
    private array $held = [];

    /** @var array Ids of scales, as keys, by which items count that documents name. */
    private array $scales = [];

    /** @var gradebook_changes[] What to write, by course id. */
    private array $queue = [];

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
        $this->courses = new document_courses($this->directory, $documents);
        $ids = $this->courses->ids();
        $this->gradebooks = new gradebook_index($ids);
        $this->letters = new gradebook_letters($ids);
        $this->read_scales($documents, $ids);
        $this->read_held($documents, $ids);
    }

    /**
     * Plans one gradebook.
     *
     * @param array $document
     * @return plan
     */
    public function plan(array $document): plan {
        gradebook_check::consistent($document);
        $courseid = $this->courses->require($document['course']);
        gradebook_check::not_forced();
        $gradebook = $courseid === null ? new gradebook(null) : $this->gradebooks->of($courseid);
        gradebook_check::sources($document, $gradebook, $this->scales);
        $letters = $courseid === null ? [] : $this->letters->of($courseid);
        $changes = (new gradebook_comparison($gradebook, $document, $this->held))->run($letters);
        $made = $gradebook->made();
        $result = ['result' => 'unchanged', 'id' => $courseid, 'changes' => []];
        if ($changes->notes) {
            $result['notes'] = $changes->notes;
        }
        if ($made && !$changes->changes) {
            return new plan($result);
        }
        $result['result'] = $made ? 'updated' : 'created';
        $result['changes'] = $made ? $changes->changes : [];
        return new plan(
            $result,
            function () use ($courseid, $changes): void {
                $this->queue[$courseid] = $changes;
            },
            fn() => $this->announce($changes, null),
        );
    }

    /**
     * Writes what is waiting.
     */
    public function flush(): void {
        $queue = $this->queue;
        $this->queue = [];
        gradebook_maker::make($queue);
        foreach ($queue as $changes) {
            gradebook_writer::write($changes);
        }
        gradebook_writer::remember($queue);
        $letters = array_filter($queue, fn(gradebook_changes $changes): bool => $changes->letters);
        $this->letters->write(array_map(
            fn(gradebook_changes $changes): array => array_map(
                fn(array $letter): array => [$letter['letter'], $letter['minimum']],
                $changes->document['letters'],
            ),
            $letters,
        ));
        gradebook_writer::regrade($queue);
        foreach ($queue as $courseid => $changes) {
            $this->announce($changes, $courseid);
        }
    }

    /**
     * Tells the grades of the same call what is there now, or would be.
     *
     * @param gradebook_changes $changes
     * @param int|null $courseid null: it would be
     */
    private function announce(gradebook_changes $changes, ?int $courseid): void {
        $course = $changes->document['course'];
        $this->directory->made('gradebook', $course, $courseid);
        foreach ([...$changes->document['categories'], ...$changes->document['items'], ['key' => gradebook::TOTAL]] as $each) {
            if (!$changes->gradebook->item($each['key'])) {
                $id = $changes->made["=$each[key]"] ?? $each['source'] ?? null;
                $this->directory->made('gradeitem', directory::group_key($course, $each['key']), $courseid ? $id : null);
            }
        }
    }

    /**
     * Reads which scales of named items are there.
     *
     * @param array $documents
     * @param int[] $courseids
     */
    private function read_scales(array $documents, array $courseids): void {
        global $DB;
        $sources = array_flip(array_filter(array_merge([], ...array_map(
            fn(array $document): array => array_column($document['items'], 'source'),
            $documents,
        ))));
        $scales = [];
        foreach ($courseids as $courseid) {
            foreach (array_intersect_key($this->gradebooks->of($courseid)->items, $sources) as $item) {
                if ($item->scaleid !== null) {
                    $scales[] = $item->scaleid;
                }
            }
        }
        $this->scales = $scales ? $DB->get_records_list('scale', 'id', $scales, '', 'id') : [];
    }

    /**
     * Reads which of our items that are no longer named hold grades or have a history.
     *
     * @param array $documents
     * @param int[] $courseids
     */
    private function read_held(array $documents, array $courseids): void {
        global $DB;
        $named = [];
        foreach ($documents as $document) {
            foreach ([...$document['categories'], ...$document['items']] as $each) {
                if (($each['source'] ?? null) === null) {
                    $named["=$each[key]"] = true;
                }
            }
        }
        $ids = [];
        foreach ($courseids as $courseid) {
            foreach (array_diff_key($this->gradebooks->of($courseid)->known, $named) as $known) {
                $ids[] = $known->connected || $known->itemkey === gradebook::TOTAL ? 0 : (int) $known->itemid;
            }
        }
        $ids = array_filter($ids);
        if (!$ids) {
            return;
        }
        [$in, $params] = $DB->get_in_or_equal($ids);
        $where = "itemid $in AND (finalgrade IS NOT NULL OR rawgrade IS NOT NULL OR feedback IS NOT NULL)";
        foreach (['grade_grades', 'grade_grades_history'] as $table) {
            $this->held += array_flip($DB->get_fieldset_select($table, 'DISTINCT itemid', $where, $params));
        }
    }
}
