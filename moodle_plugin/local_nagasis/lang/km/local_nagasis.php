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
 * Khmer words.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

defined('MOODLE_INTERNAL') || die();

$string['pluginname'] = 'Naga SIS';
$string['tool_blocked'] = 'ការកំណត់សុវត្ថិភាព HTTP របស់ Moodle ហាមហៅ {$a->url}។ សូមអនុញ្ញាតម៉ាស៊ីន និងច្រករបស់វានៅ ការគ្រប់គ្រងគេហទំព័រ › ទូទៅ › សុវត្ថិភាព › HTTP security។ ({$a->detail})';
$string['tool_busy'] = '{$a->url} កំពុងរវល់ (HTTP {$a->status})។';
$string['tool_connection'] = 'មិនអាចភ្ជាប់ទៅ {$a->url} បានទេ។ ({$a->detail})';
$string['tool_garbage'] = 'អ្វីដែលបានឆ្លើយតបនៅ {$a->url} មិនមែនជា Naga SIS ទេ (HTTP {$a->status})។';
$string['tool_no_key'] = 'Moodle នេះគ្មានកូនសោវេទិកា LTI ទេ។ សូមបើក ការគ្រប់គ្រងគេហទំព័រ › កម្មវិធីជំនួយ › External tool ម្តង ដើម្បីបង្កើតវា។';
$string['tool_not_paired'] = 'Moodle នេះមិនទាន់ភ្ជាប់ទៅ Naga SIS ទេ។';
$string['tool_redirected'] = '{$a->url} បានបញ្ជូនបន្តទៅកន្លែងផ្សេង (HTTP {$a->status})។ តើវាជាអាសយដ្ឋានសាធារណៈរបស់ឧបករណ៍មែនទេ?';
$string['tool_refused'] = 'Naga SIS បានបដិសេធ ({$a->code})៖ {$a->detail} {$a->remedy}';
$string['tool_server_error'] = '{$a->url} មានកំហុសខាងក្នុងរបស់ខ្លួន (HTTP {$a->status})។';
$string['tool_timeout'] = '{$a->url} មិនបានឆ្លើយតបទាន់ពេលទេ។';
$string['tool_tls'] = 'មិនអាចផ្ទៀងផ្ទាត់វិញ្ញាបនបត្ររបស់ {$a->url} បានទេ។ តើវានៅមានសុពលភាព ហើយម៉ាស៊ីនមេនេះស្គាល់អាជ្ញាធររបស់វាឬទេ? ({$a->detail})';
