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
 * Tests of fingerprints.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\contract;

/**
 * Fingerprints are equal to the tool's, which checks the same examples.
 *
 * @covers \local_nagasis\local\contract\fingerprint
 */
final class fingerprint_test extends \basic_testcase {
    /**
     * Khmer, emoji, right-to-left, slashes, line separators: everything that JSON libraries write differently.
     */
    public function test_equal_to_the_tools(): void {
        $json = file_get_contents(__DIR__ . '/../../../contract/fingerprints.json');
        $examples = json_decode($json, true, 512, JSON_THROW_ON_ERROR);
        $this->assertGreaterThanOrEqual(70, count($examples));
        foreach ($examples as $example) {
            $this->assertSame($example['fingerprint'], fingerprint::document($example['document']), json_encode($example));
        }
    }

    /**
     * The order of members, groups and sections means nothing; who is suspended is absent.
     */
    public function test_order_means_nothing(): void {
        $one = [['S2', 'student', ['b', 'a']], ['S1', 'teacher', []]];
        $other = [['S1', 'teacher', []], ['S2', 'student', ['a', 'b']]];
        $this->assertSame(fingerprint::roster('C', $one), fingerprint::roster('C', $other));
        $this->assertNotSame(fingerprint::roster('C', $one), fingerprint::roster('C', array_slice($one, 1)));
        $this->assertNotSame(fingerprint::category('T', 'n', null, true), fingerprint::category('T', 'n', '', true));
    }

    /**
     * A broken character in the database does not hide everything else.
     */
    public function test_broken_characters(): void {
        $this->assertMatchesRegularExpression('/^[0-9a-f]{32}$/D', fingerprint::category('T', "a\xff", null, true));
    }
}
