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
 * Fingerprints of users.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\reading;

use local_nagasis\local\contract\fingerprint;

/**
 * Fingerprints of the users who have an idnumber.
 */
final class user_digest implements digest {
    /**
     * Reads one page in one query.
     *
     * @param keys $keys
     * @param int $after
     * @param int $limit
     * @return page
     */
    public function page(keys $keys, int $after, int $limit): page {
        global $CFG;
        [$where, $params] = $keys->condition('u.idnumber');
        $sql = "SELECT u.id, u.idnumber, u.username, u.firstname, u.lastname, u.email, u.alternatename, u.suspended
                  FROM {user} u
                 WHERE u.id > :after AND u.deleted = 0 AND u.mnethostid = :mnethostid AND $where
              ORDER BY u.id";
        $params += ['after' => $after, 'mnethostid' => $CFG->mnet_localhost_id];
        [$rows, $lastid] = page::rows($sql, $params, $limit);
        $items = [];
        foreach ($rows as $row) {
            if (!$keys->has($row->idnumber)) {
                continue;
            }
            $items[] = [
                'key' => $row->idnumber,
                'id' => (int) $row->id,
                'fingerprint' => fingerprint::user(
                    $row->idnumber,
                    $row->username,
                    $row->firstname,
                    $row->lastname,
                    $row->email,
                    (string) $row->alternatename,
                    (bool) $row->suspended,
                ),
            ];
        }
        return new page($items, $lastid);
    }
}
