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
 * Tests of the status page.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\health;

use core\output\notification;
use local_nagasis\fixtures\fake_tool;
use local_nagasis\local\outbox\outbox;
use local_nagasis\local\state;
use local_nagasis\output\status_page;

defined('MOODLE_INTERNAL') || die();

require_once(__DIR__ . '/../../fixtures/fake_tool.php');

/**
 * What an administrator sees of the connection, and can do.
 *
 * @covers \local_nagasis\local\health\actions
 * @covers \local_nagasis\output\status_page
 */
final class actions_test extends \advanced_testcase {
    /** @var fake_tool|null */
    private ?fake_tool $tool = null;

    #[\Override]
    protected function setUp(): void {
        parent::setUp();
        $this->resetAfterTest();
        $this->setAdminUser();
    }

    #[\Override]
    protected function tearDown(): void {
        $this->tool?->stop();
        $this->tool = null;
        parent::tearDown();
    }

    /**
     * Starts the tool, with some events that wait.
     *
     * @param string[] $types
     */
    private function connect(array $types): void {
        global $DB;
        $this->tool = new fake_tool();
        foreach ($types as $type) {
            $DB->insert_record('local_nagasis_outbox', (object) [
                'eventid' => \core\uuid::generate(),
                'type' => $type,
                'timecreated' => 1772409600,
                'payload' => '{"data":{"x":"<script>alert(1)</script>"}}',
            ]);
        }
    }

    /**
     * The page's HTML.
     *
     * @return string
     */
    private function page(): string {
        global $PAGE;
        $PAGE->set_url('/local/nagasis/index.php');
        $output = $PAGE->get_renderer('core');
        return $output->render_from_template('local_nagasis/status_page', (new status_page())->export_for_template($output));
    }

    public function test_send_pause_resume(): void {
        $this->connect(['grade.changed', 'grade.changed']);
        $this->assertSame(notification::NOTIFY_WARNING, actions::run('pause')[1]);
        $this->assertSame(notification::NOTIFY_WARNING, actions::run('send')[1]);
        $this->assertSame(2, outbox::backlog()['count']);
        actions::run('resume');
        $this->assertSame(['Sent: 2. Waiting: 0.', notification::NOTIFY_SUCCESS], actions::run('send'));
        $this->assertSame(notification::NOTIFY_SUCCESS, actions::run('send')[1]);
        $this->tool->fault('500');
        $this->assertSame(notification::NOTIFY_ERROR, actions::run('send')[1]);
        $this->tool->stop();
        $this->assertSame(notification::NOTIFY_ERROR, actions::run('check')[1]);
    }

    public function test_set_aside(): void {
        $this->connect(['grade.changed', 'group.created', 'group.updated']);
        $this->tool->refuse(['group.created', 'group.updated']);
        actions::run('send');
        $rows = array_column(outbox::set_aside(), null, 'type');
        $this->assertCount(2, $rows);

        $html = $this->page();
        $this->assertStringContainsString('group.created', $html);
        $this->assertStringContainsString('events_invalid', $html);
        $this->assertStringNotContainsString('<script>alert(1)</script>', $html);

        $this->assertSame(notification::NOTIFY_INFO, actions::run('resendfrom', 100)[1]);
        $this->assertSame(notification::NOTIFY_INFO, actions::run('discard', 987654)[1]);
        $this->assertSame(notification::NOTIFY_SUCCESS, actions::run('discard', (int) $rows['group.updated']->id)[1]);
        $this->tool->refuse([]);
        $this->assertSame(['To be sent again: 1.', notification::NOTIFY_SUCCESS], actions::run('resendfrom', 2));
        $this->assertSame(notification::NOTIFY_INFO, actions::run('resend', (int) $rows['group.created']->id)[1]);
        actions::run('send');
        $this->assertContains('group.created', $this->tool->types());
        $this->assertSame(0, outbox::count_set_aside());
    }

    public function test_what_was_lost(): void {
        $this->connect([]);
        state::set('thinned', ['at' => 1, 'count' => 3]);
        state::set('captureerror', ['at' => 1, 'event' => 'e', 'message' => '<b>no</b>', 'count' => 1]);
        $this->assertStringContainsString('&lt;b&gt;no', $this->page());
        actions::run('dismiss');
        $this->assertStringNotContainsString('value="dismiss"', $this->page());
    }

    public function test_page(): void {
        $this->assertStringContainsString('/local/nagasis/pair.php', $this->page());
        $this->connect(['grade.changed']);
        $this->tool->answers('/api/v1/moodle/check', ['now' => time(), 'checks' => []]);
        $html = $this->page();
        $this->assertStringNotContainsString('}}', $html);
        foreach (['value="send"', 'value="pause"', 'data-check="totool"', 'data-check="cron"'] as $part) {
            $this->assertStringContainsString($part, $html);
        }
        outbox::pause();
        $html = $this->page();
        $this->assertStringContainsString('value="resume"', $html);
        $this->assertStringNotContainsString('value="send"', $html);
    }

    public function test_no_other_action(): void {
        foreach (actions::NAMES as $name) {
            $this->assertMatchesRegularExpression('/^[a-z]+$/D', $name);
        }
        $this->expectException(\invalid_parameter_exception::class);
        actions::run('clear');
    }
}
