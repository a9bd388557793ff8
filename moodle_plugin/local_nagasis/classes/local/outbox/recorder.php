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
 * Writes events to the outbox.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\outbox;

use core\event\base;
use local_nagasis\local\state;
use local_nagasis\local\tool\client;

/**
 * Writes events to the outbox: one insert each, whatever the event.
 */
final class recorder {
    /** @var string */
    public const TABLE = 'local_nagasis_outbox';

    /** @var string The type of what is none of Moodle's events: the tool has written here. */
    public const APPLIED = 'sync.applied';

    /**
     * Writes one event.
     *
     * @param base $event
     */
    public static function record(base $event): void {
        global $CFG, $DB;
        $type = vocabulary::type_of($event);
        if ($type === null || ($type === 'user.loggedin' && $event->objectid == $CFG->siteguest)) {
            return;
        }
        // The raw form: no look at the table's columns, and no id is asked back.
        $DB->insert_record_raw(self::TABLE, [
            'eventid' => \core\uuid::generate(),
            'type' => $type,
            'activity' => (int) in_array($type, vocabulary::ACTIVITY, true),
            'timecreated' => (int) $event->timecreated,
            'userid' => vocabulary::user_of($event, $type),
            'actorid' => (int) $event->userid ?: null,
            'payload' => json_encode(
                vocabulary::payload_of($event, $type),
                JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE,
            ),
            'setaside' => 0,
        ], false);
    }

    /**
     * Notes that documents of the tool were written, in the transaction that writes them: by its number the tool knows a Moodle
     * that was restored from a backup of before, also where nobody else has done anything since.
     */
    public static function applied(): void {
        global $DB;
        if (!client::paired()) {
            return;
        }
        $DB->insert_record_raw(self::TABLE, [
            'eventid' => \core\uuid::generate(),
            'type' => self::APPLIED,
            'activity' => 0,
            'timecreated' => \core\di::get(\core\clock::class)->time(),
            'payload' => '{"course":null,"object":null,"data":{}}',
            'setaside' => 0,
        ], false);
    }

    /**
     * Notes that an event could not be written, so that the status page can say so. Throws nothing.
     *
     * @param base $event
     * @param \Throwable $problem
     */
    public static function missed(base $event, \Throwable $problem): void {
        try {
            $before = state::get('captureerror');
            state::set('captureerror', [
                'at' => \core\di::get(\core\clock::class)->time(),
                'event' => $event->eventname,
                'message' => \core_text::substr($problem->getMessage(), 0, 500),
                'count' => (int) ($before['count'] ?? 0) + 1,
            ]);
        } catch (\Throwable $worse) {
            // The database itself is ill: the change that we were told of will fail by itself.
            return;
        }
    }
}
