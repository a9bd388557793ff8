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
 * One grade of a document, beside what stands in Moodle.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

use local_nagasis\local\contract\{percent, refusal};

/**
 * One grade of a document, beside what stands in Moodle. Nothing is read and nothing is written here.
 */
final class grades_cell {
    /** @var array The grade as the document has it. */
    private readonly array $wanted;

    /** @var \stdClass Row of grade_items. */
    private readonly \stdClass $item;

    /** @var \stdClass|null What stands there. */
    private readonly ?\stdClass $row;

    /** @var bool Whether it is the total of a session or of the course: those are the SIS's, whatever stands there. */
    private readonly bool $total;

    /** @var string|null The grade that would stand, with five decimals. */
    private readonly ?string $target;

    /**
     * Constructor.
     *
     * @param array $wanted
     * @param \stdClass $item one that measures
     * @param \stdClass|null $row
     * @param bool $total
     */
    public function __construct(array $wanted, \stdClass $item, ?\stdClass $row, bool $total) {
        $this->wanted = $wanted;
        $this->item = $item;
        $this->row = $row;
        $this->total = $total;
        $this->target = $this->grade($wanted['value']);
    }

    /**
     * Whether what stands there is what the SIS says. A total must stand by itself: it could be computed anew.
     *
     * @return bool
     */
    public function stands(): bool {
        $none = $this->wanted['value'] === null && $this->wanted['text'] === '';
        if ($this->total && $none) {
            return !$this->overridden();
        }
        if ($this->total && !$this->overridden()) {
            return false;
        }
        return $this->equals($this->wanted['value']) && $this->text() === $this->wanted['text'];
    }

    /**
     * Whether what stands there is what the tool knows.
     *
     * @return bool
     */
    public function expected(): bool {
        return $this->total || $this->equals($this->wanted['expected']) || $this->equals($this->wanted['value']);
    }

    /**
     * Whether this one grade is locked, or should have been by now.
     *
     * @param int $now
     * @return bool
     */
    public function locked(int $now): bool {
        return $this->row && ($this->row->locked || ($this->row->locktime && $this->row->locktime < $now));
    }

    /**
     * What would change, as results have it.
     *
     * @return array
     */
    public function changes(): array {
        $changes = [];
        $before = $this->percent();
        // What a scale rounds is told as it will stand there.
        $after = $this->target === null ? null : percent::of($this->target, $this->item->grademin, $this->item->grademax);
        if ($before !== $after || $this->text() === $this->wanted['text']) {
            $changes[] = ['field' => 'value', 'before' => $before, 'after' => $after];
        }
        if ($this->text() !== $this->wanted['text']) {
            $changes[] = ['field' => 'text', 'before' => $this->text(), 'after' => $this->wanted['text']];
        }
        return $changes;
    }

    /**
     * The change to write.
     *
     * @param int $userid
     * @param string $note
     * @return grades_change
     */
    public function change(int $userid, string $note): grades_change {
        $none = $this->wanted['value'] === null && $this->wanted['text'] === '';
        $text = match (true) {
            $this->text() === $this->wanted['text'] => false,
            $this->wanted['text'] === '' => null,
            default => $this->wanted['text'],
        };
        $final = $this->total && $none ? false : $this->target;
        return new grades_change($this->item, $userid, $this->row, $final, $this->overrides($none), $text, !$this->total, $note);
    }

    /**
     * What stands there.
     *
     * @return int|null
     */
    public function percent(): ?int {
        return $this->row ? percent::of($this->row->finalgrade, ...percent::range($this->item, $this->row)) : null;
    }

    /**
     * Whether the grade is overridden once it is written.
     *
     * A total that is taken back is not. What an activity or a computation would bring back at once stays cleared.
     *
     * @param bool $none the SIS has no grade
     * @return bool
     */
    private function overrides(bool $none): bool {
        if ($none) {
            return !$this->total && ($this->is_computed() || isset($this->row->rawgrade));
        }
        return $this->is_computed() || $this->item->itemtype === 'mod';
    }

    /**
     * Whether Moodle computes this item.
     *
     * @return bool
     */
    private function is_computed(): bool {
        return $this->is_total_of_moodle() || (string) $this->item->calculation !== '';
    }

    /**
     * Whether the item is the total of a category or of the course.
     *
     * @return bool
     */
    private function is_total_of_moodle(): bool {
        return in_array($this->item->itemtype, ['category', 'course'], true);
    }

    /**
     * Whether the grade stands whatever Moodle computes.
     *
     * @return bool
     */
    private function overridden(): bool {
        return !empty($this->row->overridden);
    }

    /**
     * The letter of ours that stands for a grade. What a teacher wrote is none.
     *
     * @return string
     */
    private function text(): string {
        $feedback = (string) ($this->row->feedback ?? '');
        $ours = ($this->row->information ?? null) === grades_change::MARK . $feedback;
        return $ours ? $feedback : '';
    }

    /**
     * Whether a value of the SIS is what stands there, to the hundredth or to the word of a scale.
     *
     * @param int|null $value
     * @return bool
     */
    private function equals(?int $value): bool {
        $stands = $this->row->finalgrade ?? null;
        if ($value === null || $stands === null) {
            return $value === $stands;
        }
        return $this->percent() === $value || !grade_floats_different((float) $this->grade($value), (float) $stands);
    }

    /**
     * A value of the SIS in the range of the item.
     *
     * @param int|null $value
     * @return string|null
     */
    private function grade(?int $value): ?string {
        $scale = (int) $this->item->gradetype === GRADE_TYPE_SCALE;
        return $value === null ? null : percent::grade($value, $this->item->grademin, $this->item->grademax, $scale);
    }
}
