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
 * Where a teacher's own item stands.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

/**
 * Where a teacher's own item stands, and what it weighs there.
 */
final class gradebook_place {
    /** @var int The category's id. */
    public readonly int $category;

    /** @var array aggregationcoef, aggregationcoef2, weightoverride. */
    public readonly array $weights;

    /**
     * Constructor.
     *
     * @param int $category
     * @param array $weights
     */
    public function __construct(int $category, array $weights = []) {
        $this->category = $category;
        $this->weights = $weights + ['aggregationcoef' => 0.0, 'aggregationcoef2' => 0.0, 'weightoverride' => 0];
    }

    /**
     * What is remembered of an item before it is connected.
     *
     * @param \stdClass $item
     * @param gradebook $gradebook
     * @param array $aggregate categories, by id, that are about to count in the SIS's way: there, it weighs nothing
     * @return string JSON
     */
    public static function remember(\stdClass $item, gradebook $gradebook, array $aggregate): string {
        $category = $gradebook->place($item);
        $changing = isset($aggregate[$category]);
        return json_encode([
            'category' => $category,
            'aggregation' => $changing
                ? gradebook_aggregation::RIGHT['aggregation']
                : (int) $gradebook->categories[$category]->aggregation,
            'aggregationcoef' => $changing ? 0.0 : (float) $item->aggregationcoef,
            'aggregationcoef2' => (float) $item->aggregationcoef2,
            'weightoverride' => (int) $item->weightoverride,
        ]);
    }

    /**
     * Where an item goes back to: where it stood, if that is still there; else below the course's category, without a weight.
     *
     * @param \stdClass $known our row
     * @param gradebook $gradebook
     * @param int[] $gone categories that are about to go
     * @param array $aggregate categories, by id, that are about to count in the SIS's way
     * @return self
     */
    public static function recall(\stdClass $known, gradebook $gradebook, array $gone, array $aggregate): self {
        $before = json_decode((string) $known->stood, true) ?? [];
        $category = $gradebook->categories[$before['category'] ?? 0] ?? null;
        $own = $gradebook->category_of($gradebook->items[$known->itemid]);
        $inside = $category && $own && str_contains((string) $category->path, "/$own->id/");
        if (!$category || $inside || in_array((int) $category->id, $gone, true)) {
            return new self((int) $gradebook->top()->id);
        }
        $weights = array_intersect_key($before, ['aggregationcoef' => 0, 'aggregationcoef2' => 0, 'weightoverride' => 0]);
        if ((int) $category->aggregation === $before['aggregation'] && !isset($aggregate[$category->id])) {
            return new self((int) $category->id, $weights);
        }
        // It counts in another way than it did: the weight means nothing any more.
        $ours = !$category->parent || isset($aggregate[$category->id]);
        $defaults = $ours ? [] : \grade_category::get_default_aggregation_coefficient_values((int) $category->aggregation);
        return new self((int) $category->id, $defaults);
    }
}
