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
 * The web service that makes Moodle equal to documents of the SIS.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\external;

use core_external\{external_api, external_function_parameters, external_value};
use local_nagasis\local\contract\contract;
use local_nagasis\local\provision\batch;

/**
 * Makes Moodle equal to documents of the SIS, or says what would change.
 */
final class apply extends external_api {
    /** @var int Seconds to wait for another call that is writing. */
    private const PATIENCE = 30;

    /**
     * Parameters.
     *
     * @return external_function_parameters
     */
    public static function execute_parameters(): external_function_parameters {
        return new external_function_parameters([
            'contract' => new external_value(PARAM_INT, 'Version of the contract'),
            'documents' => new external_value(PARAM_RAW, 'JSON array of documents'),
            'dryrun' => new external_value(PARAM_BOOL, 'Only say what would change', VALUE_DEFAULT, false),
        ]);
    }

    /**
     * Does it.
     *
     * @param int $contract
     * @param string $documents
     * @param bool $dryrun
     * @return string JSON
     */
    public static function execute(int $contract, string $documents, bool $dryrun = false): string {
        $params = self::validate_parameters(self::execute_parameters(), [
            'contract' => $contract,
            'documents' => $documents,
            'dryrun' => $dryrun,
        ]);
        $context = \core\context\system::instance();
        self::validate_context($context);
        require_capability('local/nagasis:apply', $context);
        contract::require_supported($params['contract']);
        $decoded = self::decode($params['documents']);

        \core_php_time_limit::raise();
        raise_memory_limit(MEMORY_EXTRA);
        $results = $params['dryrun'] ? batch::run($decoded, true) : self::alone(fn() => batch::run($decoded, false));
        return json_encode(
            ['contract' => $params['contract'], 'dryrun' => $params['dryrun'], 'results' => $results],
            JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES,
        );
    }

    /**
     * What it answers.
     *
     * @return external_value
     */
    public static function execute_returns(): external_value {
        return new external_value(PARAM_RAW, 'JSON: contract, dryrun, results');
    }

    /**
     * Reads the documents.
     *
     * @param string $json
     * @return array
     */
    private static function decode(string $json): array {
        $limits = (object) ['documents' => contract::MAX_DOCUMENTS, 'bytes' => display_size(contract::MAX_BYTES)];
        if (strlen($json) > contract::MAX_BYTES) {
            throw new \moodle_exception('documentstoolarge', 'local_nagasis', '', $limits);
        }
        // Objects stay objects, so that an empty one is not taken for an empty list.
        $decoded = json_decode($json, false, 32);
        if (!is_array($decoded)) {
            $problem = json_last_error() ? json_last_error_msg() : get_string('schema_array', 'local_nagasis');
            throw new \moodle_exception('documentsnotjson', 'local_nagasis', '', $problem);
        }
        if (count($decoded) > contract::MAX_DOCUMENTS) {
            throw new \moodle_exception('documentstoolarge', 'local_nagasis', '', $limits);
        }
        return $decoded;
    }

    /**
     * Runs something while no other call writes: Moodle's database does not keep two from making the same thing.
     *
     * @param callable $work
     * @return mixed
     */
    private static function alone(callable $work): mixed {
        $lock = \core\lock\lock_config::get_lock_factory('local_nagasis')->get_lock('apply', self::PATIENCE, HOURSECS);
        if (!$lock) {
            throw new \moodle_exception('applybusy', 'local_nagasis');
        }
        try {
            return $work();
        } finally {
            $lock->release();
        }
    }
}
