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
 * Tests of courses.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

use core_courseformat\formatactions;

/**
 * What the example cases cannot say about courses.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \local_nagasis\local\provision\course_kind
 * @covers     \local_nagasis\local\provision\course_maker
 * @covers     \local_nagasis\local\provision\course_parts
 * @covers     \local_nagasis\local\provision\course_writer
 */
final class course_kind_test extends \advanced_testcase {
    /** @var array A document. */
    private const ALGEBRA = [
        'kind' => 'course',
        'idnumber' => 'C1',
        'shortname' => 'ALG',
        'fullname' => 'Algebra',
        'category' => 'T',
        'startdate' => 1767225600,
        'sections' => [['key' => 'A', 'name' => 'Midterm'], ['key' => 'B', 'name' => 'Final']],
        'groups' => [['idnumber' => 'G', 'name' => 'Lecture']],
    ];

    /** @var \stdClass Record of the category. */
    private \stdClass $category;

    protected function setUp(): void {
        parent::setUp();
        $this->resetAfterTest();
        $this->setAdminUser();
        $this->category = $this->getDataGenerator()->create_category(['idnumber' => 'T'])->get_db_record();
    }

    /**
     * Applies one document.
     *
     * @param array $document
     * @return array
     */
    private static function apply(array $document): array {
        return batch::run([$document], false)[0];
    }

    /**
     * What is made in bulk is what create_course() makes: rows, contexts, blocks, enrolment methods, events, hooks.
     */
    public function test_same_as_core(): void {
        global $CFG, $DB;
        require_once($CFG->dirroot . '/course/lib.php');
        $clock = $this->mock_clock_with_frozen(time());
        $hooks = [];
        foreach ([\core_course\hook\after_course_created::class, \core_course\hook\after_form_submission::class] as $hook) {
            $this->redirectHook($hook, function () use ($hook, &$hooks): void {
                $hooks[] = $hook;
            });
        }
        $sink = $this->redirectEvents();
        $ours = self::apply(['groups' => []] + self::ALGEBRA)['id'];
        $events = array_map(fn($event): string => get_class($event), $sink->get_events());
        $ourhooks = $hooks;
        $hooks = [];
        $sink->clear();
        $defaults = array_filter((array) get_config('moodlecourse'), fn($value): bool => $value !== '');
        $theirs = (int) create_course((object) ([
            'category' => $this->category->id,
            'idnumber' => 'C2',
            'shortname' => 'ALG2',
            'fullname' => 'Algebra',
            'format' => 'topics',
            'startdate' => 1767225600,
            'enddate' => 0,
            'numsections' => 2,
            'visible' => 1,
            'summary' => '',
            'summaryformat' => FORMAT_HTML,
        ] + $defaults))->id;
        foreach ([1 => 'Midterm', 2 => 'Final'] as $number => $name) {
            $DB->set_field('course_sections', 'name', $name, ['course' => $theirs, 'section' => $number]);
        }
        $core = array_map(fn($event): string => get_class($event), $sink->get_events());
        sort($core);
        sort($events);
        $this->assertSame($core, $events);
        $this->assertSame($hooks, $ourhooks);

        $own = ['id', 'idnumber', 'shortname', 'sortorder', 'cacherev', 'timecreated', 'timemodified'];
        $this->assertEquals($this->rows('course', 'id', $theirs, $own), $this->rows('course', 'id', $ours, $own));
        $own = ['id', 'course', 'sequence', 'timemodified'];
        $this->assertEquals(
            $this->rows('course_sections', 'course', $theirs, $own),
            $this->rows('course_sections', 'course', $ours, $own),
        );
        $own = ['id', 'courseid', 'timecreated', 'timemodified'];
        $this->assertEquals($this->rows('enrol', 'courseid', $theirs, $own), $this->rows('enrol', 'courseid', $ours, $own));
        $own = ['id', 'courseid'];
        $this->assertEquals(
            $this->rows('course_format_options', 'courseid', $theirs, $own),
            $this->rows('course_format_options', 'courseid', $ours, $own),
        );
        $context = [\core\context\course::instance($theirs), \core\context\course::instance($ours)];
        $this->assertSame($context[0]->depth, (int) $context[1]->depth);
        $this->assertSame(dirname($context[0]->path), dirname($context[1]->path));
        $own = ['id', 'parentcontextid', 'timecreated', 'timemodified'];
        $this->assertEquals(
            $this->rows('block_instances', 'parentcontextid', $context[0]->id, $own),
            $this->rows('block_instances', 'parentcontextid', $context[1]->id, $own),
        );
        $modules = fn(int $id): array => array_map(fn($cm): string => $cm->modname, array_values(get_fast_modinfo($id)->get_cms()));
        $this->assertSame($modules($theirs), $modules($ours));
        $order = $DB->get_records_menu('course', ['category' => $this->category->id], 'sortorder', 'id, sortorder');
        $this->assertCount(2, array_unique($order));
        $this->assertEquals(2, $DB->get_field('course_categories', 'coursecount', ['id' => $this->category->id]));
    }

    /**
     * Rows without what must differ.
     *
     * @param string $table
     * @param string $column
     * @param int $id
     * @param string[] $own
     * @return array
     */
    private function rows(string $table, string $column, int $id, array $own): array {
        global $DB;
        return array_map(
            fn(\stdClass $row): array => array_diff_key((array) $row, array_flip($own)),
            array_values($DB->get_records($table, [$column => $id], 'id')),
        );
    }

    /**
     * Names of the sections in their order.
     *
     * @param int $id
     * @return array
     */
    private static function section_names(int $id): array {
        $sections = get_fast_modinfo($id)->get_section_info_all();
        return array_values(array_map(fn($section): ?string => $section->name, $sections));
    }

    /**
     * A section that a teacher deleted is made again; one that was moved stays where it is; summaries stay.
     */
    public function test_sections(): void {
        global $DB;
        $id = self::apply(self::ALGEBRA)['id'];
        $this->assertSame([null, 'Midterm', 'Final'], self::section_names($id));
        $course = get_course($id);
        $own = formatactions::section($course)->create();
        move_section_to($course, 2, 1);
        $DB->set_field('course_sections', 'summary', 'Read this', ['course' => $id, 'name' => 'Final']);
        $renamed = ['sections' => [['key' => 'B', 'name' => 'Endterm'], ['key' => 'C', 'name' => 'Third']]] + self::ALGEBRA;
        self::apply($renamed);
        $this->assertSame([null, 'Endterm', 'Midterm', null, 'Third'], self::section_names($id));
        $this->assertSame('Read this', $DB->get_field('course_sections', 'summary', ['course' => $id, 'name' => 'Endterm']));

        formatactions::section($course)->delete(get_fast_modinfo($id)->get_section_info(1));
        $result = self::apply($renamed);
        $this->assertSame([['field' => 'sections/B', 'before' => null, 'after' => 'Endterm']], $result['changes']);
        $this->assertSame([null, 'Midterm', null, 'Third', 'Endterm'], self::section_names($id));
        $this->assertTrue($DB->record_exists('course_sections', ['id' => $own->id]));
        $this->assertSame('unchanged', self::apply($renamed)['result']);
        $this->assertSame(3, $DB->count_records('local_nagasis_section'));
    }

    /**
     * Sections that are made or renamed tell of it, and people see it at once.
     */
    public function test_section_events(): void {
        $id = self::apply(['sections' => []] + self::ALGEBRA)['id'];
        get_fast_modinfo($id);
        $sink = $this->redirectEvents();
        self::apply(self::ALGEBRA);
        $events = array_count_values(array_map(fn($event): string => get_class($event), $sink->get_events()));
        $this->assertSame(2, $events[\core\event\course_section_created::class]);
        $this->assertSame(2, $events[\core\event\course_section_updated::class]);
        $this->assertSame([null, 'Midterm', 'Final'], self::section_names($id));
    }

    /**
     * A course that was deleted in Moodle is made again; what was remembered of the old one is forgotten.
     */
    public function test_deleted(): void {
        global $DB;
        $id = self::apply(self::ALGEBRA)['id'];
        delete_course($id, false);
        $again = self::apply(self::ALGEBRA);
        $this->assertSame('created', $again['result']);
        $this->assertNotEquals($id, $again['id']);
        course_parts::forget_deleted();
        $this->assertSame(2, $DB->count_records('local_nagasis_section'));
        $this->assertSame(0, $DB->count_records('local_nagasis_section', ['courseid' => $id]));
        $this->assertSame('unchanged', self::apply(self::ALGEBRA)['result']);
    }

    /**
     * A course that moves keeps its content; contexts and counts follow.
     */
    public function test_move(): void {
        $id = self::apply(self::ALGEBRA)['id'];
        $target = $this->getDataGenerator()->create_category(['idnumber' => 'T2']);
        $module = $this->getDataGenerator()->create_module('page', ['course' => $id]);
        $result = self::apply(['category' => 'T2'] + self::ALGEBRA);
        $this->assertSame([['field' => 'category', 'before' => 'T', 'after' => 'T2']], $result['changes']);
        \core\context_helper::reset_caches();
        $this->assertStringStartsWith($target->get_context()->path . '/', \core\context\module::instance($module->cmid)->path);
        $this->assertEquals(1, \core_course_category::get($target->id)->coursecount);
    }

    /**
     * A teacher's hidden activities, summary and format stay.
     */
    public function test_teachers_choices(): void {
        global $DB;
        $id = self::apply(self::ALGEBRA)['id'];
        $chosen = ['summary' => 'Welcome', 'lang' => 'km', 'groupmode' => 1, 'newsitems' => 2];
        $DB->update_record('course', (object) (['id' => $id] + $chosen));
        $module = $this->getDataGenerator()->create_module('page', ['course' => $id, 'visible' => 0]);
        self::apply(['fullname' => 'Algebra I', 'visible' => false, 'enddate' => 1775000000] + self::ALGEBRA);
        $course = $DB->get_record('course', ['id' => $id]);
        $this->assertSame(['Algebra I', 'Welcome', 'km', '1', '2', '0'], [
            $course->fullname, $course->summary, $course->lang, $course->groupmode, $course->newsitems, $course->visible,
        ]);
        $this->assertEquals(0, $DB->get_field('course_modules', 'visible', ['id' => $module->cmid]));
    }

    /**
     * A part that is named twice is a mistake of the document.
     */
    public function test_named_twice(): void {
        $result = self::apply(['sections' => [['key' => 'A', 'name' => 'One'], ['key' => 'A', 'name' => 'Two']]] + self::ALGEBRA);
        $this->assertSame(['schema', '/sections/1/key'], [$result['code'], $result['field']]);
        $groups = [['idnumber' => 'G', 'name' => 'One'], ['idnumber' => 'G', 'name' => 'Two']];
        $result = self::apply(['groups' => $groups] + self::ALGEBRA);
        $this->assertSame(['schema', '/groups/1/idnumber'], [$result['code'], $result['field']]);
    }

    /**
     * An end without a start cannot be; the front page is no course.
     */
    public function test_odd_ones(): void {
        global $DB;
        $result = self::apply(['startdate' => 0, 'enddate' => 5] + self::ALGEBRA);
        $this->assertSame('dates_reversed', $result['code']);
        $DB->set_field('course', 'idnumber', 'C1', ['id' => SITEID]);
        $result = self::apply(self::ALGEBRA);
        $this->assertSame('created', $result['result']);
        $site = $DB->get_field('course', 'shortname', ['id' => SITEID]);
        $result = self::apply(['idnumber' => 'C3', 'shortname' => $site] + self::ALGEBRA);
        $this->assertSame('shortname_taken', $result['code']);
    }

    /**
     * A group is renamed without disturbing its conversation or its members.
     */
    public function test_groups(): void {
        global $DB;
        $id = self::apply(self::ALGEBRA)['id'];
        $group = $DB->get_record('groups', ['courseid' => $id, 'idnumber' => 'G'], '*', MUST_EXIST);
        $user = $this->getDataGenerator()->create_and_enrol(get_course($id));
        groups_add_member($group, $user);
        $sink = $this->redirectEvents();
        self::apply(['groups' => [['idnumber' => 'G', 'name' => 'Laboratory']]] + self::ALGEBRA);
        $this->assertInstanceOf(\core\event\group_updated::class, $sink->get_events()[0]);
        $this->assertSame('Laboratory', groups_get_group_name($group->id));
        $this->assertTrue(groups_is_member($group->id, $user->id));
    }
}
