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
 * Whether the clocks agree.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\check;

use core\check\result;
use local_nagasis\local\health\probe;

/**
 * Whether Moodle's clock and the tool's agree: requests and launches are valid for a minute.
 */
final class clock extends naga_check {
    /** @var int Seconds. */
    private const WARNING = 10;

    /** @var int Seconds. */
    private const ERROR = 45;

    #[\Override]
    public function get_result(): result {
        $probe = probe::recent();
        if (($probe['error']['code'] ?? '') === 'request_expired') {
            return $this->finding(result::ERROR, 'refused', null, [$probe['error']['message']]);
        }
        if ($probe['skew'] === null) {
            return $this->finding(result::UNKNOWN, 'unknown');
        }
        $size = abs($probe['skew']);
        if ($size < self::WARNING) {
            return $this->finding(result::OK, 'ok');
        }
        $word = $probe['skew'] > 0 ? 'behind' : 'ahead';
        return $this->finding($size < self::ERROR ? result::WARNING : result::ERROR, $word, format_time($size));
    }
}
