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
 * Changes courses.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

/**
 * Changes courses with Moodle's own function; new ones are made in bulk by course_maker.
 */
final class course_writer {
    /**
     * Changes what differs in a course.
     *
     * @param array $document
     * @param \stdClass $course as it was
     * @param \stdClass $category
     */
    public static function update(array $document, \stdClass $course, \stdClass $category): void {
        global $CFG;
        require_once($CFG->dirroot . '/course/lib.php');
        $data = ['id' => (int) $course->id];
        foreach (['shortname', 'fullname', 'startdate', 'enddate'] as $field) {
            $data[$field] = $document[$field];
        }
        $data['category'] = (int) $category->id;
        if ($category->visible) {
            $data['visible'] = (int) $document['visible'];
        } else {
            // In a hidden category it stays as it is; this says what becomes of it when that is shown.
            $data['visibleold'] = (int) $document['visible'];
        }
        update_course((object) $data);
    }
}
