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
 * Tests that a preview tells the truth.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

/**
 * A preview says exactly what applying the same documents then does, however they get in each other's way.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \local_nagasis\local\provision\batch
 * @covers     \local_nagasis\local\provision\hidden_below
 */
final class preview_test extends \advanced_testcase {
    /**
     * Beginnings for chance.
     *
     * @return array
     */
    public static function seeds(): array {
        return array_map(fn(int $seed): array => [$seed], range(1, 6));
    }

    /**
     * Calls with documents that compete for few names, one after the other, on what those before have left.
     *
     * @dataProvider seeds
     * @param int $seed
     */
    public function test_preview(int $seed): void {
        global $DB;
        $this->resetAfterTest();
        $this->setAdminUser();
        mt_srand($seed);
        for ($round = 0; $round < 12; $round++) {
            $documents = [];
            foreach (range(1, mt_rand(1, 14)) as $ignored) {
                $documents[] = match (mt_rand(0, 3)) {
                    0, 1 => $this->category(),
                    2 => $this->user(),
                    3 => $this->course(),
                };
            }
            $writes = $DB->perf_get_writes();
            $previewed = $this->without_ids(batch::run($documents, true));
            $this->assertSame($writes, $DB->perf_get_writes());
            $applied = $this->without_ids(batch::run($documents, false));
            $this->assertSame($applied, $previewed, json_encode($documents));
        }
    }

    /**
     * Results without the ids, which a preview cannot know.
     *
     * @param array $results
     * @return array
     */
    private function without_ids(array $results): array {
        return array_map(fn(array $result): array => array_diff_key($result, ['id' => true]), $results);
    }

    /**
     * One of some.
     *
     * @param array $choices
     * @return mixed
     */
    private function pick(array $choices): mixed {
        return $choices[mt_rand(0, count($choices) - 1)];
    }

    /**
     * A document of a term.
     *
     * @return array
     */
    private function category(): array {
        return [
            'kind' => 'category',
            'idnumber' => $this->pick(['A', 'B', 'C', 'D', 'E']),
            'name' => $this->pick(['One', 'Two']),
            'parent' => $this->pick([null, null, 'A', 'B', 'C', 'D', 'E']),
            'visible' => $this->pick([true, true, false]),
        ];
    }

    /**
     * A document of a person.
     *
     * @return array
     */
    private function user(): array {
        return [
            'kind' => 'user',
            'idnumber' => $this->pick(['S1', 'S2', 'S3', 'S4', 'S5']),
            'username' => $this->pick(['a', 'b', 'c', 'd', 'e', 'F']),
            'firstname' => 'Dara',
            'lastname' => 'Sok',
            'email' => $this->pick(['a@x.test', 'A@x.test', 'b@x.test', 'c@x.test', 'd@x.test', 'e@x.test', 'none']),
            'suspended' => $this->pick([true, false]),
        ];
    }

    /**
     * A document of a class.
     *
     * @return array
     */
    private function course(): array {
        return [
            'kind' => 'course',
            'idnumber' => $this->pick(['C1', 'C2', 'C3', 'C4']),
            'shortname' => $this->pick(['w', 'x', 'y', 'z']),
            'fullname' => $this->pick(['Algebra', 'Botany']),
            'category' => $this->pick(['A', 'B', 'C', 'D', 'E']),
            'startdate' => $this->pick([0, 10]),
            'enddate' => $this->pick([0, 5, 20]),
            'visible' => $this->pick([true, true, false]),
            'sections' => $this->pick([[], [['key' => 'K', 'name' => $this->pick(['M', 'N'])]]]),
            'groups' => $this->pick([[], [['idnumber' => 'G', 'name' => $this->pick(['M', 'N'])]]]),
        ];
    }
}
