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
 * A gradebook as it is and as it should be.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

use local_nagasis\local\contract\refusal;

/**
 * Compares one gradebook with its document.
 */
final class gradebook_comparison {
    /** @var gradebook What is there. */
    private readonly gradebook $gradebook;

    /** @var array What should be. */
    private readonly array $document;

    /** @var array Ids of items that hold grades or have a history, as keys. */
    private readonly array $held;

    /** @var gradebook_changes What differs. */
    private gradebook_changes $changes;

    /** @var \stdClass[] Our rows that still serve, by "=key". */
    private array $used = [];

    /**
     * Constructor.
     *
     * @param gradebook $gradebook
     * @param array $document
     * @param array $held
     */
    public function __construct(gradebook $gradebook, array $document, array $held) {
        $this->gradebook = $gradebook;
        $this->document = $document;
        $this->held = $held;
        $this->changes = new gradebook_changes($gradebook, $document);
    }

    /**
     * Compares.
     *
     * @param array $letters what the course has: [letter, minimum]
     * @return gradebook_changes
     * @throws refusal item_locked
     */
    public function run(array $letters): gradebook_changes {
        foreach ($this->document['categories'] as $index => $category) {
            $this->category($category, "/categories/$index");
        }
        $this->aggregation();
        foreach ($this->document['items'] as $index => $item) {
            $this->item($item, "/items/$index");
        }
        $this->no_longer_named();
        $this->foreign();
        $this->letters($letters);
        if ($this->changes->aggregate) {
            $first = reset($this->changes->aggregate);
            $this->changes->changes[] = [
                'field' => 'aggregation',
                'before' => gradebook_aggregation::name($first, $this->gradebook->total_of((int) $first->id)),
                'after' => 'weighted_mean',
            ];
        }
        return $this->changes;
    }

    /**
     * Compares one session.
     *
     * @param array $wanted
     * @param string $field
     */
    private function category(array $wanted, string $field): void {
        $item = $this->gradebook->item($wanted['key']);
        $category = $item && $item->itemtype === 'category' ? $this->gradebook->category_of($item) : null;
        $after = ['name' => $wanted['name'], 'weight' => $wanted['weight']];
        if (!$category || $this->gradebook->connected($wanted['key'])) {
            $this->require_unlocked($this->gradebook->total(), $field);
            $this->changes->differ("categories/$wanted[key]", null, $after);
            $this->changes->newcategories[] = $wanted;
            return;
        }
        $this->used["=$wanted[key]"] = $item;
        $this->changes->categoryids["=$wanted[key]"] = (int) $category->id;
        $before = $this->category_before($item, $category);
        // Its place is told of where it is not directly below the course's category.
        $after += array_fill_keys(array_keys(array_diff_key($before, $after)), '');
        if ($this->changes->differ("categories/$wanted[key]", $before, $after)) {
            $this->changes->categories[(int) $item->id] = $wanted;
            $this->require_unlocked_unless_renamed($item, $before, $after, $field);
        }
    }

    /**
     * Compares how totals come about.
     */
    private function aggregation(): void {
        $top = $this->gradebook->top();
        $categories = array_intersect_key($this->gradebook->categories, array_flip($this->changes->categoryids));
        foreach (($top ? [$top->id => $top] : []) + $categories as $id => $category) {
            $total = $this->gradebook->total_of((int) $id);
            if (!gradebook_aggregation::is_right($category, $total)) {
                $this->require_unlocked($total, null);
                $this->changes->aggregate[(int) $id] = $category;
            }
        }
    }

    /**
     * Compares one part.
     *
     * @param array $wanted
     * @param string $field
     */
    private function item(array $wanted, string $field): void {
        ['key' => $key, 'source' => $source] = $wanted;
        $item = $this->there($this->gradebook->item($key));
        $connected = $this->gradebook->connected($key);
        $after = [
            'name' => $source === null
                ? $wanted['name'] : gradebook_check::describe($this->gradebook->items[$source], $this->gradebook),
            'weight' => $wanted['weight'],
            'place' => $wanted['category'],
            'source' => $source,
        ];
        $before = $item ? $this->item_before($item, $connected) : null;
        $differs = $this->changes->differ("items/$key", $before, $after);
        $serves = $source === null ? !$connected && $item?->itemtype === 'manual' : $connected && (int) $item?->id === $source;
        if ($item && $serves) {
            $this->used["=$key"] = $item;
            if ($differs) {
                $this->changes->items[(int) $item->id] = $wanted;
                $this->require_unlocked_unless_renamed($item, $before, $after, $field);
                $this->require_unlocked_unless_renamed($this->around($wanted), $before, $after, $field);
            }
            return;
        }
        $this->require_unlocked($this->around($wanted), $field);
        if ($source === null) {
            $this->changes->newitems[] = $wanted;
        } else {
            $this->require_unlocked($this->gradebook->items[$source], "$field/source");
            $this->changes->connect[$source] = $wanted;
        }
    }

    /**
     * Finds what was ours and serves no more. What is not there any more is left to be remembered: it costs nothing.
     */
    private function no_longer_named(): void {
        $lost = array_diff_key($this->gradebook->known, $this->used, ['=' . gradebook::TOTAL => true]);
        $named = array_column([...$this->document['categories'], ...$this->document['items']], 'key');
        $gone = [];
        foreach ($lost as $known) {
            $item = $this->there($this->gradebook->items[$known->itemid] ?? null);
            $again = in_array($known->itemkey, $named, true);
            if ($item || $again) {
                $this->changes->forget[] = (int) $known->id;
            }
            if (!$item) {
                continue;
            }
            $own = $this->gradebook->category_of($item);
            if (!$again) {
                $list = $own && !$known->connected ? 'categories' : 'items';
                $before = $list === 'items'
                    ? $this->item_before($item, (bool) $known->connected) : $this->category_before($item, $own);
                $this->changes->differ("$list/$known->itemkey", $before, null);
            }
            if (!$known->connected) {
                $this->require_unlocked($item, null);
                $this->changes->drop[(int) $item->id] = isset($this->held[$item->id]) || ($own && $this->holds_foreign($own));
                if ($own) {
                    $gone[] = (int) $own->id;
                }
            }
        }
        foreach ($lost as $known) {
            $item = $this->there($this->gradebook->items[$known->itemid] ?? null);
            if ($item && $known->connected && !isset($this->changes->connect[(int) $item->id])) {
                $place = gradebook_place::recall($known, $this->gradebook, $gone, $this->changes->aggregate);
                $this->require_unlocked($item, null);
                $this->require_unlocked($this->gradebook->total_of($place->category), null);
                $this->changes->release[(int) $item->id] = $place;
            }
        }
        foreach (array_keys(array_filter($this->changes->drop)) as $id) {
            $this->changes->note('item_kept', gradebook_check::describe($this->gradebook->items[$id], $this->gradebook));
        }
    }

    /**
     * Says which of the teachers' own items weigh in totals of the SIS, or did until now.
     */
    private function foreign(): void {
        $categories = array_fill_keys(array_filter([$this->changes->topid, ...$this->changes->categoryids]), true);
        foreach ($this->gradebook->items as $id => $item) {
            $place = isset($this->changes->release[$id])
                ? $this->changes->release[$id]->category : $this->gradebook->place($item);
            if (!isset($categories[$place]) || isset($this->changes->connect[$id])) {
                continue;
            }
            if ($this->gradebook->key($id) !== null && !isset($this->changes->release[$id])) {
                continue;
            }
            if (!in_array((int) $item->gradetype, [GRADE_TYPE_VALUE, GRADE_TYPE_SCALE], true)) {
                continue;
            }
            $weight = $this->changes->release[$id]->weights['aggregationcoef'] ?? $item->aggregationcoef;
            if (isset($this->changes->aggregate[$place])) {
                if ((int) $this->changes->aggregate[$place]->aggregation === GRADE_AGGREGATE_WEIGHTED_MEAN && $weight <= 0) {
                    continue;
                }
                $this->changes->note('foreign_left_out', gradebook_check::describe($item, $this->gradebook));
            } else if ($weight > 0) {
                $this->changes->note('foreign_weight', gradebook_check::describe($item, $this->gradebook));
            }
        }
    }

    /**
     * Compares the letters.
     *
     * @param array $there [letter, minimum] of each
     */
    private function letters(array $there): void {
        $wanted = array_map(fn(array $letter): array => [$letter['letter'], $letter['minimum']], $this->document['letters']);
        [$there, $wanted] = [gradebook_letters::sorted($there), gradebook_letters::sorted($wanted)];
        if ($there !== $wanted) {
            $this->changes->letters = true;
            $this->changes->changes[] = ['field' => 'letters', 'before' => $there, 'after' => $wanted];
        }
    }

    /**
     * An item, unless it waits for its deletion.
     *
     * @param \stdClass|null $item
     * @return \stdClass|null
     */
    private function there(?\stdClass $item): ?\stdClass {
        return $item && !$item->deleting ? $item : null;
    }

    /**
     * A session as it is.
     *
     * @param \stdClass $item its total
     * @param \stdClass $category
     * @return array
     */
    private function category_before(\stdClass $item, \stdClass $category): array {
        $place = $this->place($item);
        $fields = ['name' => $category->fullname, 'weight' => gradebook_aggregation::weight($item)];
        return $fields + ($place === '' ? [] : ['place' => $place]);
    }

    /**
     * A part as it is.
     *
     * @param \stdClass $item
     * @param bool $connected
     * @return array
     */
    private function item_before(\stdClass $item, bool $connected): array {
        return [
            'name' => gradebook_check::describe($item, $this->gradebook),
            'weight' => gradebook_aggregation::weight($item),
            'place' => $this->place($item),
            'source' => $connected ? (int) $item->id : null,
        ];
    }

    /**
     * Where something stands: a session's key, '' directly in the course's category, else the name of a teacher's category.
     *
     * @param \stdClass $item
     * @return string
     */
    private function place(\stdClass $item): string {
        $place = $this->gradebook->place($item);
        if ($place === null || $place === $this->changes->topid) {
            return '';
        }
        $key = $this->gradebook->key((int) ($this->gradebook->total_of($place)->id ?? 0));
        return $key !== null && !$this->gradebook->connected($key) ? $key : $this->gradebook->categories[$place]->fullname ?? '';
    }

    /**
     * The total of the session in which a part should be, or the course's if that has yet to be made.
     *
     * @param array $wanted
     * @return \stdClass|null
     */
    private function around(array $wanted): ?\stdClass {
        $id = $this->changes->categoryids["=$wanted[category]"] ?? $this->changes->topid;
        return $id === null ? null : $this->gradebook->total_of($id);
    }

    /**
     * Whether a category holds something that is not ours.
     *
     * @param \stdClass $category
     * @return bool
     */
    private function holds_foreign(\stdClass $category): bool {
        foreach ($this->gradebook->items as $id => $item) {
            if ($this->gradebook->place($item) === (int) $category->id && $this->gradebook->key($id) === null) {
                return true;
            }
        }
        return false;
    }

    /**
     * Refuses to change something that is locked. A new name changes no grade.
     *
     * @param \stdClass|null $item
     * @param array $before
     * @param array $after
     * @param string $field
     */
    private function require_unlocked_unless_renamed(?\stdClass $item, array $before, array $after, string $field): void {
        if (['name' => ''] + $before !== ['name' => ''] + $after) {
            $this->require_unlocked($item, $field);
        }
    }

    /**
     * Refuses to change something that is locked.
     *
     * @param \stdClass|null $item
     * @param string|null $field
     */
    private function require_unlocked(?\stdClass $item, ?string $field): void {
        if ($item && $this->gradebook->locked($item)) {
            throw new refusal('item_locked', $field, ['item' => gradebook_check::describe($item, $this->gradebook)]);
        }
    }
}
