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
 * What the status page shows.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\output;

use core\check\check;
use local_nagasis\check\checks;
use local_nagasis\local\outbox\outbox;
use local_nagasis\local\state;
use local_nagasis\local\tool\client;

/**
 * What the status page shows, for its template.
 */
final class status_page implements \renderable, \templatable {
    /** @var int Events that are listed at once. */
    private const LISTED = 100;

    /**
     * All that the template needs.
     *
     * @param \renderer_base $output
     * @return array
     */
    public function export_for_template(\renderer_base $output): array {
        $paired = client::paired();
        return [
            'paired' => $paired,
            'pairurl' => (new \moodle_url('/local/nagasis/pair.php'))->out(false),
            'action' => (new \moodle_url('/local/nagasis/index.php'))->out(false),
            'sesskey' => sesskey(),
            'checks' => array_map(fn(check $check): array => $this->check($check, $output), checks::all()),
            'events' => $paired ? $this->events() : null,
        ];
    }

    /**
     * One check.
     *
     * @param check $check
     * @param \renderer_base $output
     * @return array
     */
    private function check(check $check, \renderer_base $output): array {
        $result = $check->get_result();
        $summary = $result->get_summary();
        $link = $check->get_action_link();
        $here = (new \moodle_url('/local/nagasis/index.php'))->out_omit_querystring();
        return [
            'id' => $check->get_id(),
            'badge' => $output->check_result($result),
            'summary' => $summary,
            'details' => $result->get_details() === $summary ? '' : $result->get_details(),
            'link' => $link && $link->url->out_omit_querystring() !== $here
                ? ['url' => $link->url->out(false), 'text' => $link->text] : null,
        ];
    }

    /**
     * Events that wait, that were set aside, that were lost.
     *
     * @return array
     */
    private function events(): array {
        $facts = state::get_many(['epoch', 'lastseq', 'heldseq', 'paused', 'senderror', 'sentat', 'captureerror', 'thinned']);
        $backlog = outbox::backlog();
        $setaside = outbox::count_set_aside();
        $lines = [];
        $add = function (string $name, string $value) use (&$lines): void {
            $lines[] = ['name' => get_string("status_$name", 'local_nagasis'), 'value' => $value];
        };
        $add('waiting', (string) $backlog['count']);
        if ($backlog['oldest'] !== null) {
            $add('oldest', userdate($backlog['oldest']));
        }
        $add('sentat', $facts['sentat'] ? userdate($facts['sentat']) : get_string('never'));
        $add('held', (string) (int) $facts['heldseq']);
        if ($facts['senderror']) {
            $add('lasterror', userdate($facts['senderror']['at']) . ': ' . $facts['senderror']['message']);
        }
        if ($facts['captureerror']) {
            $missed = $facts['captureerror'];
            $add('capture', userdate($missed['at']) . ": $missed[event]: $missed[message] ($missed[count])");
        }
        return [
            'lines' => $lines,
            'paused' => (bool) $facts['paused'],
            'lost' => $facts['captureerror'] || $facts['thinned'],
            'setaside' => array_map(
                fn(\stdClass $row): array => $this->set_aside($row, (int) $facts['heldseq']),
                outbox::set_aside(self::LISTED),
            ),
            'hassetaside' => $setaside > 0,
            'more' => $setaside > self::LISTED ? get_string('status_more', 'local_nagasis', $setaside - self::LISTED) : '',
        ];
    }

    /**
     * One event that was set aside.
     *
     * @param \stdClass $row
     * @param int $held up to which number the tool has taken events and holes
     * @return array
     */
    private function set_aside(\stdClass $row, int $held): array {
        return [
            'id' => (int) $row->id,
            'seq' => $row->seq === null ? '' : (int) $row->seq,
            'type' => $row->type,
            'at' => userdate($row->timecreated),
            'reason' => (string) $row->reason,
            'payload' => $row->payload,
            // Before the tool has the hole in its place, nothing can be done with it.
            'ready' => $row->seq === null || $row->seq <= $held,
        ];
    }
}
