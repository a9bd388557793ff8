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
 * The gradebooks of many courses.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

/**
 * The gradebooks of many courses, in three queries: what we remember, Moodle's grade items, Moodle's grade categories.
 */
final class gradebook_index {
    /** @var string Where we remember which item is which. */
    public const TABLE = 'local_nagasis_gradeitem';

    /** @var gradebook[] By course id. */
    private array $courses = [];

    /**
     * Constructor. Reads everything.
     *
     * @param int[] $courseids
     */
    public function __construct(array $courseids) {
        global $DB;
        foreach ($courseids as $id) {
            $this->courses[$id] = new gradebook($id);
        }
        if (!$courseids) {
            return;
        }
        [$in, $params] = $DB->get_in_or_equal($courseids, SQL_PARAMS_NAMED);
        // An item whose activity waits for its deletion is there, and to everybody it is gone.
        $items = $DB->get_recordset_sql(
            "SELECT i.*, cm.deletioninprogress AS deleting
               FROM {grade_items} i
          LEFT JOIN {modules} m ON i.itemtype = 'mod' AND m.name = i.itemmodule
          LEFT JOIN {course_modules} cm ON cm.module = m.id AND cm.instance = i.iteminstance AND cm.course = i.courseid
              WHERE i.courseid $in
           ORDER BY i.sortorder, i.id",
            $params,
        );
        foreach ($items as $item) {
            $this->courses[$item->courseid]->add_item($item);
        }
        $items->close();
        foreach ($DB->get_records_select('grade_categories', "courseid $in", $params, 'depth, id') as $category) {
            $this->courses[$category->courseid]->add_category($category);
        }
        foreach ($DB->get_records_select(self::TABLE, "courseid $in", $params, 'id') as $known) {
            $this->courses[$known->courseid]->remember($known);
        }
    }

    /**
     * The gradebook of one course.
     *
     * @param int $courseid one that was asked for
     * @return gradebook
     */
    public function of(int $courseid): gradebook {
        return $this->courses[$courseid];
    }

    /**
     * Forgets the items of courses that are no more.
     */
    public static function forget_deleted(): void {
        global $DB;
        $DB->delete_records_select(self::TABLE, 'courseid NOT IN (SELECT id FROM {course})');
    }
}
