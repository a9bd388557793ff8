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
 * Keeps our own changes from coming back as news.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local;

/**
 * Says whether what happens right now is our own doing. Events of our own changes are not forwarded: the tool knows.
 */
final class echo_guard {
    /** @var int How deep we are inside our own changes. */
    private static int $depth = 0;

    /**
     * Runs something whose events are our own.
     *
     * @param callable $work
     * @return mixed what it returns
     */
    public static function run(callable $work): mixed {
        self::$depth++;
        try {
            return $work();
        } finally {
            self::$depth--;
        }
    }

    /**
     * Whether we are inside our own changes.
     *
     * @return bool
     */
    public static function active(): bool {
        return self::$depth > 0;
    }
}
