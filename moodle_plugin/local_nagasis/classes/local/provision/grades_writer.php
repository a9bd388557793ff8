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
 * Writes grades.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

defined('MOODLE_INTERNAL') || die();

require_once($CFG->libdir . '/gradelib.php');

/**
 * Writes the grades of many courses together.
 *
 * It goes below grade_item::update_final_grade(), which reads and writes one grade at a time and computes all totals above it
 * anew for each: for a class of 50 with 8 parts that is some 10,000 statements. What that function does is done here for all
 * grades at once, in the same order: the rows, their history, the caches of conditions, completion of the activity, the
 * events; and in the end the totals, once for a course. It differs in four things, each on purpose:
 *
 * - A total stands as overridden also where the site does not let people override totals ("grade_overridecat"): that
 *   setting is about what teachers may do, and computing leaves overridden totals alone whatever it says.
 * - A grade of a teacher's item is written only if nobody has changed it since it was compared: the statement itself asks.
 * - Files of a teacher's feedback stay. Moodle's function deletes them with each change of a grade.
 * - Course completion by activity is left to its scheduled task, as in Moodle's own web service for grades.
 */
final class grades_writer {
    /** @var int Rows of one statement. */
    private const CHUNK = 500;

    /** @var string Stands for "no grade" in comparisons: no grade of Moodle is as low. */
    private const NO_GRADE = '-99999.99999';

    /** @var grades_standing What stood there. */
    private readonly grades_standing $standing;

    /** @var grades_change[][] Changes by course. */
    private array $changes = [];

    /** @var gradebook[] By course. */
    private array $gradebooks = [];

    /**
     * Constructor.
     *
     * @param grades_standing $standing
     */
    public function __construct(grades_standing $standing) {
        $this->standing = $standing;
    }

    /**
     * Puts off some changes.
     *
     * @param gradebook $gradebook
     * @param grades_change[] $changes
     */
    public function add(gradebook $gradebook, array $changes): void {
        $this->gradebooks[$gradebook->courseid] = $gradebook;
        $this->changes[$gradebook->courseid] = $changes;
    }

    /**
     * Writes everything that was put off, inside a transaction that the caller holds.
     *
     * @throws \moodle_exception somebody has graded meanwhile; nothing may be kept then
     */
    public function flush(): void {
        [$changes, $this->changes] = [$this->changes, []];
        $now = \core\di::get(\core\clock::class)->time();
        $all = array_merge(...array_values($changes));
        $this->insert(array_filter($all, fn(grades_change $change): bool => !$change->row), $now);
        $this->update(array_filter($all, fn(grades_change $change): bool => (bool) $change->row), $now);
        $rows = $this->written($all);
        $this->keep_history($all, $rows, $now);
        $announcer = new grades_announcer();
        foreach ($changes as $courseid => $some) {
            $announcer->announce($courseid, $some, $rows);
        }
        grades_totals::compute($changes, $this->gradebooks, $this->standing);
    }

    /**
     * Inserts grades of people who had no row.
     *
     * @param grades_change[] $changes
     * @param int $now
     */
    private function insert(array $changes, int $now): void {
        global $DB;
        if (!$changes) {
            return;
        }
        $plain = [
            'feedback' => null,
            'feedbackformat' => FORMAT_MOODLE,
            'information' => null,
            'informationformat' => FORMAT_MOODLE,
        ];
        // The first row says in which order the columns come.
        $DB->insert_records('grade_grades', array_map(fn(grades_change $change): array => array_merge(
            ['itemid' => $change->item->id, 'userid' => $change->userid, 'finalgrade' => $change->final],
            $plain,
            $change->columns($now),
        ), $changes));
    }

    /**
     * Updates grades: those that change in the same way in one statement, each with its own value.
     *
     * @param grades_change[] $changes
     * @param int $now
     */
    private function update(array $changes, int $now): void {
        $alike = [];
        foreach ($changes as $change) {
            $kind = match ($change->final) {
                null => 'none',
                false => 'same',
                default => 'value',
            };
            $alike[json_encode([$kind, $change->guarded, $change->columns($now)])][] = $change;
        }
        foreach ($alike as $same) {
            foreach (array_chunk($same, self::CHUNK) as $chunk) {
                $this->update_alike($chunk, $now);
            }
        }
    }

    /**
     * Updates grades that change in the same way.
     *
     * @param grades_change[] $changes
     * @param int $now
     */
    private function update_alike(array $changes, int $now): void {
        global $DB;
        $columns = $changes[0]->columns($now);
        $set = array_map(fn(string $column): string => "$column = :$column", array_keys($columns));
        // Ids and grades come from the database and from whole numbers: they are written out, so that all databases see numbers.
        $values = [];
        $before = [];
        foreach ($changes as $change) {
            $id = (int) $change->row->id;
            $values[] = "WHEN $id THEN $change->final";
            $before[] = "WHEN $id THEN " . ($change->row->finalgrade ?? self::NO_GRADE);
        }
        if ($changes[0]->final === null) {
            $set[] = 'finalgrade = NULL';
        } else if ($changes[0]->final !== false) {
            $set[] = 'finalgrade = CASE id ' . implode(' ', $values) . ' END';
        }
        $where = 'locked = 0';
        if ($changes[0]->guarded) {
            $where .= ' AND COALESCE(finalgrade, ' . self::NO_GRADE . ') = CASE id ' . implode(' ', $before) . ' END';
        }
        $ids = implode(',', array_map(fn(grades_change $change): int => (int) $change->row->id, $changes));
        $DB->execute('UPDATE {grade_grades} SET ' . implode(', ', $set) . " WHERE id IN ($ids) AND $where", $columns);
    }

    /**
     * Reads what was written, and sees that it was.
     *
     * @param grades_change[] $changes
     * @return array whole rows by item and user
     */
    private function written(array $changes): array {
        global $DB;
        $rows = [];
        $items = array_values(array_unique(array_map(fn(grades_change $change): int => (int) $change->item->id, $changes)));
        $users = array_values(array_unique(array_map(fn(grades_change $change): int => $change->userid, $changes)));
        foreach (array_chunk($items, self::CHUNK) as $someitems) {
            foreach (array_chunk($users, self::CHUNK) as $someusers) {
                [$initems, $params] = $DB->get_in_or_equal($someitems, SQL_PARAMS_NAMED, 'item');
                [$inusers, $userparams] = $DB->get_in_or_equal($someusers, SQL_PARAMS_NAMED, 'user');
                $found = $DB->get_recordset_select('grade_grades', "itemid $initems AND userid $inusers", $params + $userparams);
                foreach ($found as $row) {
                    $rows[(int) $row->itemid][(int) $row->userid] = $row;
                }
                $found->close();
            }
        }
        foreach ($changes as $change) {
            $row = $rows[(int) $change->item->id][$change->userid] ?? null;
            $same = $change->final === false || ($row && ($change->final === null ? $row->finalgrade === null
                : $row->finalgrade !== null && !grade_floats_different((float) $row->finalgrade, (float) $change->final)));
            if (!$same || (bool) $row->overridden !== $change->overridden) {
                throw new \moodle_exception('gradedmeanwhile', 'local_nagasis');
            }
        }
        return $rows;
    }

    /**
     * Keeps one row of history for each grade, with who answers for it.
     *
     * @param grades_change[] $changes
     * @param array $rows
     * @param int $now
     */
    private function keep_history(array $changes, array $rows, int $now): void {
        global $CFG, $DB, $USER;
        if (!empty($CFG->disablegradehistory)) {
            return;
        }
        $columns = array_diff_key($DB->get_columns('grade_grades_history'), ['id' => true]);
        $history = [];
        foreach ($changes as $change) {
            $row = (array) $rows[(int) $change->item->id][$change->userid];
            $history[] = [
                'action' => $change->row ? GRADE_HISTORY_UPDATE : GRADE_HISTORY_INSERT,
                'oldid' => $row['id'],
                'source' => $change->note === '' ? 'local_nagasis' : $change->note,
                'timemodified' => $now,
                'loggeduser' => $USER->id,
            ] + array_intersect_key($row, $columns);
        }
        $DB->insert_records('grade_grades_history', $history);
    }
}
