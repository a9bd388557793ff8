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
 * Courses that can only be read.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

/**
 * Courses that can only be read: Moodle's freezing of contexts. What we write asks for no capabilities, and goes on.
 */
final class freezing {
    /**
     * Whether this site freezes at all. Where it does not, a frozen course is like any other.
     *
     * @return bool
     */
    public static function possible(): bool {
        global $CFG;
        return !empty($CFG->contextlocking);
    }

    /**
     * Which of these courses are frozen themselves; that a category around them is does not count.
     *
     * @param int[] $courseids
     * @return int[] ids of courses
     */
    public static function frozen(array $courseids): array {
        global $DB;
        if (!$courseids) {
            return [];
        }
        [$in, $params] = $DB->get_in_or_equal($courseids, SQL_PARAMS_NAMED);
        $where = "contextlevel = :level AND locked = 1 AND instanceid $in";
        return array_map('intval', $DB->get_fieldset_select('context', 'instanceid', $where, $params + ['level' => CONTEXT_COURSE]));
    }

    /**
     * Freezes a course, or lets it go on.
     *
     * @param int $courseid
     * @param bool $frozen
     */
    public static function set(int $courseid, bool $frozen): void {
        // An instance that was read before may tell of a category around it that has changed since.
        \core\context_helper::reset_caches();
        \core\context\course::instance($courseid)->set_locked($frozen);
    }

    /**
     * Whether anything on this site is frozen.
     *
     * @return bool
     */
    public static function anything(): bool {
        global $DB;
        return $DB->record_exists('context', ['locked' => 1]);
    }
}
