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
 * Signs requests to the tool.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\tool;

use Firebase\JWT\JWT;
use mod_lti\local\ltiopenid\jwks_helper;

/**
 * Signs requests with Moodle's LTI platform key, which the tool trusts since the LTI registration: there is no shared secret.
 */
final class signer {
    /** @var int Seconds for which a request is valid. */
    private const LIFETIME = 60;

    /**
     * The value of the Authorization header for one request.
     *
     * @param string $clientid the tool's client id in this Moodle
     * @param string $url the full address that is called
     * @param string $body the body's bytes, exactly as they are sent
     * @return string
     * @throws unreachable "no_key" if this Moodle has no platform key
     */
    public static function authorization(string $clientid, string $url, string $body): string {
        global $CFG;
        $private = jwks_helper::get_private_key();
        if (empty($private['key']) || empty($private['kid'])) {
            throw new unreachable('no_key', $url);
        }
        $now = \core\di::get(\core\clock::class)->time();
        $claims = [
            'iss' => $CFG->wwwroot,
            'sub' => $clientid,
            'aud' => $url,
            'iat' => $now,
            'exp' => $now + self::LIFETIME,
            'jti' => \core\uuid::generate(),
            'bh' => JWT::urlsafeB64Encode(hash('sha256', $body, true)),
        ];
        return 'Bearer ' . JWT::encode($claims, $private['key'], 'RS256', $private['kid']);
    }
}
