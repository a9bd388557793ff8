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
 * The contract with the tool: versions and limits.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\contract;

/**
 * Versions and limits of the contract with the tool; docs/contract.md of the product explains it.
 */
final class contract {
    /** @var int The highest version that this plugin speaks. */
    public const VERSION = 1;

    /** @var int[] All versions that it speaks. */
    public const SUPPORTED = [1];

    /** @var string[] Kinds of documents, in the order of their dependencies. */
    public const KINDS = ['category', 'user', 'course', 'roster', 'gradebook', 'grades'];

    /** @var string[] What read() knows. */
    public const READS = ['activity', 'access', 'roster', 'items', 'grades'];

    /** @var int Documents of one call. */
    public const MAX_DOCUMENTS = 1000;

    /** @var int Bytes of one call's documents. */
    public const MAX_BYTES = 8388608;

    /**
     * Refuses a version that this plugin does not speak.
     *
     * @param int $version what the tool asks for
     * @throws \moodle_exception contractunsupported
     */
    public static function require_supported(int $version): void {
        if (!in_array($version, self::SUPPORTED, true)) {
            throw new \moodle_exception('contractunsupported', 'local_nagasis', '', (object) [
                'asked' => $version,
                'supported' => implode(', ', self::SUPPORTED),
                'side' => get_string($version > self::VERSION ? 'theplugin' : 'thetool', 'local_nagasis'),
            ]);
        }
    }
}
