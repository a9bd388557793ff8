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
 * A pairing code.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\pairing;

/**
 * What an administrator copies from the tool: "naga1." and base64url of {"u": tool's address, "s": secret}, then "." and the first
 * 6 hexadecimal characters of the SHA-256 of what is before, so that a code that was cut is told apart from one that is unknown.
 */
final class code {
    /** @var string How every code of this form begins. */
    private const PREFIX = 'naga1.';

    /** @var string The tool's public address, without a slash at its end. */
    public readonly string $toolurl;

    /** @var string What the tool knows the code by. */
    public readonly string $secret;

    /**
     * Constructor.
     *
     * @param string $toolurl
     * @param string $secret
     */
    private function __construct(string $toolurl, string $secret) {
        $this->toolurl = $toolurl;
        $this->secret = $secret;
    }

    /**
     * Reads a code. White space anywhere in it is forgiven: mail programs break long lines.
     *
     * @param string $text what was pasted
     * @return self
     * @throws \moodle_exception pairnotacode, paircodecut, pairnotool
     */
    public static function parse(string $text): self {
        $text = preg_replace('/[\s\x{200B}\x{FEFF}]+/u', '', $text) ?? '';
        if (!str_starts_with($text, self::PREFIX)) {
            throw new \moodle_exception('pairnotacode', 'local_nagasis');
        }
        $end = strrpos($text, '.');
        $before = substr($text, 0, $end);
        if (strlen($before) < strlen(self::PREFIX) || !hash_equals(self::checksum($before), substr($text, $end + 1))) {
            throw new \moodle_exception('paircodecut', 'local_nagasis');
        }
        $packed = strtr(substr($before, strlen(self::PREFIX)), '-_', '+/');
        $said = json_decode((string) base64_decode($packed, true), true);
        $url = is_string($said['u'] ?? null) ? rtrim($said['u'], '/') : '';
        $secret = is_string($said['s'] ?? null) ? $said['s'] : '';
        if (strlen($secret) < 20 || strlen($secret) > 100) {
            throw new \moodle_exception('pairnotacode', 'local_nagasis');
        }
        self::require_address($url);
        return new self($url, $secret);
    }

    /**
     * The characters at the end of a code.
     *
     * @param string $before what is before them
     * @return string
     */
    private static function checksum(string $before): string {
        return substr(hash('sha256', $before), 0, 6);
    }

    /**
     * Refuses what is not an address of a tool. Never plain HTTP, but to this very machine: a token will be sent there.
     *
     * @param string $url
     * @throws \moodle_exception pairnotool
     */
    private static function require_address(string $url): void {
        $parts = parse_url($url) ?: [];
        $extra = array_diff(array_keys($parts), ['scheme', 'host', 'port', 'path']);
        $safe = ($parts['scheme'] ?? '') === 'https'
            || (($parts['scheme'] ?? '') === 'http' && ($parts['host'] ?? '') === '127.0.0.1');
        if (!$safe || empty($parts['host']) || $extra || strlen($url) > 500) {
            throw new \moodle_exception('pairnotool', 'local_nagasis', '', \core_text::substr($url, 0, 200));
        }
    }
}
