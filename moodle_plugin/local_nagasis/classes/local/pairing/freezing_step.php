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
 * Archived courses can be frozen.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\pairing;

use local_nagasis\local\provision\freezing;

/**
 * Moodle freezes contexts: courses of past terms can then be read, and nothing in them be changed.
 */
final class freezing_step implements step {
    #[\Override]
    public function name(): string {
        return 'freezing';
    }

    #[\Override]
    public function needed(): array {
        return freezing::possible() ? [] : [get_string('will_freeze', 'local_nagasis')];
    }

    #[\Override]
    public function run(): void {
        journal::set_config('contextlocking', '1');
    }

    #[\Override]
    public function undo(): array {
        if (journal::get('config/core/contextlocking') && freezing::anything()) {
            // Whoever has frozen it, it is meant to stay so.
            journal::forget('config/core/contextlocking');
            return [get_string('left_freezing', 'local_nagasis')];
        }
        journal::undo_config('contextlocking');
        return [];
    }
}
