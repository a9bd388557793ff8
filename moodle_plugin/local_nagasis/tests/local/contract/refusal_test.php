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
 * Tests of refusals.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\contract;

/**
 * Whoever is refused is told why, in words.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \local_nagasis\local\contract\refusal
 */
final class refusal_test extends \advanced_testcase {
    /**
     * Every code that the plugin uses has words in both languages.
     */
    public function test_words(): void {
        $root = __DIR__ . '/../../..';
        $sources = glob("$root/classes/local/{contract,provision}/*.php", GLOB_BRACE);
        $this->assertNotEmpty($sources);
        $code = implode('', array_map(file_get_contents(...), $sources));
        preg_match_all("/refusal\\('(\\w+)'/", $code, $codes);
        preg_match_all("/wrong\\([^,]+, '(\\w+)'/", $code, $problems);
        $needed = [
            ...array_map(fn(string $each): string => "refused_$each", $codes[1]),
            ...array_map(fn(string $each): string => "schema_$each", $problems[1]),
        ];
        $this->assertGreaterThan(25, count(array_unique($needed)));
        foreach (['en', 'km'] as $language) {
            $string = [];
            include("$root/lang/$language/local_nagasis.php");
            $this->assertSame([], array_values(array_diff($needed, array_keys($string))), $language);
        }
    }

    /**
     * A refusal as it stands in a result.
     */
    public function test_result(): void {
        $refusal = new refusal('category_missing', '/category', ['category' => 'T1']);
        $result = $refusal->as_result();
        $this->assertSame(['refused', 'category_missing', '/category'], [$result['result'], $result['code'], $result['field']]);
        $this->assertStringContainsString('"T1"', $result['message']);
    }
}
