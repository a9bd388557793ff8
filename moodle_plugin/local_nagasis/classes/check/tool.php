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
 * What else the tool has found.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\check;

use core\check\result;
use local_nagasis\local\health\probe;

/**
 * What else the tool has found on its side.
 */
final class tool extends naga_check {
    /** @var string[] What our own checks say already. */
    private const OTHERS = [fromtool::NAME, 'clock'];

    /** @var string What we have said ourselves has this before its name. */
    private const OURS = 'moodle:';

    #[\Override]
    public function get_result(): result {
        $probe = probe::recent();
        $found = array_filter($probe['checks'], fn(array $check): bool => $check['status'] !== 'ok'
            && !in_array($check['name'], self::OTHERS, true) && !str_starts_with($check['name'], self::OURS));
        if (!$found) {
            return $probe['error'] === null ? $this->finding(result::OK, 'ok') : $this->finding(result::UNKNOWN, 'unknown');
        }
        $iserror = in_array('error', array_column($found, 'status'), true);
        $details = array_map(fn(array $check): string => trim("$check[summary] $check[details]"), $found);
        return $this->finding($iserror ? result::ERROR : result::WARNING, 'some', count($found), $details);
    }
}
