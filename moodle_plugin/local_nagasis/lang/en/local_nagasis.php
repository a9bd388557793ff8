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

$string['actions'] = 'Actions';
$string['applybusy'] = 'Another call is still writing. Try again in a minute.';
$string['checkagain'] = 'Check again';
$string['checkbacklog'] = 'Naga SIS: events that wait';
$string['checkbacklog_failing'] = 'Events could not be sent the last time; it is tried again each minute.';
$string['checkbacklog_full'] = 'Events that wait: {$a->count}. The limit is {$a->limit}: the oldest sign-ins are forgotten.';
$string['checkbacklog_late'] = 'Events that wait: {$a->count}, the oldest for {$a->age}.';
$string['checkbacklog_ok'] = 'No events wait.';
$string['checkbacklog_paused'] = 'Sending is paused. Events that wait: {$a->count}. Resume sending on the status page.';
$string['checkbacklog_sentat'] = 'Last sent: {$a}';
$string['checkbacklog_some'] = 'Events that wait: {$a->count}. They are sent within a minute.';
$string['checkclock'] = 'Naga SIS: clocks';
$string['checkclock_ahead'] = 'The clock of this Moodle is {$a} ahead of the tool’s. Set both servers by NTP.';
$string['checkclock_behind'] = 'The clock of this Moodle is {$a} behind the tool’s. Set both servers by NTP.';
$string['checkclock_ok'] = 'The clocks of Moodle and the tool agree.';
$string['checkclock_refused'] = 'The tool refuses requests because the clocks differ. Set both servers by NTP.';
$string['checkclock_unknown'] = 'The tool has not said what time it is there.';
$string['checkconnection'] = 'Naga SIS: connection';
$string['checkconnection_none'] = 'This Moodle is not connected with Naga SIS.';
$string['checkconnection_ok'] = 'Connected with {$a->tool} ({$a->url}).';
$string['checkconnection_unfinished'] = 'Connecting was begun and never came to its end. Connect again with a new code, or take back what was changed.';
$string['checkcron'] = 'Naga SIS: cron';
$string['checkcron_disabled'] = 'The scheduled task "{$a}" is switched off. Switch it on.';
$string['checkcron_failing'] = 'The scheduled task "{$a}" has failed and waits before it tries again. Its log says why.';
$string['checkcron_late'] = 'Cron last ran {$a} ago. It should run each minute.';
$string['checkcron_never'] = 'Cron has never run. Set it up to run each minute.';
$string['checkcron_ok'] = 'Cron runs, and our tasks with it.';
$string['checkfromtool'] = 'Naga SIS: the tool reaches Moodle';
$string['checkfromtool_failed'] = 'The tool does not get an answer from this Moodle.';
$string['checkfromtool_ok'] = 'The tool reaches this Moodle, and its token works.';
$string['checkfromtool_unknown'] = 'The tool has not said whether it reaches this Moodle.';
$string['checklist'] = 'What works, and what is left';
$string['checklist_at'] = 'Checked on {$a}';
$string['checklist_none'] = 'The tool has not said how the connection is.';
$string['checklist_todo'] = 'Left for you';
$string['checklist_works'] = 'Works';
$string['checklosses'] = 'Naga SIS: events lost';
$string['checklosses_missed'] = 'Events that could not be recorded: {$a}. The next reconciliation repairs what they were about.';
$string['checklosses_ok'] = 'No event was lost.';
$string['checklosses_some'] = 'Sign-ins that were forgotten because too many events waited: {$a}. No grade and no enrolment was.';
$string['checklosses_thinned'] = '{$a->at}: sign-ins forgotten: {$a->count}';
$string['checksetaside'] = 'Naga SIS: events set aside';
$string['checksetaside_ok'] = 'The tool takes all events.';
$string['checksetaside_some'] = 'Events that the tool could not take: {$a}. The status page lists them.';
$string['checksettings'] = 'Naga SIS: settings';
$string['checksettings_drifted'] = 'No longer as connecting made it: {$a}. Connect again with a new code: that mends it.';
$string['checksettings_ok'] = 'The settings are as connecting made them.';
$string['checktoken'] = 'Naga SIS: token';
$string['checktoken_expired'] = 'The token ended on {$a}. Connect again with a new code.';
$string['checktoken_late'] = 'The token ends on {$a} and should have been renewed by now. Look whether cron runs and the tool can be reached.';
$string['checktoken_none'] = 'The tool has no token for this Moodle. Connect again with a new code.';
$string['checktoken_ok'] = 'The token is valid until {$a} and is renewed before.';
$string['checktool'] = 'Naga SIS: what the tool finds';
$string['checktool_ok'] = 'The tool finds nothing wrong.';
$string['checktool_some'] = 'What the tool has found to do: {$a}.';
$string['checktool_unknown'] = 'The tool has not said what it finds.';
$string['checktotool'] = 'Naga SIS: Moodle reaches the tool';
$string['checktotool_failed'] = 'The tool did not give the answer that it should.';
$string['checktotool_ok'] = 'This Moodle reaches the tool, and the tool accepts its signature.';
$string['checkversions'] = 'Naga SIS: versions';
$string['checkversions_contract'] = 'The tool and this plugin speak no common version of their contract. Update the older one.';
$string['checkversions_differ'] = 'The two plugins are of different releases: local_nagasis {$a->local}, enrol_nagasis {$a->enrol}. Install both of one release.';
$string['checkversions_missing'] = 'The plugin {$a} is missing. Install it.';
$string['checkversions_ok'] = 'Plugins {$a->local}, Moodle {$a->moodle}.';
$string['checkversions_untested'] = 'This release of the plugins ({$a->local}) was not made for Moodle {$a->moodle}. Look for a newer one.';
$string['checkversions_upgrade'] = 'The plugin {$a} is not fully installed. Open Site administration > Notifications.';
$string['cli_pairhelp'] = 'Connects this Moodle with Naga SIS.

  --code=CODE  the code from Naga SIS
  --preview    say what would be done, and do nothing
  -h, --help   this help

Exit status: 0 connected, 1 not, 2 wrong options.';
$string['cli_unpairhelp'] = 'Ends the connection with Naga SIS: tells it, revokes its token, and takes back what connecting has changed.

  -h, --help   this help';
$string['connectedwith'] = 'This Moodle is connected with {$a->tool} at {$a->url}, since {$a->at}.';
$string['contractunsupported'] = 'The tool asked for version {$a->asked} of the contract; this plugin speaks {$a->supported}. Update {$a->side}.';
$string['documentsnotjson'] = 'The documents are not a JSON list: {$a}';
$string['documentstoolarge'] = 'Too much for one call: at most {$a->documents} documents and {$a->bytes}. Send it in parts.';
$string['done_token'] = '{$a} has a token now, and has called this Moodle back.';
$string['found_clock_error'] = 'The clocks differ so much that launches and events are refused. Set both servers by NTP.';
$string['found_clock_ok'] = 'Both clocks agree.';
$string['found_clock_warning'] = 'The clocks differ. Set both servers by NTP before launches are refused.';
$string['found_events_ok'] = 'What happens in this Moodle arrives at Naga SIS.';
$string['found_events_warning'] = 'Events wait here, or are paused, or could not be taken. See the status page.';
$string['found_id_numbers_ok'] = 'ID numbers are trusted: people are recognised at their first visit.';
$string['found_id_numbers_warning'] = 'Naga SIS does not trust ID numbers: its administrator connects each account.';
$string['found_launches_error'] = 'Nobody can open Naga SIS from this Moodle: its registration is switched off there. Ask the administrator of Naga SIS.';
$string['found_launches_ok'] = 'People can open Naga SIS from this Moodle.';
$string['found_moodle_answers_error'] = 'Naga SIS does not get an answer from this Moodle.';
$string['found_moodle_answers_ok'] = 'Naga SIS reaches this Moodle, and its token works.';
$string['found_moodle_answers_unknown'] = 'This Moodle was not asked: the connection is paused or ended on the side of Naga SIS.';
$string['found_moodle_asks_ok'] = 'This Moodle reaches Naga SIS.';
$string['found_moodle_asks_unknown'] = 'Naga SIS has not heard of this Moodle yet.';
$string['found_moodle_asks_warning'] = 'Naga SIS has not heard of this Moodle for more than an hour. Look whether cron runs each minute.';
$string['found_reconciling_ok'] = 'No event was missed.';
$string['found_reconciling_warning'] = 'Events may have been missed: this Moodle or Naga SIS was restored, or the connection was down. The next reconciliation repairs it.';
$string['found_token_error'] = 'The token has expired. Connect again with a new code.';
$string['found_token_ok'] = 'The token is valid, and this Moodle renews it in time.';
$string['found_token_warning'] = 'The token should have been renewed by now. Look whether cron runs.';
$string['found_versions_error'] = 'Naga SIS and the plugin speak no common version of their contract. Update the older one.';
$string['found_versions_ok'] = 'Naga SIS and the plugin speak the same version of their contract.';
$string['left_adopted'] = 'The LTI tool "{$a}" was there before and stays, with the settings that it had. Remove it under External tool, Manage tools, if nobody needs it.';
$string['left_enrol'] = 'The enrolment plugin stays on: people are enrolled by it, and without it they could not enter their courses.';
$string['left_freezing'] = 'Context freezing stays on: courses are frozen, and without it everything in them could be changed again.';
$string['left_lti'] = 'The LTI tool "{$a->name}" stays because activities use it ({$a->count}); it is hidden from teachers, and can read and write nothing any more.';
$string['left_ltimodule'] = 'The activity "External tool" stays on: there are activities of it.';
$string['left_tell'] = 'The tool could not be told. Its token no longer works; end the connection on the tool\'s page of this site too.';
$string['left_webservices'] = 'Web services stay on: others use them too.';
$string['ltidescription'] = 'Rosters and grades of {$a}';
$string['nagasis:apply'] = 'Make Moodle equal to the SIS';
$string['nagasis:read'] = 'Read what the SIS needs to know';
$string['nothingtodo'] = 'Is as it must be';
$string['outboxlimit'] = 'Events that may wait';
$string['outboxlimit_desc'] = 'When the tool cannot be reached, events wait here. Above this number the oldest sign-ins are forgotten; grades, enrolments and all other records never are.';
$string['pair_again'] = 'Connect again, to repair';
$string['pair_againhelp'] = 'Connecting again mends what has been changed here since. Nothing is lost by it.';
$string['pair_button'] = 'Connect';
$string['pair_code'] = 'Code';
$string['pair_code_help'] = 'In Naga SIS, an administrator chooses "Connect a Moodle". The code that appears works once, for 15 minutes. It begins with naga1.';
$string['pair_codeends'] = 'The code works until {$a}.';
$string['pair_continue'] = 'Continue';
$string['pair_failed'] = 'This Moodle is not connected: one step failed. Mend it, then try again; what was done already stays and is not done twice.';
$string['pair_failedagain'] = 'The connection could not be repaired: one step failed. What worked before still does.';
$string['pair_intro'] = 'Paste the code from Naga SIS. On the next page you see what will be done; nothing is done before you confirm it.';
$string['pair_steps'] = 'Steps';
$string['pair_success'] = 'This Moodle is connected with {$a}.';
$string['pair_title'] = 'Connect with Naga SIS';
$string['pair_tool'] = 'Tool';
$string['pair_unfinished'] = 'A connection was begun and not finished. Begin again with a new code, or take back what was changed.';
$string['pair_willdo'] = 'What will be done';
$string['pair_willdohelp'] = 'All of it is taken back when you disconnect, as far as nobody has changed it since.';
$string['pairbadoffer'] = 'What answered is not Naga SIS, or is a version that this plugin does not know (wrong: {$a}).';
$string['pairbusy'] = 'Somebody else is connecting or disconnecting this Moodle at this moment. Try again in a minute.';
$string['paircodecut'] = 'A part of the code is missing or was changed. Copy all of it once more.';
$string['pairconnected'] = 'This Moodle is connected with {$a->tool} at {$a->url}. Disconnect it first, then connect it with another tool.';
$string['pairforced'] = 'The setting {$a->setting} is fixed in config.php, and must be "{$a->value}". Change it there.';
$string['pairnohttps'] = 'This Moodle has no HTTPS ({$a}), and can be connected only with it: a token is sent over the network. Set it up, and correct $CFG->wwwroot in config.php.';
$string['pairnokey'] = 'Moodle could not make its LTI key: {$a}';
$string['pairnotacode'] = 'This is not a code of Naga SIS. A code begins with naga1.';
$string['pairnotool'] = 'The code names no address that begins with https:// ({$a}). Correct the tool\'s public address, then make a new code.';
$string['pairnouser'] = 'The service user is missing. Connect again to make it.';
$string['pairotheraddress'] = 'The code is for {$a->asked}, but the tool there says that its address is {$a->said}. Correct the tool\'s public address, then make a new code.';
$string['pluginname'] = 'Naga SIS';
$string['privacy:metadata:outbox'] = 'Events that wait to be sent to Naga SIS. They are removed when the tool has them.';
$string['privacy:metadata:outbox:actorid'] = 'Who caused it';
$string['privacy:metadata:outbox:payload'] = 'Ids of the course and of what it is about, and a final grade';
$string['privacy:metadata:outbox:timecreated'] = 'When it happened';
$string['privacy:metadata:outbox:type'] = 'What happened';
$string['privacy:metadata:outbox:userid'] = 'Whom the event concerns';
$string['privacy:metadata:tool'] = 'The Naga SIS tool with which this Moodle is connected: the student information system of the school.';
$string['privacy:metadata:tool:access'] = 'When somebody was last here, and in each course';
$string['privacy:metadata:tool:account'] = 'A fingerprint of names, user name and e-mail address, from which the tool sees whether they are still as the school has them';
$string['privacy:metadata:tool:enrolments'] = 'Enrolments, roles and groups in courses';
$string['privacy:metadata:tool:events'] = 'What happened: sign-ins, submissions, grades, completion, enrolments, groups';
$string['privacy:metadata:tool:fullname'] = 'The name of people without an ID number who are enrolled in a course of the school';
$string['privacy:metadata:tool:grades'] = 'Grades, and who gave them';
$string['privacy:metadata:tool:idnumber'] = 'The ID number, by which the tool knows people';
$string['privacy:metadata:tool:userid'] = 'The number of the account in this Moodle';
$string['privacy:path:outbox'] = 'Events that wait to be sent';
$string['refused_ambiguous_idnumber'] = 'More than one thing in Moodle has the ID number "{$a->idnumber}": {$a->names}. Take it from all but one of them.';
$string['refused_auth_missing'] = 'This site does not have the authentication method "{$a->auth}". Install it, or choose another.';
$string['refused_category_loop'] = 'The category "{$a->category}" cannot be inside "{$a->parent}", which is inside it.';
$string['refused_category_missing'] = 'There is no category with the ID number "{$a->category}". Send its document first, or with this one.';
$string['refused_count_mismatch'] = 'The roster says that it has {$a->count} members, and has {$a->members}. It may have been cut short, so nobody has been touched. Send it whole.';
$string['refused_course_missing'] = 'There is no course with the ID number "{$a->idnumber}". Send the course first, or give the course its ID number.';
$string['refused_dates_reversed'] = 'The course would end ({$a->end}) before it starts ({$a->start}).';
$string['refused_duplicate_document'] = 'Two documents of this call are for the {$a->kind} "{$a->key}". Send one.';
$string['refused_duplicate_member'] = '"{$a->user}" stands in the roster more than once, so it is not clear what is meant. Send everybody once.';
$string['refused_email_invalid'] = '"{$a->email}" is not an e-mail address.';
$string['refused_email_taken'] = 'The address {$a->email} belongs to {$a->other}, and this site does not let accounts share one.';
$string['refused_enrol_disabled'] = 'The enrolment plugin "Naga SIS enrolments" is switched off, on this site or in the course "{$a->course}". Switch it on under Site administration, Plugins, Enrolments, or in the enrolment methods of the course.';
$string['refused_failed'] = 'Moodle refused to write this: {$a->reason} The details are in the log of the web server.';
$string['refused_group_missing'] = 'The course has no group with the ID number "{$a->idnumber}". Send the course with this group first.';
$string['refused_locking_disabled'] = 'The course "{$a->course}" should be read only, and this site does not freeze anything. Switch on "Context freezing" (contextlocking) under Site administration, Development, Experimental; or let archived courses be hidden instead, in the settings of the Naga SIS tool.';
$string['refused_protected_user'] = '{$a->user} is an administrator, the guest or the service user of this connection. The SIS does not change such accounts.';
$string['refused_role_missing'] = 'This site has no role with the short name "{$a->role}". Make it under Site administration, Users, Define roles.';
$string['refused_schema'] = '{$a->path} {$a->problem}.';
$string['refused_shortname_taken'] = 'The short name "{$a->shortname}" belongs to the course {$a->other}. Give that course its ID number from the SIS if it is the same class, or choose another short name.';
$string['refused_unknown_kind'] = 'This plugin does not know documents of the kind "{$a->kind}". It knows: {$a->kinds}. Update the plugin.';
$string['refused_user_missing'] = 'There is no account with the ID number "{$a->idnumber}". Send the person first, or give the account its ID number.';
$string['refused_username_invalid'] = 'Moodle does not allow the username "{$a->username}". It would allow "{$a->allowed}": small letters, digits and - _ . @';
$string['refused_username_taken'] = 'The username "{$a->username}" belongs to {$a->other}. Give that account its ID number from the SIS if it is the same person, or choose another username.';
$string['result_already'] = 'Was so';
$string['result_done'] = 'Done';
$string['result_failed'] = 'Failed';
$string['result_left'] = 'Left';
$string['result_nothing'] = 'Nothing to do';
$string['roledescription'] = 'What the account of Naga SIS may do, and nothing else. The plugin keeps it as it is.';
$string['rolename'] = 'Naga SIS service';
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
$string['schema_twice'] = 'names "{$a}" a second time';
$string['schema_unknown'] = 'is not a field that this plugin knows; check its spelling, or update the plugin';
$string['send_answerunclear'] = 'The tool answered, but did not say what it holds.';
$string['send_notheld'] = 'The tool answered, but did not store the events.';
$string['serviceuserdescription'] = 'Naga SIS works in the name of this account. Nobody can sign in with it. Without it, the connection ends.';
$string['serviceuserlastname'] = 'service account (do not delete)';
$string['settings'] = 'Settings';
$string['status_capture'] = 'Could not be recorded';
$string['status_check'] = 'Check the connection now';
$string['status_checks'] = 'How the connection is';
$string['status_discard'] = 'Discard';
$string['status_discardconfirm'] = 'Discard this event? It cannot be had back; the next reconciliation repairs what it was about.';
$string['status_dismiss'] = 'I have seen what was lost';
$string['status_events'] = 'Events';
$string['status_held'] = 'Last event that the tool holds';
$string['status_lasterror'] = 'Last problem';
$string['status_more'] = 'And {$a} more.';
$string['status_number'] = 'Number';
$string['status_oldest'] = 'The oldest of them';
$string['status_pause'] = 'Pause sending';
$string['status_paused'] = 'Sending is paused. Events are still recorded, and wait.';
$string['status_reason'] = 'Reason';
$string['status_resend'] = 'Send again';
$string['status_resendfrom'] = 'Send again all from number';
$string['status_resume'] = 'Resume sending';
$string['status_send'] = 'Send now';
$string['status_sentat'] = 'Last sent';
$string['status_setaside'] = 'Set aside';
$string['status_setasidehelp'] = 'The tool could not take these events. Send them again after the tool or the plugin was updated, or discard them.';
$string['status_title'] = 'Status';
$string['status_told_busy'] = 'Events are being sent right now.';
$string['status_told_checked'] = 'The tool has answered.';
$string['status_told_discarded'] = 'The event was discarded.';
$string['status_told_dismissed'] = 'Noted.';
$string['status_told_notchecked'] = 'The tool could not be asked: {$a}';
$string['status_told_notdiscarded'] = 'This event is no longer here, or not ready to be discarded.';
$string['status_told_nothing'] = 'Nothing waits; the tool has answered.';
$string['status_told_notresent'] = 'There is nothing to send again.';
$string['status_told_notsent'] = 'Events could not be sent: {$a}';
$string['status_told_pause'] = 'Sending is paused.';
$string['status_told_paused'] = 'Sending is paused. Resume it first.';
$string['status_told_resent'] = 'To be sent again: {$a}.';
$string['status_told_resume'] = 'Sending goes on, with the next run of cron at the latest.';
$string['status_told_sent'] = 'Sent: {$a->sent}. Waiting: {$a->left}.';
$string['status_type'] = 'What happened';
$string['status_waiting'] = 'Waiting';
$string['step_enrolment'] = 'Enrolments';
$string['step_freezing'] = 'Archived courses';
$string['step_locks'] = 'Locked fields';
$string['step_lti'] = 'LTI tool';
$string['step_role'] = 'Role';
$string['step_services'] = 'Web services';
$string['step_token'] = 'Token';
$string['step_user'] = 'Service user';
$string['task_maintain'] = 'Keep the connection to Naga SIS';
$string['task_send_events'] = 'Send events to Naga SIS';
$string['task_watch_outbox'] = 'Send events to Naga SIS soon after they happen';
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
$string['undo_connection'] = 'Forget the tool, and what waited to be sent to it';
$string['undo_enrolment'] = 'Switch the enrolment plugin off again';
$string['undo_freezing'] = 'Switch off context freezing';
$string['undo_locks'] = 'Unlock what connecting has locked';
$string['undo_lti'] = 'Remove the LTI tool';
$string['undo_role'] = 'Remove the role';
$string['undo_services'] = 'Switch web services off again';
$string['undo_tell'] = 'Tell the tool';
$string['undo_token'] = 'Revoke the token';
$string['undo_user'] = 'Remove the service user';
$string['unknownkind'] = 'This plugin knows no documents of the kind "{$a}". Update the plugin.';
$string['unknownread'] = 'This plugin cannot read "{$a}". Update the plugin.';
$string['unpair_button'] = 'Disconnect';
$string['unpair_failed'] = 'Not all could be taken back. See below, then try again.';
$string['unpair_intro'] = 'The tool loses its access to this Moodle at once. Nothing of courses, people, enrolments and grades is changed. What connecting had set here is taken back, as far as nobody has changed it since.';
$string['unpair_nothing'] = 'This Moodle is not connected, and there is nothing to take back.';
$string['unpair_success'] = 'This Moodle is no longer connected.';
$string['unpair_title'] = 'Disconnect from Naga SIS';
$string['will_enableenrol'] = 'Switch on the enrolment plugin "Naga SIS enrolments"';
$string['will_enablelti'] = 'Switch on the activity "External tool"';
$string['will_enablerest'] = 'Switch on the REST protocol';
$string['will_enableservice'] = 'Switch on the service "Naga SIS"';
$string['will_enablewebservices'] = 'Switch on web services';
$string['will_freeze'] = 'Switch on context freezing (contextlocking): the courses of past terms can be read, and nothing in them be changed.';
$string['will_lock'] = 'Lock these fields in the profiles of people who sign in by {$a->plugins}: {$a->fields}. The SIS owns them; whoever could change them could take another\'s place.';
$string['will_lti'] = 'Register "{$a}" as an LTI tool and show it to teachers in the activity chooser; it gets names and e-mail addresses, rosters, and may write grades';
$string['will_ltikey'] = 'Make Moodle\'s LTI key';
$string['will_mendlti'] = 'Adopt the LTI tool "{$a}", which is registered already, and set it so that it works; its activities stay';
$string['will_mendrole'] = 'Give the role "nagasis" exactly these capabilities again: {$a}';
$string['will_menduser'] = 'Make the account "{$a}" usable for the tool again';
$string['will_role'] = 'Make the role "nagasis", which can do this and nothing else: {$a}';
$string['will_token'] = 'Make a token that works for {$a->days} days, and hand it over to {$a->tool}; it is renewed by itself before it ends';
$string['will_user'] = 'Make the account "{$a}", with which nobody can sign in';
