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
 * Tests of the schema checker.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\contract;

/**
 * Documents are checked by the schema of the contract.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \local_nagasis\local\contract\schema
 */
final class schema_test extends \advanced_testcase {
    /** @var array A document that is right. */
    private const USER = [
        'kind' => 'user',
        'idnumber' => 'S1',
        'username' => 's1',
        'firstname' => 'Dara',
        'lastname' => 'Sok',
        'email' => 's1@x.test',
    ];

    /** @var array Another. */
    private const COURSE = [
        'kind' => 'course',
        'idnumber' => 'C1',
        'shortname' => 'c',
        'fullname' => 'C',
        'category' => 'T',
        'startdate' => 0,
    ];

    /**
     * Names in lists are shown by Moodle, too; a letter stays as it is, or its fingerprint would be another.
     */
    public function test_gradebook(): void {
        $given = [
            'kind' => 'gradebook',
            'course' => 'C',
            'categories' => [['key' => 'S', 'name' => ' <b>Final ', 'weight' => 10000]],
            'items' => [['key' => 'P', 'name' => 'Exam', 'category' => 'S', 'weight' => 10000]],
            'letters' => [['letter' => '<A ', 'minimum' => 0]],
        ];
        $wanted = $given;
        $wanted['categories'][0]['name'] = '‹b›Final';
        $wanted['items'][0]['source'] = null;
        $this->assertSame($wanted, schema::document($given));
        $given['items'][0]['weight'] = 10001;
        try {
            schema::document($given);
            $this->fail('a weight above the whole was taken');
        } catch (refusal $refusal) {
            $this->assertSame('/items/0/weight', $refusal->field);
        }
    }

    /**
     * Every field that is not given has its default.
     */
    public function test_defaults(): void {
        $this->assertSame(
            self::USER + ['alternatename' => '', 'auth' => 'manual', 'suspended' => false],
            schema::document(self::USER),
        );
        $this->assertSame(
            self::COURSE + ['enddate' => 0, 'visible' => true, 'readonly' => false, 'sections' => [], 'groups' => []],
            schema::document(self::COURSE),
        );
        $this->assertSame(
            ['kind' => 'category', 'idnumber' => 'T', 'name' => 'T', 'parent' => null, 'visible' => true],
            schema::document((object) ['kind' => 'category', 'idnumber' => 'T', 'name' => 'T', 'parent' => null]),
        );
        $roster = ['kind' => 'roster', 'course' => 'C1', 'count' => 1, 'members' => [['user' => 'S1', 'groups' => [' G ']]]];
        $this->assertSame(
            [['user' => 'S1', 'role' => 'student', 'status' => 'active', 'groups' => ['G']]],
            schema::document($roster)['members'],
        );
    }

    /**
     * Text has one form; usernames and addresses are taken as they are.
     */
    public function test_text(): void {
        $document = schema::document([
            'idnumber' => "\u{a0}S1 ",
            'username' => ' s1',
            'firstname' => "Cafe\u{301}",
            'lastname' => '<b>',
            'alternatename' => ' ',
        ] + self::USER);
        $this->assertSame('S1', $document['idnumber']);
        $this->assertSame(' s1', $document['username']);
        $this->assertSame("Caf\u{e9}", $document['firstname']);
        $this->assertSame('‹b›', $document['lastname']);
        $this->assertSame('', $document['alternatename']);
        // Characters count, not bytes.
        $khmer = str_repeat('ក', 100);
        $this->assertSame($khmer, schema::document(['firstname' => $khmer] + self::USER)['firstname']);
    }

    /**
     * What is wrong, and where.
     *
     * @return array
     */
    public static function wrong(): array {
        $course = fn(array $fields): array => $fields + self::COURSE;
        $user = fn(array $fields): array => $fields + self::USER;
        return [
            'no document' => ['text', 'schema', '', 'object'],
            'null' => [null, 'schema', '', 'object'],
            'list' => [[1], 'schema', '', 'object'],
            'no kind' => [['idnumber' => 'S1'], 'schema', '/kind', 'missing'],
            'kind no text' => [['kind' => []], 'schema', '/kind', 'text'],
            'unknown kind' => [['kind' => 'timetable'], 'unknown_kind', '/kind', 'timetable'],
            'missing' => [array_diff_key(self::USER, ['email' => 1]), 'schema', '/email', 'missing'],
            'unknown' => [$user(['a/b~c' => 1]), 'schema', '/a~1b~0c', 'spelling'],
            'no text' => [$user(['firstname' => 7]), 'schema', '/firstname', 'text'],
            'null for text' => [$user(['firstname' => null]), 'schema', '/firstname', 'text'],
            'blank' => [$user(['idnumber' => '']), 'schema', '/idnumber', 'blank'],
            'blank once trimmed' => [$user(['idnumber' => " \u{3000}"]), 'schema', '/idnumber', 'blank'],
            'too long' => [$user(['firstname' => str_repeat('x', 1000)]), 'schema', '/firstname', '100'],
            'too long in its one form' => [$user(['firstname' => str_repeat("\u{958}", 60)]), 'schema', '/firstname', '100'],
            'line break' => [$user(['lastname' => "a\nb"]), 'schema', '/lastname', 'line breaks'],
            'line break at the end' => [$user(['lastname' => "a\n"]), 'schema', '/lastname', 'line breaks'],
            'null character' => [$user(['email' => "a\0@x.test"]), 'schema', '/email', 'line breaks'],
            'pattern' => [$user(['auth' => 'Manual']), 'schema', '/auth', 'form'],
            'no truth' => [$user(['suspended' => 1]), 'schema', '/suspended', 'true or false'],
            'no number' => [$course(['startdate' => '1']), 'schema', '/startdate', 'whole number'],
            'fraction' => [$course(['startdate' => 1.0]), 'schema', '/startdate', 'whole number'],
            'too small' => [$course(['startdate' => -1]), 'schema', '/startdate', '0'],
            'too big' => [$course(['startdate' => PHP_INT_MAX]), 'schema', '/startdate', '4102444800'],
            'no list' => [$course(['sections' => ['key' => 'S']]), 'schema', '/sections', 'list'],
            'an empty object is no list' => [(object) $course(['sections' => new \stdClass()]), 'schema', '/sections', 'list'],
            'too many' => [$course(['sections' => array_fill(0, 51, 1)]), 'schema', '/sections', '50'],
            'inside' => [
                $course(['sections' => [['key' => 'a', 'name' => 'b'], ['key' => 'a']]]),
                'schema', '/sections/1/name', 'missing',
            ],
            'choice' => [
                ['kind' => 'roster', 'course' => 'C', 'count' => 1, 'members' => [['user' => 'S', 'role' => 'boss']]],
                'schema', '/members/0/role', 'editingteacher',
            ],
            'key or null' => [['kind' => 'category', 'idnumber' => 'T', 'name' => 'T', 'parent' => 3], 'schema', '/parent', 'text'],
        ];
    }

    /**
     * The first mistake is told with its path.
     *
     * @dataProvider wrong
     * @param mixed $document
     * @param string $code
     * @param string $field
     * @param string $words
     */
    public function test_wrong(mixed $document, string $code, string $field, string $words): void {
        try {
            schema::document($document);
            $this->fail('not refused');
        } catch (refusal $refusal) {
            $this->assertSame([$code, $field], [$refusal->reason, $refusal->field]);
            $this->assertStringContainsString($words, $refusal->getMessage());
        }
    }
}
