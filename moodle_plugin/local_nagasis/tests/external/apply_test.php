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
 * Tests of the web service that applies documents.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\external;

use core_external\external_api;
use local_nagasis\local\contract\contract;

/**
 * What a call as a whole is refused for, and what it answers.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \local_nagasis\external\apply
 */
final class apply_test extends \advanced_testcase {
    /** @var string One document. */
    private const DOCUMENTS = '[{"kind":"category","idnumber":"T","name":"ឆមាស"}]';

    protected function setUp(): void {
        parent::setUp();
        $this->resetAfterTest();
        $this->setAdminUser();
    }

    /**
     * The preview says what apply then does.
     */
    public function test_answer(): void {
        global $DB;
        $preview = json_decode($this->call(1, self::DOCUMENTS, true), true);
        $this->assertSame([1, true], [$preview['contract'], $preview['dryrun']]);
        $this->assertFalse($DB->record_exists('course_categories', ['idnumber' => 'T']));
        $answer = json_decode($this->call(1, self::DOCUMENTS, false), true);
        $this->assertFalse($answer['dryrun']);
        $id = (int) $DB->get_field('course_categories', 'id', ['idnumber' => 'T', 'name' => 'ឆមាស'], MUST_EXIST);
        $expected = ['kind' => 'category', 'key' => 'T', 'result' => 'created', 'id' => $id, 'changes' => []];
        $this->assertEquals([$expected], $answer['results']);
        $this->assertEquals([['id' => null] + $expected], $preview['results']);
    }

    /**
     * Calls the function as the web service does.
     *
     * @param mixed ...$params
     * @return string
     */
    private function call(mixed ...$params): string {
        return external_api::clean_returnvalue(apply::execute_returns(), apply::execute(...$params));
    }

    /**
     * What is no call.
     *
     * @return array
     */
    public static function refused(): array {
        return [
            'a younger contract' => [2, '[]', 'contractunsupported'],
            'an older contract' => [0, '[]', 'contractunsupported'],
            'no JSON' => [1, '[{', 'documentsnotjson'],
            'broken text' => [1, "[\"\xff\"]", 'invalidparameter'],
            'half a character' => [1, '["\ud800"]', 'documentsnotjson'],
            'empty' => [1, '', 'documentsnotjson'],
            'no list' => [1, '{}', 'documentsnotjson'],
            'too deep' => [1, str_repeat('[', 100) . str_repeat(']', 100), 'documentsnotjson'],
            'too many' => [1, '[' . implode(',', array_fill(0, contract::MAX_DOCUMENTS + 1, '1')) . ']', 'documentstoolarge'],
        ];
    }

    /**
     * A call that cannot be read is refused as a whole, with words.
     *
     * @dataProvider refused
     * @param int $contract
     * @param string $documents
     * @param string $code
     */
    public function test_refused(int $contract, string $documents, string $code): void {
        try {
            $this->call($contract, $documents);
            $this->fail('not refused');
        } catch (\moodle_exception $exception) {
            $this->assertSame($code, $exception->errorcode);
            $this->assertStringNotContainsString('[[', $exception->getMessage());
        }
    }

    /**
     * 10 MB are too much.
     */
    public function test_too_large(): void {
        $this->expectExceptionMessage('8');
        $this->call(1, '["' . str_repeat('x', 10 * 1024 * 1024) . '"]');
    }

    /**
     * Nobody may without the capability.
     */
    public function test_capability(): void {
        $this->setUser($this->getDataGenerator()->create_user());
        $this->expectException(\required_capability_exception::class);
        $this->call(1, '[]', true);
    }
}
