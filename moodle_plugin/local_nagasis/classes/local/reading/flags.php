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
 * What the gradebook's numbers mean.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\reading;

/**
 * What the gradebook's numbers mean.
 */
final class flags {
    /**
     * Whether something is hidden: 0 no, 1 yes, otherwise until that second.
     *
     * @param int $hidden
     * @param int $now
     * @return bool
     */
    public static function hidden(int $hidden, int $now): bool {
        return $hidden === 1 || $hidden > $now;
    }
}
