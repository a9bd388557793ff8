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
 * What is left to do when a write failed.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

/**
 * What is left to do when Moodle refused a write.
 */
final class failure {
    /**
     * Writes into the server's log why a document failed: ids and places in the code, no values.
     *
     * @param \Throwable $reason
     * @param string $kind
     * @param string $key the document's idnumber
     */
    public static function record(\Throwable $reason, string $kind, string $key): void {
        $words = $reason->getMessage();
        if ($reason instanceof \dml_exception && isset($reason->error)) {
            // The database's own words, but not the line with the values.
            $words .= ': ' . strtok((string) $reason->error, "\n");
        }
        $trace = format_backtrace($reason->getTrace(), true);
        // Debugging messages are off where this matters most.
        // phpcs:ignore moodle.PHP.ForbiddenFunctions.Found
        error_log("local_nagasis: $kind $key failed: " . get_class($reason) . ": $words\n$trace");
    }

    /**
     * Empties the caches that may remember what was rolled back.
     *
     * @param string[] $courses idnumbers of the courses that the documents are for
     */
    public static function forget_caches(array $courses): void {
        global $DB;
        \core\context_helper::reset_caches();
        \core_courseformat\base::reset_course_cache();
        get_fast_modinfo(0, 0, true);
        \cache_helper::purge_by_event('changesincourse');
        \cache_helper::purge_by_event('changesincoursecat');
        \cache_helper::purge_by_event('changesingradecategories');
        \cache::make('core', 'grade_letters')->purge();
        // The revision by which these caches tell old from new was rolled back too, and may be given a second time.
        $ids = array_keys($DB->get_records_list('course', 'idnumber', $courses, '', 'id'));
        \cache::make('core', 'groupdata')->delete_many($ids);
        \cache::make('core', 'coursehiddengroups')->delete_many($ids);
        $cache = \cache::make('core', 'coursemodinfo');
        foreach ($ids as $id) {
            $cache->acquire_lock($id);
            try {
                $cache->delete($id);
            } finally {
                $cache->release_lock($id);
            }
        }
        accesslib_clear_all_caches(true);
    }
}
