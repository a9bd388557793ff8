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
 * The example cases of the contract.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis;

use local_nagasis\local\provision\batch;
use local_nagasis\tests\{given, given_gradebooks, snapshot};

/**
 * Runs the example cases of the contract, which the tool's own tests run too.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \local_nagasis\local\provision\batch
 */
final class cases_test extends \advanced_testcase {
    /** @var array What a result has when it does not say so. */
    private const DEFAULTS = ['changes' => [], 'code' => null, 'field' => null, 'members' => [], 'notes' => []];

    /**
     * All cases by name.
     *
     * @return array
     */
    public static function cases(): array {
        $cases = [];
        foreach (glob(__DIR__ . '/../contract/cases/*.json') as $path) {
            $cases[basename($path, '.json')] = [$path];
        }
        return $cases;
    }

    /**
     * Each step says the same in the preview, does it, and finds nothing left to do when it is repeated.
     *
     * @dataProvider cases
     * @param string $path
     */
    public function test_case(string $path): void {
        $this->resetAfterTest();
        $this->become_the_service();
        \core\plugininfo\enrol::enable_plugin('nagasis', 1);
        $sink = $this->redirectEmails();
        $case = json_decode(file_get_contents($path), true, 64, JSON_THROW_ON_ERROR);
        foreach ($case['steps'] as $number => $step) {
            $this->run_step($step, basename($path) . ", step $number");
        }
        $this->assertCount(0, $sink->get_messages(), 'no mail is ever sent');
    }

    /**
     * Goes on as somebody who may do no more than the tool's token.
     */
    private function become_the_service(): void {
        $context = \core\context\system::instance();
        $role = create_role('Service', 'caseservice', '');
        assign_capability('local/nagasis:apply', CAP_ALLOW, $role, $context);
        assign_capability('local/nagasis:read', CAP_ALLOW, $role, $context);
        $user = $this->getDataGenerator()->create_user(['username' => 'caseservice']);
        role_assign($role, $user->id, $context);
        $this->setUser($user);
    }

    /**
     * Runs one step.
     *
     * @param array $step
     * @param string $where
     */
    private function run_step(array $step, string $where): void {
        global $DB;
        (new given($this->getDataGenerator()))->make($step['given'] ?? []);
        $step = given_gradebooks::named($step);
        // As the web service has them.
        $documents = json_decode(json_encode($step['documents']));

        $writes = $DB->perf_get_writes();
        $previewed = batch::run($documents, true);
        $this->assertSame($writes, $DB->perf_get_writes(), "$where: the preview wrote something");

        $applied = batch::run($documents, false);
        $this->assertEquals($this->comparable($step['results']), $this->comparable($applied), $where);
        $this->assertEquals($this->comparable($applied), $this->comparable($previewed), "$where: preview");
        foreach ($applied as $index => $result) {
            $this->assertSame($result['result'] === 'refused' && $result['id'] === null, $result['id'] === null, $where);
            // A roster that is new may be of a course that is there; grades are never new, and their course may be.
            $unknown = $result['result'] === 'created' || $result['kind'] === 'grades';
            $possible = $unknown ? [null, $result['id']] : [$result['id']];
            $this->assertContains($previewed[$index]['id'], $possible, "$where: preview");
        }
        $this->assertSame([], (new snapshot())->problems($step['then'] ?? []), $where);
        foreach ($step['fingerprints'] ?? [] as $kind => $expected) {
            $this->assertEquals($expected, $this->fingerprints($kind, array_keys($expected)), "$where: fingerprints");
        }

        $writes = $DB->perf_get_writes();
        $repeated = $this->comparable(batch::run($documents, false));
        if (isset($step['again'])) {
            $this->assertEquals($this->comparable($step['again']), $repeated, "$where: again");
        } else {
            $this->assertEquals($this->settled($applied, $step['documents']), $repeated, "$where: again");
            $this->assertSame($writes, $DB->perf_get_writes(), "$where: the second time wrote something");
        }
    }

    /**
     * Results without ids and words; a refusal must have words.
     *
     * @param array $results
     * @return array
     */
    private function comparable(array $results): array {
        return array_map(function (array $result): array {
            if ($result['result'] === 'refused' && array_key_exists('message', $result)) {
                $this->assertNotEmpty($result['message']);
                $this->assertStringNotContainsString('[[', $result['message'], 'a language string is missing');
            }
            $result = array_diff_key($result, ['id' => true, 'message' => true]) + self::DEFAULTS;
            $result['members'] = $this->comparable($result['members']);
            $result['notes'] = array_map(fn(array $note): array => ['code' => $note['code']], $result['notes']);
            ksort($result);
            return $result;
        }, $results);
    }

    /**
     * What the same documents must give the second time.
     *
     * @param array $results
     * @param array $documents
     * @return array
     */
    private function settled(array $results, array $documents): array {
        $settle = fn(array $result): array => $result['result'] === 'refused'
            ? $result : ['result' => 'unchanged', 'changes' => []] + $result;
        $settled = [];
        foreach ($this->comparable($results) as $index => $result) {
            $named = count($documents[$index]['members'] ?? $documents[$index]['grades'] ?? []);
            $members = array_map($settle, array_slice($result['members'], 0, $named));
            // Who was absent is suspended by now, and is no longer told of.
            $refused = array_filter(array_slice($result['members'], $named), fn($each) => $each['result'] === 'refused');
            $settled[] = ['members' => [...$members, ...array_values($refused)]] + $settle($result);
        }
        return array_map(function (array $result): array {
            ksort($result);
            return $result;
        }, $settled);
    }

    /**
     * What the digest says.
     *
     * @param string $kind
     * @param string[] $keys
     * @return array fingerprints by key
     */
    private function fingerprints(string $kind, array $keys): array {
        $answer = \local_nagasis\external\digest::execute(1, $kind, json_encode(array_map(strval(...), $keys)));
        return array_column(json_decode($answer, true)['items'], 'fingerprint', 'key');
    }
}
