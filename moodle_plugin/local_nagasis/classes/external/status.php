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
 * The web service that says how the connection is.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\external;

use core\check\check;
use core_external\{external_api, external_function_parameters, external_value};
use local_nagasis\check\checks;
use local_nagasis\local\contract\contract;
use local_nagasis\local\outbox\outbox;
use local_nagasis\local\pairing\token;
use local_nagasis\local\pairing\versions;

/**
 * Versions, health and backlog of the connection.
 */
final class status extends external_api {
    /**
     * Parameters.
     *
     * @return external_function_parameters
     */
    public static function execute_parameters(): external_function_parameters {
        return new external_function_parameters([
            'contract' => new external_value(PARAM_INT, 'Version of the contract'),
        ]);
    }

    /**
     * Says how it is. Calls nobody: the tool asks in the middle of what we have asked it.
     *
     * @param int $contract
     * @return string JSON
     */
    public static function execute(int $contract): string {
        global $CFG, $SITE;
        $params = self::validate_parameters(self::execute_parameters(), ['contract' => $contract]);
        $context = \core\context\system::instance();
        self::validate_context($context);
        answer::require_reader($context, $params['contract']);
        $backlog = outbox::backlog();
        return answer::encode([
            'contract' => $params['contract'],
            'contracts' => contract::SUPPORTED,
            'url' => $CFG->wwwroot,
            'name' => format_string($SITE->fullname, true, ['context' => $context, 'escape' => false]),
            'now' => \core\di::get(\core\clock::class)->time(),
            'versions' => versions::all(),
            'kinds' => contract::KINDS,
            'reads' => contract::READS,
            'epoch' => outbox::epoch(),
            'backlog' => $backlog['count'],
            'oldest' => $backlog['oldest'],
            'set_aside' => outbox::count_set_aside(),
            'paused' => outbox::paused(),
            'token_expires_at' => token::expires_at(),
            'checks' => array_map([self::class, 'problem'], checks::local()),
        ]);
    }

    /**
     * What it answers.
     *
     * @return external_value
     */
    public static function execute_returns(): external_value {
        return new external_value(PARAM_RAW, 'JSON: how the site is');
    }

    /**
     * One check as the contract has it. A check that breaks says so, and hides no other.
     *
     * @param check $check
     * @return array
     */
    private static function problem(check $check): array {
        try {
            $result = $check->get_result();
            $summary = checks::text($result->get_summary());
            $details = checks::text($result->get_details());
            return [
                'name' => $check->get_id(),
                'status' => checks::status($result->get_status()),
                'summary' => $summary,
                'details' => $details === $summary ? '' : $details,
            ];
        } catch (\Throwable $problem) {
            return ['name' => $check->get_id(), 'status' => 'unknown', 'summary' => $problem->getMessage(), 'details' => ''];
        }
    }
}
