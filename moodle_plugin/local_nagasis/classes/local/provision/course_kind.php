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
 * Classes as courses.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

use local_nagasis\local\contract\refusal;

/**
 * A ClassHeader, or several that are taught together, as a course.
 */
final class course_kind implements buffered_kind {
    /** @var directory What this call has made. */
    private readonly directory $directory;

    /** @var course_index Courses by idnumber and short name. */
    private course_index $index;

    /** @var array Courses to be made: plan, document, category and course. */
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
     * Reads the courses that these documents are for or could clash with.
     *
     * @param array $documents
     */
    public function load(array $documents): void {
        $this->index = new course_index($documents);
    }

    /**
     * Plans one document.
     *
     * @param array $document
     * @return plan
     */
    public function plan(array $document): plan {
        $found = $this->index->by_idnumber($document['idnumber']);
        $this->check_single($found, $document['idnumber'], '/idnumber', course_index::describe(...));
        $course = $found[0] ?? null;
        course_parts::check($document, $course);
        $category = $this->category($document['category']);
        if ($document['enddate'] && $document['enddate'] < $document['startdate']) {
            throw new refusal('dates_reversed', '/enddate', [
                'start' => userdate($document['startdate']),
                'end' => userdate($document['enddate']),
            ]);
        }
        if ($document['enddate'] && !$document['startdate']) {
            throw new refusal('dates_reversed', '/startdate', ['start' => '-', 'end' => userdate($document['enddate'])]);
        }
        $other = $this->index->other_with_shortname($document['shortname'], $course);
        if ($other) {
            throw new refusal('shortname_taken', '/shortname', [
                'shortname' => $document['shortname'],
                'other' => course_index::describe($other),
            ]);
        }
        if ($document['readonly'] && !freezing::possible()) {
            throw new refusal('locking_disabled', '/readonly', ['course' => $document['shortname']]);
        }
        return $course ? $this->plan_update($document, $course, $category) : $this->plan_create($document, $category);
    }

    /**
     * Makes the courses that are waiting.
     */
    public function flush(): void {
        $queue = $this->queue;
        $this->queue = [];
        foreach (course_maker::create($queue) as $index => $made) {
            ['plan' => $plan, 'document' => $document, 'course' => $course] = $queue[$index];
            $course->id = $made['id'];
            $course->sections = $made['sections'];
            $plan->result['id'] = $made['id'];
            $this->directory->made('course', $document['idnumber'], $made['id']);
            $this->remember_groups($document, course_parts::write($document, $course));
        }
    }

    /**
     * Plans a new course.
     *
     * @param array $document
     * @param \stdClass $category
     * @return plan
     */
    private function plan_create(array $document, \stdClass $category): plan {
        $course = (object) array_intersect_key($document, array_flip(['idnumber', 'shortname', 'fullname']));
        $course->sections = [];
        $course->groups = [];
        return new plan(
            ['result' => 'created'],
            function (plan $plan) use ($document, $category, $course): void {
                $this->index->put($course);
                $this->queue[] = compact('plan', 'document', 'category', 'course');
            },
            function () use ($document, $course): void {
                $this->index->put($course);
                $this->directory->made('course', $document['idnumber'], null);
                $this->remember_groups($document, []);
            },
        );
    }

    /**
     * Plans what differs in a course.
     *
     * @param array $document
     * @param \stdClass $course
     * @param \stdClass $category the one that it should be in
     * @return plan
     */
    private function plan_update(array $document, \stdClass $course, \stdClass $category): plan {
        $current = $this->index->category_of($course);
        $there = [
            'shortname' => $course->shortname,
            'fullname' => $course->fullname,
            'category' => (string) ($current->idnumber ?? ''),
            'startdate' => (int) $course->startdate,
            'enddate' => (int) $course->enddate,
            'visible' => visibility::own((int) $course->visible, (int) $course->visibleold, (int) ($current->visible ?? 1)),
            'readonly' => $course->readonly,
        ];
        $fields = [];
        foreach ($there as $field => $before) {
            if ($before !== $document[$field]) {
                $fields[] = ['field' => $field, 'before' => $before, 'after' => $document[$field]];
            }
        }
        $changes = [...$fields, ...course_parts::changes($document, $course)];
        $result = ['result' => $changes ? 'updated' : 'unchanged', 'id' => (int) $course->id, 'changes' => $changes];
        if (!$changes) {
            return new plan($result);
        }
        return new plan(
            $result,
            function () use ($document, $course, $category, $fields): void {
                if (array_diff(array_column($fields, 'field'), ['readonly'])) {
                    course_writer::update($document, $course, $category);
                }
                if ($course->readonly !== $document['readonly']) {
                    freezing::set((int) $course->id, $document['readonly']);
                }
                $this->index->rename($course, $document['shortname']);
                $this->remember_groups($document, course_parts::write($document, $course));
            },
            function () use ($document, $course): void {
                $this->index->rename($course, $document['shortname']);
                $this->remember_groups($document, $course->groups);
            },
        );
    }

    /**
     * Tells the rosters of the same call of groups that were not there before.
     *
     * @param array $document
     * @param array $known ids of groups by idnumber, or what was there before
     */
    private function remember_groups(array $document, array $known): void {
        foreach ($document['groups'] as $group) {
            $id = $known["={$group['idnumber']}"] ?? null;
            if (!is_array($id)) {
                $this->directory->made('group', directory::group_key($document['idnumber'], $group['idnumber']), $id);
            }
        }
    }

    /**
     * The category of a document. One that the preview would make has no id.
     *
     * @param string $idnumber
     * @return \stdClass
     */
    private function category(string $idnumber): \stdClass {
        $found = $this->index->categories($idnumber);
        $this->check_single($found, $idnumber, '/category', fn(\stdClass $category): string => $category->name);
        if (!$found && $this->directory->find('category', $idnumber) === false) {
            throw new refusal('category_missing', '/category', ['category' => $idnumber]);
        }
        return $found[0] ?? (object) ['id' => null, 'visible' => 1];
    }

    /**
     * Refuses what is there more than once.
     *
     * @param array $found
     * @param string $idnumber
     * @param string $field
     * @param callable $describe
     */
    private function check_single(array $found, string $idnumber, string $field, callable $describe): void {
        if (count($found) > 1) {
            throw new refusal('ambiguous_idnumber', $field, [
                'idnumber' => $idnumber,
                'names' => implode(', ', array_map($describe, $found)),
            ]);
        }
    }
}
