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
 * Tests of the forms of text.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\contract;

/**
 * Text has one form on both sides of the contract.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \local_nagasis\local\contract\text
 */
final class text_test extends \basic_testcase {
    /**
     * Texts and their one form.
     *
     * @return array
     */
    public static function texts(): array {
        return [
            'as it is' => ['សុខ តារា', 'សុខ តារា'],
            'composed' => ["e\u{301}", "\u{e9}"],
            'blanks of all kinds' => ["\u{3000} \u{a0}\u{2028}\u{85}a b\u{200a}", 'a b'],
            'not a blank' => ["\u{200b}a", "\u{200b}a"],
            'empty' => ['', ''],
            'digits' => ['007', '007'],
        ];
    }

    /**
     * Two ways of writing the same become one.
     *
     * @dataProvider texts
     * @param string $text
     * @param string $normal
     */
    public function test_normal(string $text, string $normal): void {
        $this->assertSame($normal, text::normal($text));
    }

    /**
     * Marks of HTML show as text.
     */
    public function test_shown(): void {
        $this->assertSame('‹script›alert(1)‹/script› & co', text::shown('<script>alert(1)</script> & co '));
    }

    /**
     * Parts of a path are told apart.
     */
    public function test_pointer(): void {
        $this->assertSame('/a~1b~0', text::pointer('a/b~'));
        $this->assertSame('/0', text::pointer(0));
    }
}
