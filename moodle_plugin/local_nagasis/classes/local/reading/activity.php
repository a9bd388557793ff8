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
 * When people were last here.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\reading;

/**
 * When people with an idnumber last signed in, and were last seen.
 */
final class activity implements reading {
    /**
     * Reads one page in one query.
     *
     * @param scope $scope since
     * @param int $after
     * @param int $limit
     * @return page
     */
    public function page(scope $scope, int $after, int $limit): page {
        global $CFG;
        // Moodle's "lastlogin" is the one before the last.
        $sql = "SELECT u.id, u.idnumber, u.currentlogin, u.lastaccess
                  FROM {user} u
                 WHERE u.id > :after AND u.deleted = 0 AND u.mnethostid = :mnethostid AND u.idnumber <> ''
                       AND (u.lastaccess >= :since1 OR u.currentlogin >= :since2)
              ORDER BY u.id";
        [$rows, $lastid] = page::rows($sql, [
            'after' => $after,
            'mnethostid' => $CFG->mnet_localhost_id,
            'since1' => $scope->since,
            'since2' => $scope->since,
        ], $limit);
        return new page(array_map(fn(\stdClass $row): array => [
            'id' => (int) $row->id,
            'user' => $row->idnumber,
            'lastlogin' => (int) $row->currentlogin,
            'lastaccess' => (int) $row->lastaccess,
        ], $rows), $lastid);
    }
}
