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
 * Whether the tool takes all events.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\check;

use core\check\result;
use local_nagasis\local\outbox\outbox;

/**
 * Whether there are events that the tool could not take.
 */
final class setaside extends naga_check {
    #[\Override]
    public function get_result(): result {
        $count = outbox::count_set_aside();
        if (!$count) {
            return $this->finding(result::OK, 'ok');
        }
        $reasons = array_unique(array_map(
            fn(\stdClass $row): string => "$row->type: $row->reason",
            outbox::set_aside(20),
        ));
        return $this->finding(result::WARNING, 'some', $count, $reasons);
    }
}
