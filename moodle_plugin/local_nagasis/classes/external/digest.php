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
 * The web service that gives fingerprints of what is there.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\external;

use core_external\{external_api, external_function_parameters, external_value};
use local_nagasis\local\reading\{category_digest, course_digest, gradebook_digest, keys, page, roster_digest, user_digest};

/**
 * Fingerprints of what is there, which the tool compares with those of what should be.
 */
final class digest extends external_api {
    /**
     * Parameters.
     *
     * @return external_function_parameters
     */
    public static function execute_parameters(): external_function_parameters {
        return new external_function_parameters([
            'contract' => new external_value(PARAM_INT, 'Version of the contract'),
            'kind' => new external_value(PARAM_ALPHANUMEXT, 'Kind of the documents'),
            'keys' => new external_value(PARAM_RAW, 'JSON array of idnumbers; empty: all', VALUE_DEFAULT, '[]'),
            'after' => new external_value(PARAM_RAW, 'The last page\'s "next"', VALUE_DEFAULT, ''),
            'limit' => new external_value(PARAM_INT, 'Things of one page', VALUE_DEFAULT, 1000),
        ]);
    }

    /**
     * Reads one page.
     *
     * @param int $contract
     * @param string $kind
     * @param string $keys
     * @param string $after
     * @param int $limit
     * @return string JSON
     */
    public static function execute(
        int $contract,
        string $kind,
        string $keys = '[]',
        string $after = '',
        int $limit = 1000,
    ): string {
        $params = self::validate_parameters(self::execute_parameters(), [
            'contract' => $contract,
            'kind' => $kind,
            'keys' => $keys,
            'after' => $after,
            'limit' => $limit,
        ]);
        $context = \core\context\system::instance();
        self::validate_context($context);
        answer::require_reader($context, $params['contract']);
        $digest = match ($params['kind']) {
            'category' => new category_digest(),
            'user' => new user_digest(),
            'course' => new course_digest(),
            'roster' => new roster_digest(),
            'gradebook' => new gradebook_digest(),
            default => throw new \moodle_exception('unknownkind', 'local_nagasis', '', $params['kind']),
        };
        $page = $digest->page(
            keys::require_list(answer::decode($params['keys'], 'keys'), 'keys'),
            page::require_cursor($params['after'], $params['limit']),
            $params['limit'],
        );
        return answer::encode(['contract' => $params['contract'], 'items' => $page->items, 'next' => $page->next]);
    }

    /**
     * What it answers.
     *
     * @return external_value
     */
    public static function execute_returns(): external_value {
        return new external_value(PARAM_RAW, 'JSON: contract, items (key, id, fingerprint), next');
    }
}
