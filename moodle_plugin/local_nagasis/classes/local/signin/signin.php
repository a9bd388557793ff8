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
 * Keeps the sign-in as the tool says it.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\signin;

use local_nagasis\local\echo_guard;
use local_nagasis\local\pairing\connection;
use local_nagasis\local\pairing\signin_step;
use local_nagasis\local\state;
use local_nagasis\local\tool\client;

/**
 * Keeps the sign-in as the tool says it. What went wrong is the fact "signinerror": everything else goes on without it.
 */
final class signin {
    /** @var string When it was last tried. */
    private const TRIED = 'signintried';

    /** @var int Seconds after which it is tried again. */
    private const AGAIN = 600;

    /**
     * Sets up what the tool says.
     *
     * @param array $said
     * @return string[] what was done, in words
     * @throws \moodle_exception
     */
    public static function apply(array $said): array {
        state::set(self::TRIED, self::now());
        try {
            $provider = new provider($said);
            $step = new signin_step($provider);
            $needed = $step->needed();
            if ($needed) {
                $step->run();
            }
            set_config('signinrevision', $provider->revision, 'local_nagasis');
            state::forget('signinerror');
            return $needed;
        } catch (\Throwable $e) {
            state::set('signinerror', ['at' => self::now(), 'message' => $e->getMessage()]);
            throw $e;
        }
    }

    /**
     * Fetches from the tool what this Moodle does not have yet. Not more often than every ten minutes where it fails.
     *
     * @param mixed $revision the tool's
     */
    public static function heard(mixed $revision): void {
        if (!is_string($revision) || $revision === '' || $revision === get_config('local_nagasis', 'signinrevision')) {
            return;
        }
        $failed = state::get('signinerror') !== null;
        if ($failed && self::now() - (int) state::get(self::TRIED) < self::AGAIN) {
            return;
        }
        self::fetch();
    }

    /**
     * Links accounts that have been given an ID number by hand.
     */
    public static function maintain(): void {
        $issuer = links::issuer();
        if ($issuer !== null) {
            links::mend($issuer);
        }
    }

    /**
     * Fetches it, and sets it up.
     */
    private static function fetch(): void {
        try {
            $lock = connection::lock();
        } catch (\moodle_exception $e) {
            // Somebody pairs, and gets it by that.
            return;
        }
        try {
            state::set(self::TRIED, self::now());
            $said = client::post('/api/v1/moodle/sign-in', [])['sign_in'] ?? null;
            if (is_array($said)) {
                echo_guard::run(fn(): array => self::apply($said));
            }
        } catch (\Throwable $e) {
            state::set('signinerror', ['at' => self::now(), 'message' => $e->getMessage()]);
            mtrace($e->getMessage());
        } finally {
            $lock->release();
        }
    }

    /**
     * Now.
     *
     * @return int seconds since 1970
     */
    private static function now(): int {
        return \core\di::get(\core\clock::class)->time();
    }
}
