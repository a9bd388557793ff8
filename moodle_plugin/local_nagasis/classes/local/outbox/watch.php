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
 * Watches the outbox.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\outbox;

use core\task\manager;
use local_nagasis\local\tool\client;
use local_nagasis\task\watch_outbox;

/**
 * Watches the outbox until cron comes again, and makes way as soon as another task is due.
 *
 * Each watch leaves the next one, due when cron comes. The scheduled task alone would not do: Moodle runs a task that is due at
 * full minutes every second time only, where cron starts at full minutes and does not linger.
 */
final class watch {
    /** @var int Seconds between two looks. */
    private const INTERVAL = 2;

    /** @var int Seconds between two starts of cron. */
    private const PERIOD = 60;

    /** @var int Seconds that a watch ends before cron comes again. */
    private const MARGIN = 2;

    /** @var int Seconds after which a watch that was left is thought to be lost: its process was killed. */
    private const LOST_SECONDS = 90;

    /** @var string The task's name in Moodle's table. */
    private const CLASSNAME = '\\' . watch_outbox::class;

    /**
     * Leaves a watch, if there is none.
     */
    public static function ensure(): void {
        global $DB;
        $now = \core\di::get(\core\clock::class)->time();
        $lost = ['classname' => self::CLASSNAME, 'limit' => $now - self::LOST_SECONDS];
        $DB->delete_records_select('task_adhoc', 'classname = :classname AND nextruntime < :limit', $lost);
        if (!$DB->record_exists('task_adhoc', ['classname' => self::CLASSNAME])) {
            self::leave();
        }
    }

    /**
     * Seconds until shortly before cron comes again.
     *
     * @return int
     */
    public static function seconds_left(): int {
        return max(0, self::PERIOD - self::phase() - self::MARGIN);
    }

    /**
     * Leaves the next watch, for when cron comes again.
     */
    public static function leave_next(): void {
        $now = \core\di::get(\core\clock::class)->time();
        // Moodle takes what was due before the second in which cron starts, and cron may start a second early.
        self::leave(max($now, $now + self::PERIOD - self::phase() - self::MARGIN));
    }

    /**
     * Watches.
     *
     * @param int $seconds
     * @return bool whether there should be a next watch
     */
    public function run(int $seconds): bool {
        $began = \core\di::get(\core\clock::class)->time();
        $deadline = hrtime(true) / 1e9 + $seconds;
        $sent = 0;
        $goon = client::paired() && !outbox::paused();
        while ($goon && hrtime(true) / 1e9 < $deadline) {
            if (outbox::waiting()) {
                $report = outbox::send((int) ceil(max(1, $deadline - hrtime(true) / 1e9)));
                $sent += $report['sent'];
                // After a failure the scheduled task goes on, more slowly.
                $goon = $report['error'] === null && !outbox::paused();
            }
            if ($goon && $this->others_wait($began)) {
                // They come first, then a new watch.
                self::leave();
                $goon = false;
            }
            if ($goon) {
                sleep((int) max(0, min(self::INTERVAL, ceil($deadline - hrtime(true) / 1e9))));
            }
        }
        if ($sent) {
            mtrace("sent $sent");
        }
        return $goon;
    }

    /**
     * Seconds since cron should have come last, if it comes each minute.
     *
     * @return int
     */
    private static function phase(): int {
        global $DB;
        // Not from the cache: another process writes it.
        $start = (int) $DB->get_field('config_plugins', 'value', ['plugin' => 'tool_task', 'name' => 'lastcronstart']);
        return max(0, \core\di::get(\core\clock::class)->time() - $start) % self::PERIOD;
    }

    /**
     * Whether another ad-hoc task became due since this watch began. Older ones wait for something else than us.
     *
     * @param int $began
     * @return bool
     */
    private function others_wait(int $began): bool {
        global $DB;
        $now = \core\di::get(\core\clock::class)->time();
        return $DB->record_exists_select(
            'task_adhoc',
            'classname <> :classname AND timestarted IS NULL AND nextruntime >= :began AND nextruntime < :now',
            ['classname' => self::CLASSNAME, 'began' => $began - 1, 'now' => $now],
        );
    }

    /**
     * Leaves a watch.
     *
     * @param int $due when; none: now
     */
    private static function leave(int $due = 0): void {
        $task = new watch_outbox();
        if ($due) {
            $task->set_next_run_time($due);
        }
        manager::queue_adhoc_task($task);
    }
}
