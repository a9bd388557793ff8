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
 * Tests of what the tool offers.
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
 * Tests of what the tool offers.
 *
 * @covers \local_nagasis\local\pairing\offer
 */
final class offer_test extends \advanced_testcase {
    /**
     * A good answer.
     */
    public function test_good(): void {
        $offer = offer::from(
            pairing_codes::answer('https://tool.example.com/naga', ['tool_url' => 'https://tool.example.com/naga/', 'new' => 1]),
            'https://tool.example.com/naga',
        );
        $this->assertSame(1, $offer->contract);
        $this->assertSame('https://tool.example.com/naga', $offer->toolurl);
        $this->assertSame('https://tool.example.com/naga/lti/keys', $offer->keysurl);
    }

    /**
     * Answers that are refused.
     *
     * @dataProvider bad_answers
     * @param array $other
     * @param string $error
     */
    public function test_bad(array $other, string $error): void {
        try {
            offer::from(pairing_codes::answer('https://tool.example.com', $other), 'https://tool.example.com');
            $this->fail('was taken');
        } catch (\moodle_exception $e) {
            $this->assertSame($error, $e->errorcode);
        }
    }

    /**
     * Bad answers.
     *
     * @return array
     */
    public static function bad_answers(): array {
        return [
            'other contracts' => [['contracts' => [2, 3]], 'contractunsupported'],
            'no contracts' => [['contracts' => null], 'pairbadoffer'],
            'no name' => [['tool_name' => ''], 'pairbadoffer'],
            'another address' => [['tool_url' => 'https://evil.example.com'], 'pairotheraddress'],
            'keys elsewhere' => [['keys_url' => 'https://evil.example.com/lti/keys'], 'pairbadoffer'],
            'a host that begins alike' => [['launch_url' => 'https://tool.example.com.evil.org/lti/launch'], 'pairbadoffer'],
            'no address' => [['login_url' => 'https://tool.example.com/<script>'], 'pairbadoffer'],
            'wrong type' => [['expires_at' => 'soon'], 'pairbadoffer'],
        ];
    }

    /**
     * HTML in a name is not taken over.
     */
    public function test_name(): void {
        $answer = pairing_codes::answer('https://tool.example.com', ['tool_name' => 'Naga <script>alert(1)</script> ខ្មែរ']);
        $this->assertSame('Naga alert(1) ខ្មែរ', offer::from($answer, 'https://tool.example.com')->toolname);
    }
}
