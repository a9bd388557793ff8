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
 * How the totals of the SIS's gradebook come about.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

defined('MOODLE_INTERNAL') || die();

require_once($CFG->libdir . '/grade/constants.php');

/**
 * How the totals of the course's category and of ours come about: as in the SIS, and as Moodle's own settings allow.
 */
final class gradebook_aggregation {
    /** @var array What a category has whose total is the weighted mean of what has a grade. */
    public const RIGHT = [
        'aggregation' => GRADE_AGGREGATE_WEIGHTED_MEAN,
        'aggregateonlygraded' => 1,
        'droplow' => 0,
        'keephigh' => 0,
    ];

    /** @var string[] Names of Moodle's methods, for the tool. */
    private const NAMES = [
        GRADE_AGGREGATE_MEAN => 'mean',
        GRADE_AGGREGATE_MEDIAN => 'median',
        GRADE_AGGREGATE_MIN => 'lowest',
        GRADE_AGGREGATE_MAX => 'highest',
        GRADE_AGGREGATE_MODE => 'mode',
        GRADE_AGGREGATE_WEIGHTED_MEAN => 'weighted_mean',
        GRADE_AGGREGATE_WEIGHTED_MEAN2 => 'simple_weighted_mean',
        GRADE_AGGREGATE_EXTRACREDIT_MEAN => 'mean_with_extra_credit',
        GRADE_AGGREGATE_SUM => 'natural',
    ];

    /**
     * Which of the site's settings force another way on every category.
     *
     * @return string[] names of columns
     */
    public static function forced(): array {
        global $CFG;
        $forced = [];
        foreach (self::RIGHT as $column => $right) {
            // As grade_category::apply_forced_settings() has it.
            $value = $CFG->{"grade_$column"} ?? null;
            $flag = (int) ($CFG->{"grade_{$column}_flag"} ?? 0);
            if ($value !== null && $flag & 1 && (int) $value !== -1 && (int) $value !== $right) {
                $forced[] = $column;
            }
        }
        return $forced;
    }

    /**
     * How a category's total comes about.
     *
     * @param \stdClass $category
     * @param \stdClass|null $total its item
     * @return string "weighted_mean" if it is as it should be
     */
    public static function name(\stdClass $category, ?\stdClass $total): string {
        $right = self::NAMES[self::RIGHT['aggregation']];
        $name = self::NAMES[(int) $category->aggregation] ?? 'other';
        return match (true) {
            (string) ($total->calculation ?? '') !== '' => 'calculation',
            $name !== $right => $name,
            !$category->aggregateonlygraded => 'empty_counts',
            (int) $category->droplow !== 0 => 'drops_lowest',
            (int) $category->keephigh !== 0 => 'keeps_highest',
            default => $right,
        };
    }

    /**
     * Whether a category's total is as it should be.
     *
     * @param \stdClass $category
     * @param \stdClass|null $total its item
     * @return bool
     */
    public static function is_right(\stdClass $category, ?\stdClass $total): bool {
        return self::name($category, $total) === self::NAMES[self::RIGHT['aggregation']];
    }

    /**
     * A weight of the SIS as Moodle's coefficient: 40.00 for 4000.
     *
     * @param int $weight hundredths of a percent
     * @return float
     */
    public static function coefficient(int $weight): float {
        return $weight / 100;
    }

    /**
     * Moodle's coefficient as a weight of the SIS.
     *
     * @param \stdClass $item
     * @return int hundredths of a percent
     */
    public static function weight(\stdClass $item): int {
        return (int) round($item->aggregationcoef * 100);
    }
}
