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
 * Tests of the status.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\external;

use local_nagasis\local\outbox\outbox;
use local_nagasis\local\pairing\role_step;
use local_nagasis\local\pairing\steps;
use local_nagasis\local\pairing\token;
use local_nagasis\local\pairing\user_step;

/**
 * The tool learns how this Moodle is.
 *
 * @covers \local_nagasis\external\status
 */
final class status_test extends \advanced_testcase {
    public function test_as_its_schema_says(): void {
        global $CFG, $DB;
        $this->resetAfterTest();
        $this->setAdminUser();
        $now = $this->mock_clock_with_frozen(1772409600)->time();
        set_config('fullname', 'x');
        $DB->set_field('course', 'fullname', 'សាលា & "Naga" <b>', ['id' => SITEID]);
        foreach ([...steps::settings(), new role_step(), new user_step()] as $step) {
            $step->run();
        }
        token::confirm(token::offer());
        set_config('toolurl', 'https://tool.naga.invalid', 'local_nagasis');
        set_config('clientid', 'client15', 'local_nagasis');
        foreach ([0 => $now - 500, 1 => $now - 900] as $setaside => $at) {
            $DB->insert_record('local_nagasis_outbox', (object) [
                'eventid' => \core\uuid::generate(),
                'type' => 'grade.changed',
                'timecreated' => $at,
                'payload' => '{}',
                'setaside' => $setaside,
            ]);
        }
        outbox::pause();
        $status = json_decode(status::execute(1), true, 512, JSON_THROW_ON_ERROR);
        $schema = json_decode(file_get_contents(__DIR__ . '/../../contract/schema/status.json'), true);
        $this->assertSame([], array_diff_key($schema['properties'], $status), 'Everything of the contract is said');
        $this->assertSame([], array_diff_key($status, $schema['properties']), 'Nothing else is said');
        $expected = [
            'contract' => 1,
            'contracts' => [1],
            'url' => $CFG->wwwroot,
            'now' => $now,
            'kinds' => ['category', 'user', 'course', 'roster', 'gradebook', 'grades'],
            'reads' => ['activity', 'access', 'roster', 'items', 'grades'],
            'epoch' => outbox::epoch(),
            'backlog' => 1,
            'oldest' => $now - 500,
            'set_aside' => 1,
            'paused' => true,
            'token_expires_at' => $now + token::LIFETIME,
        ];
        $this->assertEquals($expected, array_intersect_key($status, $expected));
        $this->assertSame([1], $status['versions']['contracts']);
        foreach ($status['checks'] as $check) {
            $this->assertSame(['name', 'status', 'summary', 'details'], array_keys($check));
            $this->assertContains($check['status'], ['ok', 'warning', 'error', 'unknown']);
            $this->assertNotSame('', $check['summary']);
            $this->assertStringNotContainsString('<li>', $check['details']);
        }
        $statuses = array_column($status['checks'], 'status', 'name');
        $this->assertSame('warning', $statuses['backlog']);
        $this->assertSame('warning', $statuses['setaside']);
        $this->assertArrayNotHasKey('totool', $statuses, 'The tool asks while we wait for it');
    }

    public function test_refuses(): void {
        $this->resetAfterTest();
        $this->setAdminUser();
        try {
            status::execute(2);
            $this->fail('Version 2 does not exist');
        } catch (\moodle_exception $exception) {
            $this->assertSame('contractunsupported', $exception->errorcode);
            $this->assertStringContainsString('1', $exception->getMessage());
        }
        $this->setUser($this->getDataGenerator()->create_user());
        $this->expectException(\required_capability_exception::class);
        status::execute(1);
    }
}
