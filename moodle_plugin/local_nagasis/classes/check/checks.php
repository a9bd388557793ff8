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
 * All our checks.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\check;

use core\check\check;
use core\check\result;
use local_nagasis\local\tool\client;

/**
 * All our checks.
 */
final class checks {
    /**
     * Those that look only at this Moodle. The tool asks for their results.
     *
     * @return check[]
     */
    public static function local(): array {
        if (!client::paired()) {
            return [new connection()];
        }
        return [
            new connection(),
            new token(),
            new cron(),
            new backlog(),
            new setaside(),
            new losses(),
            new versions(),
            new settings(),
            ...(signin::concerns() ? [new signin()] : []),
        ];
    }

    /**
     * All. Some call the tool, which calls this Moodle back.
     *
     * @return check[]
     */
    public static function all(): array {
        if (!client::paired()) {
            return self::local();
        }
        return [...self::local(), new totool(), new fromtool(), new clock(), new tool()];
    }

    /**
     * What the contract calls a status.
     *
     * @param string $status one of core's
     * @return string
     */
    public static function status(string $status): string {
        return match ($status) {
            result::OK, result::INFO, result::NA => 'ok',
            result::WARNING => 'warning',
            result::ERROR, result::CRITICAL => 'error',
            default => 'unknown',
        };
    }

    /**
     * Plain text of a result's HTML.
     *
     * @param string $html
     * @return string
     */
    public static function text(string $html): string {
        $text = strip_tags(preg_replace('~</li>\s*~', "\n", $html));
        return trim(html_entity_decode($text, ENT_QUOTES | ENT_HTML5, 'UTF-8'));
    }
}
