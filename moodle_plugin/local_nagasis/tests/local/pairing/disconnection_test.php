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
 * Tests of ending the connection.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\pairing;

use local_nagasis\fixtures\connection_testcase;
use local_nagasis\local\tool\client;

defined('MOODLE_INTERNAL') || die();

require_once(__DIR__ . '/../../fixtures/connection_testcase.php');

/**
 * Tests of ending the connection, with a tool that really answers.
 *
 * @covers \local_nagasis\local\pairing\disconnection
 * @covers \local_nagasis\local\pairing\steps
 * @covers \local_nagasis\local\pairing\services_step
 * @covers \local_nagasis\local\pairing\enrolment_step
 * @covers \local_nagasis\local\pairing\locks_step
 * @covers \local_nagasis\local\pairing\role_step
 * @covers \local_nagasis\local\pairing\user_step
 * @covers \local_nagasis\local\pairing\lti_step
 */
final class disconnection_test extends connection_testcase {
    /**
     * Everything is revoked and put back; the tool is told.
     */
    public function test_disconnect(): void {
        global $DB, $CFG;
        set_config('enablewebservices', '0');
        set_config('webserviceprotocols', '');
        $this->assertEmpty($CFG->contextlocking);
        $this->connect();
        $this->assertEquals(1, $CFG->contextlocking);
        $this->tool->expects(get_config('local_nagasis', 'clientid'));
        $report = disconnection::run();
        $this->assertNull($report['error']);
        $this->assertSame(['done', 'nothing'], array_values(array_unique($this->results($report))));
        $this->assertContains('/api/v1/moodle/unpair', array_column($this->tool->memory()['requests'], 'path'));
        $this->assertNull(connection::current());
        $this->assertFalse(client::paired());
        $this->assertSame(0, $DB->count_records('external_tokens'));
        $this->assertSame(0, $DB->count_records('external_services_users'));
        $this->assertNull(role_step::id());
        $this->assertNull(user_step::find());
        $this->assertSame(0, $DB->count_records('lti_types'));
        $this->assertSame(0, $DB->count_records('local_nagasis_state'));
        $this->assertEquals(0, $CFG->enablewebservices);
        $this->assertSame('', $CFG->webserviceprotocols);
        $this->assertFalse(enrol_is_enabled('nagasis'));
        $this->assertEmpty($CFG->contextlocking);
        $this->assertNotSame('locked', get_config('auth_manual', 'field_lock_email'));
        $this->assertSame(['nothing'], array_values(array_unique(array_diff($this->results(disconnection::run()), ['done']))));
    }

    /**
     * A tool that is down holds nothing up.
     */
    public function test_disconnect_tool_down(): void {
        global $DB;
        $this->connect();
        $this->tool->stop();
        $report = disconnection::run();
        $this->assertNull($report['error']);
        $this->assertSame('left', $this->results($report)['tell']);
        $this->assertSame(0, $DB->count_records('external_tokens'));
        $this->assertNull(connection::current());
    }

    /**
     * A tool that has ended the connection on its side knows.
     */
    public function test_disconnect_known(): void {
        $this->connect();
        $this->tool->fault('410');
        $this->assertSame('nothing', $this->results(disconnection::run())['tell']);
    }

    /**
     * What others need stays: courses that people are in, activities, other services.
     */
    public function test_disconnect_leaves(): void {
        global $DB, $CFG;
        set_config('enablewebservices', '0');
        $this->connect();
        $this->tool->expects(get_config('local_nagasis', 'clientid'));
        $type = $DB->get_record('lti_types', ['clientid' => get_config('local_nagasis', 'clientid')]);
        $course = $this->getDataGenerator()->create_course();
        $this->getDataGenerator()->create_module('lti', ['course' => $course->id, 'typeid' => $type->id]);
        $DB->insert_record('lti_access_tokens', (object) [
            'typeid' => $type->id, 'scope' => '[]', 'token' => 'x', 'validuntil' => 2000000000, 'timecreated' => 1,
        ]);
        \core\context\course::instance($course->id)->set_locked(true);
        $plugin = enrol_get_plugin('nagasis');
        $instance = $DB->insert_record('enrol', (object) ['enrol' => 'nagasis', 'courseid' => $course->id, 'status' => 0]);
        $user = $this->getDataGenerator()->create_user();
        $plugin->enrol_user($DB->get_record('enrol', ['id' => $instance]), $user->id);
        $DB->insert_record('external_tokens', (object) [
            'token' => 'other', 'tokentype' => 0, 'userid' => $user->id, 'externalserviceid' => 9999, 'contextid' => 1,
            'creatorid' => 2, 'timecreated' => 1,
        ]);
        $report = disconnection::run();
        $this->assertSame(
            ['tell' => 'done', 'token' => 'done', 'connection' => 'done', 'signin' => 'nothing', 'lti' => 'left',
                'user' => 'done', 'role' => 'done',
                'freezing' => 'left', 'locks' => 'done', 'enrolment' => 'left', 'services' => 'left'],
            $this->results($report),
        );
        $this->assertTrue(enrol_is_enabled('nagasis'));
        $this->assertEquals(1, $CFG->contextlocking);
        $this->assertEquals(1, $CFG->enablewebservices);
        $this->assertSame(1, $DB->count_records('external_tokens'));
        // The activities stay; what the tool could do does not.
        $this->assertSame('', lti_get_type_config($type->id)['publickeyset']);
        $this->assertSame('0', lti_get_type_config($type->id)['ltiservice_memberships']);
        $this->assertSame(0, $DB->count_records('lti_access_tokens'));
        // Connected again, the same activities work again.
        $this->connect();
        $this->assertSame($type->clientid, get_config('local_nagasis', 'clientid'));
        $this->assertSame('1', lti_get_type_config($type->id)['ltiservice_memberships']);
        $this->assertEquals(LTI_TOOL_STATE_CONFIGURED, $DB->get_field('lti_types', 'state', ['id' => $type->id]));
        // It is still what connecting has made: when nothing uses it any more, it goes.
        $DB->delete_records('lti', ['typeid' => $type->id]);
        $this->assertSame('done', $this->results(disconnection::run())['lti']);
        $this->assertFalse($DB->record_exists('lti_types', ['id' => $type->id]));
    }

    /**
     * Uninstalling ends it too.
     */
    public function test_uninstall(): void {
        global $CFG, $DB;
        $this->connect();
        require_once($CFG->dirroot . '/local/nagasis/db/uninstall.php');
        $this->assertTrue(xmldb_local_nagasis_uninstall());
        $this->assertNull(user_step::find());
        $this->assertSame(0, $DB->count_records('external_tokens'));
    }
}
