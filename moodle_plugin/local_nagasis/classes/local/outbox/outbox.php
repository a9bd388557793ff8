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
 * The outbox: what waits to be sent to the tool.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\outbox;

use local_nagasis\local\state;
use local_nagasis\local\tool\client;

/**
 * The outbox: what waits to be sent to the tool, and what an administrator may do with it.
 *
 * State: "epoch", "lastseq" (last number given), "heldseq" and "heldid" (last event that the tool has acknowledged), "paused",
 * "senderror" {at, code, message}, "sentat", "thinned" {at, count}, "captureerror" {at, event, message, count}.
 */
final class outbox {
    /** @var int Rows that may wait before activity is forgotten, if the site has set no other limit. */
    public const LIMIT = 100000;

    /**
     * The name of this life of the outbox; made when it is first asked for.
     *
     * @return string UUID
     */
    public static function epoch(): string {
        $epoch = state::get('epoch');
        if ($epoch === null) {
            $epoch = \core\uuid::generate();
            state::set('epoch', $epoch);
        }
        return $epoch;
    }

    /**
     * How far this life of the outbox has come. By it the tool knows a Moodle that is older than what it holds.
     *
     * @return array{epoch: string|null, last: int} the last number that was given
     */
    public static function position(): array {
        $facts = state::get_many(['epoch', 'lastseq']);
        return ['epoch' => $facts['epoch'], 'last' => (int) $facts['lastseq']];
    }

    /**
     * Sends what waits, until nothing waits, something fails or the time is over. Only one process sends at a time.
     *
     * @param int $seconds how long to go on
     * @param bool $greet whether to send an empty batch if nothing waits, so that the tool hears of us
     * @return array{sent: int, setaside: int, error: string|null, busy: bool} "error" is the code of the state's "senderror"
     */
    public static function send(int $seconds, bool $greet = false): array {
        $report = ['sent' => 0, 'setaside' => 0, 'error' => null, 'busy' => false];
        if (!client::paired()) {
            return $report;
        }
        $lock = \core\lock\lock_config::get_lock_factory('local_nagasis')->get_lock('outbox', 0);
        if (!$lock) {
            return ['busy' => true] + $report;
        }
        try {
            self::thin();
            return (self::paused() ? [] : (new courier($seconds))->run($greet)) + $report;
        } finally {
            $lock->release();
        }
    }

    /**
     * Whether there is something that can be sent now. Cheap: one query.
     *
     * @return bool
     */
    public static function waiting(): bool {
        global $DB;
        return $DB->record_exists_select(
            recorder::TABLE,
            "setaside = 0 AND NOT EXISTS (SELECT 1 FROM {local_nagasis_state} WHERE name = 'paused' AND value = 'true')",
        );
    }

    /**
     * Stops sending; events are still recorded.
     */
    public static function pause(): void {
        state::set('paused', true);
    }

    /**
     * Sends again.
     */
    public static function resume(): void {
        state::set('paused', false);
    }

    /**
     * Whether sending is stopped.
     *
     * @return bool
     */
    public static function paused(): bool {
        return (bool) state::get('paused');
    }

    /**
     * What waits.
     *
     * @return array{count: int, oldest: int|null} "oldest": when the oldest of them happened
     */
    public static function backlog(): array {
        global $DB;
        $found = $DB->get_record_sql(
            'SELECT COUNT(1) AS waiting, MIN(timecreated) AS oldest FROM {local_nagasis_outbox} WHERE setaside = 0',
        );
        return ['count' => (int) $found->waiting, 'oldest' => $found->waiting ? (int) $found->oldest : null];
    }

    /**
     * Sends again what was set aside. What the tool has acknowledged is not here any more.
     *
     * @param int $seq from this number on
     * @return int how many go back to the queue
     */
    public static function resend_from(int $seq): int {
        return self::put_back('(seq IS NULL OR seq >= :seq)', ['seq' => $seq]);
    }

    /**
     * Sends one event again that was set aside.
     *
     * @param int $id of the row
     * @return bool whether it was there
     */
    public static function resend(int $id): bool {
        return self::put_back('id = :id', ['id' => $id]) > 0;
    }

    /**
     * Events that the tool could not take, the latest first.
     *
     * @param int $limit
     * @return \stdClass[] rows of the outbox, with "reason"
     */
    public static function set_aside(int $limit = 100): array {
        global $DB;
        return array_values($DB->get_records(recorder::TABLE, ['setaside' => 1], 'id DESC', '*', 0, $limit));
    }

    /**
     * How many events were set aside.
     *
     * @return int
     */
    public static function count_set_aside(): int {
        global $DB;
        return $DB->count_records(recorder::TABLE, ['setaside' => 1]);
    }

    /**
     * Forgets one event that was set aside. Until the tool holds the hole in its place, it stays.
     *
     * @param int $id of the row
     * @return bool whether it is gone
     */
    public static function discard(int $id): bool {
        global $DB;
        $select = 'id = :id AND setaside = 1 AND (seq IS NULL OR seq <= :held)';
        $params = ['id' => $id, 'held' => (int) state::get('heldseq')];
        $there = $DB->record_exists_select(recorder::TABLE, $select, $params);
        $DB->delete_records_select(recorder::TABLE, $select, $params);
        return $there;
    }

    /**
     * Forgets everything: the connection has ended. A later one begins a new epoch.
     */
    public static function clear(): void {
        global $DB;
        $DB->delete_records(recorder::TABLE);
        $names = [
            'epoch', 'lastseq', 'heldseq', 'heldid', 'paused', 'senderror', 'sentat', 'sendsize', 'thinned', 'captureerror',
        ];
        foreach ($names as $name) {
            state::forget($name);
        }
    }

    /**
     * Forgets the oldest activity if more waits than the limit; records are never forgotten.
     *
     * @return int how many were forgotten
     */
    public static function thin(): int {
        global $DB;
        $limit = (int) get_config('local_nagasis', 'outboxlimit') ?: self::LIMIT;
        $toomany = $DB->count_records(recorder::TABLE, ['setaside' => 0]) - $limit;
        if ($toomany <= 0) {
            return 0;
        }
        // What has a number must be sent, or the tool would wait for it.
        $select = 'activity = 1 AND setaside = 0 AND seq IS NULL';
        $thinnable = $DB->count_records_select(recorder::TABLE, $select);
        $forgotten = min($toomany, $thinnable);
        if ($forgotten === 0) {
            return 0;
        }
        $last = $DB->get_records_select(recorder::TABLE, $select, [], 'id', 'id', $forgotten - 1, 1);
        $DB->delete_records_select(recorder::TABLE, "$select AND id <= :last", ['last' => array_key_first($last)]);
        state::set('thinned', [
            'at' => \core\di::get(\core\clock::class)->time(),
            'count' => (int) (state::get('thinned')['count'] ?? 0) + $forgotten,
        ]);
        return $forgotten;
    }

    /**
     * Puts events that were set aside back into the queue.
     *
     * @param string $select which
     * @param array $params
     * @return int how many
     */
    private static function put_back(string $select, array $params): int {
        global $DB;
        // A hole that the tool does not hold yet keeps its place: it is sent first.
        $select = "setaside = 1 AND (seq IS NULL OR seq <= :held) AND $select";
        $params['held'] = (int) state::get('heldseq');
        $count = $DB->count_records_select(recorder::TABLE, $select, $params);
        // A new number, but the id that the hole had: by it the tool knows which hole is filled.
        $DB->execute("UPDATE {local_nagasis_outbox} SET setaside = 0, reason = NULL, seq = NULL WHERE $select", $params);
        return $count;
    }
}
