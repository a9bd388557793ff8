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
 * English words.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

defined('MOODLE_INTERNAL') || die();

$string['contractunsupported'] = 'The tool asked for version {$a->asked} of the contract; this plugin speaks {$a->supported}. Update {$a->side}.';
$string['nagasis:apply'] = 'Make Moodle equal to the SIS';
$string['nagasis:read'] = 'Read what the SIS needs to know';
$string['pluginname'] = 'Naga SIS';
$string['task_maintain'] = 'Keep the connection to Naga SIS';
$string['task_send_events'] = 'Send events to Naga SIS';
$string['theplugin'] = 'the Moodle plugin';
$string['thetool'] = 'the tool';
$string['tool_blocked'] = 'Moodle\'s HTTP security settings forbid calling {$a->url}. Allow its host and port in Site administration › General › Security › HTTP security. ({$a->detail})';
$string['tool_busy'] = '{$a->url} is busy (HTTP {$a->status}).';
$string['tool_connection'] = '{$a->url} could not be reached. ({$a->detail})';
$string['tool_garbage'] = 'What answered at {$a->url} is not Naga SIS (HTTP {$a->status}).';
$string['tool_no_key'] = 'This Moodle has no LTI platform key. Open Site administration › Plugins › External tool once, which makes it.';
$string['tool_not_paired'] = 'This Moodle is not connected to Naga SIS.';
$string['tool_redirected'] = '{$a->url} sent us elsewhere (HTTP {$a->status}). Is it the tool\'s public address?';
$string['tool_refused'] = 'Naga SIS refused ({$a->code}): {$a->detail} {$a->remedy}';
$string['tool_server_error'] = '{$a->url} had an error of its own (HTTP {$a->status}).';
$string['tool_timeout'] = '{$a->url} did not answer in time.';
$string['tool_tls'] = 'The certificate of {$a->url} could not be verified. Is it valid, and does this server know its authority? ({$a->detail})';
