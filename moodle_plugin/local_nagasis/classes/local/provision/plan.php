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
 * What one document would change.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

/**
 * What one document would change, and how. Preview and apply share it: the preview only never calls execute().
 */
final class plan {
    /** @var array The result as the contract has it; execute() may only complete ids in it. */
    public array $result;

    /** @var \Closure|null Makes the changes, inside a transaction that the caller holds; null: nothing to do. */
    private ?\Closure $execute;

    /** @var \Closure|null Tells the kind what will have been made, so that later documents can refer to it. */
    private ?\Closure $pretend;

    /**
     * Constructor.
     *
     * @param array $result
     * @param \Closure|null $execute receives the plan
     * @param \Closure|null $pretend receives the plan
     */
    public function __construct(array $result, ?\Closure $execute = null, ?\Closure $pretend = null) {
        $this->result = $result;
        $this->execute = $execute;
        $this->pretend = $pretend;
    }

    /**
     * Whether anything would change.
     *
     * @return bool
     */
    public function changes(): bool {
        return $this->execute !== null;
    }

    /**
     * Makes the changes.
     */
    public function execute(): void {
        if ($this->execute !== null) {
            ($this->execute)($this);
        }
    }

    /**
     * Behaves, for the documents after it, as if the changes had been made.
     */
    public function pretend(): void {
        if ($this->pretend !== null) {
            ($this->pretend)($this);
        }
    }
}
