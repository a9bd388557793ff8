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
 * Grade letters of courses.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

/**
 * The letters that courses have of their own, for many courses at once.
 */
final class gradebook_letters {
    /** @var \stdClass[][] Rows of grade_letters by course and id. */
    private array $rows = [];

    /**
     * Constructor. Reads all in one query.
     *
     * @param int[] $courseids
     */
    public function __construct(array $courseids) {
        global $DB;
        if (!$courseids) {
            return;
        }
        [$in, $params] = $DB->get_in_or_equal($courseids, SQL_PARAMS_NAMED);
        $rows = $DB->get_records_sql(
            "SELECT l.id, l.letter, l.lowerboundary, x.instanceid
               FROM {grade_letters} l
               JOIN {context} x ON x.id = l.contextid
              WHERE x.contextlevel = :level AND x.instanceid $in",
            $params + ['level' => CONTEXT_COURSE],
        );
        foreach ($rows as $id => $row) {
            $this->rows[$row->instanceid][$id] = $row;
        }
    }

    /**
     * The letters of one course.
     *
     * @param int $courseid
     * @return array [letter, minimum] of each
     */
    public function of(int $courseid): array {
        return array_map(self::pair(...), array_values($this->rows[$courseid] ?? []));
    }

    /**
     * From the best down.
     *
     * @param array $letters [letter, minimum] of each
     * @return array
     */
    public static function sorted(array $letters): array {
        usort($letters, fn(array $one, array $other): int => [$other[1], $one[0]] <=> [$one[1], $other[0]]);
        return $letters;
    }

    /**
     * Gives courses their letters: what stays the same is not touched.
     *
     * @param array[] $wanted [letter, minimum] of each, by course id
     */
    public function write(array $wanted): void {
        global $DB;
        $new = [];
        foreach ($wanted as $courseid => $letters) {
            $context = \core\context\course::instance($courseid);
            $there = array_map(self::pair(...), $this->rows[$courseid] ?? []);
            foreach ($there as $id => $pair) {
                if (!in_array($pair, $letters, true)) {
                    $DB->delete_records('grade_letters', ['id' => $id]);
                    self::tell('deleted', (int) $id, $context);
                }
            }
            foreach ($letters as $pair) {
                if (!in_array($pair, $there, true)) {
                    $new[] = ['contextid' => $context->id, 'letter' => $pair[0], 'lowerboundary' => $pair[1] / 100];
                }
            }
            \cache::make('core', 'grade_letters')->delete($context->id);
        }
        if (!$new) {
            return;
        }
        $DB->insert_records('grade_letters', $new);
        $before = array_merge([], ...array_map('array_keys', array_values(array_intersect_key($this->rows, $wanted))));
        $contexts = array_unique(array_column($new, 'contextid'));
        foreach ($DB->get_records_list('grade_letters', 'contextid', $contexts, 'id', 'id, contextid') as $id => $row) {
            if (!in_array($id, $before)) {
                self::tell('created', (int) $id, \core\context::instance_by_id($row->contextid));
            }
        }
    }

    /**
     * Triggers Moodle's event.
     *
     * @param string $what created or deleted
     * @param int $id
     * @param \core\context $context
     */
    private static function tell(string $what, int $id, \core\context $context): void {
        $class = "\\core\\event\\grade_letter_$what";
        $class::create(['objectid' => $id, 'context' => $context])->trigger();
    }

    /**
     * A row as the contract has it.
     *
     * @param \stdClass $row
     * @return array
     */
    private static function pair(\stdClass $row): array {
        return [$row->letter, (int) round($row->lowerboundary * 100)];
    }
}
