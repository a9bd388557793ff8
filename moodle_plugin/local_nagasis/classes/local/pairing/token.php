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
 * The token of the service user.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\pairing;

use local_nagasis\local\state;
use local_nagasis\local\tool\client;

/**
 * The token with which the tool calls this Moodle. It ends after a month, and is renewed before. A new one counts when the tool
 * has said that it has it; only then the others are removed. So there is no moment at which the tool has none that works.
 */
final class token {
    /** @var int Seconds for which a token works. */
    public const LIFETIME = 30 * DAYSECS;

    /** @var int Seconds before its end from which on it is renewed. */
    public const RENEW_BEFORE = 10 * DAYSECS;

    /** @var string Id of the token that the tool is known to have. */
    private const CONFIRMED = 'tokenid';

    /** @var string When the tool last asked for a new one. */
    private const ASKED = 'tokenasked';

    /** @var int Seconds before the tool is listened to again. */
    private const ASKED_AGAIN = 600;

    /**
     * A token to hand over: one that was made and never confirmed, or a new one.
     *
     * @return \stdClass row of external_tokens
     */
    public static function offer(): \stdClass {
        global $DB;
        $fresh = self::now() + self::LIFETIME - DAYSECS;
        $confirmed = (int) state::get(self::CONFIRMED);
        foreach (self::all() as $token) {
            // The answer to an earlier attempt may have been lost: the same token again, not ever more of them.
            if ((int) $token->id !== $confirmed && $token->validuntil > $fresh) {
                return $token;
            }
        }
        return $DB->get_record('external_tokens', ['id' => self::create()], '*', MUST_EXIST);
    }

    /**
     * A token as it stands in messages to the tool.
     *
     * @param \stdClass $token
     * @return array
     */
    public static function message(\stdClass $token): array {
        return ['token' => $token->token, 'expires_at' => (int) $token->validuntil];
    }

    /**
     * The tool has this token: the others are removed.
     *
     * @param \stdClass $token
     */
    public static function confirm(\stdClass $token): void {
        state::set(self::CONFIRMED, (int) $token->id);
        state::forget('tokenerror');
        self::remove(fn(\stdClass $other): bool => $other->id !== $token->id);
    }

    /**
     * When the tool's token ends.
     *
     * @return int|null seconds since 1970; null if it has none
     */
    public static function expires_at(): ?int {
        global $DB;
        $id = (int) state::get(self::CONFIRMED);
        $until = $id ? $DB->get_field('external_tokens', 'validuntil', ['id' => $id]) : false;
        return $until === false ? null : (int) $until;
    }

    /**
     * Makes a new token in time, and hands it over. What went wrong is kept as the fact "tokenerror"; the next run tries again.
     *
     * @return bool whether the tool has a new one
     */
    public static function renew_if_due(): bool {
        $expires = self::expires_at();
        if (!client::paired() || ($expires !== null && $expires > self::now() + self::RENEW_BEFORE)) {
            return false;
        }
        return self::hand_over();
    }

    /**
     * Makes a new token because the tool says that Moodle refuses the one that it has. Not more often than every ten minutes:
     * where another reason stands behind the refusal, new tokens would not help.
     *
     * @return bool whether the tool has a new one
     */
    public static function renew_on_request(): bool {
        if (self::now() - (int) state::get(self::ASKED) < self::ASKED_AGAIN) {
            return false;
        }
        state::set(self::ASKED, self::now());
        return self::hand_over();
    }

    /**
     * Gives the tool a new token.
     *
     * @return bool whether it has it
     */
    private static function hand_over(): bool {
        $lock = connection::lock();
        try {
            $token = self::offer();
            client::post('/api/v1/moodle/token', ['token' => self::message($token)]);
            self::confirm($token);
            return true;
        } catch (\local_nagasis\local\tool\unreachable | \local_nagasis\local\tool\refused $e) {
            state::set('tokenerror', ['at' => self::now(), 'code' => $e->reason, 'message' => $e->getMessage()]);
            mtrace($e->getMessage());
            return false;
        } finally {
            $lock->release();
        }
    }

    /**
     * Removes all tokens of our service, whoever made them.
     */
    public static function revoke(): void {
        self::remove(fn(): bool => true);
        state::forget(self::CONFIRMED);
        state::forget(self::ASKED);
        state::forget('tokenerror');
    }

    /**
     * Tokens of our service, the newest first.
     *
     * @return \stdClass[]
     */
    private static function all(): array {
        global $DB;
        return $DB->get_records('external_tokens', ['externalserviceid' => services_step::service()->id], 'id DESC');
    }

    /**
     * Removes tokens.
     *
     * @param callable $which says of each whether it goes
     */
    private static function remove(callable $which): void {
        global $DB;
        $gone = array_filter(self::all(), $which);
        $DB->delete_records_list('external_tokens', 'id', array_column($gone, 'id'));
    }

    /**
     * Makes a token.
     *
     * @return int its id
     */
    private static function create(): int {
        global $DB, $SESSION;
        $user = user_step::find();
        if (!$user) {
            throw new \moodle_exception('pairnouser', 'local_nagasis');
        }
        $token = \core_external\util::generate_token(
            EXTERNAL_TOKEN_PERMANENT,
            services_step::service(),
            (int) $user->id,
            \context_system::instance(),
            self::now() + self::LIFETIME,
            '',
            'Naga SIS',
        );
        // Moodle would show it to the administrator on the next page about tokens.
        unset($SESSION->webservicenewlycreatedtoken);
        $id = (int) $DB->get_field('external_tokens', 'id', ['token' => $token], MUST_EXIST);
        // Moodle's own tokens are a hash of the time of day and a number of 32 bits.
        $DB->set_field('external_tokens', 'token', bin2hex(random_bytes(32)), ['id' => $id]);
        return $id;
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
