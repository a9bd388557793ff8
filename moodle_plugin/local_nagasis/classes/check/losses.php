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
 * Whether events were lost.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\check;

use core\check\result;
use local_nagasis\local\state;

/**
 * Whether events could not be recorded, or were forgotten because too many waited.
 */
final class losses extends naga_check {
    #[\Override]
    public function get_result(): result {
        ['captureerror' => $missed, 'thinned' => $thinned] = state::get_many(['captureerror', 'thinned']);
        $details = [];
        if ($missed) {
            $details[] = userdate($missed['at']) . ": $missed[event]: $missed[message]";
        }
        if ($thinned) {
            $details[] = get_string('checklosses_thinned', 'local_nagasis', (object) [
                'count' => $thinned['count'],
                'at' => userdate($thinned['at']),
            ]);
        }
        if ($missed) {
            return $this->finding(result::ERROR, 'missed', $missed['count'], $details);
        }
        return $thinned
            ? $this->finding(result::WARNING, 'some', $thinned['count'], $details)
            : $this->finding(result::OK, 'ok');
    }
}
