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
 * Sections and groups of a course.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

use core_courseformat\formatactions;
use local_nagasis\local\contract\refusal;

/**
 * The sections and groups of a course that its document names. Others are left alone, and so is their order.
 */
final class course_parts {
    /**
     * Refuses a part that is named twice, or a group that is there twice.
     *
     * @param array $document
     * @param \stdClass|null $course
     */
    public static function check(array $document, ?\stdClass $course): void {
        foreach (['sections' => 'key', 'groups' => 'idnumber'] as $part => $name) {
            $seen = [];
            foreach ($document[$part] as $index => $item) {
                $path = "/$part/$index/$name";
                if (isset($seen["=$item[$name]"])) {
                    $problem = get_string('schema_twice', 'local_nagasis', $item[$name]);
                    throw new refusal('schema', $path, ['path' => $path, 'problem' => $problem]);
                }
                $seen["=$item[$name]"] = true;
                $found = $part === 'groups' && $course ? $course->groups["=$item[idnumber]"] ?? [] : [];
                if (count($found) > 1) {
                    throw new refusal('ambiguous_idnumber', $path, [
                        'idnumber' => $item['idnumber'],
                        'names' => implode(', ', array_column($found, 'name')),
                    ]);
                }
            }
        }
    }

    /**
     * What differs.
     *
     * @param array $document
     * @param \stdClass $course
     * @return array changes
     */
    public static function changes(array $document, \stdClass $course): array {
        $changes = [];
        foreach ($document['sections'] as $section) {
            $found = $course->sections["=$section[key]"] ?? null;
            $before = $found ? (string) $found->name : null;
            $changes[] = [
                'field' => "sections/$section[key]",
                'before' => $before,
                'after' => $section['name'],
            ];
        }
        foreach ($document['groups'] as $group) {
            $found = $course->groups["=$group[idnumber]"][0] ?? null;
            $changes[] = [
                'field' => "groups/$group[idnumber]",
                'before' => $found?->name,
                'after' => $group['name'],
            ];
        }
        return array_values(array_filter($changes, fn(array $change): bool => $change['before'] !== $change['after']));
    }

    /**
     * Makes and renames what differs.
     *
     * @param array $document
     * @param \stdClass $course
     * @return int[] ids of all groups of the document, by idnumber
     */
    public static function write(array $document, \stdClass $course): array {
        foreach ($document['sections'] as $section) {
            self::write_section((int) $course->id, $section, $course->sections["=$section[key]"] ?? null);
        }
        $ids = [];
        foreach ($document['groups'] as $group) {
            $found = $course->groups["=$group[idnumber]"][0] ?? null;
            $ids["=$group[idnumber]"] = self::write_group((int) $course->id, $group, $found);
        }
        return $ids;
    }

    /**
     * Forgets the sections of courses that are no more.
     */
    public static function forget_deleted(): void {
        global $DB;
        $DB->delete_records_select('local_nagasis_section', 'courseid NOT IN (SELECT id FROM {course})');
    }

    /**
     * Makes or renames a section.
     *
     * @param int $courseid
     * @param array $wanted
     * @param \stdClass|null $found
     */
    private static function write_section(int $courseid, array $wanted, ?\stdClass $found): void {
        global $DB;
        if ($found && (string) $found->name === $wanted['name']) {
            return;
        }
        $sections = formatactions::section($courseid);
        $id = $found ? (int) $found->sectionid : (int) $sections->create()->id;
        $sections->update(get_fast_modinfo($courseid)->get_section_info_by_id($id, MUST_EXIST), ['name' => $wanted['name']]);
        if (!$found) {
            // What is remembered of a section that a teacher has deleted gives way.
            $key = ['courseid' => $courseid, 'sectionkey' => $wanted['key']];
            $DB->delete_records('local_nagasis_section', $key);
            $DB->insert_record('local_nagasis_section', (object) ($key + ['sectionid' => $id]), false);
        }
    }

    /**
     * Makes or renames a group.
     *
     * @param int $courseid
     * @param array $wanted
     * @param \stdClass|null $found
     * @return int its id
     */
    private static function write_group(int $courseid, array $wanted, ?\stdClass $found): int {
        global $CFG;
        require_once($CFG->dirroot . '/group/lib.php');
        if (!$found) {
            $data = ['courseid' => $courseid, 'idnumber' => $wanted['idnumber'], 'name' => $wanted['name']];
            return (int) groups_create_group((object) $data);
        }
        if ($found->name !== $wanted['name']) {
            $group = groups_get_group($found->id, '*', MUST_EXIST);
            $group->name = $wanted['name'];
            $context = \core\context\course::instance($courseid);
            $conversation = \core_message\api::get_conversation_by_area('core_group', 'groups', $group->id, $context->id);
            // Moodle wants to be told about the group's conversation: it stays as it is.
            $group->enablemessaging = $conversation ? $conversation->enabled : 0;
            groups_update_group($group);
        }
        return (int) $found->id;
    }
}
