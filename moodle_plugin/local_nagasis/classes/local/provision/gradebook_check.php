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
 * What cannot be a gradebook.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

use local_nagasis\local\contract\refusal;

/**
 * Refuses a gradebook that contradicts itself, or whose parts should come from items that cannot be that.
 */
final class gradebook_check {
    /**
     * What the schema cannot say.
     *
     * @param array $document
     */
    public static function consistent(array $document): void {
        $seen = [];
        $named = [];
        foreach (['categories', 'items'] as $list) {
            foreach ($document[$list] as $index => ['key' => $key]) {
                if ($key === gradebook::TOTAL) {
                    throw self::wrong("/$list/$index/key", 'totalkey', $key);
                }
                $seen = self::once($seen, $key, "/$list/$index/key");
                if ($list === 'categories') {
                    $named["=$key"] = 0;
                }
            }
        }
        $sources = [];
        foreach ($document['items'] as $index => $item) {
            if (!isset($named["=$item[category]"])) {
                throw self::wrong("/items/$index/category", 'nocategory', $item['category']);
            }
            if ($item['source'] !== null) {
                $sources = self::once($sources, (string) $item['source'], "/items/$index/source");
            }
        }
        foreach ($document['categories'] as $index => ['key' => $key]) {
            $weights = array_column(array_filter($document['items'], fn($item) => $item['category'] === $key), 'weight');
            if ($weights && !array_sum($weights)) {
                throw self::wrong("/categories/$index", 'noweight', $key);
            }
        }
        $letters = [];
        $minimums = [];
        foreach ($document['letters'] as $index => $letter) {
            $letters = self::once($letters, $letter['letter'], "/letters/$index/letter");
            $minimums = self::once($minimums, (string) $letter['minimum'], "/letters/$index/minimum");
        }
    }

    /**
     * Refuses another way of counting that the site forces on every category.
     */
    public static function not_forced(): void {
        $forced = gradebook_aggregation::forced();
        if ($forced) {
            $names = array_map(fn(string $column): string => get_string($column, 'grades'), $forced);
            throw new refusal('aggregation_forced', null, ['settings' => implode(', ', $names)]);
        }
    }

    /**
     * Refuses sources that cannot be connected.
     *
     * @param array $document
     * @param gradebook $gradebook
     * @param array $scales ids of scales as keys
     */
    public static function sources(array $document, gradebook $gradebook, array $scales): void {
        $sources = array_filter(array_column($document['items'], 'source', 'key'));
        $held = self::held($gradebook, $sources);
        foreach ($document['items'] as $index => ['key' => $part, 'source' => $source]) {
            if ($source === null) {
                continue;
            }
            $field = "/items/$index/source";
            $item = $gradebook->items[$source] ?? null;
            if (!$item || $item->deleting) {
                throw new refusal('source_missing', $field, ['item' => $source]);
            }
            $name = self::describe($item, $gradebook);
            $key = $gradebook->key($source);
            $inside = array_filter(
                self::around($item, $gradebook),
                fn(int $category): bool => in_array((int) ($gradebook->total_of($category)->id ?? 0), $sources, true),
            );
            $ours = $item->itemtype === 'course' || ($key !== null && !$gradebook->connected($key));
            // What serves this part already stays: whatever a teacher has put into it, or it into, is put back.
            if ($ours || ($key !== $part && (isset($held[$source]) || $inside))) {
                throw new refusal('source_taken', $field, ['item' => $name]);
            }
            $numeric = match ((int) $item->gradetype) {
                GRADE_TYPE_VALUE => true,
                GRADE_TYPE_SCALE => isset($scales[$item->scaleid]),
                default => false,
            };
            if (!$numeric) {
                throw new refusal('source_not_numeric', $field, ['item' => $name]);
            }
        }
    }

    /**
     * An item's name, as people see it.
     *
     * @param \stdClass $item
     * @param gradebook $gradebook
     * @return string
     */
    public static function describe(\stdClass $item, gradebook $gradebook): string {
        return match ($item->itemtype) {
            'course' => get_string('coursetotal', 'grades'),
            'category' => $gradebook->category_of($item)?->fullname ?? '',
            default => (string) $item->itemname,
        };
    }

    /**
     * The categories around an item, from the inside out; not the one whose total it is.
     *
     * @param \stdClass $item
     * @param gradebook $gradebook
     * @return int[]
     */
    public static function around(\stdClass $item, gradebook $gradebook): array {
        $around = [];
        $category = $gradebook->place($item);
        while ($category !== null && isset($gradebook->categories[$category])) {
            $around[] = $category;
            $parent = $gradebook->categories[$category]->parent;
            $category = $parent === null ? null : (int) $parent;
        }
        return $around;
    }

    /**
     * The totals of categories that hold something of ours.
     *
     * @param gradebook $gradebook
     * @param int[] $sources what the document names counts not as ours
     * @return array by item id
     */
    private static function held(gradebook $gradebook, array $sources): array {
        $held = [];
        foreach ($gradebook->known as $known) {
            $item = $gradebook->items[$known->itemid] ?? null;
            if ($item && !in_array((int) $item->id, $sources, true)) {
                foreach (self::around($item, $gradebook) as $category) {
                    $held[(int) ($gradebook->total_of($category)->id ?? 0)] = true;
                }
            }
        }
        return $held;
    }

    /**
     * Refuses what is named twice.
     *
     * @param array $seen
     * @param string $name
     * @param string $field
     * @return array what has been seen
     */
    private static function once(array $seen, string $name, string $field): array {
        if (isset($seen["=$name"])) {
            throw self::wrong($field, 'twice', $name);
        }
        return $seen + ["=$name" => true];
    }

    /**
     * The refusal of a document that contradicts itself.
     *
     * @param string $field
     * @param string $problem the language string "schema_<problem>"
     * @param string $name
     * @return refusal
     */
    private static function wrong(string $field, string $problem, string $name): refusal {
        return new refusal('schema', $field, ['path' => $field, 'problem' => get_string("schema_$problem", 'local_nagasis', $name)]);
    }
}
