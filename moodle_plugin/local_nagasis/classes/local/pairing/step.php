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
 * One step of pairing.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\pairing;

/**
 * One thing that must be so in Moodle for the connection to work. Can be done again at any time, and changes nothing if it is so.
 */
interface step {
    /**
     * Its stable name; its title is the language string "step_<name>".
     *
     * @return string
     */
    public function name(): string;

    /**
     * What run() would change now.
     *
     * @return string[] in words, one a change; none: all is as it must be
     */
    public function needed(): array;

    /**
     * Makes it so. What was there before is noted in the journal first.
     *
     * @throws \moodle_exception
     */
    public function run(): void;

    /**
     * Takes back what the journal says that this step has done.
     *
     * @return string[] what was left as it is, and why
     */
    public function undo(): array;
}
