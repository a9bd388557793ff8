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
 * Brings events to the tool.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\outbox;

use local_nagasis\local\pairing\token;
use local_nagasis\local\signin\signin;
use local_nagasis\local\state;
use local_nagasis\local\tool\client;
use local_nagasis\local\tool\refused;
use local_nagasis\local\tool\unreachable;

/**
 * Brings events to the tool, batch after batch, and removes what it holds. To be used by the one who holds the outbox's lock.
 *
 * It may be killed at any moment: what was sent and not removed is sent again, and the tool stores each event once.
 */
final class courier {
    /** @var string Where the tool takes events. */
    private const PATH = '/api/v1/moodle/events';

    /** @var int Events of one batch. */
    private const MAX_EVENTS = 1000;

    /** @var int Events that get their numbers at once: more than a batch would keep them from being thinned. */
    private const NUMBERED_AHEAD = 2000;

    /** @var int The shortest batch that a slow tool is sent. */
    private const MIN_EVENTS = 20;

    /** @var float When to stop, by the monotonic clock. */
    private readonly float $deadline;

    /** @var int Events of the next batch. */
    private int $size = self::MAX_EVENTS;

    /** @var int Up to this number there is an event that the tool refuses; 0 if none is known. */
    private int $suspectuntil = 0;

    /** @var bool Whether this run has begun a new epoch. Twice in one run would be for ever. */
    private bool $restarted = false;

    /** @var int What waits, counted once a run. */
    private int $backlog = 0;

    /** @var array What is reported. */
    private array $report = ['sent' => 0, 'setaside' => 0, 'error' => null];

    /**
     * Constructor.
     *
     * @param int $seconds how long to go on
     */
    public function __construct(int $seconds) {
        $this->deadline = hrtime(true) / 1e9 + $seconds;
    }

    /**
     * Sends until nothing waits, something fails or the time is over.
     *
     * @param bool $greet whether to send an empty batch if nothing waits
     * @return array{sent: int, setaside: int, error: string|null}
     */
    public function run(bool $greet = false): array {
        outbox::epoch();
        $this->size = (int) (state::get('sendsize') ?? self::MAX_EVENTS);
        $this->backlog = outbox::backlog()['count'];
        do {
            $facts = state::get_many(['epoch', 'lastseq', 'heldseq', 'heldid', 'paused', 'senderror', 'sendsize']);
            if ($facts['paused']) {
                break;
            }
            $rows = $this->next_rows((int) $facts['heldseq']);
            if (!$rows && !$greet) {
                break;
            }
            // Numbers may have been given just now.
            $facts['lastseq'] = state::get('lastseq');
            $known = $this->restarted;
            $goon = $this->send($rows, $facts);
            // A new life of the outbox is told of, also where nothing waits.
            $greet = $this->restarted && !$known;
        } while ($goon && ($rows || $greet) && hrtime(true) / 1e9 < $this->deadline);
        return $this->report;
    }

    /**
     * The next rows to send, numbered.
     *
     * @param int $held the last number that the tool holds
     * @return \stdClass[]
     */
    private function next_rows(int $held): array {
        $rows = $this->numbered_rows($held);
        if (count($rows) < $this->size && numbering::give(self::NUMBERED_AHEAD)) {
            $rows = $this->numbered_rows($held);
        }
        return $this->without_gaps($rows, $held + 1);
    }

    /**
     * Puts a hole where a numbered row is gone, say because a person's data were deleted.
     *
     * @param \stdClass[] $rows
     * @param int $expected the number that the first of them should have
     * @return \stdClass[] at most one batch
     */
    private function without_gaps(array $rows, int $expected): array {
        $all = [];
        foreach ($rows as $row) {
            for (; $expected < $row->seq && count($all) < $this->size; $expected++) {
                $all[] = batch::hole((string) state::get('epoch'), $expected, (int) $row->timecreated);
            }
            if (count($all) === $this->size) {
                break;
            }
            $all[] = $row;
            $expected++;
        }
        return $all;
    }

    /**
     * Rows that have a number and are not held.
     *
     * @param int $held the last number that the tool holds
     * @return \stdClass[]
     */
    private function numbered_rows(int $held): array {
        global $DB;
        // Both values are named for the sake of the index.
        $select = 'setaside IN (0, 1) AND seq > :held';
        return array_values($DB->get_records_select(
            recorder::TABLE,
            $select,
            ['held' => $held],
            'seq',
            'id, eventid, type, timecreated, userid, actorid, payload, seq, setaside',
            0,
            $this->size,
        ));
    }

    /**
     * Sends one batch.
     *
     * @param \stdClass[] $rows
     * @param array $facts of the state
     * @return bool whether to go on
     */
    private function send(array $rows, array $facts): bool {
        // Never cut a batch short for the end of the run, and never wait long after it.
        $patience = (int) min(30, max(5, $this->deadline - hrtime(true) / 1e9));
        try {
            $message = batch::message($rows, $facts, $this->backlog - count($rows));
            $answer = client::post(self::PATH, $message, true, $patience);
        } catch (refused $refusal) {
            return $this->refused($refusal, $rows);
        } catch (unreachable $problem) {
            if ($problem->reason === 'timeout' && count($rows) > self::MIN_EVENTS) {
                state::set('sendsize', max(self::MIN_EVENTS, intdiv(count($rows), 2)));
            }
            return $this->failed($problem->reason, $problem->getMessage());
        }
        return $this->acknowledged($answer, $rows, $facts);
    }

    /**
     * Removes what the tool holds.
     *
     * @param array $answer of the tool
     * @param \stdClass[] $rows what was sent
     * @param array $facts of the state
     * @return bool whether to go on
     */
    private function acknowledged(array $answer, array $rows, array $facts): bool {
        global $DB;
        $held = $answer['held'] ?? null;
        if (
            !is_int($held) || $held < 0 || $held > (int) $facts['lastseq']
            || ($answer['epoch'] ?? null) !== $facts['epoch']
        ) {
            return $this->failed('garbage', get_string('send_answerunclear', 'local_nagasis'));
        }
        if ($rows && $held < (int) $rows[0]->seq) {
            return $this->failed('not_held', get_string('send_notheld', 'local_nagasis'));
        }
        $transaction = $DB->start_delegated_transaction();
        if ($held > (int) $facts['heldseq']) {
            $last = array_column($rows, 'eventid', 'seq')[$held]
                ?? $DB->get_field(recorder::TABLE, 'eventid', ['seq' => $held], IGNORE_MULTIPLE);
            state::set('heldseq', $held);
            state::set('heldid', $last ?: null);
            $DB->delete_records_select(recorder::TABLE, 'setaside = 0 AND seq <= :held', ['held' => $held]);
        }
        state::set('sentat', \core\di::get(\core\clock::class)->time());
        if ($facts['senderror'] !== null) {
            state::forget('senderror');
        }
        $transaction->allow_commit();

        foreach ($rows as $row) {
            $this->report['sent'] += (int) ($row->seq <= $held && !$row->setaside);
        }
        $this->backlog -= count($rows);
        $this->size_after_success($held, count($rows), $facts['sendsize']);
        if (!empty($answer['renew'])) {
            token::renew_on_request();
        }
        signin::heard($answer['sign_in'] ?? null);
        return true;
    }

    /**
     * How long the next batch may be, now that one was taken.
     *
     * @param int $held
     * @param int $count events of the batch that was taken
     * @param int|null $saved the size that a slow tool was last sent, if it was slow
     */
    private function size_after_success(int $held, int $count, ?int $saved): void {
        $remaining = $this->suspectuntil - $held;
        if ($remaining > 0) {
            // What was refused is in here: halve on.
            $this->size = max(1, intdiv($remaining, 2));
            return;
        }
        $this->suspectuntil = 0;
        $this->size = $saved ?? self::MAX_EVENTS;
        if ($saved !== null && $count >= $saved) {
            $this->size = min(self::MAX_EVENTS, 2 * $saved);
            if ($this->size < self::MAX_EVENTS) {
                state::set('sendsize', $this->size);
            } else {
                state::forget('sendsize');
            }
        }
    }

    /**
     * Does what the tool's refusal asks for.
     *
     * @param refused $refusal
     * @param \stdClass[] $rows what was sent
     * @return bool whether to go on
     */
    private function refused(refused $refusal, array $rows): bool {
        if ($refusal->reason === 'epoch_over' && !$this->restarted) {
            $this->restarted = true;
            $this->suspectuntil = 0;
            numbering::restart();
            return true;
        }
        $isabouttheevents = $refusal->status === 413
            || ($refusal->reason === 'events_invalid' && str_starts_with(ltrim($refusal->field ?? 'events', '/'), 'events'));
        if (!$isabouttheevents || !$rows) {
            return $this->failed($refusal->reason, $refusal->getMessage());
        }
        if (count($rows) > 1) {
            $this->suspectuntil = (int) end($rows)->seq;
            $this->size = intdiv(count($rows), 2);
            return true;
        }
        return $this->lay_aside($rows[0], $refusal);
    }

    /**
     * Sets one event aside. The next batch is the hole in its place alone: only a tool that takes holes has refused an event.
     *
     * @param \stdClass $row
     * @param refused $refusal
     * @return bool whether to go on
     */
    private function lay_aside(\stdClass $row, refused $refusal): bool {
        global $DB;
        $this->size = 1;
        if ($row->setaside) {
            // Even the hole is refused: it was not the event's fault.
            if ($row->id === null) {
                return $this->failed($refusal->reason, $refusal->getMessage());
            }
            $DB->update_record(recorder::TABLE, (object) ['id' => $row->id, 'setaside' => 0, 'reason' => null]);
            $this->report['setaside']--;
            return $this->failed($refusal->reason, $refusal->getMessage());
        }
        $detail = is_string($refusal->problem['detail'] ?? null) ? $refusal->problem['detail'] : '';
        $DB->update_record(recorder::TABLE, (object) [
            'id' => $row->id,
            'setaside' => 1,
            'reason' => \core_text::substr(trim("$refusal->reason $refusal->field: $detail"), 0, 255),
        ]);
        $this->report['setaside']++;
        $this->suspectuntil = (int) $row->seq;
        return true;
    }

    /**
     * Notes why nothing can be sent now.
     *
     * @param string $code
     * @param string $message
     * @return bool false: do not go on
     */
    private function failed(string $code, string $message): bool {
        state::set('senderror', [
            'at' => \core\di::get(\core\clock::class)->time(),
            'code' => $code,
            'message' => \core_text::substr($message, 0, 1000),
        ]);
        $this->report['error'] = $code;
        return false;
    }
}
