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
 * One grade that will be written.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

/**
 * One grade that will be written.
 */
final class grades_change {
    /** @var string What stands in front of a text of ours where Moodle keeps a grade's "information", which it shows to nobody. */
    public const MARK = 'local_nagasis: ';

    /** @var \stdClass Row of grade_items. */
    public readonly \stdClass $item;

    /** @var int Whose it is. */
    public readonly int $userid;

    /** @var \stdClass|null What stands there. */
    public readonly ?\stdClass $row;

    /** @var string|null|false The grade with five decimals; null: none; false: what stands there, until it is computed. */
    public readonly string|null|false $final;

    /** @var bool Whether it stands whatever Moodle computes, or an activity says. */
    public readonly bool $overridden;

    /** @var string|null|false The letter that stands for the grade; null: takes ours away; false: feedback is as it is. */
    public readonly string|null|false $text;

    /** @var bool Whether it is written only upon what was read. */
    public readonly bool $guarded;

    /** @var string Who answers for it. */
    public readonly string $note;

    /**
     * Constructor.
     *
     * @param \stdClass $item
     * @param int $userid
     * @param \stdClass|null $row
     * @param string|null|false $final
     * @param bool $overridden
     * @param string|null|false $text
     * @param bool $guarded
     * @param string $note
     */
    public function __construct(
        \stdClass $item,
        int $userid,
        ?\stdClass $row,
        string|null|false $final,
        bool $overridden,
        string|null|false $text,
        bool $guarded,
        string $note,
    ) {
        $this->item = $item;
        $this->userid = $userid;
        $this->row = $row;
        $this->final = $final;
        $this->overridden = $overridden;
        $this->text = $text;
        $this->guarded = $guarded;
        $this->note = $note;
    }

    /**
     * The columns that change, but for the grade.
     *
     * @param int $now
     * @return array
     */
    public function columns(int $now): array {
        global $USER;
        $columns = [
            'overridden' => $this->overridden ? $now : 0,
            'usermodified' => (int) $USER->id,
            'timemodified' => $now,
        ];
        if ($this->final !== false) {
            // As Moodle's own: conditions and percentages go by the range in which the grade was given.
            $columns['rawgrademin'] = $this->item->grademin;
            $columns['rawgrademax'] = $this->item->grademax;
            $columns['rawscaleid'] = $this->item->scaleid;
        }
        if ($this->text !== false) {
            $columns['feedback'] = $this->text;
            $columns['feedbackformat'] = FORMAT_PLAIN;
            $columns['information'] = $this->text === null ? null : self::MARK . $this->text;
            $columns['informationformat'] = FORMAT_PLAIN;
        }
        return $columns;
    }

    /**
     * Whether the grade itself changes, and not only by whom it stands.
     *
     * @return bool
     */
    public function changes_grade(): bool {
        $before = $this->row?->finalgrade;
        if ($this->final === false || $this->final === null || $before === null) {
            return $this->final !== false && $this->final !== $before;
        }
        return grade_floats_different((float) $this->final, (float) $before);
    }
}
