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
 * Whether the tool reaches this Moodle.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\check;

use core\check\result;
use local_nagasis\local\health\probe;

/**
 * Whether the tool reaches this Moodle, and its token works: it tries while we wait.
 */
final class fromtool extends naga_check {
    /** @var string The tool's name for it. */
    public const NAME = 'moodle_answers';

    #[\Override]
    public function get_result(): result {
        $probe = probe::recent();
        foreach ($probe['checks'] as $check) {
            if ($check['name'] === self::NAME) {
                $details = array_values(array_filter([$check['summary'], $check['details']]));
                return $check['status'] === 'ok'
                    ? $this->finding(result::OK, 'ok')
                    : $this->finding($check['status'], 'failed', null, $details);
            }
        }
        return $this->finding(result::UNKNOWN, 'unknown');
    }
}
