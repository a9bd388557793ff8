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
 * What teachers add to courses with a gradebook of the SIS.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

defined('MOODLE_INTERNAL') || die();

require_once($CFG->libdir . '/grade/constants.php');

/**
 * Lets a new activity weigh nothing in the SIS's totals until its teacher gives it a weight.
 *
 * Under a weighted mean Moodle gives what is new the weight 1, and shows that to nobody: beside sessions of 40 and 60 each
 * assignment would be a hundredth of the final grade. The form of an activity has no field for a weight, so nobody's choice
 * is overridden. Items that a teacher adds in the gradebook have that field, and keep what it says.
 */
final class new_activities {
    /** @var int What Moodle gives. */
    private const DEFAULT_WEIGHT = 1.0;

    /** @var array Ids, as keys, of the items of activities that this request has made. */
    private static array $made = [];

    /**
     * Sees an event. Moodle gives the weight in an update that follows the creation.
     *
     * @param \core\event\base $event
     */
    public static function notice(\core\event\base $event): void {
        global $DB;
        $class = get_class($event);
        if ($class === \core\event\grade_item_created::class && ($event->other['itemtype'] ?? '') === 'mod') {
            self::$made[$event->objectid] = true;
            return;
        }
        if ($class !== \core\event\grade_item_updated::class || !isset(self::$made[$event->objectid])) {
            return;
        }
        $item = $DB->get_record('grade_items', ['id' => $event->objectid], 'id, courseid, categoryid, aggregationcoef');
        if ($item && (float) $item->aggregationcoef === self::DEFAULT_WEIGHT && self::would_count($item)) {
            $DB->set_field('grade_items', 'aggregationcoef', 0, ['id' => $item->id]);
        }
    }

    /**
     * Whether an item stands where its weight changes a total of the SIS.
     *
     * @param \stdClass $item
     * @return bool
     */
    private static function would_count(\stdClass $item): bool {
        global $DB;
        if (!$DB->record_exists(gradebook_index::TABLE, ['courseid' => $item->courseid])) {
            return false;
        }
        $gradebook = (new gradebook_index([(int) $item->courseid]))->of((int) $item->courseid);
        $category = $gradebook->categories[$item->categoryid] ?? null;
        $total = $category ? $gradebook->total_of((int) $category->id) : null;
        $key = $total ? $gradebook->key((int) $total->id) : null;
        return $key !== null && !$gradebook->connected($key)
            && (int) $category->aggregation === gradebook_aggregation::RIGHT['aggregation'];
    }
}
