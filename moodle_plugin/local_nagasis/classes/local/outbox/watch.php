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
 * Watches the outbox until the next minute, and makes way as soon as another task is due.
 */
final class watch {
    /** @var int Seconds between two looks. */
    private const INTERVAL = 2;

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
     * Seconds until shortly before the next minute, when cron comes again.
     *
     * @return int
     */
    public static function seconds_left(): int {
        return max(0, 58 - \core\di::get(\core\clock::class)->time() % 60);
    }

    /**
     * Watches.
     *
     * @param int $seconds
     */
    public function run(int $seconds): void {
        $began = \core\di::get(\core\clock::class)->time();
        $deadline = hrtime(true) / 1e9 + $seconds;
        $sent = 0;
        while (hrtime(true) / 1e9 < $deadline && client::paired()) {
            if (outbox::waiting()) {
                $report = outbox::send((int) ceil(max(1, $deadline - hrtime(true) / 1e9)));
                $sent += $report['sent'];
                if ($report['error'] !== null) {
                    break;
                }
            }
            if ($this->others_wait($began)) {
                // They come first, then a new watch.
                self::leave();
                break;
            }
            sleep((int) max(0, min(self::INTERVAL, ceil($deadline - hrtime(true) / 1e9))));
        }
        if ($sent) {
            mtrace("sent $sent");
        }
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
     */
    private static function leave(): void {
        manager::queue_adhoc_task(new watch_outbox());
    }
}
