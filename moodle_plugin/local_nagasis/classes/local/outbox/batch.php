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
 * Events as the tool gets them.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\outbox;

/**
 * A batch of events as the tool gets them.
 */
final class batch {
    /**
     * The message for some rows.
     *
     * @param \stdClass[] $rows of the outbox, in unbroken order of their numbers; may be none
     * @param array $facts of the state: epoch, lastseq, heldseq, heldid
     * @param int $backlog what waits beyond these rows
     * @return array
     */
    public static function message(array $rows, array $facts, int $backlog): array {
        $held = (int) $facts['heldseq'];
        return [
            'epoch' => $facts['epoch'],
            'first' => $rows ? (int) $rows[0]->seq : $held + 1,
            'next' => (int) $facts['lastseq'] + 1,
            'after' => $held ? $facts['heldid'] : null,
            'backlog' => max(0, $backlog),
            'sent_at' => \core\di::get(\core\clock::class)->time(),
            'events' => array_map([self::class, 'event'], $rows),
        ];
    }

    /**
     * One event.
     *
     * @param \stdClass $row
     * @return array
     */
    public static function event(\stdClass $row): array {
        $frame = ['seq' => (int) $row->seq, 'id' => $row->eventid, 'at' => (int) $row->timecreated];
        if ($row->setaside) {
            return $frame + ['type' => 'hole'];
        }
        // As objects, so that data without a member does not become a list.
        $payload = json_decode($row->payload);
        return $frame + [
            'type' => $row->type,
            'actor' => $row->actorid === null ? null : (int) $row->actorid,
            'user' => $row->userid === null ? null : (int) $row->userid,
            'course' => $payload->course ?? null,
            'object' => $payload->object ?? null,
            'data' => (object) ($payload->data ?? []),
        ];
    }

    /**
     * A row in the place of one that is gone.
     *
     * @param string $epoch
     * @param int $seq
     * @param int $at
     * @return \stdClass
     */
    public static function hole(string $epoch, int $seq, int $at): \stdClass {
        // The same each time that it is sent: under one number the tool must meet one id.
        $hash = hash('sha256', "$epoch $seq");
        $id = vsprintf('%s-%s-4%s-8%s-%s', sscanf($hash, '%8s%4s%3s%3s%12s'));
        return (object) ['id' => null, 'eventid' => $id, 'seq' => $seq, 'timecreated' => $at, 'setaside' => 1];
    }
}
