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
 * No usable answer from the tool.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\tool;

/**
 * The tool gave no usable answer. Nothing is known of what it did; the same may be tried again later.
 *
 * Reasons: "not_paired", "no_key", "blocked" (by Moodle's own security settings), "tls", "timeout", "connection", "redirected",
 * "busy" (429, 503), "server_error" (other 5xx), "garbage" (whatever answered is not the tool).
 */
final class unreachable extends \moodle_exception {
    /** @var string Stable word for what happened. */
    public readonly string $reason;

    /** @var int HTTP status, 0 if there was no answer. */
    public readonly int $status;

    /**
     * Constructor.
     *
     * @param string $reason one of those above; the words are the language string "tool_<reason>"
     * @param string $url which address was called
     * @param int $status HTTP status, 0 if there was no answer
     * @param string $debuginfo what the HTTP library said
     */
    public function __construct(string $reason, string $url, int $status = 0, string $debuginfo = '') {
        $this->reason = $reason;
        $this->status = $status;
        $a = (object) ['url' => $url, 'status' => $status, 'detail' => $debuginfo];
        parent::__construct('tool_' . $reason, 'local_nagasis', '', $a, $debuginfo);
    }
}
