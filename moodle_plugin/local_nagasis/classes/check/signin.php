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
 * Whether people can sign in by the school's provider.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\check;

use core\check\result;
use local_nagasis\local\signin\links;
use local_nagasis\local\state;

/**
 * Whether people can sign in by the school's provider.
 */
final class signin extends naga_check {
    /**
     * Whether the tool has said by what people sign in.
     *
     * @return bool
     */
    public static function concerns(): bool {
        return (string) get_config('local_nagasis', 'signinurl') !== '' || state::get('signinerror') !== null;
    }

    #[\Override]
    public function get_result(): result {
        $problem = state::get('signinerror')['message'] ?? '';
        if ($problem !== '') {
            return $this->finding(result::ERROR, 'failed', null, [$problem]);
        }
        $url = (string) get_config('local_nagasis', 'signinurl');
        return links::issuer() === null
            ? $this->finding(result::ERROR, 'off', $url)
            : $this->finding(result::OK, 'ok', $url);
    }
}
