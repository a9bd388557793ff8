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
 * The gradebook of one course.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

/**
 * The gradebook of one course as it stands in the database: rows of Moodle's tables, and which of them are ours.
 */
final class gradebook {
    /** @var string The course's total among the keys. */
    public const TOTAL = '#total';

    /** @var int|null The course; null: it would be made by this call. */
    public readonly ?int $courseid;

    /** @var \stdClass[] Rows of grade_items by id, in their order, with "deleting". */
    public array $items = [];

    /** @var \stdClass[] Rows of grade_categories by id, parents first. */
    public array $categories = [];

    /** @var \stdClass[] What we remember, by "=key": rows of our table. Their items may be gone. */
    public array $known = [];

    /** @var int[] Ids of the items of categories, by category; the course's own is one of them. */
    private array $totals = [];

    /** @var string[] Keys by item id. */
    private array $keys = [];

    /**
     * Constructor.
     *
     * @param int|null $courseid
     */
    public function __construct(?int $courseid) {
        $this->courseid = $courseid;
    }

    /**
     * Takes up an item.
     *
     * @param \stdClass $item
     */
    public function add_item(\stdClass $item): void {
        $this->items[(int) $item->id] = $item;
        if ($item->itemtype === 'category' || $item->itemtype === 'course') {
            $this->totals[(int) $item->iteminstance] = (int) $item->id;
        }
    }

    /**
     * Takes up a category.
     *
     * @param \stdClass $category
     */
    public function add_category(\stdClass $category): void {
        $this->categories[(int) $category->id] = $category;
    }

    /**
     * Takes up what we remember.
     *
     * @param \stdClass $known
     */
    public function remember(\stdClass $known): void {
        $this->known["=$known->itemkey"] = $known;
        $this->keys[(int) $known->itemid] = $known->itemkey;
    }

    /**
     * Whether the SIS's gradebook has been made in this course.
     *
     * @return bool
     */
    public function made(): bool {
        return (bool) $this->known;
    }

    /**
     * The item of a part, the total of a session, or the course's total.
     *
     * @param string $key
     * @return \stdClass|null null: there is none, or it was deleted
     */
    public function item(string $key): ?\stdClass {
        if ($key === self::TOTAL) {
            return $this->made() ? $this->total() : null;
        }
        $known = $this->known["=$key"] ?? null;
        return $known ? $this->items[$known->itemid] ?? null : null;
    }

    /**
     * The key of an item.
     *
     * @param int $itemid
     * @return string|null null: it is not of the SIS's gradebook
     */
    public function key(int $itemid): ?string {
        if ($this->made() && $itemid === (int) ($this->total()->id ?? 0)) {
            return self::TOTAL;
        }
        return $this->keys[$itemid] ?? null;
    }

    /**
     * Whether a part's grades come from a teacher's own item.
     *
     * @param string $key
     * @return bool
     */
    public function connected(string $key): bool {
        return (bool) ($this->known["=$key"]->connected ?? false);
    }

    /**
     * The course's own category.
     *
     * @return \stdClass|null null: Moodle makes it with the first item
     */
    public function top(): ?\stdClass {
        foreach ($this->categories as $category) {
            if (!$category->parent) {
                return $category;
            }
        }
        return null;
    }

    /**
     * The course's total.
     *
     * @return \stdClass|null
     */
    public function total(): ?\stdClass {
        $top = $this->top();
        return $top ? $this->total_of((int) $top->id) : null;
    }

    /**
     * The item that is a category's total.
     *
     * @param int $categoryid
     * @return \stdClass|null
     */
    public function total_of(int $categoryid): ?\stdClass {
        return $this->items[$this->totals[$categoryid] ?? 0] ?? null;
    }

    /**
     * The category whose total an item is.
     *
     * @param \stdClass $item
     * @return \stdClass|null null: it is no total
     */
    public function category_of(\stdClass $item): ?\stdClass {
        $total = $item->itemtype === 'category' || $item->itemtype === 'course';
        return $total ? $this->categories[$item->iteminstance] ?? null : null;
    }

    /**
     * The id of the category in which an item counts. The total of a category counts in the category above it.
     *
     * @param \stdClass $item
     * @return int|null null: it is the course's total
     */
    public function place(\stdClass $item): ?int {
        $own = $this->category_of($item);
        $place = $own ? $own->parent : $item->categoryid;
        return $place === null ? null : (int) $place;
    }

    /**
     * Whether an item, a category around it, or the course's total is locked. What waits for its deletion counts as locked.
     *
     * @param \stdClass $item
     * @return bool
     */
    public function locked(\stdClass $item): bool {
        for ($around = $item; $around; $around = $this->total_of($this->place($around) ?? 0)) {
            if ($around->locked || $around->deleting) {
                return true;
            }
        }
        return false;
    }
}
