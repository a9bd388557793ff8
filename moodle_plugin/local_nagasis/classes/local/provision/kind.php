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
 * One kind of document.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

/**
 * One kind of document: compares with what is there, and makes what differs.
 */
interface kind {
    /**
     * Reads all that these documents need, in a few set queries.
     *
     * @param array $documents checked and normalised documents of this kind
     */
    public function load(array $documents): void;

    /**
     * Plans one of the documents that were loaded. Reads nothing that a set query could have read.
     *
     * @param array $document
     * @return plan
     * @throws \local_nagasis\local\contract\refusal
     */
    public function plan(array $document): plan;
}
