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
 * Tests of pairing codes.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\pairing;

use local_nagasis\fixtures\pairing_codes;

defined('MOODLE_INTERNAL') || die();

require_once(__DIR__ . '/../../fixtures/pairing_codes.php');

/**
 * Tests of pairing codes.
 *
 * @covers \local_nagasis\local\pairing\code
 */
final class code_test extends \basic_testcase {
    /**
     * A code of the tool itself: both sides read the same.
     */
    public function test_code_of_the_tool(): void {
        $code = code::parse(
            'naga1.eyJ1IjoiaHR0cHM6Ly90b29sLm5hZ2EudGVzdDo4NDQ2IiwicyI6Ino5TVVTNzBqNnEtOUpRRFZrSmlWSkdaS2ptLWdVbmQ4In0.68fd52',
        );
        $this->assertSame('https://tool.naga.test:8446', $code->toolurl);
        $this->assertSame(pairing_codes::SECRET, $code->secret);
    }

    /**
     * Line breaks and spaces of a mail program are forgiven.
     */
    public function test_white_space(): void {
        $text = pairing_codes::text();
        $broken = "  \u{FEFF}" . implode("\n \u{200B}", str_split($text, 20)) . "\r\n";
        $this->assertSame(pairing_codes::SECRET, code::parse($broken)->secret);
    }

    /**
     * What is no code is told apart from a code that was cut.
     *
     * @dataProvider wrong_codes
     * @param string $text
     * @param string $error
     */
    public function test_wrong(string $text, string $error): void {
        try {
            code::parse($text);
            $this->fail('was taken');
        } catch (\moodle_exception $e) {
            $this->assertSame($error, $e->errorcode);
        }
    }

    /**
     * Wrong codes.
     *
     * @return array
     */
    public static function wrong_codes(): array {
        $text = pairing_codes::text();
        return [
            'nothing' => ['', 'pairnotacode'],
            'something else' => ['https://tool.example.com/lti/register?invite=x', 'pairnotacode'],
            'only the beginning' => ['naga1.', 'paircodecut'],
            'cut at the end' => [substr($text, 0, -3), 'paircodecut'],
            'cut in the middle' => [substr($text, 0, 30) . substr($text, 40), 'paircodecut'],
            'changed' => [str_replace('naga1.e', 'naga1.f', $text), 'paircodecut'],
            'not JSON' => [self::signed('naga1.AAAA'), 'pairnotacode'],
            'a list' => [self::signed('naga1.' . base64_encode('[1,2]')), 'pairnotacode'],
            'short secret' => [pairing_codes::text('https://tool.example.com', 'short'), 'pairnotacode'],
            'plain HTTP' => [pairing_codes::text('http://tool.example.com'), 'pairnotool'],
            'no host' => [pairing_codes::text('https:///x'), 'pairnotool'],
            'a script' => [pairing_codes::text('javascript:alert(1)'), 'pairnotool'],
            'with a password' => [pairing_codes::text('https://a:b@tool.example.com'), 'pairnotool'],
            'with a query' => [pairing_codes::text('https://tool.example.com/?x=1'), 'pairnotool'],
        ];
    }

    /**
     * Adds the checksum.
     *
     * @param string $before
     * @return string
     */
    private static function signed(string $before): string {
        return $before . '.' . substr(hash('sha256', $before), 0, 6);
    }
}
