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

$string['applybusy'] = 'Another call is still writing. Try again in a minute.';
$string['contractunsupported'] = 'The tool asked for version {$a->asked} of the contract; this plugin speaks {$a->supported}. Update {$a->side}.';
$string['documentsnotjson'] = 'The documents are not a JSON list: {$a}';
$string['documentstoolarge'] = 'Too much for one call: at most {$a->documents} documents and {$a->bytes}. Send it in parts.';
$string['nagasis:apply'] = 'Make Moodle equal to the SIS';
$string['nagasis:read'] = 'Read what the SIS needs to know';
$string['pluginname'] = 'Naga SIS';
$string['refused_ambiguous_idnumber'] = 'More than one thing in Moodle has the ID number "{$a->idnumber}": {$a->names}. Take it from all but one of them.';
$string['refused_auth_missing'] = 'This site does not have the authentication method "{$a->auth}". Install it, or choose another.';
$string['refused_duplicate_document'] = 'Two documents of this call are for the {$a->kind} "{$a->key}". Send one.';
$string['refused_email_invalid'] = '"{$a->email}" is not an e-mail address.';
$string['refused_email_taken'] = 'The address {$a->email} belongs to {$a->other}, and this site does not let accounts share one.';
$string['refused_failed'] = 'Moodle refused to write this: {$a->reason} The details are in the log of the web server.';
$string['refused_protected_user'] = '{$a->user} is an administrator, the guest or the service user of this connection. The SIS does not change such accounts.';
$string['refused_schema'] = '{$a->path} {$a->problem}.';
$string['refused_unknown_kind'] = 'This plugin does not know documents of the kind "{$a->kind}". It knows: {$a->kinds}. Update the plugin.';
$string['refused_username_invalid'] = 'Moodle does not allow the username "{$a->username}". It would allow "{$a->allowed}": small letters, digits and - _ . @';
$string['refused_username_taken'] = 'The username "{$a->username}" belongs to {$a->other}. Give that account its ID number from the SIS if it is the same person, or choose another username.';
$string['schema_array'] = 'must be a list';
$string['schema_blank'] = 'must not be blank';
$string['schema_boolean'] = 'must be true or false';
$string['schema_controls'] = 'must not hold control characters, such as line breaks or tabs';
$string['schema_enum'] = 'must be one of: {$a}';
$string['schema_integer'] = 'must be a whole number';
$string['schema_maximum'] = 'must not be more than {$a}';
$string['schema_maxitems'] = 'must not have more than {$a} items';
$string['schema_maxlength'] = 'must not be longer than {$a} characters';
$string['schema_minimum'] = 'must not be less than {$a}';
$string['schema_missing'] = 'is missing';
$string['schema_object'] = 'must be an object';
$string['schema_pattern'] = 'does not have the form that is asked for: {$a}';
$string['schema_string'] = 'must be text';
$string['schema_unknown'] = 'is not a field that this plugin knows; check its spelling, or update the plugin';
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
$string['unknownkind'] = 'This plugin knows no documents of the kind "{$a}". Update the plugin.';
$string['unknownread'] = 'This plugin cannot read "{$a}". Update the plugin.';
