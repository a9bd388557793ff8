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
 * Changes of gradebooks.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

defined('MOODLE_INTERNAL') || die();

require_once($CFG->libdir . '/gradelib.php');

/**
 * Changes one gradebook with Moodle's own classes; what is new has been made in bulk by gradebook_maker.
 *
 * Each object is read just before it is changed: Moodle writes whole rows, and one change marks other rows as stale.
 */
final class gradebook_writer {
    /** @var gradebook_changes What to do. */
    private readonly gradebook_changes $changes;

    /** @var gradebook What was there. */
    private readonly gradebook $gradebook;

    /**
     * Constructor.
     *
     * @param gradebook_changes $changes
     */
    private function __construct(gradebook_changes $changes) {
        $this->changes = $changes;
        $this->gradebook = $changes->gradebook;
    }

    /**
     * Changes one gradebook.
     *
     * @param gradebook_changes $changes
     */
    public static function write(gradebook_changes $changes): void {
        (new self($changes))->run();
    }

    /**
     * Remembers which item is which, for many courses at once.
     *
     * @param gradebook_changes[] $all by course id
     */
    public static function remember(array $all): void {
        global $DB;
        $forget = array_merge([], ...array_map(fn(gradebook_changes $one): array => $one->forget, array_values($all)));
        $rows = [];
        foreach ($all as $courseid => $changes) {
            $stood = array_column($changes->gradebook->known, 'stood', 'itemid');
            $total = $changes->made['=' . gradebook::TOTAL] ?? (int) $changes->gradebook->total()?->id;
            $known = $changes->gradebook->known['=' . gradebook::TOTAL] ?? null;
            $made = $changes->made;
            if ((int) $known?->itemid !== $total) {
                $made['=' . gradebook::TOTAL] = $total;
                $forget[] = (int) $known?->id;
            }
            $row = ['courseid' => $courseid];
            foreach ($made as $key => $itemid) {
                $rows[] = $row + ['itemkey' => substr($key, 1), 'itemid' => $itemid, 'connected' => 0, 'stood' => null];
            }
            foreach ($changes->connect as $itemid => ['key' => $key]) {
                // What went from one part to another goes back to where it stood before the first.
                $place = $stood[$itemid]
                    ?? gradebook_place::remember($changes->gradebook->items[$itemid], $changes->gradebook, $changes->aggregate);
                $rows[] = $row + ['itemkey' => $key, 'itemid' => $itemid, 'connected' => 1, 'stood' => $place];
            }
        }
        if ($forget) {
            $DB->delete_records_list(gradebook_index::TABLE, 'id', $forget);
        }
        $DB->insert_records(gradebook_index::TABLE, $rows);
    }

    /**
     * Computes the totals once, where they may have changed.
     *
     * @param gradebook_changes[] $all by course id
     */
    public static function regrade(array $all): void {
        global $DB;
        $fresh = [];
        foreach (array_filter($all, fn(gradebook_changes $one): bool => $one->totals_change()) as $courseid => $changes) {
            if ($changes->gradebook->items) {
                $DB->set_field('grade_items', 'needsupdate', 1, ['courseid' => $courseid, 'itemtype' => 'course']);
                grade_regrade_final_grades($courseid);
            } else {
                $fresh[] = $courseid;
            }
        }
        // Where nothing was graded before there is nothing to compute.
        foreach (array_chunk($fresh, 1000) as $courseids) {
            [$in, $params] = $DB->get_in_or_equal($courseids);
            $DB->set_field_select('grade_items', 'needsupdate', 0, "courseid $in", $params);
        }
    }

    /**
     * Changes everything, in the order in which one thing needs another.
     */
    private function run(): void {
        foreach ($this->changes->aggregate as $category) {
            $this->aggregate($category);
        }
        foreach ($this->changes->categories as $itemid => $wanted) {
            $category = $this->gradebook->category_of($this->gradebook->items[$itemid]);
            $this->rename_category((int) $category->id, $wanted['name']);
            $this->move($itemid, new gradebook_place((int) $this->changes->topid, self::weighing($wanted)));
        }
        foreach ($this->changes->items + $this->changes->connect as $itemid => $wanted) {
            $name = $wanted['source'] === null ? $wanted['name'] : null;
            $place = new gradebook_place($this->changes->categoryids["=$wanted[category]"], self::weighing($wanted));
            $this->move($itemid, $place, $name);
        }
        foreach ($this->changes->release as $itemid => $place) {
            $this->move($itemid, $place);
        }
        // Items before categories: what is kept of them leaves the category first.
        foreach ([false, true] as $categories) {
            foreach ($this->changes->drop as $itemid => $kept) {
                if ($categories === ($this->gradebook->category_of($this->gradebook->items[$itemid]) !== null)) {
                    $this->drop($itemid, $kept);
                }
            }
        }
        $this->show();
    }

    /**
     * Lets a category's total come about as in the SIS. What is not ours in it weighs nothing from now on.
     *
     * @param \stdClass $was
     */
    private function aggregate(\stdClass $was): void {
        $category = \grade_category::fetch(['id' => $was->id]);
        foreach (gradebook_aggregation::RIGHT as $column => $right) {
            $category->$column = $right;
        }
        $category->update(gradebook_maker::SOURCE);
        $total = $category->load_grade_item();
        $total = self::item((int) $total->id);
        $total->calculation = null;
        if ((int) $was->aggregation === GRADE_AGGREGATE_SUM) {
            // Moodle has made the sum of all maximums its range.
            $this->rescale($total);
        }
        $total->update(gradebook_maker::SOURCE);
        foreach ($this->gradebook->items as $id => $item) {
            $foreign = $this->gradebook->key($id) === null && !isset($this->changes->connect[$id]);
            if ($foreign && $this->gradebook->place($item) === (int) $was->id && (float) $item->aggregationcoef !== 0.0) {
                $item = self::item($id);
                $item->aggregationcoef = 0;
                $item->update(gradebook_maker::SOURCE);
            }
        }
    }

    /**
     * Gives a total the range from 0 to 100, and what was overridden by hand its share of that.
     *
     * @param \grade_item $total
     */
    private function rescale(\grade_item $total): void {
        global $DB;
        [$minimum, $range] = [(float) $total->grademin, $total->grademax - $total->grademin];
        if (!$minimum && $range === 100.0) {
            return;
        }
        $total->gradetype = GRADE_TYPE_VALUE;
        $total->grademin = 0;
        $total->grademax = 100;
        $where = 'itemid = ? AND overridden > 0 AND finalgrade IS NOT NULL';
        foreach ($range > 0 ? $DB->get_records_select('grade_grades', $where, [$total->id]) : [] as $row) {
            $grade = new \grade_grade($row, false);
            $grade->finalgrade = grade_floatval(($grade->finalgrade - $minimum) / $range * 100);
            $grade->update(gradebook_maker::SOURCE);
        }
    }

    /**
     * Renames a category.
     *
     * @param int $id
     * @param string $name
     */
    private function rename_category(int $id, string $name): void {
        if ($this->gradebook->categories[$id]->fullname !== $name) {
            $category = \grade_category::fetch(['id' => $id]);
            $category->fullname = $name;
            $category->update(gradebook_maker::SOURCE);
        }
    }

    /**
     * Puts an item, or the category whose total it is, somewhere, with a weight.
     *
     * @param int $itemid
     * @param gradebook_place $place
     * @param string|null $name null: as it is
     */
    private function move(int $itemid, gradebook_place $place, ?string $name = null): void {
        $own = $this->gradebook->category_of($this->gradebook->items[$itemid]);
        if ($own && (int) $own->parent !== $place->category) {
            \grade_category::fetch(['id' => $own->id])->set_parent($place->category, gradebook_maker::SOURCE);
        }
        $item = self::item($itemid);
        $wanted = $place->weights + ($own ? [] : ['categoryid' => $place->category])
            + ($name === null ? [] : ['itemname' => $name]);
        $differs = false;
        foreach ($wanted as $column => $value) {
            $differs = $differs || (is_string($value) ? $item->$column !== $value : (float) $item->$column !== (float) $value);
            $item->$column = $value;
        }
        if ($differs) {
            $item->update(gradebook_maker::SOURCE);
        }
    }

    /**
     * Deletes what was ours, or lets it stand without a weight.
     *
     * @param int $itemid
     * @param bool $kept
     */
    private function drop(int $itemid, bool $kept): void {
        if ($kept) {
            $this->move($itemid, new gradebook_place((int) $this->changes->topid));
            return;
        }
        $own = $this->gradebook->category_of($this->gradebook->items[$itemid]);
        $object = $own ? \grade_category::fetch(['id' => $own->id]) : self::item($itemid);
        $object->delete(gradebook_maker::SOURCE);
    }

    /**
     * Shows totals as number and letter, or as number. Where a teacher has chosen otherwise it stays so.
     */
    private function show(): void {
        global $DB;
        $total = $this->gradebook->total();
        $letters = $this->changes->document['letters'];
        $display = gradebook_maker::display($letters);
        if (!$total) {
            return;
        }
        if (!$this->gradebook->made()) {
            $DB->set_field('grade_items', 'display', $display, ['id' => $total->id, 'display' => GRADE_DISPLAY_TYPE_DEFAULT]);
            $DB->set_field('grade_items', 'decimals', gradebook_maker::DECIMALS, ['id' => $total->id, 'decimals' => null]);
        } else if ($this->changes->letters) {
            $all = [$this->changes->topid, ...array_values($this->changes->categoryids)];
            $there = array_intersect($all, array_keys($this->gradebook->categories));
            $totals = array_map(fn(int $id): int => (int) $this->gradebook->total_of($id)?->id, array_values($there));
            [$in, $params] = $DB->get_in_or_equal($totals, SQL_PARAMS_NAMED);
            $other = gradebook_maker::display($letters ? [] : [true]);
            $DB->set_field_select('grade_items', 'display', $display, "display = :other AND id $in", $params + ['other' => $other]);
        }
    }

    /**
     * A weight as Moodle has it under the weighted mean.
     *
     * @param array $wanted
     * @return array
     */
    private static function weighing(array $wanted): array {
        return ['aggregationcoef' => gradebook_aggregation::coefficient($wanted['weight'])];
    }

    /**
     * An item as it is now.
     *
     * @param int $id
     * @return \grade_item
     */
    private static function item(int $id): \grade_item {
        return \grade_item::fetch(['id' => $id]);
    }
}
