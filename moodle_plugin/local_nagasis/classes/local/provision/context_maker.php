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
 * Contexts of many new things at once.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

/**
 * Makes contexts in bulk. Moodle else makes them one by one, in four queries each, when they are first asked for.
 */
final class context_maker {
    /**
     * Makes the contexts of things that were just made, and keeps them in Moodle's cache of this request.
     *
     * @param int $level CONTEXT_USER, CONTEXT_COURSE
     * @param int[] $ids of the things
     * @param \core\context $parent of all of them
     */
    public static function make(int $level, array $ids, \core\context $parent): void {
        global $DB;
        $DB->insert_records('context', array_map(fn(int $id): array => [
            'contextlevel' => $level,
            'instanceid' => $id,
            'depth' => 0,
            'path' => null,
            'locked' => 0,
        ], array_values($ids)));
        [$in, $params] = $DB->get_in_or_equal($ids, SQL_PARAMS_NAMED);
        $params['level'] = $level;
        $path = $DB->sql_concat("'$parent->path/'", 'id');
        $depth = $parent->depth + 1;
        $DB->execute("UPDATE {context} SET path = $path, depth = $depth WHERE contextlevel = :level AND instanceid $in", $params);

        $columns = \core\context_helper::get_preload_record_columns_sql('x');
        $contexts = $DB->get_records_sql(
            "SELECT $columns FROM {context} x WHERE x.contextlevel = :level AND x.instanceid $in",
            $params,
        );
        foreach ($contexts as $context) {
            \core\context_helper::preload_from_record($context);
        }
    }
}
