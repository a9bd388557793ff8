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
 * Tests of what the pages of pairing show.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\output;

use local_nagasis\fixtures\pairing_codes;
use local_nagasis\local\state;

defined('MOODLE_INTERNAL') || die();

require_once(__DIR__ . '/../fixtures/pairing_codes.php');

/**
 * Tests of what the pages of pairing show.
 *
 * @covers \local_nagasis\output\pairing
 */
final class pairing_test extends \advanced_testcase {
    /**
     * What will be done, with the code to be sent back.
     */
    public function test_preview(): void {
        $this->resetAfterTest();
        $this->setAdminUser();
        $text = pairing_codes::text();
        $html = pairing::preview(pairing_codes::code('https://tool.example.com'), pairing_codes::offer(), $text);
        $this->assertStringContainsString('https://tool.example.com', $html);
        $this->assertStringContainsString(get_string('will_enableenrol', 'local_nagasis'), html_entity_decode($html, ENT_QUOTES));
        $this->assertStringContainsString('value="' . $text . '"', $html);
        $this->assertStringContainsString('value="' . sesskey() . '"', $html);
    }

    /**
     * What others have written is text, whatever it looks like.
     */
    public function test_escaped(): void {
        $this->resetAfterTest();
        $evil = '<script>alert(1)</script>';
        $html = pairing::report(['steps' => [
            ['name' => 'token', 'title' => 'Token', 'result' => 'failed', 'notes' => [$evil]],
        ]]);
        state::set('checklist', ['at' => 1772420000, 'checks' => [
            ['name' => 'x', 'status' => 'error', 'summary' => $evil, 'details' => $evil],
        ]]);
        $html .= pairing::checklist();
        $this->assertStringNotContainsString('<script>', $html);
        $this->assertSame(3, substr_count($html, '&lt;script&gt;'));
    }

    /**
     * What is left stands before what works, and findings that we know are in our words.
     */
    public function test_checklist(): void {
        $this->resetAfterTest();
        state::set('checklist', ['at' => 1772420000, 'checks' => [
            ['name' => 'token', 'status' => 'ok', 'summary' => 'As the tool says it.', 'details' => ''],
            ['name' => 'unheard', 'status' => 'warning', 'summary' => 'Something new.', 'details' => ''],
        ]]);
        $html = pairing::checklist();
        $this->assertStringContainsString(get_string('found_token_ok', 'local_nagasis'), $html);
        $this->assertLessThan(strpos($html, get_string('found_token_ok', 'local_nagasis')), strpos($html, 'Something new.'));
        $this->assertStringContainsString(get_string('statuswarning'), $html);
    }

    /**
     * Without a checklist it is said that there is none.
     */
    public function test_no_checklist(): void {
        $this->resetAfterTest();
        $this->assertStringContainsString(get_string('checklist_none', 'local_nagasis'), pairing::checklist());
    }

    /**
     * Words in Khmer have the same places for values as those in English.
     */
    public function test_khmer(): void {
        $string = [];
        require(__DIR__ . '/../../lang/en/local_nagasis.php');
        $english = $string;
        $string = [];
        require(__DIR__ . '/../../lang/km/local_nagasis.php');
        foreach ($string as $key => $khmer) {
            preg_match_all('/{\$a[^}]*}/', $english[$key], $expected);
            preg_match_all('/{\$a[^}]*}/', $khmer, $actual);
            $this->assertEqualsCanonicalizing(array_unique($expected[0]), array_unique($actual[0]), $key);
        }
    }
}
