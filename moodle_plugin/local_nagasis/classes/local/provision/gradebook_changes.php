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
 * What differs in one gradebook.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

/**
 * What is to be done to one gradebook. The preview only reads it.
 */
final class gradebook_changes {
    /** @var gradebook What is there. */
    public readonly gradebook $gradebook;

    /** @var array What should be. */
    public readonly array $document;

    /** @var array[] Categories of the document to be made. */
    public array $newcategories = [];

    /** @var array[] Items of the document to be made. */
    public array $newitems = [];

    /** @var \stdClass[] Categories whose totals come about in another way. */
    public array $aggregate = [];

    /** @var array[] Categories of the document that are there and differ, by the id of their total. */
    public array $categories = [];

    /** @var array[] Items of the document that are there and differ, by id. */
    public array $items = [];

    /** @var array[] Items of the document that come from a teacher's own from now on, by its id. */
    public array $connect = [];

    /** @var gradebook_place[] Where teachers' own items go that are not connected any more, by id. */
    public array $release = [];

    /** @var bool[] What was ours and is no longer named, by item id: whether it stays. */
    public array $drop = [];

    /** @var int[] Ids of our rows that are forgotten. */
    public array $forget = [];

    /** @var bool Whether the letters differ. */
    public bool $letters = false;

    /** @var array[] Changes as results have them. */
    public array $changes = [];

    /** @var array[] Notes as results have them. */
    public array $notes = [];

    /** @var int[] Ids of the categories of the document, by "=key"; complete once the new ones are made. */
    public array $categoryids = [];

    /** @var int[] Ids of new items and of the totals of new categories, by "=key". */
    public array $made = [];

    /** @var int|null The course's own category. */
    public ?int $topid;

    /**
     * Constructor.
     *
     * @param gradebook $gradebook
     * @param array $document
     */
    public function __construct(gradebook $gradebook, array $document) {
        $this->gradebook = $gradebook;
        $this->document = $document;
        $top = $gradebook->top();
        $this->topid = $top ? (int) $top->id : null;
    }

    /**
     * Takes up what differs of one thing.
     *
     * @param string $field
     * @param array|null $before null: it is made
     * @param array|null $after null: it goes
     * @return bool whether anything differs
     */
    public function differ(string $field, ?array $before, ?array $after): bool {
        if ($before !== null && $after !== null) {
            [$before, $after] = [array_diff_assoc($before, $after), array_diff_assoc($after, $before)];
            if (!$before && !$after) {
                return false;
            }
        }
        $this->changes[] = ['field' => $field, 'before' => $before, 'after' => $after];
        return true;
    }

    /**
     * Takes up something that a person should know.
     *
     * @param string $code the words are the language string "note_<code>"
     * @param string $item of what
     */
    public function note(string $code, string $item): void {
        $this->notes[] = ['code' => $code, 'message' => get_string("note_$code", 'local_nagasis', $item)];
    }

    /**
     * Whether totals may change: names and letters change none.
     *
     * @return bool
     */
    public function totals_change(): bool {
        return $this->newcategories || $this->newitems || $this->aggregate || $this->categories || $this->items
            || $this->connect || $this->release || $this->drop;
    }
}
