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
 * The connection with the tool.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\pairing;

use local_nagasis\local\echo_guard;
use local_nagasis\local\outbox\outbox;
use local_nagasis\local\signin\signin;
use local_nagasis\local\state;
use local_nagasis\local\tool\client;
use local_nagasis\local\tool\refused;
use local_nagasis\local\tool\unreachable;

/**
 * Makes the connection with the tool, and looks whether it works.
 *
 * A report is {"connected", "tool", "url", "steps": [{"name", "title", "result", "notes"}], "error", "checks", "at"}; a step's
 * result is "done", "already", "failed", "left" or "nothing".
 */
final class connection {
    /** @var int Seconds to wait for the tool: it calls this Moodle back before it answers. */
    private const SECONDS = 60;

    /**
     * Whom this Moodle is connected with.
     *
     * @return array{toolurl: string, toolname: string, at: int}|null
     */
    public static function current(): ?array {
        if (!client::paired()) {
            return null;
        }
        $config = get_config('local_nagasis');
        return [
            'toolurl' => $config->toolurl,
            'toolname' => $config->toolname ?? 'Naga SIS',
            'at' => (int) ($config->pairedat ?? 0),
        ];
    }

    /**
     * Whether a pairing was begun that never came to its end: what it has changed is still there.
     *
     * @return bool
     */
    public static function unfinished(): bool {
        return !client::paired() && journal::all();
    }

    /**
     * Refuses what cannot come to a good end, before anything is done: a second tool, a Moodle without HTTPS.
     *
     * @param code $code
     * @throws \moodle_exception pairconnected, pairnohttps
     */
    public static function require_possible(code $code): void {
        global $CFG;
        // The token would go over the network for all to read, and browsers would keep the tool's cookies out of Moodle's pages.
        if (!str_starts_with($CFG->wwwroot, 'https://')) {
            throw new \moodle_exception('pairnohttps', 'local_nagasis', '', $CFG->wwwroot);
        }
        $current = self::current();
        if ($current && $current['toolurl'] !== $code->toolurl) {
            throw new \moodle_exception('pairconnected', 'local_nagasis', '', (object) [
                'tool' => $current['toolname'],
                'url' => $current['toolurl'],
            ]);
        }
    }

    /**
     * Makes the connection, or mends it. Each step is done only where it is needed; the first that fails ends it.
     *
     * @param code $code
     * @param offer $offer
     * @param callable|null $progress receives each step of the report as it ends
     * @return array the report
     */
    public static function make(code $code, offer $offer, ?callable $progress = null): array {
        self::require_possible($code);
        \core_php_time_limit::raise(300);
        $lock = self::lock();
        try {
            return echo_guard::run(fn(): array => self::run($code, $offer, $progress ?? fn() => null));
        } finally {
            $lock->release();
        }
    }

    /**
     * Asks the tool how the connection is: it calls this Moodle back.
     *
     * @return array checks as the tool has found them
     * @throws \moodle_exception the tool's refusal, or no answer
     */
    public static function check(): array {
        $config = get_config('local_nagasis');
        $answer = client::at($config->toolurl, $config->clientid)->send('/api/v1/moodle/check', [], true, self::SECONDS);
        return self::keep_checks($answer);
    }

    /**
     * Nobody pairs, unpairs or renews the token while this is held.
     *
     * @return \core\lock\lock
     * @throws \moodle_exception pairbusy
     */
    public static function lock(): \core\lock\lock {
        $lock = \core\lock\lock_config::get_lock_factory('local_nagasis_pairing')->get_lock('pairing', 10, 600);
        if (!$lock) {
            throw new \moodle_exception('pairbusy', 'local_nagasis');
        }
        return $lock;
    }

    /**
     * Goes through the steps, then tells the tool.
     *
     * @param code $code
     * @param offer $offer
     * @param callable $progress
     * @return array the report
     */
    private static function run(code $code, offer $offer, callable $progress): array {
        $report = [
            'connected' => false,
            'tool' => $offer->toolname,
            'url' => $offer->toolurl,
            'steps' => [],
            'error' => null,
            'checks' => [],
            'at' => \core\di::get(\core\clock::class)->time(),
        ];
        $answer = [];
        foreach (self::work($code, $offer, $answer) as $name => $work) {
            $step = ['name' => $name, 'title' => steps::title($name), 'result' => 'done', 'notes' => []];
            try {
                $step['notes'] = $work();
                $step['result'] = $step['notes'] ? 'done' : 'already';
            } catch (\Throwable $e) {
                $step['result'] = 'failed';
                $step['notes'] = [$e->getMessage()];
                $report['error'] = $e->getMessage();
                if (!$e instanceof \moodle_exception) {
                    // Not one of ours: whoever mends it wants the place. No trace: it would hold parts of the code.
                    debugging("local_nagasis, $name: " . get_class($e) . " in {$e->getFile()}:{$e->getLine()}", DEBUG_DEVELOPER);
                }
            }
            $report['steps'][] = $step;
            $progress($step);
            if ($report['error'] !== null) {
                return $report;
            }
        }
        $report['connected'] = true;
        if (is_array($answer['sign_in'] ?? null)) {
            $report['steps'][] = $step = self::sign_in($answer['sign_in']);
            $progress($step);
        }
        $report['checks'] = self::first_checks($answer);
        return $report;
    }

    /**
     * What is to be done, by name.
     *
     * @param code $code
     * @param offer $offer
     * @param array $answer becomes what the tool answers
     * @return \Closure[] each returns what it has done, in words; nothing: it was done already
     */
    private static function work(code $code, offer $offer, array &$answer): array {
        $work = [];
        foreach (steps::all($offer) as $step) {
            $work[$step->name()] = function () use ($step): array {
                $needed = $step->needed();
                if ($needed) {
                    $step->run();
                }
                return $needed;
            };
        }
        $work['token'] = function () use ($code, $offer, &$answer): array {
            $answer = self::hand_over($code, $offer);
            return [get_string('done_token', 'local_nagasis', $offer->toolname)];
        };
        return $work;
    }

    /**
     * Sets up how people sign in. The connection holds without it: the tool says it again with each answer to events.
     *
     * @param array $said the tool's
     * @return array the step as it stands in the report
     */
    private static function sign_in(array $said): array {
        try {
            $notes = signin::apply($said);
            $result = $notes ? 'done' : 'already';
        } catch (\Throwable $e) {
            $notes = [$e->getMessage(), get_string('left_signinlater', 'local_nagasis')];
            $result = 'left';
        }
        return ['name' => 'signin', 'title' => steps::title('signin'), 'result' => $result, 'notes' => $notes];
    }

    /**
     * Sends the tool all that it needs, and remembers it when the tool has taken it.
     *
     * @param code $code
     * @param offer $offer
     * @return array the tool's answer
     */
    private static function hand_over(code $code, offer $offer): array {
        $lti = (new lti_step($offer))->registration();
        $token = token::offer();
        $request = [
            'contract' => $offer->contract,
            'secret' => $code->secret,
            'url' => $lti['issuer'],
            'name' => self::site_name(),
            'epoch' => outbox::epoch(),
            'lti' => $lti,
            'token' => token::message($token),
            'versions' => versions::all(),
        ];
        $client = client::at($offer->toolurl, $lti['client_id']);
        try {
            $answer = $client->send('/api/v1/moodle/pair', $request, true, self::SECONDS);
        } catch (unreachable $e) {
            // The answer may be what was lost: the same once more gives the same.
            $answer = $client->send('/api/v1/moodle/pair', $request, true, self::SECONDS);
        }
        set_config('toolurl', $offer->toolurl, 'local_nagasis');
        set_config('toolname', $offer->toolname, 'local_nagasis');
        set_config('pairedat', \core\di::get(\core\clock::class)->time(), 'local_nagasis');
        // The last: from here on this Moodle is connected.
        set_config('clientid', $lti['client_id'], 'local_nagasis');
        token::confirm($token);
        state::forget('senderror');
        return $answer;
    }

    /**
     * The checklist to begin with. When the tool called back during pairing, this Moodle did not yet know that it is connected:
     * so it is asked once more.
     *
     * @param array $answer the tool's to pairing
     * @return array checks
     */
    private static function first_checks(array $answer): array {
        try {
            return self::check();
        } catch (unreachable | refused $e) {
            return self::keep_checks($answer);
        }
    }

    /**
     * Keeps the checklist for the status page.
     *
     * @param array $answer the tool's
     * @return array{name: string, status: string, summary: string, details: string}[]
     */
    private static function keep_checks(array $answer): array {
        $checks = [];
        foreach (array_slice(is_array($answer['checks'] ?? null) ? $answer['checks'] : [], 0, 50) as $check) {
            $text = fn(string $field): string => is_string($check[$field] ?? null)
                ? \core_text::substr($check[$field], 0, 2000) : '';
            $checks[] = [
                'name' => $text('name'),
                'status' => in_array($text('status'), ['ok', 'warning', 'error'], true) ? $text('status') : 'unknown',
                'summary' => $text('summary'),
                'details' => $text('details'),
            ];
        }
        state::set('checklist', ['at' => \core\di::get(\core\clock::class)->time(), 'checks' => $checks]);
        return $checks;
    }

    /**
     * The site's name as plain text.
     *
     * @return string
     */
    private static function site_name(): string {
        global $SITE;
        $name = format_string($SITE->fullname, true, ['context' => \context_system::instance(), 'escape' => false]);
        return \core_text::substr(trim($name), 0, 200) ?: 'Moodle';
    }
}
