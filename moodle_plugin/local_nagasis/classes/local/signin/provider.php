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
 * By what people sign in, as the tool says it.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\signin;

defined('MOODLE_INTERNAL') || die();

require_once($CFG->libdir . '/filelib.php');

/**
 * By what people sign in: the client of an OpenID provider that this Moodle is, as the tool says it.
 */
final class provider {
    /** @var string Address of the provider, as it writes it itself; without a slash at its end. */
    public readonly string $issuer;

    /** @var string */
    public readonly string $clientid;

    /** @var string */
    public readonly string $clientsecret;

    /** @var string Where the provider's user info holds a person's key in the SIS. */
    public readonly string $claim;

    /** @var string Another one after each change. */
    public readonly string $revision;

    /**
     * Constructor.
     *
     * @param array $said what the tool says
     * @throws \moodle_exception signinunclear, signinnothttps
     */
    public function __construct(array $said) {
        foreach (['issuer', 'client_id', 'client_secret', 'person_claim', 'revision'] as $field) {
            if (!is_string($said[$field] ?? null) || trim($said[$field]) === '' || strlen($said[$field]) > 1000) {
                throw new \moodle_exception('signinunclear', 'local_nagasis', '', $field);
            }
        }
        $this->issuer = rtrim($said['issuer'], '/');
        $this->clientid = $said['client_id'];
        $this->clientsecret = $said['client_secret'];
        $this->claim = $said['person_claim'];
        $this->revision = $said['revision'];
        // Moodle itself takes no other endpoints: tokens would go over the network for all to read.
        if (!str_starts_with($this->issuer, 'https://')) {
            throw new \moodle_exception('signinnothttps', 'local_nagasis', '', $this->issuer);
        }
        if (clean_param($this->issuer, PARAM_URL) !== $this->issuer) {
            throw new \moodle_exception('signinunclear', 'local_nagasis', '', 'issuer');
        }
    }

    /**
     * Refuses a provider that Moodle could not use, in words that help. Changes nothing.
     *
     * @throws \moodle_exception signinblocked, signincertificate, signinnoanswer, signinother, signinnothttps
     */
    public function require_usable(): void {
        $url = "$this->issuer/.well-known/openid-configuration";
        $curl = new \curl();
        $text = $curl->get($url, null, [
            'CURLOPT_CONNECTTIMEOUT' => 10,
            'CURLOPT_TIMEOUT' => 20,
            // Moodle's curl class does not check certificates by itself, also not when people sign in: so it is done here.
            'CURLOPT_SSL_VERIFYPEER' => 1,
        ]);
        $a = (object) ['url' => $url, 'problem' => $curl->error ?: 'HTTP ' . ($curl->get_info()['http_code'] ?? '?')];
        if ($curl->get_security()->url_is_blocked($url)) {
            throw new \moodle_exception('signinblocked', 'local_nagasis', '', $a);
        }
        // Numbers of libcurl: what has to do with the other's certificate.
        if (in_array($curl->get_errno(), [51, 58, 60, 77, 83, 90, 91], true)) {
            throw new \moodle_exception('signincertificate', 'local_nagasis', '', $a);
        }
        $said = is_string($text) ? json_decode($text, true) : null;
        if ($curl->get_errno() || ($curl->get_info()['http_code'] ?? 0) !== 200 || !is_array($said)) {
            throw new \moodle_exception('signinnoanswer', 'local_nagasis', '', $a);
        }
        if (!is_string($said['issuer'] ?? null) || rtrim($said['issuer'], '/') !== $this->issuer) {
            $a->problem = is_string($said['issuer'] ?? null) ? s($said['issuer']) : '-';
            throw new \moodle_exception('signinother', 'local_nagasis', '', $a);
        }
        foreach (['authorization_endpoint', 'token_endpoint', 'userinfo_endpoint'] as $name) {
            if (!is_string($said[$name] ?? null) || !str_starts_with($said[$name], 'https://')) {
                throw new \moodle_exception('signinnothttps', 'local_nagasis', '', $said[$name] ?? $name);
            }
        }
    }
}
