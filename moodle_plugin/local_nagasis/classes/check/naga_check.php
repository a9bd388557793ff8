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
 * What all our checks have in common.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\check;

use core\check\check;
use core\check\result;

/**
 * One thing that must be so for the connection to work. Its words are the language strings "check<id>_<word>".
 */
abstract class naga_check extends check {
    /**
     * Where to act: the status page.
     *
     * @return \action_link|null
     */
    public function get_action_link(): ?\action_link {
        return new \action_link(
            new \moodle_url('/local/nagasis/index.php'),
            get_string('status_title', 'local_nagasis'),
        );
    }

    /**
     * A result in words.
     *
     * @param string $status one of core's
     * @param string $word which of this check's words
     * @param mixed $a for the words
     * @param string[] $details plain text, a line each
     * @return result
     */
    protected function finding(string $status, string $word, mixed $a = null, array $details = []): result {
        $summary = s(get_string('check' . $this->get_id() . '_' . $word, 'local_nagasis', $a));
        return new result($status, $summary, $details ? \html_writer::alist(array_map('s', $details)) : $summary);
    }

    /**
     * Now.
     *
     * @return int seconds since 1970
     */
    protected static function now(): int {
        return \core\di::get(\core\clock::class)->time();
    }
}
