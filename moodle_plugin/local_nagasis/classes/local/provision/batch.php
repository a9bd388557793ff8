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
 * All documents of one call.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

use local_nagasis\local\contract\{contract, refusal, schema};
use local_nagasis\local\echo_guard;
use local_nagasis\local\outbox\recorder;

/**
 * Makes Moodle equal to the documents of one call, or says what would change.
 *
 * Many documents share a transaction, since that is what makes it fast. If one of them fails, all of them are rolled
 * back and done again with a transaction each, so that only the one that fails is refused.
 */
final class batch {
    /** @var array Which class does which kind. */
    private const CLASSES = [
        'category' => category_kind::class,
        'user' => user_kind::class,
        'course' => course_kind::class,
        'roster' => roster_kind::class,
        'gradebook' => gradebook_kind::class,
        'grades' => grades_kind::class,
    ];

    /** @var string[] Refusals that another document of the same call may remove: order does not matter. */
    private const MAY_PASS = [
        'category_missing', 'category_loop', 'shortname_taken', 'username_taken', 'email_taken',
    ];

    /** @var int Documents that share a transaction. */
    private const STRETCH = 200;

    /** @var bool Whether to stop before writing. */
    private readonly bool $dryrun;

    /** @var directory What this call has made so far. */
    private directory $directory;

    /** @var array Results by the position of their documents. */
    private array $results = [];

    /**
     * Constructor.
     *
     * @param bool $dryrun
     */
    private function __construct(bool $dryrun) {
        $this->dryrun = $dryrun;
        $this->directory = new directory();
    }

    /**
     * Does all documents of one call.
     *
     * @param array $documents decoded JSON
     * @param bool $dryrun only say what would change
     * @return array one result for each document, in their order
     */
    public static function run(array $documents, bool $dryrun): array {
        return echo_guard::run(fn() => (new self($dryrun))->all(array_values($documents)));
    }

    /**
     * Does all documents, one kind after the other.
     *
     * @param array $raw
     * @return array
     */
    private function all(array $raw): array {
        $bykind = $this->checked($raw);
        foreach (contract::KINDS as $name) {
            if (!empty($bykind[$name])) {
                $this->one_kind($name, $bykind[$name]);
            }
        }
        ksort($this->results);
        return array_values($this->results);
    }

    /**
     * Checks all documents by the schema, and that no two are for one thing.
     *
     * @param array $raw
     * @return array normalised documents by kind and position
     */
    private function checked(array $raw): array {
        $bykind = [];
        $positions = [];
        foreach ($raw as $position => $document) {
            try {
                $document = schema::document($document);
                $bykind[$document['kind']][$position] = $document;
                // The sign in front keeps a key of digits from becoming a number.
                $positions[$document['kind']]['=' . self::key($document)][] = $position;
            } catch (refusal $refusal) {
                $document = is_scalar($document) || $document === null ? [] : (array) $document;
                $this->settle($position, $document, $refusal->as_result());
            }
        }
        foreach ($positions as $kind => $keys) {
            foreach (array_filter($keys, fn($same) => count($same) > 1) as $same) {
                foreach ($same as $position) {
                    $document = $bykind[$kind][$position];
                    $refusal = new refusal('duplicate_document', null, ['kind' => $kind, 'key' => self::key($document)]);
                    $this->settle($position, $document, $refusal->as_result());
                    unset($bykind[$kind][$position]);
                }
            }
        }
        return $bykind;
    }

    /**
     * Does the documents of one kind, as often as one of them clears the way for another.
     *
     * @param string $name
     * @param array $documents by position
     */
    private function one_kind(string $name, array $documents): void {
        $kind = $this->ready($name, $documents);
        $waiting = $documents;
        do {
            $before = count($waiting);
            foreach (array_chunk($waiting, self::STRETCH, true) as $stretch) {
                $kind = $this->dryrun ? $this->pretend($kind, $stretch) : $this->write($kind, $name, $stretch, $documents);
            }
            $waiting = array_filter($waiting, fn($position) => in_array(
                $this->results[$position]['code'] ?? '',
                self::MAY_PASS,
                true,
            ), ARRAY_FILTER_USE_KEY);
        } while ($waiting && count($waiting) < $before);
    }

    /**
     * A kind that has read what these documents need.
     *
     * @param string $name
     * @param array $documents
     * @return kind
     */
    private function ready(string $name, array $documents): kind {
        $class = self::CLASSES[$name];
        $kind = new $class($this->directory);
        $kind->load(array_values($documents));
        return $kind;
    }

    /**
     * Says what would become of some documents.
     *
     * @param kind $kind
     * @param array $stretch
     * @return kind
     */
    private function pretend(kind $kind, array $stretch): kind {
        foreach ($stretch as $position => $document) {
            try {
                $plan = $kind->plan($document);
                $plan->pretend();
                $this->settle($position, $document, $plan->result);
            } catch (refusal $refusal) {
                $this->settle($position, $document, $refusal->as_result());
            }
        }
        return $kind;
    }

    /**
     * Writes some documents: together if all goes well, else one by one.
     *
     * @param kind $kind
     * @param string $name
     * @param array $stretch by position
     * @param array $documents all of this kind, for reading anew
     * @return kind the one to go on with
     */
    private function write(kind $kind, string $name, array $stretch, array $documents): kind {
        try {
            $this->transaction($kind, $stretch);
            return $kind;
        } catch (\Throwable $reason) {
            $kind = $this->begin_anew($name, $documents, $reason);
        }
        foreach ($stretch as $position => $document) {
            try {
                $this->transaction($kind, [$position => $document]);
            } catch (\Throwable $reason) {
                $kind = $this->begin_anew($name, $documents, $reason);
                failure::record($reason, $name, self::key($document));
                $refusal = $reason instanceof refusal ? $reason : new refusal('failed', null, ['reason' => $reason->getMessage()]);
                $this->settle($position, $document, $refusal->as_result());
            }
        }
        return $kind;
    }

    /**
     * Writes some documents in one transaction, which is only begun when there is something to write.
     *
     * @param kind $kind
     * @param array $stretch by position
     */
    private function transaction(kind $kind, array $stretch): void {
        global $DB;
        $transaction = null;
        $done = [];
        try {
            foreach ($stretch as $position => $document) {
                try {
                    $plan = $kind->plan($document);
                } catch (refusal $refusal) {
                    $done[$position] = $refusal->as_result();
                    continue;
                }
                if ($plan->changes()) {
                    $transaction ??= $DB->start_delegated_transaction();
                    $plan->execute();
                }
                $done[$position] = $plan;
            }
            if ($transaction && $kind instanceof buffered_kind) {
                $kind->flush();
            }
            if ($transaction) {
                recorder::applied();
            }
            $transaction?->allow_commit();
        } catch (\Throwable $reason) {
            if ($transaction && !$transaction->is_disposed()) {
                // Rolls back, and throws the reason again.
                $transaction->rollback($reason);
            }
            throw $reason;
        }
        foreach ($done as $position => $plan) {
            $this->settle($position, $stretch[$position], $plan instanceof plan ? $plan->result : $plan);
        }
    }

    /**
     * Forgets all that was rolled back, and reads anew.
     *
     * @param string $name
     * @param array $documents
     * @param \Throwable $reason why it was rolled back
     * @return kind
     */
    private function begin_anew(string $name, array $documents, \Throwable $reason): kind {
        $this->directory = new directory();
        try {
            failure::forget_caches(in_array($name, ['course', 'roster'], true) ? array_map(self::key(...), $documents) : []);
            return $this->ready($name, $documents);
        } catch (\dml_exception) {
            // The database has gone. No document is to blame, and none can be done: the whole call fails.
            throw $reason;
        }
    }

    /**
     * Keeps the result of one document.
     *
     * @param int $position
     * @param array $document
     * @param array $result
     */
    private function settle(int $position, array $document, array $result): void {
        $kind = $document['kind'] ?? '';
        $this->results[$position] = [
            'kind' => is_string($kind) ? $kind : '',
            'key' => self::key($document),
            'result' => $result['result'],
            'id' => $result['id'] ?? null,
            'changes' => $result['changes'] ?? [],
        ] + $result;
    }

    /**
     * The idnumber by which a document's thing is matched; what is a course's has the course's.
     *
     * @param array $document
     * @return string empty if it has none
     */
    private static function key(array $document): string {
        $ofcourse = in_array($document['kind'] ?? '', ['roster', 'gradebook', 'grades'], true);
        $key = $document[$ofcourse ? 'course' : 'idnumber'] ?? '';
        return is_string($key) ? $key : '';
    }
}
