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
 * Text as the contract has it.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\contract;

/**
 * Brings text into the one form in which both sides of the contract compare it.
 */
final class text {
    /**
     * Makes two ways of writing the same text one: NFC, trimmed.
     *
     * @param string $text UTF-8
     * @return string
     */
    public static function normal(string $text): string {
        $composed = \Normalizer::normalize($text, \Normalizer::FORM_C);
        // Which blanks count is the same on both sides: those of Unicode, and the next-line control.
        return preg_replace('/^[\s\p{Z}\x{85}]+|[\s\p{Z}\x{85}]+$/uD', '', $composed === false ? $text : $composed);
    }

    /**
     * A name that shows as it was written in every place of Moodle, also where it is taken for HTML.
     *
     * @param string $text UTF-8
     * @return string
     */
    public static function shown(string $text): string {
        return strtr(self::normal($text), ['<' => '‹', '>' => '›']);
    }

    /**
     * A part of a JSON pointer.
     *
     * @param string|int $part a member's name, or an index
     * @return string with the slash before it
     */
    public static function pointer(string|int $part): string {
        return '/' . strtr((string) $part, ['~' => '~0', '/' => '~1']);
    }
}
