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
 * A real call each way.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\health;

use local_nagasis\local\state;
use local_nagasis\local\tool\client;
use local_nagasis\local\tool\refused;
use local_nagasis\local\tool\unreachable;

/**
 * A real call each way: we ask the tool, and it calls this Moodle back before it answers.
 *
 * A result is {"at", "client" (our id at the tool), "skew" (seconds that the tool's clock is ahead, null if unknown),
 * "error" {"code", "message"} or null, "checks" [{"name", "status", "summary", "details"}]}.
 */
final class probe {
    /** @var int Seconds for which a result is good enough: several checks of one page share it. */
    private const FRESH = 60;

    /** @var int Seconds to wait: an administrator looks at an empty page meanwhile. */
    private const PATIENCE = 20;

    /** @var string Where the last result is kept. */
    private const NAME = 'probe';

    /**
     * A result that is not older than a minute.
     *
     * @return array
     */
    public static function recent(): array {
        $last = self::last();
        $age = self::now() - (int) ($last['at'] ?? 0);
        $current = $last !== null && $last['client'] === (string) get_config('local_nagasis', 'clientid');
        return $current && $age >= 0 && $age < self::FRESH ? $last : self::run();
    }

    /**
     * The last result.
     *
     * @return array|null
     */
    public static function last(): ?array {
        return state::get(self::NAME);
    }

    /**
     * The code of the last result's error.
     *
     * @return string|null
     */
    public static function last_error(): ?string {
        return self::last()['error']['code'] ?? null;
    }

    /**
     * Calls.
     *
     * @return array
     */
    public static function run(): array {
        $config = get_config('local_nagasis');
        $result = ['at' => 0, 'client' => (string) ($config->clientid ?? ''), 'skew' => null, 'error' => null, 'checks' => []];
        $asked = self::now();
        try {
            if (!client::paired()) {
                throw new unreachable('not_paired', '');
            }
            $answer = client::at($config->toolurl, $config->clientid)
                ->send('/api/v1/moodle/check', [], true, self::PATIENCE);
            $result['skew'] = self::skew($answer['now'] ?? null, $asked, self::now());
            $result['checks'] = self::checks($answer['checks'] ?? null);
        } catch (refused | unreachable $problem) {
            $result['error'] = ['code' => $problem->reason, 'message' => $problem->getMessage()];
        }
        $result['at'] = self::now();
        state::set(self::NAME, $result);
        return $result;
    }

    /**
     * How far the tool's clock is ahead, at the least: it was read somewhere between question and answer.
     *
     * @param mixed $theirs
     * @param int $asked
     * @param int $answered
     * @return int|null seconds, negative if it is behind
     */
    private static function skew(mixed $theirs, int $asked, int $answered): ?int {
        if (!is_int($theirs) && !is_float($theirs)) {
            return null;
        }
        return (int) ($theirs > $answered ? $theirs - $answered : min(0, $theirs - $asked));
    }

    /**
     * The tool's findings, whatever it has sent.
     *
     * @param mixed $raw
     * @return array[]
     */
    private static function checks(mixed $raw): array {
        $checks = [];
        foreach (array_slice(is_array($raw) ? $raw : [], 0, 50) as $check) {
            $text = fn(string $name): string => is_string($check[$name] ?? null)
                ? \core_text::substr($check[$name], 0, 1000) : '';
            $checks[] = [
                'name' => $text('name'),
                'status' => in_array($text('status'), ['ok', 'warning', 'error'], true) ? $text('status') : 'unknown',
                'summary' => $text('summary'),
                'details' => $text('details'),
            ];
        }
        return $checks;
    }

    /**
     * The time.
     *
     * @return int seconds since 1970
     */
    private static function now(): int {
        return \core\di::get(\core\clock::class)->time();
    }
}
