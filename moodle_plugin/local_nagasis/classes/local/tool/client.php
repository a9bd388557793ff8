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
 * Calls the tool.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\tool;

use local_nagasis\local\contract\contract;

defined('MOODLE_INTERNAL') || die();

require_once($CFG->libdir . '/filelib.php');

/**
 * The one door to the tool. JSON in and out, gzip, signed; certificates are always checked and redirects never followed.
 *
 * Uses Moodle's curl class: it honours the site's proxy, blocked hosts and certificate bundle.
 */
final class client {
    /** @var int Seconds to wait for a connection. */
    private const CONNECT_SECONDS = 10;

    /** @var int Bytes of an answer that are read; the tool's are far smaller. */
    private const MAX_ANSWER = 1048576;

    /** @var string The tool's public address, without a slash at its end. */
    private readonly string $toolurl;

    /** @var string The tool's client id in this Moodle. */
    private readonly string $clientid;

    /**
     * Constructor.
     *
     * @param string $toolurl the tool's public address
     * @param string $clientid the tool's client id in this Moodle; needed for signed requests
     */
    private function __construct(string $toolurl, string $clientid) {
        $this->toolurl = rtrim($toolurl, '/');
        $this->clientid = $clientid;
    }

    /**
     * A client for a tool that is not paired, or not yet.
     *
     * @param string $toolurl the tool's public address
     * @param string $clientid the tool's client id in this Moodle; needed for signed requests
     * @return self
     */
    public static function at(string $toolurl, string $clientid = ''): self {
        return new self($toolurl, $clientid);
    }

    /**
     * Whether there is a tool to call.
     *
     * @return bool
     */
    public static function paired(): bool {
        return (string) get_config('local_nagasis', 'toolurl') !== ''
            && (string) get_config('local_nagasis', 'clientid') !== '';
    }

    /**
     * Posts to the paired tool.
     *
     * @param string $path from /api/ on
     * @param array $body what to send; "contract" is added
     * @param bool $signed whether to sign it
     * @param int $seconds to wait for the whole answer
     * @return array the decoded answer
     * @throws unreachable no usable answer
     * @throws refused the tool said no
     */
    public static function post(string $path, array $body, bool $signed = true, int $seconds = 30): array {
        if (!self::paired()) {
            throw new unreachable('not_paired', '');
        }
        $config = get_config('local_nagasis');
        return self::at($config->toolurl, $config->clientid)->send($path, $body, $signed, $seconds);
    }

    /**
     * Posts to this tool.
     *
     * @param string $path from /api/ on
     * @param array $body what to send; "contract" is added
     * @param bool $signed whether to sign it
     * @param int $seconds to wait for the whole answer
     * @return array the decoded answer
     * @throws unreachable no usable answer
     * @throws refused the tool said no
     */
    public function send(string $path, array $body, bool $signed = true, int $seconds = 30): array {
        $url = $this->toolurl . $path;
        $json = json_encode(
            $body + ['contract' => contract::VERSION],
            JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES,
        );
        $packed = gzencode($json);
        $headers = [
            'Content-Type: application/json',
            'Content-Encoding: gzip',
            'Accept: application/json, application/problem+json',
            // Without this, libcurl asks first whether it may send a large body, and waits for an answer.
            'Expect:',
        ];
        if ($signed) {
            $headers[] = 'Authorization: ' . signer::authorization($this->clientid, $url, $packed);
        }
        [$status, $answer] = $this->exchange($url, $packed, $headers, $seconds);
        return $this->understand($url, $status, $answer);
    }

    /**
     * Sends and receives bytes.
     *
     * @param string $url
     * @param string $packed the body
     * @param string[] $headers
     * @param int $seconds to wait for the whole answer
     * @return array{int, string} HTTP status and body
     * @throws unreachable nothing, or too much, came back
     */
    private function exchange(string $url, string $packed, array $headers, int $seconds): array {
        $answer = '';
        $curl = new \curl();
        $curl->setHeader($headers);
        $curl->post($url, $packed, [
            'CURLOPT_CONNECTTIMEOUT' => self::CONNECT_SECONDS,
            'CURLOPT_TIMEOUT' => $seconds,
            'CURLOPT_FOLLOWLOCATION' => 0,
            // Moodle's curl class does not check certificates by itself.
            'CURLOPT_SSL_VERIFYPEER' => 1,
            // Counted after unpacking, so that a small answer cannot become a large one.
            'CURLOPT_WRITEFUNCTION' => function ($handle, string $chunk) use (&$answer): int {
                $answer .= $chunk;
                return strlen($answer) > self::MAX_ANSWER ? 0 : strlen($chunk);
            },
        ]);
        $status = (int) ($curl->get_info()['http_code'] ?? 0);
        $errno = $curl->get_errno();
        if ($errno || $curl->error || !$status) {
            throw new unreachable($this->reason_of($errno), $url, $status, (string) $curl->error);
        }
        return [$status, $answer];
    }

    /**
     * Turns an answer into what the tool said.
     *
     * @param string $url
     * @param int $status
     * @param string $answer
     * @return array
     * @throws unreachable
     * @throws refused
     */
    private function understand(string $url, int $status, string $answer): array {
        $decoded = json_decode($answer, true, 32);
        if ($status >= 200 && $status < 300) {
            if (!is_array($decoded) || ($decoded !== [] && array_is_list($decoded))) {
                throw new unreachable('garbage', $url, $status);
            }
            return $decoded;
        }
        $code = is_array($decoded) && is_string($decoded['code'] ?? null) ? $decoded['code'] : '';
        if ($status === 429 || $status === 503 || $status === 408 || $status === 425) {
            throw new unreachable('busy', $url, $status, $code);
        }
        if ($status >= 500) {
            throw new unreachable('server_error', $url, $status, $code);
        }
        if ($status === 413 && $code === '') {
            // A proxy before the tool says so, in its own words.
            throw new refused($status, ['code' => 'too_large', 'detail' => 'HTTP 413']);
        }
        if ($status >= 400 && $code !== '') {
            throw new refused($status, $decoded);
        }
        throw new unreachable($status >= 300 && $status < 400 ? 'redirected' : 'garbage', $url, $status);
    }

    /**
     * The word for an error of the HTTP library.
     *
     * @param int $errno
     * @return string
     */
    private function reason_of(int $errno): string {
        return match ($errno) {
            // No error number, and no answer either: Moodle's own security settings have forbidden the call.
            0 => 'blocked',
            CURLE_OPERATION_TIMEDOUT => 'timeout',
            CURLE_SSL_CONNECT_ERROR, CURLE_SSL_PEER_CERTIFICATE, CURLE_SSL_CACERT, CURLE_SSL_CACERT_BADFILE => 'tls',
            CURLE_WRITE_ERROR, CURLE_BAD_CONTENT_ENCODING => 'garbage',
            default => 'connection',
        };
    }
}
