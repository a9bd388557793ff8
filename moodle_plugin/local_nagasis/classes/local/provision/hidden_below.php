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
 * What is hidden below a category.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

/**
 * What is hidden only because of a hidden category below another one.
 *
 * When Moodle hides a category, it takes what is hidden below it already for what was chosen there, and would not show
 * it again when all of its categories are shown. This keeps what was chosen.
 */
final class hidden_below {
    /** @var int[] ids of categories that would be shown */
    private array $categories;

    /** @var int[] ids of courses that would be shown */
    private array $courses;

    /**
     * Reads what is hidden now.
     *
     * @param int $id of the category that will be hidden
     */
    public function __construct(int $id) {
        global $DB;
        $path = $DB->get_field('course_categories', 'path', ['id' => $id], MUST_EXIST);
        $below = $DB->sql_like('c.path', ':path');
        $params = ['path' => $DB->sql_like_escape($path) . '/%'];
        $this->categories = $DB->get_fieldset_sql(
            "SELECT c.id
               FROM {course_categories} c
               JOIN {course_categories} p ON p.id = c.parent
              WHERE $below AND p.visible = 0 AND c.visible = 0 AND c.visibleold = 1",
            $params,
        );
        $this->courses = $DB->get_fieldset_sql(
            "SELECT x.id
               FROM {course} x
               JOIN {course_categories} c ON c.id = x.category
              WHERE $below AND c.visible = 0 AND x.visible = 0 AND x.visibleold = 1",
            $params,
        );
    }

    /**
     * Gives back what was chosen.
     */
    public function restore(): void {
        global $DB;
        foreach (['course_categories' => $this->categories, 'course' => $this->courses] as $table => $ids) {
            foreach (array_chunk($ids, 1000) as $some) {
                [$in, $params] = $DB->get_in_or_equal($some, SQL_PARAMS_NAMED);
                $DB->set_field_select($table, 'visibleold', 1, "id $in", $params);
            }
        }
    }
}
