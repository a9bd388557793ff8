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
 * The tool's reasoned no.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\tool;

/**
 * The tool understood the request and refused it, with a problem document (RFC 9457).
 */
final class refused extends \moodle_exception {
    /** @var int HTTP status. */
    public readonly int $status;

    /** @var string Stable code of the tool, as in the contract. Not Exception::$code, which is a number. */
    public readonly string $reason;

    /** @var string|null Where in the request: a JSON pointer. */
    public readonly ?string $field;

    /** @var array The whole problem document. */
    public readonly array $problem;

    /**
     * Constructor.
     *
     * @param int $status HTTP status
     * @param array $problem the problem document; its "code" is there
     */
    public function __construct(int $status, array $problem) {
        $this->status = $status;
        $this->problem = $problem;
        $this->reason = \core_text::substr((string) $problem['code'], 0, 100);
        $this->field = is_string($problem['field'] ?? null) ? $problem['field'] : null;
        parent::__construct('tool_refused', 'local_nagasis', '', (object) [
            'code' => $this->reason,
            'detail' => is_string($problem['detail'] ?? null) ? \core_text::substr($problem['detail'], 0, 1000) : '',
            'remedy' => is_string($problem['remedy'] ?? null) ? \core_text::substr($problem['remedy'], 0, 1000) : '',
        ]);
    }
}
