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
 * Whether the tool can sign in.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\check;

use core\check\result;
use local_nagasis\local\pairing\token as tokens;
use local_nagasis\local\state;

/**
 * Whether the tool's token is valid, and is renewed in time.
 */
final class token extends naga_check {
    /** @var int Renewing begins earlier: less than this is left only where it failed. */
    private const WARNING = 8 * DAYSECS;

    #[\Override]
    public function get_result(): result {
        $expires = tokens::expires_at();
        $problem = state::get('tokenerror')['message'] ?? '';
        $details = $problem === '' ? [] : [$problem];
        if ($expires === null) {
            return $this->finding(result::ERROR, 'none', null, $details);
        }
        $date = userdate($expires);
        $left = $expires - self::now();
        if ($left <= 0) {
            return $this->finding(result::ERROR, 'expired', $date, $details);
        }
        return $left < self::WARNING
            ? $this->finding(result::WARNING, 'late', $date, $details)
            : $this->finding(result::OK, 'ok', $date);
    }
}
