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
 * What the tool says of itself.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\pairing;

use local_nagasis\local\contract\contract;
use local_nagasis\local\tool\client;

/**
 * What the tool says of itself before anything is done; an administrator confirms it.
 */
final class offer {
    /** @var string[] Addresses that must be the tool's own. */
    private const ADDRESSES = ['login_url', 'launch_url', 'keys_url'];

    /** @var int The version of the contract that will be spoken. */
    public readonly int $contract;

    /** @var string */
    public readonly string $toolname;

    /** @var string The tool's public address, without a slash at its end. */
    public readonly string $toolurl;

    /** @var int When the code ends, in seconds since 1970. */
    public readonly int $expiresat;

    /** @var string Where an LTI launch begins. */
    public readonly string $loginurl;

    /** @var string Where it ends. */
    public readonly string $launchurl;

    /** @var string Where the tool's public keys are. */
    public readonly string $keysurl;

    /** @var string The provider at which people will sign in; empty: none is known. */
    public readonly string $signinurl;

    /**
     * Constructor.
     *
     * @param array $said the tool's answer
     * @param int $contract the version that both speak
     */
    private function __construct(array $said, int $contract) {
        $this->contract = $contract;
        $this->toolname = \core_text::substr(trim(clean_param($said['tool_name'], PARAM_NOTAGS)), 0, 100) ?: 'Naga SIS';
        $this->toolurl = rtrim($said['tool_url'], '/');
        $this->expiresat = $said['expires_at'];
        $this->loginurl = $said['login_url'];
        $this->launchurl = $said['launch_url'];
        $this->keysurl = $said['keys_url'];
        $signin = is_string($said['sign_in_url'] ?? null) ? rtrim($said['sign_in_url'], '/') : '';
        // It is shown, and nothing more: what is set up comes signed, when this Moodle is connected.
        $this->signinurl = strlen($signin) <= 500 && clean_param($signin, PARAM_URL) === $signin ? $signin : '';
    }

    /**
     * Asks the tool. Changes nothing, there or here.
     *
     * @param code $code
     * @return self
     * @throws \moodle_exception pairotheraddress, pairbadoffer, contractunsupported; or the tool's refusal
     */
    public static function ask(code $code): self {
        global $CFG;
        $asked = ['secret' => $code->secret, 'url' => $CFG->wwwroot];
        $said = client::at($code->toolurl)->send('/api/v1/moodle/offer', $asked, false);
        return self::from($said, $code->toolurl);
    }

    /**
     * Checks an answer.
     *
     * @param array $said
     * @param string $toolurl whom we asked
     * @return self
     * @throws \moodle_exception
     */
    public static function from(array $said, string $toolurl): self {
        $contracts = $said['contracts'] ?? null;
        if (!is_array($contracts) || !is_int($said['expires_at'] ?? null)) {
            throw new \moodle_exception('pairbadoffer', 'local_nagasis', '', 'contracts, expires_at');
        }
        foreach (['tool_name', 'tool_url', ...self::ADDRESSES] as $field) {
            if (!is_string($said[$field] ?? null) || $said[$field] === '' || strlen($said[$field]) > 1000) {
                throw new \moodle_exception('pairbadoffer', 'local_nagasis', '', $field);
            }
        }
        $common = array_intersect(contract::SUPPORTED, $contracts);
        if (!$common) {
            $highest = max([0, ...array_filter($contracts, 'is_int')]);
            contract::require_supported($highest);
        }
        if (rtrim($said['tool_url'], '/') !== $toolurl) {
            throw new \moodle_exception('pairotheraddress', 'local_nagasis', '', (object) [
                'asked' => $toolurl,
                'said' => $said['tool_url'],
            ]);
        }
        foreach (self::ADDRESSES as $field) {
            // A code must not make this Moodle send people, or trust keys, elsewhere.
            if (!str_starts_with($said[$field], $toolurl . '/') || clean_param($said[$field], PARAM_URL) !== $said[$field]) {
                throw new \moodle_exception('pairbadoffer', 'local_nagasis', '', $field);
            }
        }
        return new self($said, max($common));
    }
}
