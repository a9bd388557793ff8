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
 * What an administrator has made by hand before a case.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\tests;

use core_courseformat\formatactions;

/**
 * Makes by hand what a case of the contract gives.
 */
final class given {
    /** @var \testing_data_generator */
    private \testing_data_generator $generator;

    /**
     * Constructor.
     *
     * @param \testing_data_generator $generator
     */
    public function __construct(\testing_data_generator $generator) {
        $this->generator = $generator;
    }

    /**
     * Makes everything.
     *
     * @param array $given a state as cases have it
     */
    public function make(array $given): void {
        foreach ($given['config'] ?? [] as $name => $value) {
            set_config($name, $value);
        }
        array_map($this->category(...), $given['categories'] ?? []);
        array_map($this->user(...), $given['users'] ?? []);
        array_map($this->course(...), $given['courses'] ?? []);
        array_map($this->enrolment(...), $given['enrolments'] ?? []);
        array_map(given_gradebooks::category(...), $given['gradecategories'] ?? []);
        array_map(given_gradebooks::item(...), $given['items'] ?? []);
        array_map(given_grades::grade(...), $given['grades'] ?? []);
        array_map(given_grades::item(...), $given['gradeitems'] ?? []);
    }

    /**
     * Makes a category.
     *
     * @param array $fields
     */
    private function category(array $fields): void {
        global $DB;
        $fields['parent'] = $this->category_id($fields['parent'] ?? null);
        $made = $this->generator->create_category(array_diff_key($fields, ['idnumber' => true]));
        // Past Moodle's own check, as a restore would: there may be two with one idnumber.
        $DB->set_field('course_categories', 'idnumber', $fields['idnumber'] ?? '', ['id' => $made->id]);
    }

    /**
     * Makes an account.
     *
     * @param array $fields
     */
    private function user(array $fields): void {
        global $DB;
        $columns = array_diff_key($fields, ['admin' => true]);
        $user = $DB->get_record('user', ['username' => $fields['username'] ?? '']);
        if ($user) {
            // Moodle's own administrator.
            $DB->update_record('user', (object) (['id' => $user->id] + $columns));
        } else {
            $user = $this->generator->create_user($columns + ['alternatename' => '']);
        }
        if (!empty($fields['admin']) && !is_siteadmin($user->id)) {
            set_config('siteadmins', get_config('core', 'siteadmins') . ",$user->id");
        }
    }

    /**
     * Makes a course.
     *
     * @param array $fields
     */
    private function course(array $fields): void {
        global $DB;
        $parts = ['idnumber' => true, 'sections' => true, 'groups' => true, 'readonly' => true];
        $category = isset($fields['category']) ? $this->category_id($fields['category']) : null;
        $course = $this->generator->create_course(array_filter(
            ['category' => $category, 'numsections' => 0] + array_diff_key($fields, $parts),
            fn($value): bool => $value !== null,
        ));
        $DB->set_field('course', 'idnumber', $fields['idnumber'] ?? '', ['id' => $course->id]);
        foreach ($fields['sections'] ?? [] as $section) {
            $made = formatactions::section($course)->create();
            $DB->set_field('course_sections', 'name', $section['name'], ['id' => $made->id]);
            if (!empty($section['key'])) {
                $row = ['courseid' => $course->id, 'sectionkey' => $section['key'], 'sectionid' => $made->id];
                $DB->insert_record('local_nagasis_section', (object) $row);
            }
        }
        rebuild_course_cache($course->id, true);
        foreach ($fields['groups'] ?? [] as $group) {
            $made = $this->generator->create_group(['courseid' => $course->id, 'name' => $group['name']]);
            $DB->set_field('groups', 'idnumber', $group['idnumber'], ['id' => $made->id]);
        }
        \cache_helper::invalidate_by_definition('core', 'groupdata', [], [$course->id]);
        \core\context\course::instance($course->id)->set_locked(!empty($fields['readonly']));
    }

    /**
     * Enrols a person.
     *
     * @param array $fields
     */
    private function enrolment(array $fields): void {
        global $CFG, $DB;
        require_once($CFG->dirroot . '/group/lib.php');
        $course = $DB->get_record('course', ['idnumber' => $fields['course']], '*', MUST_EXIST);
        $user = $DB->get_record('user', ['idnumber' => $fields['user']], '*', MUST_EXIST);
        $method = $fields['method'] ?? 'manual';
        $status = ($fields['status'] ?? 'active') === 'suspended' ? ENROL_USER_SUSPENDED : ENROL_USER_ACTIVE;
        $plugin = enrol_get_plugin($method);
        if (!$DB->record_exists('enrol', ['courseid' => $course->id, 'enrol' => $method])) {
            $plugin->add_instance($course);
        }
        $instance = $DB->get_record('enrol', ['courseid' => $course->id, 'enrol' => $method], '*', MUST_EXIST);
        $role = $DB->get_field('role', 'id', ['shortname' => $fields['role'] ?? 'student'], MUST_EXIST);
        $plugin->enrol_user($instance, $user->id, $role, 0, 0, $status);
        foreach ($fields['groups'] ?? [] as $idnumber) {
            $group = $DB->get_record('groups', ['courseid' => $course->id, 'idnumber' => $idnumber], '*', MUST_EXIST);
            $ours = $method === 'nagasis';
            groups_add_member($group, $user, $ours ? 'enrol_nagasis' : null, $ours ? $instance->id : 0);
        }
    }

    /**
     * The id of a category.
     *
     * @param string|null $idnumber
     * @return int 0: the top
     */
    private function category_id(?string $idnumber): int {
        global $DB;
        return $idnumber === null ? 0 : (int) $DB->get_field('course_categories', 'id', ['idnumber' => $idnumber], MUST_EXIST);
    }
}
