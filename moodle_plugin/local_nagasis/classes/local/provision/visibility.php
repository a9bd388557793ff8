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
 * What was chosen to be visible, whatever is around it.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

/**
 * Whether a category or course is itself meant to be visible.
 *
 * Moodle hides all that is in a hidden category, and keeps in "visibleold" what was chosen for each thing: this is what
 * the SIS owns. Without the difference a hidden term would make each of its courses look wrong.
 */
final class visibility {
    /**
     * What was chosen for the thing itself.
     *
     * @param int $visible Moodle's column
     * @param int $visibleold Moodle's column
     * @param int|null $around whether the category around it is visible; null: there is none
     * @return bool
     */
    public static function own(int $visible, int $visibleold, ?int $around): bool {
        return (bool) (($around ?? 1) ? $visible : $visibleold);
    }
}
