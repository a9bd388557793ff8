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
 * The courses that documents are about.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

use local_nagasis\local\contract\refusal;

/**
 * The courses of documents that name one in their field "course": what adds to a course that is there, or is made in this call.
 */
final class document_courses {
    /** @var directory What this call has made so far. */
    private readonly directory $directory;

    /** @var array Courses by "=idnumber" and id: the sign keeps idnumbers of digits from becoming numbers. */
    private array $found = [];

    /**
     * Constructor. Reads all courses in one query.
     *
     * @param directory $directory
     * @param array $documents
     */
    public function __construct(directory $directory, array $documents) {
        global $DB;
        $this->directory = $directory;
        [$in, $params] = $DB->get_in_or_equal(array_column($documents, 'course'), SQL_PARAMS_NAMED);
        $columns = 'id, idnumber, shortname, fullname';
        $rows = $DB->get_records_select('course', "idnumber $in AND id <> :site", $params + ['site' => SITEID], 'id', $columns);
        foreach ($rows as $row) {
            $this->found["=$row->idnumber"][(int) $row->id] = $row;
        }
    }

    /**
     * The ids of all that were found. A database that takes small and capital letters as one gives too many.
     *
     * @return int[]
     */
    public function ids(): array {
        return array_merge([], ...array_map('array_keys', array_values($this->found)));
    }

    /**
     * The id of one course.
     *
     * @param string $idnumber
     * @return int|null null: would be made by this call
     * @throws refusal ambiguous_idnumber, course_missing
     */
    public function require(string $idnumber): ?int {
        $found = $this->found["=$idnumber"] ?? [];
        if (count($found) > 1) {
            $names = implode(', ', array_map(course_index::describe(...), $found));
            throw new refusal('ambiguous_idnumber', '/course', ['idnumber' => $idnumber, 'names' => $names]);
        }
        if (!$found && $this->directory->find('course', $idnumber) !== null) {
            throw new refusal('course_missing', '/course', ['idnumber' => $idnumber]);
        }
        return array_key_first($found);
    }
}
