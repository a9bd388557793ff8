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
 * The web service that gives back what the SIS needs to know.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\external;

use core_external\{external_api, external_function_parameters, external_value};
use local_nagasis\local\outbox\outbox;
use local_nagasis\local\reading\{access, activity, grade_items, grades, page, rosters, scope};

/**
 * Activity, enrolments, grade items and grades, in bulk and in pages.
 */
final class read extends external_api {
    /**
     * Parameters.
     *
     * @return external_function_parameters
     */
    public static function execute_parameters(): external_function_parameters {
        return new external_function_parameters([
            'contract' => new external_value(PARAM_INT, 'Version of the contract'),
            'what' => new external_value(PARAM_ALPHANUMEXT, 'What to read'),
            'scope' => new external_value(PARAM_RAW, 'JSON object: of what', VALUE_DEFAULT, '{}'),
            'after' => new external_value(PARAM_RAW, 'The last page\'s "next"', VALUE_DEFAULT, ''),
            'limit' => new external_value(PARAM_INT, 'Items of one page', VALUE_DEFAULT, 1000),
        ]);
    }

    /**
     * Reads one page.
     *
     * @param int $contract
     * @param string $what
     * @param string $scope
     * @param string $after
     * @param int $limit
     * @return string JSON
     */
    public static function execute(
        int $contract,
        string $what,
        string $scope = '{}',
        string $after = '',
        int $limit = 1000,
    ): string {
        $params = self::validate_parameters(self::execute_parameters(), [
            'contract' => $contract,
            'what' => $what,
            'scope' => $scope,
            'after' => $after,
            'limit' => $limit,
        ]);
        $context = \core\context\system::instance();
        self::validate_context($context);
        answer::require_reader($context, $params['contract']);
        [$reading, $allowed] = match ($params['what']) {
            'activity' => [new activity(), ['since']],
            'access' => [new access(), ['since', 'courses']],
            'roster' => [new rosters(), ['courses']],
            'items' => [new grade_items(), ['courses']],
            'grades' => [new grades(), ['courses', 'items', 'since', 'keyed']],
            default => throw new \moodle_exception('unknownread', 'local_nagasis', '', $params['what']),
        };
        $page = $reading->page(
            scope::require(answer::decode($params['scope'], 'scope'), $allowed),
            page::require_cursor($params['after'], $params['limit']),
            $params['limit'],
        );
        return answer::encode([
            'contract' => $params['contract'],
            'items' => $page->items,
            'next' => $page->next,
            // Asked last: if this Moodle was replaced by an older one meanwhile, it tells so.
            'outbox' => outbox::position(),
        ]);
    }

    /**
     * What it answers.
     *
     * @return external_value
     */
    public static function execute_returns(): external_value {
        return new external_value(PARAM_RAW, 'JSON: contract, items, next, outbox');
    }
}
