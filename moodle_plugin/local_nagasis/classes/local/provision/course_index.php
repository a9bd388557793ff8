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
 * The courses that some documents concern.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

/**
 * The courses that some documents are for or could clash with, their categories, sections and groups, in seven queries.
 */
final class course_index {
    /** @var string What is read of a course. */
    private const COLUMNS = 'id, idnumber, shortname, fullname, category, startdate, enddate, visible, visibleold';

    /** @var \stdClass[][] Courses by idnumber; the sign in front keeps a key of digits from becoming a number. */
    private array $idnumbers = [];

    /** @var \stdClass[][] Courses by short name. */
    private array $shortnames = [];

    /** @var \stdClass[] Courses by id, so that one course is one object. */
    private array $courses = [];

    /** @var \stdClass[] Categories by id. */
    private array $categories = [];

    /**
     * Reads what these documents need.
     *
     * @param array $documents
     */
    public function __construct(array $documents) {
        global $DB;
        [$in, $params] = $DB->get_in_or_equal(array_column($documents, 'idnumber'), SQL_PARAMS_NAMED);
        $this->read("idnumber $in AND id <> :site", $params + ['site' => SITEID]);
        $ids = array_keys($this->courses);
        [$in, $params] = $DB->get_in_or_equal(array_column($documents, 'shortname'), SQL_PARAMS_NAMED);
        $this->read("shortname $in", $params);

        $columns = 'id, idnumber, name, visible';
        $idnumbers = array_values(array_unique(array_column($documents, 'category')));
        $current = array_unique(array_column($this->courses, 'category'));
        $this->categories = $DB->get_records_list('course_categories', 'idnumber', $idnumbers, 'id', $columns)
            + $DB->get_records_list('course_categories', 'id', $current, 'id', $columns);
        $this->read_parts($ids);
    }

    /**
     * A course in words, so that an administrator finds it.
     *
     * @param \stdClass $course
     * @return string
     */
    public static function describe(\stdClass $course): string {
        return "$course->fullname ($course->shortname)";
    }

    /**
     * The courses with this idnumber.
     *
     * @param string $idnumber
     * @return \stdClass[]
     */
    public function by_idnumber(string $idnumber): array {
        return $this->idnumbers["=$idnumber"] ?? [];
    }

    /**
     * Another course with this short name.
     *
     * @param string $shortname
     * @param \stdClass|null $self
     * @return \stdClass|null
     */
    public function other_with_shortname(string $shortname, ?\stdClass $self): ?\stdClass {
        foreach ($this->shortnames["=$shortname"] ?? [] as $found) {
            if ($found !== $self) {
                return $found;
            }
        }
        return null;
    }

    /**
     * The categories with this idnumber.
     *
     * @param string $idnumber
     * @return \stdClass[]
     */
    public function categories(string $idnumber): array {
        return array_values(array_filter($this->categories, fn(\stdClass $each): bool => $each->idnumber === $idnumber));
    }

    /**
     * The category that a course is in.
     *
     * @param \stdClass $course
     * @return \stdClass|null
     */
    public function category_of(\stdClass $course): ?\stdClass {
        return $this->categories[$course->category] ?? null;
    }

    /**
     * Takes up a course.
     *
     * @param \stdClass $course id is null while it has yet to be made
     */
    public function put(\stdClass $course): void {
        $this->shortnames["=$course->shortname"][] = $course;
    }

    /**
     * Gives a course another short name.
     *
     * @param \stdClass $course
     * @param string $shortname
     */
    public function rename(\stdClass $course, string $shortname): void {
        $key = "=$course->shortname";
        $this->shortnames[$key] = array_filter($this->shortnames[$key] ?? [], fn($each) => $each !== $course);
        $course->shortname = $shortname;
        $this->put($course);
    }

    /**
     * Reads some courses.
     *
     * @param string $where
     * @param array $params
     */
    private function read(string $where, array $params): void {
        global $DB;
        foreach ($DB->get_records_select('course', $where, $params, 'id', self::COLUMNS) as $id => $course) {
            if (!isset($this->courses[$id])) {
                $course->sections = [];
                $course->groups = [];
                $course->readonly = false;
                $this->courses[$id] = $course;
                $this->put($course);
                if ($course->idnumber !== '') {
                    $this->idnumbers["=$course->idnumber"][] = $course;
                }
            }
        }
    }

    /**
     * Reads the sections and groups that we know in these courses, and which of them are frozen.
     *
     * @param int[] $ids
     */
    private function read_parts(array $ids): void {
        global $DB;
        if (!$ids) {
            return;
        }
        [$in, $params] = $DB->get_in_or_equal($ids, SQL_PARAMS_NAMED);
        $sections = $DB->get_records_sql(
            "SELECT ns.id, ns.courseid, ns.sectionkey, cs.id AS sectionid, cs.name
               FROM {local_nagasis_section} ns
               JOIN {course_sections} cs ON cs.id = ns.sectionid AND cs.course = ns.courseid
              WHERE ns.courseid $in",
            $params,
        );
        foreach ($sections as $section) {
            $this->courses[$section->courseid]->sections["=$section->sectionkey"] = $section;
        }
        foreach (freezing::frozen($ids) as $id) {
            $this->courses[$id]->readonly = true;
        }
        $where = "courseid $in AND idnumber <> ''";
        $groups = $DB->get_records_select('groups', $where, $params, 'id', 'id, courseid, idnumber, name');
        foreach ($groups as $group) {
            $this->courses[$group->courseid]->groups["=$group->idnumber"][] = $group;
        }
    }
}
