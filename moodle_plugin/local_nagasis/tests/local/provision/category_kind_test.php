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
 * Tests of categories.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

/**
 * What the example cases cannot say about categories.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \local_nagasis\local\provision\category_kind
 * @covers     \local_nagasis\local\provision\category_tree
 * @covers     \local_nagasis\local\provision\hidden_below
 * @covers     \local_nagasis\local\provision\visibility
 */
final class category_kind_test extends \advanced_testcase {
    protected function setUp(): void {
        parent::setUp();
        $this->resetAfterTest();
        $this->setAdminUser();
    }

    /**
     * Applies one document.
     *
     * @param string $idnumber
     * @param array $fields
     * @return array
     */
    private static function apply(string $idnumber, array $fields = []): array {
        $document = ['kind' => 'category', 'idnumber' => $idnumber, 'name' => "Category $idnumber"];
        return batch::run([$fields + $document], false)[0];
    }

    /**
     * What Moodle itself says is visible follows, whatever was hidden, shown and moved in between.
     */
    public function test_visible(): void {
        global $DB;
        $visible = fn(string $idnumber): array => array_map('intval', array_values((array) $DB->get_record(
            'course_categories',
            ['idnumber' => $idnumber],
            'visible, visibleold',
        )));
        self::apply('P', ['visible' => false]);
        self::apply('C', ['parent' => 'P']);
        $this->assertSame([0, 1], $visible('C'));
        self::apply('C', ['parent' => 'P', 'visible' => false]);
        $this->assertSame([0, 0], $visible('C'));
        self::apply('C', ['parent' => 'P']);
        self::apply('P');
        $this->assertSame([1, 1], $visible('C'));

        // Into a hidden category and out of it again.
        self::apply('H', ['visible' => false]);
        self::apply('C', ['parent' => 'H']);
        $this->assertSame([0, 1], $visible('C'));
        self::apply('C', ['parent' => 'P']);
        $this->assertSame([1, 1], $visible('C'));
        self::apply('C', ['parent' => 'H', 'visible' => false]);
        $this->assertSame([0, 0], $visible('C'));
        self::apply('C');
        $this->assertSame([1, 1], $visible('C'));
        $this->assertSame('unchanged', self::apply('C')['result']);
    }

    /**
     * A course in a hidden term is hidden, and shown with the term.
     */
    public function test_courses(): void {
        global $DB;
        self::apply('P', ['visible' => false]);
        $course = ['kind' => 'course', 'idnumber' => 'A', 'shortname' => 'a', 'fullname' => 'A'];
        $course += ['category' => 'P', 'startdate' => 1];
        batch::run([$course, ['idnumber' => 'B', 'shortname' => 'b', 'visible' => false] + $course], false);
        $visible = fn(): array => $DB->get_records_menu('course', ['category' => self::id('P')], 'idnumber', 'idnumber, visible');
        $this->assertEquals(['A' => 0, 'B' => 0], $visible());
        self::apply('P');
        $this->assertEquals(['A' => 1, 'B' => 0], $visible());
    }

    /**
     * Hiding a category that holds a hidden one does not forget what was chosen below that.
     */
    public function test_hidden_below(): void {
        global $DB;
        self::apply('P');
        self::apply('C', ['parent' => 'P']);
        self::apply('D', ['parent' => 'C']);
        $course = ['kind' => 'course', 'idnumber' => 'A', 'shortname' => 'a', 'fullname' => 'A'];
        $course += ['category' => 'C', 'startdate' => 1];
        batch::run([$course, ['idnumber' => 'B', 'shortname' => 'b', 'visible' => false] + $course], false);
        self::apply('C', ['parent' => 'P', 'visible' => false]);
        self::apply('P', ['visible' => false]);
        $this->assertSame('unchanged', self::apply('D', ['parent' => 'C'])['result']);
        $this->assertSame('unchanged', batch::run([$course], false)[0]['result']);
        self::apply('P');
        self::apply('C', ['parent' => 'P']);
        $this->assertEquals(1, $DB->get_field('course_categories', 'visible', ['idnumber' => 'D']));
        $visible = $DB->get_records_menu('course', ['category' => self::id('C')], 'idnumber', 'idnumber, visible');
        $this->assertEquals(['A' => 1, 'B' => 0], $visible);
    }

    /**
     * The id of a category.
     *
     * @param string $idnumber
     * @return int
     */
    private static function id(string $idnumber): int {
        global $DB;
        return (int) $DB->get_field('course_categories', 'id', ['idnumber' => $idnumber], MUST_EXIST);
    }

    /**
     * Moodle's own tree is right at once, and others are told.
     */
    public function test_tree(): void {
        $sink = $this->redirectEvents();
        self::apply('P');
        self::apply('Q', ['parent' => 'P']);
        $this->assertSame(
            [\core\event\course_category_created::class, \core\event\course_category_created::class],
            array_map(get_class(...), $sink->get_events()),
        );
        $sink->clear();
        self::apply('Q', ['parent' => 'P', 'name' => 'Q <i>']);
        $this->assertSame([\core\event\course_category_updated::class], array_map(get_class(...), $sink->get_events()));
        $parent = \core_course_category::get(self::id('P'));
        $this->assertSame(['Q ‹i›'], array_values(array_map(fn($child): string => $child->name, $parent->get_children())));
        $this->assertSame("/$parent->id/" . self::id('Q'), \core_course_category::get(self::id('Q'))->path);
    }

    /**
     * A description and a theme that somebody chose stay, and so does the order.
     */
    public function test_own_choices(): void {
        global $DB;
        self::apply('P');
        self::apply('Q');
        $DB->update_record('course_categories', (object) ['id' => self::id('P'), 'description' => 'About', 'theme' => 'classic']);
        $chosen = $DB->get_record('course_categories', ['idnumber' => 'P'], 'description, theme, sortorder');
        self::apply('P', ['name' => 'New name']);
        $this->assertEquals($chosen, $DB->get_record('course_categories', ['idnumber' => 'P'], 'description, theme, sortorder'));
    }

    /**
     * Names of both where there are two.
     */
    public function test_words(): void {
        global $DB;
        $one = $this->getDataGenerator()->create_category(['name' => 'Above']);
        $this->getDataGenerator()->create_category(['name' => 'One', 'idnumber' => 'X']);
        $two = $this->getDataGenerator()->create_category(['name' => 'Two', 'parent' => $one->id]);
        $DB->set_field('course_categories', 'idnumber', 'X', ['id' => $two->id]);
        $result = self::apply('X');
        $this->assertSame('ambiguous_idnumber', $result['code']);
        $this->assertStringContainsString('One, Above / Two', $result['message']);
    }
}
