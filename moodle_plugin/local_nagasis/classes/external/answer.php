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
 * Answers of the reading functions.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\external;

use local_nagasis\local\contract\contract;

/**
 * What the reading functions have in common: who may ask, and how they answer.
 */
final class answer {
    /**
     * Refuses who may not read, and a version of the contract that this plugin does not speak.
     *
     * @param \core\context $context that has been validated
     * @param int $contract
     */
    public static function require_reader(\core\context $context, int $contract): void {
        require_capability('local/nagasis:read', $context);
        contract::require_supported($contract);
        \core_php_time_limit::raise();
        raise_memory_limit(MEMORY_EXTRA);
    }

    /**
     * Reads a parameter that holds JSON.
     *
     * @param string $json
     * @param string $name of the parameter
     * @return mixed
     * @throws \invalid_parameter_exception
     */
    public static function decode(string $json, string $name): mixed {
        if (strlen($json) > contract::MAX_BYTES) {
            throw new \invalid_parameter_exception("$name is larger than " . display_size(contract::MAX_BYTES));
        }
        $decoded = json_decode($json, true, 8);
        if (json_last_error() !== JSON_ERROR_NONE) {
            throw new \invalid_parameter_exception("$name is not JSON: " . json_last_error_msg());
        }
        return $decoded;
    }

    /**
     * Writes an answer. A broken character in Moodle's database must not hide everything else.
     *
     * @param array $answer
     * @return string
     */
    public static function encode(array $answer): string {
        return json_encode(
            $answer,
            JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE,
        );
    }
}
