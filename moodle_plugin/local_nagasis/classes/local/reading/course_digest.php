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
 * Fingerprints of courses.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\reading;

use local_nagasis\local\contract\fingerprint;
use local_nagasis\local\provision\{freezing, visibility};

/**
 * Fingerprints of the courses that have an idnumber.
 */
final class course_digest implements digest {
    /**
     * Reads one page in three queries: the courses, their sections, their groups. A frozen course of a site that does not
     * freeze is open.
     *
     * @param keys $keys
     * @param int $after
     * @param int $limit
     * @return page
     */
    public function page(keys $keys, int $after, int $limit): page {
        [$where, $params] = $keys->condition('c.idnumber');
        $sql = "SELECT c.id, c.idnumber, c.shortname, c.fullname, c.startdate, c.enddate, c.visible, c.visibleold,
                       cc.idnumber AS categoryidnumber, cc.visible AS around, x.locked
                  FROM {course} c
                  JOIN {course_categories} cc ON cc.id = c.category
             LEFT JOIN {context} x ON x.instanceid = c.id AND x.contextlevel = :level
                 WHERE c.id > :after AND $where
              ORDER BY c.id";
        [$rows, $lastid] = page::rows($sql, $params + ['after' => $after, 'level' => CONTEXT_COURSE], $limit);
        $rows = array_filter($rows, fn(\stdClass $row): bool => $keys->has($row->idnumber));
        $sections = $this->by_course(
            'SELECT cs.id, ns.courseid, ns.sectionkey AS itemkey, cs.name
               FROM {local_nagasis_section} ns
               JOIN {course_sections} cs ON cs.id = ns.sectionid AND cs.course = ns.courseid
              WHERE ns.courseid',
            array_keys($rows),
        );
        $groups = $this->by_course(
            "SELECT g.id, g.courseid, g.idnumber AS itemkey, g.name
               FROM {groups} g
              WHERE g.idnumber <> '' AND g.courseid",
            array_keys($rows),
        );
        $items = [];
        foreach ($rows as $id => $row) {
            $items[] = [
                'key' => $row->idnumber,
                'id' => (int) $id,
                'fingerprint' => fingerprint::course(
                    $row->idnumber,
                    $row->shortname,
                    $row->fullname,
                    (string) $row->categoryidnumber,
                    (int) $row->startdate,
                    (int) $row->enddate,
                    visibility::own((int) $row->visible, (int) $row->visibleold, (int) $row->around),
                    $row->locked && freezing::possible(),
                    $sections[$id] ?? [],
                    $groups[$id] ?? [],
                ),
            ];
        }
        return new page($items, $lastid);
    }

    /**
     * Reads what belongs to these courses.
     *
     * @param string $select gives courseid, itemkey and name; ends before the condition on the course's id
     * @param int[] $courseids
     * @return array [itemkey, name] pairs by course id
     */
    private function by_course(string $select, array $courseids): array {
        global $DB;
        if (!$courseids) {
            return [];
        }
        [$in, $params] = $DB->get_in_or_equal($courseids);
        $found = [];
        $rows = $DB->get_recordset_sql("$select $in", $params);
        foreach ($rows as $row) {
            $found[$row->courseid][] = [$row->itemkey, (string) $row->name];
        }
        $rows->close();
        return $found;
    }
}
