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
 * Tells Moodle of grades that were written.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

defined('MOODLE_INTERNAL') || die();

require_once($CFG->libdir . '/gradelib.php');
require_once($CFG->libdir . '/completionlib.php');

/**
 * Tells the rest of Moodle of grades that were written: as grade_grade does after each of its own, and not oftener.
 */
final class grades_announcer {
    /** @var array What is needed for completion, by item: its course's completion and its course module; null: none. */
    private array $completion = [];

    /**
     * Tells of the grades of one course.
     *
     * @param int $courseid
     * @param grades_change[] $changes
     * @param array $rows as they were written, by item and user
     */
    public function announce(int $courseid, array $changes, array $rows): void {
        $this->forget_conditions($changes);
        $items = [];
        foreach ($changes as $change) {
            $itemid = (int) $change->item->id;
            $items[$itemid] ??= $this->item($change->item);
            $grade = new \grade_grade($rows[$itemid][$change->userid], false);
            $grade->grade_item = $items[$itemid];
            $this->tell_completion($courseid, $grade);
            if ($change->changes_grade()) {
                \core\event\user_graded::create_from_grade($grade)->trigger();
            }
        }
    }

    /**
     * Forgets what conditions on grades know of these people.
     *
     * @param grades_change[] $changes
     */
    private function forget_conditions(array $changes): void {
        global $CFG;
        if (empty($CFG->enableavailability) || !class_exists('\availability_grade\callbacks')) {
            return;
        }
        $userids = array_map(fn(grades_change $change): int => $change->userid, $changes);
        foreach (array_unique($userids) as $userid) {
            \availability_grade\callbacks::grade_changed($userid);
        }
    }

    /**
     * Tells the completion of an activity. Nothing else is completed by a grade at once.
     *
     * @param int $courseid
     * @param \grade_grade $grade
     */
    private function tell_completion(int $courseid, \grade_grade $grade): void {
        $item = $grade->grade_item;
        if (!array_key_exists($item->id, $this->completion)) {
            $this->completion[$item->id] = $this->find_completion($courseid, $item);
        }
        if ($this->completion[$item->id]) {
            [$completion, $module] = $this->completion[$item->id];
            $completion->inform_grade_changed($module, $item, $grade, false, true);
        }
    }

    /**
     * What is needed for an item's completion.
     *
     * @param int $courseid
     * @param \grade_item $item
     * @return array|null
     */
    private function find_completion(int $courseid, \grade_item $item): ?array {
        if ($item->itemtype !== 'mod' || !\completion_info::is_enabled_for_site()) {
            return null;
        }
        $completion = new \completion_info(get_course($courseid));
        $module = $completion->is_enabled()
            ? get_coursemodule_from_instance($item->itemmodule, $item->iteminstance, $courseid) : null;
        return $module ? [$completion, $module] : null;
    }

    /**
     * An item as Moodle's functions want it.
     *
     * @param \stdClass $row of grade_items
     * @return \grade_item
     */
    private function item(\stdClass $row): \grade_item {
        return new \grade_item($row, false);
    }
}
