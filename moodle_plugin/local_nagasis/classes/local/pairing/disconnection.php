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
 * The end of the connection.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\pairing;

use local_nagasis\local\echo_guard;
use local_nagasis\local\outbox\outbox;
use local_nagasis\local\state;
use local_nagasis\local\tool\client;
use local_nagasis\local\tool\refused;

/**
 * Ends the connection: tells the tool, revokes what it was given, and takes back what pairing has changed.
 */
final class disconnection {
    /** @var string[] Facts and settings that belong to a connection. */
    private const SETTINGS = ['toolurl', 'toolname', 'pairedat', 'clientid'];

    /**
     * Ends the connection. That the tool can't be told holds nothing up: its token no longer works.
     *
     * @param callable|null $progress receives each step of the report as it ends
     * @return array report as that of connection::make(), without checks
     */
    public static function run(?callable $progress = null): array {
        \core_php_time_limit::raise(300);
        $progress ??= fn() => null;
        $current = connection::current();
        $report = [
            'connected' => false,
            'tool' => $current['toolname'] ?? '',
            'url' => $current['toolurl'] ?? '',
            'steps' => [],
            'error' => null,
            'checks' => [],
            'at' => \core\di::get(\core\clock::class)->time(),
        ];
        $lock = connection::lock();
        try {
            echo_guard::run(function () use (&$report, $current, $progress): void {
                foreach (self::work($current !== null) as $name => $work) {
                    $step = self::step($name, $work);
                    $report['steps'][] = $step;
                    $report['error'] ??= $step['result'] === 'failed' ? $step['notes'][0] : null;
                    $progress($step);
                }
            });
        } finally {
            $lock->release();
        }
        return $report;
    }

    /**
     * What is to be done, by name.
     *
     * @param bool $connected
     * @return \Closure[] each returns what was left as it is, and why; null: there was nothing to do
     */
    private static function work(bool $connected): array {
        $work = ['token' => function (): array {
            token::revoke();
            return [];
        }];
        if ($connected) {
            $work = ['tell' => function (): ?array {
                return self::tell();
            }] + $work;
        }
        $work['connection'] = function (): array {
            self::forget();
            return [];
        };
        foreach (array_reverse(steps::to_undo()) as $step) {
            $work[$step->name()] = function () use ($step): ?array {
                $before = journal::all();
                $left = $step->undo();
                return $left || journal::all() !== $before ? $left : null;
            };
        }
        return $work;
    }

    /**
     * Tells the tool.
     *
     * @return array|null null if it knows already
     */
    private static function tell(): ?array {
        try {
            client::post('/api/v1/moodle/unpair', []);
        } catch (refused $e) {
            if (in_array($e->reason, ['site_disconnected', 'site_unknown'], true)) {
                return null;
            }
            throw $e;
        }
        return [];
    }

    /**
     * Does one thing; that it fails does not keep the others from being done.
     *
     * @param string $name
     * @param \Closure $work
     * @return array the step as it stands in the report
     */
    private static function step(string $name, \Closure $work): array {
        try {
            $left = $work();
            $result = $left === null ? 'nothing' : ($left ? 'left' : 'done');
            $left ??= [];
        } catch (\Throwable $e) {
            $left = [$e->getMessage()];
            $result = 'failed';
            if ($name === 'tell') {
                $result = 'left';
                $left[] = get_string('left_tell', 'local_nagasis');
            }
        }
        return ['name' => $name, 'title' => get_string("undo_$name", 'local_nagasis'), 'result' => $result, 'notes' => $left];
    }

    /**
     * Forgets the tool, and what was to be told to it.
     */
    private static function forget(): void {
        foreach (self::SETTINGS as $name) {
            unset_config($name, 'local_nagasis');
        }
        state::forget('checklist');
        state::forget('signinerror');
        // Nobody will ever ask for it, and it says who did what.
        outbox::clear();
    }
}
