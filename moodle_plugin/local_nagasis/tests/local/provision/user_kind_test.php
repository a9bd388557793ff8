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
 * Tests of accounts.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

/**
 * What the example cases cannot say about accounts.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \local_nagasis\local\provision\user_kind
 * @covers     \local_nagasis\local\provision\user_index
 * @covers     \local_nagasis\local\provision\user_writer
 */
final class user_kind_test extends \advanced_testcase {
    /** @var array A document. */
    private const SOK = [
        'kind' => 'user',
        'idnumber' => 'S1',
        'username' => 's1',
        'firstname' => 'Dara',
        'lastname' => 'Sok',
        'email' => 's1@example.edu',
    ];

    protected function setUp(): void {
        parent::setUp();
        $this->resetAfterTest();
        $this->setAdminUser();
    }

    /**
     * Applies one document.
     *
     * @param array $document
     * @return array
     */
    private static function apply(array $document): array {
        return batch::run([$document], false)[0];
    }

    /**
     * What is made in bulk is what user_create_user() makes: the row, the context, the event.
     */
    public function test_same_as_core(): void {
        global $CFG, $DB;
        require_once($CFG->dirroot . '/user/lib.php');
        set_config('defaultpreference_maildisplay', 0);
        $this->mock_clock_with_frozen(time());
        $sink = $this->redirectEvents();
        $ours = self::apply(self::SOK)['id'];
        $events = $sink->get_events();
        $sink->clear();
        $theirs = user_create_user((object) [
            'idnumber' => 'S2',
            'username' => 's2',
            'firstname' => 'Dara',
            'lastname' => 'Sok',
            'alternatename' => '',
            'email' => 's2@example.edu',
            'auth' => 'manual',
            'confirmed' => 1,
            'mnethostid' => $CFG->mnet_localhost_id,
            'password' => AUTH_PASSWORD_NOT_CACHED,
        ], false);
        $own = array_flip(['id', 'idnumber', 'username', 'email', 'timecreated', 'timemodified']);
        $this->assertEquals(
            array_diff_key((array) $DB->get_record('user', ['id' => $theirs]), $own),
            array_diff_key((array) $DB->get_record('user', ['id' => $ours]), $own),
        );
        $this->assertCount(1, $events);
        $this->assertEquals(get_class($sink->get_events()[0]), get_class($events[0]));
        $this->assertEquals($ours, $events[0]->objectid);
        $context = \core\context\user::instance($ours);
        $this->assertEquals($context->id, $events[0]->contextid);
        \core\context_helper::reset_caches();
        $reread = \core\context\user::instance($ours);
        $this->assertSame(['/' . SYSCONTEXTID . "/$context->id", 2], [$reread->path, (int) $reread->depth]);
    }

    /**
     * Nobody is told anything, and nobody can sign in with a password before asking for one.
     */
    public function test_silent(): void {
        global $DB;
        $mails = $this->redirectEmails();
        $messages = $this->redirectMessages();
        $id = self::apply(self::SOK)['id'];
        self::apply(['email' => 'other@example.edu'] + self::SOK);
        $this->assertCount(0, $mails->get_messages());
        $this->assertCount(0, $messages->get_messages());
        $user = $DB->get_record('user', ['id' => $id]);
        $this->assertSame(AUTH_PASSWORD_NOT_CACHED, $user->password);
        $this->assertFalse(validate_internal_user_password($user, AUTH_PASSWORD_NOT_CACHED));
        $this->assertFalse($DB->record_exists('user_preferences', ['userid' => $id]));
    }

    /**
     * What a person chose stays.
     */
    public function test_own_choices(): void {
        global $DB;
        $id = self::apply(self::SOK)['id'];
        $chosen = ['lang' => 'km', 'timezone' => 'Asia/Phnom_Penh', 'city' => 'Kep', 'description' => 'Me', 'maildigest' => 2];
        $chosen['auth'] = 'oauth2';
        $DB->update_record('user', (object) (['id' => $id] + $chosen));
        self::apply(['lastname' => 'Chan', 'auth' => 'manual'] + self::SOK);
        $user = (array) $DB->get_record('user', ['id' => $id]);
        $this->assertSame('Chan', $user['lastname']);
        $this->assertEquals($chosen, array_intersect_key($user, $chosen));
    }

    /**
     * Who is suspended is signed out.
     */
    public function test_suspended(): void {
        global $DB;
        $id = self::apply(self::SOK)['id'];
        $session = ['state' => 0, 'sid' => md5('sok'), 'userid' => $id, 'timecreated' => time(), 'timemodified' => time()];
        $DB->insert_record('sessions', (object) ($session + ['firstip' => '', 'lastip' => '']));
        $this->assertSame('suspended', self::apply(['suspended' => true] + self::SOK)['result']);
        $this->assertFalse($DB->record_exists('sessions', ['userid' => $id]));
    }

    /**
     * Who was deleted in Moodle is made anew; a row that keeps the username of somebody deleted is told of.
     */
    public function test_deleted(): void {
        global $DB;
        $id = self::apply(self::SOK)['id'];
        delete_user($DB->get_record('user', ['id' => $id]));
        $again = self::apply(self::SOK);
        $this->assertSame('created', $again['result']);
        $this->assertNotEquals($id, $again['id']);

        $DB->set_field('user', 'deleted', 1, ['id' => $again['id']]);
        $third = self::apply(self::SOK);
        $this->assertSame('username_taken', $third['code']);
    }

    /**
     * The guest and our own service user are nobody's to change.
     */
    public function test_protected(): void {
        global $CFG, $DB;
        $service = $this->getDataGenerator()->create_user(['username' => protected_accounts::SERVICE_USER]);
        foreach ([(int) $CFG->siteguest, (int) $service->id] as $id) {
            $DB->set_field('user', 'idnumber', "P$id", ['id' => $id]);
            $before = $DB->get_record('user', ['id' => $id]);
            $result = self::apply(['idnumber' => "P$id", 'username' => "p$id", 'email' => "p$id@x.test"] + self::SOK);
            $this->assertSame('protected_user', $result['code']);
            $this->assertEquals($before, $DB->get_record('user', ['id' => $id]));
        }
    }

    /**
     * Messages name who is in the way.
     */
    public function test_words(): void {
        $generator = $this->getDataGenerator();
        $one = $generator->create_user(['idnumber' => 'S1', 'username' => 'one', 'firstname' => 'One', 'lastname' => 'A']);
        $generator->create_user(['idnumber' => 'S1', 'username' => 'two', 'firstname' => 'Two', 'lastname' => 'B']);
        $result = self::apply(self::SOK);
        $this->assertSame('ambiguous_idnumber', $result['code']);
        $this->assertStringContainsString('One A (one), Two B (two)', $result['message']);
        $result = self::apply(['idnumber' => 'S9', 'username' => 'one'] + self::SOK);
        $this->assertStringContainsString('One A (one)', $result['message']);
        $result = self::apply(['idnumber' => 'S9', 'email' => strtoupper($one->email)] + self::SOK);
        $this->assertSame('email_taken', $result['code']);
        $this->assertStringContainsString('One A (one)', $result['message']);
    }

    /**
     * A site may allow more in usernames.
     */
    public function test_extended_usernames(): void {
        $this->assertSame('username_invalid', self::apply(['username' => 'sok dara'] + self::SOK)['code']);
        set_config('extendedusernamechars', 1);
        $this->assertSame('created', self::apply(['username' => 'sok dara'] + self::SOK)['result']);
    }
}
