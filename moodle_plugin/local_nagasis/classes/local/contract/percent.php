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
 * Grades as the contract has them.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\contract;

defined('MOODLE_INTERNAL') || die();

require_once($CFG->libdir . '/grade/constants.php');

/**
 * Grades as the contract has them: hundredths of a percent of an item's range, whole numbers.
 *
 * Moodle's database holds five decimals. They are counted as whole numbers here, since what is half of a hundredth in
 * decimals may be a little less in binary, and would be rounded to the wrong side.
 */
final class percent {
    /** @var int The whole range. */
    public const WHOLE = 10000;

    /** @var int Moodle's five decimals. */
    private const UNITS = 100000;

    /**
     * What a grade is in its range, rounded half up.
     *
     * @param float|string|null $grade
     * @param float|string $min
     * @param float|string $max
     * @return int|null null: there is no grade, or no range
     */
    public static function of(float|string|null $grade, float|string $min, float|string $max): ?int {
        $range = self::units($max) - self::units($min);
        if ($grade === null || $range <= 0) {
            return null;
        }
        return self::divided((self::units($grade) - self::units($min)) * self::WHOLE, $range);
    }

    /**
     * The grade that this is in a range, as Moodle's database writes it.
     *
     * @param int $percent
     * @param float|string $min
     * @param float|string $max
     * @param bool $whole of a scale: there is nothing between two of its words
     * @return string with five decimals
     */
    public static function grade(int $percent, float|string $min, float|string $max, bool $whole = false): string {
        $step = $whole ? self::UNITS : 1;
        $range = self::units($max) - self::units($min);
        $units = self::units($min) + self::divided($percent * $range, self::WHOLE * $step) * $step;
        $digits = str_pad((string) abs($units), 6, '0', STR_PAD_LEFT);
        return ($units < 0 ? '-' : '') . substr($digits, 0, -5) . '.' . substr($digits, -5);
    }

    /**
     * For people: 8750 is 87.50.
     *
     * @param int|null $percent
     * @return string
     */
    public static function words(?int $percent): string {
        return $percent === null ? get_string('nograde', 'local_nagasis') : format_float($percent / 100, 2);
    }

    /**
     * Whether an item holds numbers: points, or words of a scale that is there.
     *
     * @param \stdClass $item row of grade_items
     * @param bool $scaleisthere
     * @return bool
     */
    public static function measures(\stdClass $item, bool $scaleisthere): bool {
        $type = (int) $item->gradetype;
        return ($type === GRADE_TYPE_VALUE || ($type === GRADE_TYPE_SCALE && $scaleisthere))
            && self::units($item->grademax) > self::units($item->grademin);
    }

    /**
     * The range in which a grade stands, as Moodle's own percentages have it.
     *
     * A total that Moodle computes has one for each person: what has no grade yet does not count.
     *
     * @param \stdClass $item row of grade_items
     * @param \stdClass $grade row of grade_grades
     * @return array{string, string} min and max
     */
    public static function range(\stdClass $item, \stdClass $grade): array {
        $computed = in_array($item->itemtype, ['category', 'course'], true) && (string) $item->calculation === '';
        return $computed ? [$grade->rawgrademin, $grade->rawgrademax] : [$item->grademin, $item->grademax];
    }

    /**
     * Five decimals as a whole number.
     *
     * @param float|string $number
     * @return int
     */
    private static function units(float|string $number): int {
        return (int) round((float) $number * self::UNITS);
    }

    /**
     * Divides and rounds half up, also below zero.
     *
     * @param int $dividend
     * @param int $divisor more than zero
     * @return int
     */
    private static function divided(int $dividend, int $divisor): int {
        $double = 2 * $dividend + $divisor;
        $quotient = intdiv($double, 2 * $divisor);
        return $double % (2 * $divisor) < 0 ? $quotient - 1 : $quotient;
    }
}
