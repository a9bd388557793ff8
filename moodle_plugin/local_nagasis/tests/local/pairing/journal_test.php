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
 * Tests of the journal of pairing.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\pairing;

/**
 * Tests of the journal of pairing.
 *
 * @covers \local_nagasis\local\pairing\journal
 */
final class journal_test extends \advanced_testcase {
    /**
     * A setting goes back to what it was; one that was not there is not there again.
     */
    public function test_undo(): void {
        $this->resetAfterTest();
        set_config('field_lock_email', 'unlockedifempty', 'auth_manual');
        unset_config('field_lock_idnumber', 'auth_manual');
        journal::set_config('field_lock_email', 'locked', 'auth_manual');
        journal::set_config('field_lock_idnumber', 'locked', 'auth_manual');
        $this->assertSame('locked', get_config('auth_manual', 'field_lock_email'));
        journal::undo_config('field_lock_email', 'auth_manual');
        journal::undo_config('field_lock_idnumber', 'auth_manual');
        $this->assertSame('unlockedifempty', get_config('auth_manual', 'field_lock_email'));
        $this->assertFalse(get_config('auth_manual', 'field_lock_idnumber'));
        $this->assertSame([], journal::all());
    }

    /**
     * What somebody has changed since is left alone.
     */
    public function test_changed_since(): void {
        $this->resetAfterTest();
        set_config('field_lock_email', 'unlocked', 'auth_manual');
        journal::set_config('field_lock_email', 'locked', 'auth_manual');
        set_config('field_lock_email', 'unlockedifempty', 'auth_manual');
        journal::undo_config('field_lock_email', 'auth_manual');
        $this->assertSame('unlockedifempty', get_config('auth_manual', 'field_lock_email'));
    }

    /**
     * The first value counts, however often it is set again.
     */
    public function test_first_value(): void {
        $this->resetAfterTest();
        set_config('field_lock_email', 'unlocked', 'auth_manual');
        journal::set_config('field_lock_email', 'locked', 'auth_manual');
        set_config('field_lock_email', 'unlockedifempty', 'auth_manual');
        journal::set_config('field_lock_email', 'locked', 'auth_manual');
        journal::undo_config('field_lock_email', 'auth_manual');
        $this->assertSame('unlocked', get_config('auth_manual', 'field_lock_email'));
    }

    /**
     * Nothing is noted of what was so already, and so nothing is taken back.
     */
    public function test_was_so(): void {
        $this->resetAfterTest();
        set_config('field_lock_email', 'locked', 'auth_manual');
        journal::set_config('field_lock_email', 'locked', 'auth_manual');
        $this->assertSame([], journal::all());
    }

    /**
     * The note is there before the change: whoever dies in between leaves something that can be undone.
     */
    public function test_noted_first(): void {
        global $CFG;
        $this->resetAfterTest();
        set_config('enablewebservices', '0');
        journal::note('config/core/enablewebservices', ['value' => '0'], ['value' => '1']);
        journal::undo_config('enablewebservices');
        $this->assertSame('0', $CFG->enablewebservices);
        $this->assertSame([], journal::all());
    }

    /**
     * What config.php fixes is said, and nothing is noted.
     */
    public function test_forced(): void {
        global $CFG;
        $this->resetAfterTest();
        $CFG->forced_plugin_settings['auth_manual']['field_lock_email'] = 'unlocked';
        try {
            journal::set_config('field_lock_email', 'locked', 'auth_manual');
            $this->fail('was set');
        } catch (\moodle_exception $e) {
            $this->assertSame('pairforced', $e->errorcode);
            $this->assertStringContainsString('auth_manual/field_lock_email', $e->getMessage());
        } finally {
            unset($CFG->forced_plugin_settings['auth_manual']);
        }
        $this->assertSame([], journal::all());
    }

    /**
     * It stands in Moodle's log of configuration changes.
     */
    public function test_logged(): void {
        global $DB;
        $this->resetAfterTest();
        $this->setAdminUser();
        journal::set_config('field_lock_email', 'locked', 'auth_manual');
        $this->assertTrue($DB->record_exists('config_log', ['plugin' => 'auth_manual', 'name' => 'field_lock_email']));
    }
}
