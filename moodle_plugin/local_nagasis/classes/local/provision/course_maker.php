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
 * Makes courses in bulk.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

/**
 * Makes courses as create_course() does, in the same order and with the same events and hooks, but with what can be
 * done for all of them done once: rows, contexts, sections, and the order of the whole site's courses, which
 * create_course() works out anew for each.
 */
final class course_maker {
    /** @var string[] What the site's own defaults say about a new course, as its form would. */
    private const DEFAULTS = [
        'newsitems', 'showgrades', 'showreports', 'maxbytes', 'groupmode', 'groupmodeforce', 'lang', 'hiddensections',
        'coursedisplay', 'showactivitydates', 'downloadcontent', 'enablecompletion', 'showcompletionconditions',
    ];

    /** @var string[] What course formats keep elsewhere. */
    private const OPTIONS = ['hiddensections', 'coursedisplay', 'numsections'];

    /**
     * Makes courses, with the sections of their documents and without the groups.
     *
     * @param array $orders document and category of each
     * @return array id and sections (as course_index has them) of each, by the same keys
     */
    public static function create(array $orders): array {
        global $CFG, $DB;
        require_once($CFG->dirroot . '/course/lib.php');
        require_once($CFG->libdir . '/blocklib.php');
        if (!$orders) {
            return [];
        }
        $defaults = self::defaults();
        $data = array_map(fn(array $order): \stdClass => self::data($order, $defaults), $orders);
        $options = array_flip(self::OPTIONS);
        $DB->insert_records('course', array_map(
            fn(\stdClass $course): array => array_diff_key((array) $course, $options),
            array_values($data),
        ));
        [$in, $params] = $DB->get_in_or_equal(array_column($data, 'idnumber'), SQL_PARAMS_NAMED);
        $where = "idnumber $in AND id <> :site";
        $ids = $DB->get_records_select_menu('course', $where, $params + ['site' => SITEID], '', 'idnumber, id');
        $bycategory = [];
        foreach ($data as $course) {
            $course->id = (int) $ids[$course->idnumber];
            $bycategory[$course->category][] = $course->id;
        }
        foreach ($bycategory as $category => $courses) {
            context_maker::make(CONTEXT_COURSE, $courses, \core\context\coursecat::instance($category));
        }
        $sections = self::make_sections($orders, $data);
        fix_course_sortorder();
        \cache_helper::purge_by_event('changesincourse');

        $made = [];
        foreach ($orders as $index => ['document' => $document]) {
            $course = $data[$index];
            self::finish($course, $sections[$course->id]);
            if ($document['readonly']) {
                freezing::set($course->id, true);
            }
            $made[$index] = ['id' => $course->id, 'sections' => self::remember($course->id, $document, $sections[$course->id])];
        }
        return $made;
    }

    /**
     * What the site says about a new course.
     *
     * @return array
     */
    private static function defaults(): array {
        global $CFG;
        $defaults = array_filter(
            array_intersect_key((array) get_config('moodlecourse'), array_flip(self::DEFAULTS)),
            fn($value): bool => $value !== null && $value !== '',
        );
        if (empty($CFG->enablecompletion)) {
            $defaults['enablecompletion'] = COMPLETION_DISABLED;
        }
        if (empty($defaults['enablecompletion'])) {
            unset($defaults['showcompletionconditions']);
        }
        return $defaults + ['timecreated' => \core\di::get(\core\clock::class)->time()];
    }

    /**
     * The row of a course.
     *
     * @param array $order
     * @param array $defaults
     * @return \stdClass
     */
    private static function data(array $order, array $defaults): \stdClass {
        ['document' => $document, 'category' => $category] = $order;
        $data = (object) $defaults;
        foreach (['idnumber', 'shortname', 'fullname', 'startdate', 'enddate'] as $field) {
            $data->$field = $document[$field];
        }
        $data->category = (int) $category->id;
        // What was chosen is kept, for the day when a hidden category is shown.
        $data->visible = (int) ($document['visible'] && $category->visible);
        $data->visibleold = (int) $document['visible'];
        $data->format = 'topics';
        $data->numsections = count($document['sections']);
        $data->summary = '';
        $data->summaryformat = FORMAT_HTML;
        $data->sortorder = 0;
        $data->timemodified = $data->timecreated;
        return $data;
    }

    /**
     * Makes the sections of all courses: the first, which every course has, and those of the document.
     *
     * @param array $orders
     * @param \stdClass[] $data
     * @return array the records by course and section number
     */
    private static function make_sections(array $orders, array $data): array {
        global $DB;
        $rows = [];
        foreach ($orders as $index => ['document' => $document]) {
            foreach ([null, ...array_column($document['sections'], 'name')] as $number => $name) {
                $rows[] = [
                    'course' => $data[$index]->id,
                    'section' => $number,
                    'name' => $name,
                    'summary' => '',
                    'summaryformat' => FORMAT_HTML,
                    'sequence' => '',
                    'visible' => 1,
                    'timemodified' => $data[$index]->timemodified,
                ];
            }
        }
        $DB->insert_records('course_sections', $rows);
        $sections = [];
        foreach ($DB->get_records_list('course_sections', 'course', array_column($data, 'id'), 'course, section') as $section) {
            $sections[$section->course][$section->section] = $section;
        }
        return $sections;
    }

    /**
     * Does for one course what create_course() does once the row is there.
     *
     * @param \stdClass $data
     * @param \stdClass[] $sections
     */
    private static function finish(\stdClass $data, array $sections): void {
        $hooks = \core\di::get(\core\hook\manager::class);
        $format = course_get_format($data->id);
        $format->update_course_format_options($data);
        $course = $format->get_course();
        \core\event\course_created::create([
            'objectid' => $course->id,
            'context' => \core\context\course::instance($course->id),
            'other' => ['shortname' => $course->shortname, 'fullname' => $course->fullname],
        ])->trigger();
        $hooks->dispatch(new \core_course\hook\after_course_created(course: $data));
        blocks_add_default_course_blocks($course);
        foreach ($sections as $section) {
            \core\event\course_section_created::create_from_section($section)->trigger();
        }
        rebuild_course_cache($course->id, true);
        enrol_course_updated(true, $course, $data);
        $fields = \core_course\customfield\course_handler::create();
        $fields->set_parent_context(\core\context\coursecat::instance($data->category));
        $fields->instance_form_save($data, true);
        $hooks->dispatch(new \core_course\hook\after_form_submission($data, true));
    }

    /**
     * Remembers which section is which.
     *
     * @param int $courseid
     * @param array $document
     * @param \stdClass[] $sections by number
     * @return \stdClass[] as course_index has them
     */
    private static function remember(int $courseid, array $document, array $sections): array {
        global $DB;
        $rows = [];
        $known = [];
        foreach ($document['sections'] as $index => ['key' => $key, 'name' => $name]) {
            $id = (int) $sections[$index + 1]->id;
            $rows[] = ['courseid' => $courseid, 'sectionkey' => $key, 'sectionid' => $id];
            $known["=$key"] = (object) ['sectionid' => $id, 'name' => $name];
        }
        if ($rows) {
            $DB->insert_records('local_nagasis_section', $rows);
        }
        return $known;
    }
}
