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
 * Sends the waiting events to the tool.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\task;

use local_nagasis\local\outbox\outbox;
use local_nagasis\local\outbox\watch;
use local_nagasis\local\state;
use local_nagasis\local\tool\client;

/**
 * Sends the waiting events to the tool, each minute, and leaves a watch for what happens until the next.
 */
final class send_events extends \core\task\scheduled_task {
    /** @var int Seconds after which the tool is to hear from us although nothing happens. */
    private const GREET_SECONDS = 300;

    /** @var int Seconds after which a tool that has ended the connection is asked again. */
    private const DISCONNECTED_SECONDS = 3600;

    /** @var int Seconds of one run, if the site has set no others. */
    private const SECONDS = 50;

    /**
     * The task's name.
     *
     * @return string
     */
    public function get_name(): string {
        return get_string('task_send_events', 'local_nagasis');
    }

    /**
     * Runs the task. It does not fail when the tool cannot be reached: Moodle would then wait longer and longer.
     */
    public function execute(): void {
        if (!client::paired()) {
            return;
        }
        $now = \core\di::get(\core\clock::class)->time();
        ['senderror' => $problem, 'sentat' => $sentat] = state::get_many(['senderror', 'sentat']);
        if (($problem['code'] ?? '') === 'site_disconnected' && $now - $problem['at'] < self::DISCONNECTED_SECONDS) {
            return;
        }
        $report = outbox::send(
            (int) get_config('local_nagasis', 'sendseconds') ?: self::SECONDS,
            $now - (int) $sentat >= self::GREET_SECONDS,
        );
        if ($report['sent'] || $report['setaside'] || $report['error'] !== null) {
            mtrace("sent $report[sent], set aside $report[setaside], problem: " . ($report['error'] ?? 'none'));
        }
        if ($report['error'] === null && !outbox::paused()) {
            watch::ensure();
        }
    }
}
