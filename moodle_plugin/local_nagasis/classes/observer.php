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
 * The observer: an outbox row per event; and what is new in a gradebook of the SIS weighs nothing.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis;

use local_nagasis\local\echo_guard;
use local_nagasis\local\outbox\recorder;
use local_nagasis\local\provision\new_activities;
use local_nagasis\local\tool\client;

/**
 * Receives Moodle's events.
 */
final class observer {
    /** @var \WeakMap|null Events that were received already. */
    private static ?\WeakMap $received = null;

    /**
     * Writes one event to the outbox, in the transaction of the change, and sees what is new in gradebooks.
     *
     * Whatever goes wrong here, the person's request goes on.
     *
     * @param \core\event\base $event
     */
    public static function record(\core\event\base $event): void {
        self::$received ??= new \WeakMap();
        if (isset(self::$received[$event])) {
            // Moodle also tells the observers of an event's parent classes: grade_item_updated is a grade_item_created.
            return;
        }
        self::$received[$event] = true;
        try {
            if (!echo_guard::active() && client::paired()) {
                recorder::record($event);
                new_activities::notice($event);
            }
        } catch (\Throwable $problem) {
            recorder::missed($event, $problem);
        }
    }
}
