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
 * Writes courses.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

/**
 * Writes courses with Moodle's own functions.
 */
final class course_writer {
    /** @var string[] What the site's own defaults say about a new course, as its form would. */
    private const DEFAULTS = [
        'newsitems', 'showgrades', 'showreports', 'maxbytes', 'groupmode', 'groupmodeforce', 'lang', 'hiddensections',
        'coursedisplay', 'showactivitydates', 'downloadcontent',
    ];

    /**
     * Makes a course, without the sections and groups of the document.
     *
     * @param array $document
     * @param \stdClass $category
     * @return int its id
     */
    public static function create(array $document, \stdClass $category): int {
        global $CFG, $DB;
        require_once($CFG->dirroot . '/course/lib.php');
        $data = (object) array_filter(
            array_intersect_key((array) get_config('moodlecourse'), array_flip(self::DEFAULTS)),
            fn($value): bool => $value !== null && $value !== '',
        );
        foreach (['idnumber', 'shortname', 'fullname', 'startdate', 'enddate'] as $field) {
            $data->$field = $document[$field];
        }
        $data->category = (int) $category->id;
        $data->visible = (int) ($document['visible'] && $category->visible);
        $data->format = 'topics';
        $data->numsections = 0;
        $data->summary = '';
        $data->summaryformat = FORMAT_HTML;
        $id = (int) create_course($data)->id;
        if ((bool) $data->visible !== $document['visible']) {
            // In a hidden category it is hidden; this says what becomes of it when that is shown.
            $DB->set_field('course', 'visibleold', (int) $document['visible'], ['id' => $id]);
        }
        return $id;
    }

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
