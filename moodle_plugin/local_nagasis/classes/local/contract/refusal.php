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
 * A document, or a part of it, that cannot be done.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\contract;

/**
 * Why a document, or one person of a roster, cannot be done. Nothing of it has been changed.
 */
final class refusal extends \Exception {
    /** @var string Stable code, documented in the contract. */
    public readonly string $reason;

    /** @var string|null JSON pointer into the document. */
    public readonly ?string $field;

    /**
     * Constructor.
     *
     * @param string $reason stable code; the words are the language string "refused_<code>"
     * @param string|null $field JSON pointer into the document
     * @param array $a values for the words
     */
    public function __construct(string $reason, ?string $field = null, array $a = []) {
        $this->reason = $reason;
        $this->field = $field;
        parent::__construct(get_string('refused_' . $reason, 'local_nagasis', (object) $a));
    }

    /**
     * The refusal as it stands in a result.
     *
     * @return array{result: string, code: string, field: string|null, message: string}
     */
    public function as_result(): array {
        return ['result' => 'refused', 'code' => $this->reason, 'field' => $this->field, 'message' => $this->getMessage()];
    }
}
