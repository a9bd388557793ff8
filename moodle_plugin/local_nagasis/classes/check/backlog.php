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
 * Whether events reach the tool in time.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\check;

use core\check\result;
use local_nagasis\local\outbox\outbox;
use local_nagasis\local\state;

/**
 * How many events wait, and how long the oldest has been waiting.
 */
final class backlog extends naga_check {
    /** @var int Seconds. */
    private const WARNING = 10 * MINSECS;

    /** @var int Seconds. */
    private const ERROR = HOURSECS;

    #[\Override]
    public function get_result(): result {
        ['count' => $count, 'oldest' => $oldest] = outbox::backlog();
        $facts = state::get_many(['paused', 'senderror', 'sentat']);
        $age = $oldest === null ? 0 : max(0, self::now() - $oldest);
        $limit = (int) get_config('local_nagasis', 'outboxlimit') ?: outbox::LIMIT;
        $a = (object) ['count' => $count, 'age' => format_time($age), 'limit' => $limit];
        $details = [];
        if ($facts['senderror']) {
            $details[] = userdate($facts['senderror']['at']) . ': ' . $facts['senderror']['message'];
        }
        if ($facts['sentat']) {
            $details[] = get_string('checkbacklog_sentat', 'local_nagasis', userdate($facts['sentat']));
        }
        if ($facts['paused']) {
            return $this->finding($age > DAYSECS ? result::ERROR : result::WARNING, 'paused', $a, $details);
        }
        if ($count >= $limit) {
            return $this->finding(result::ERROR, 'full', $a, $details);
        }
        if ($age > self::WARNING) {
            return $this->finding($age > self::ERROR ? result::ERROR : result::WARNING, 'late', $a, $details);
        }
        if ($facts['senderror']) {
            return $this->finding(result::WARNING, 'failing', $a, $details);
        }
        return $this->finding(result::OK, $count ? 'some' : 'ok', $a, $details);
    }
}
