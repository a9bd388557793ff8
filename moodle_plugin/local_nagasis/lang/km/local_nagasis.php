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

$string['applybusy'] = 'ការហៅមួយទៀតកំពុងសរសេរនៅឡើយ។ សូមព្យាយាមម្ដងទៀតក្នុងមួយនាទី។';
$string['documentsnotjson'] = 'ឯកសារមិនមែនជាបញ្ជី JSON ទេ៖ {$a}';
$string['documentstoolarge'] = 'ច្រើនពេកសម្រាប់ការហៅមួយ៖ យ៉ាងច្រើន {$a->documents} ឯកសារ និង {$a->bytes}។ សូមផ្ញើជាផ្នែកៗ។';
$string['pluginname'] = 'Naga SIS';
$string['refused_ambiguous_idnumber'] = 'មានច្រើនជាងមួយក្នុង Moodle ដែលមានលេខសម្គាល់ "{$a->idnumber}"៖ {$a->names}។ សូមទុកវាឱ្យតែមួយ។';
$string['refused_auth_missing'] = 'គេហទំព័រនេះមិនមានវិធីផ្ទៀងផ្ទាត់ "{$a->auth}" ទេ។ សូមដំឡើងវា ឬជ្រើសវិធីផ្សេង។';
$string['refused_duplicate_document'] = 'ឯកសារពីរក្នុងការហៅនេះគឺសម្រាប់ {$a->kind} "{$a->key}" តែមួយ។ សូមផ្ញើតែមួយ។';
$string['refused_email_invalid'] = '"{$a->email}" មិនមែនជាអាសយដ្ឋានអ៊ីមែលទេ។';
$string['refused_email_taken'] = 'អាសយដ្ឋាន {$a->email} ជារបស់ {$a->other} ហើយគេហទំព័រនេះមិនឱ្យគណនីប្រើរួមគ្នាទេ។';
$string['refused_failed'] = 'Moodle បដិសេធមិនសរសេរ៖ {$a->reason} ព័ត៌មានលម្អិតមានក្នុងកំណត់ហេតុម៉ាស៊ីនបម្រើគេហទំព័រ។';
$string['refused_protected_user'] = '{$a->user} ជាអ្នកគ្រប់គ្រង ភ្ញៀវ ឬអ្នកប្រើសេវារបស់ការតភ្ជាប់នេះ។ SIS មិនកែគណនីបែបនេះទេ។';
$string['refused_schema'] = '{$a->path} {$a->problem}។';
$string['refused_unknown_kind'] = 'កម្មវិធីជំនួយនេះមិនស្គាល់ឯកសារប្រភេទ "{$a->kind}" ទេ។ វាស្គាល់៖ {$a->kinds}។ សូមធ្វើបច្ចុប្បន្នភាពកម្មវិធីជំនួយ។';
$string['refused_username_invalid'] = 'Moodle មិនអនុញ្ញាតឈ្មោះអ្នកប្រើ "{$a->username}" ទេ។ វាអនុញ្ញាត "{$a->allowed}"៖ អក្សរតូច លេខ និង - _ . @';
$string['refused_username_taken'] = 'ឈ្មោះអ្នកប្រើ "{$a->username}" ជារបស់ {$a->other}។ បើជាមនុស្សតែមួយ សូមដាក់លេខសម្គាល់ពី SIS ឱ្យគណនីនោះ បើមិនដូច្នោះ សូមជ្រើសឈ្មោះអ្នកប្រើផ្សេង។';
$string['schema_array'] = 'ត្រូវតែជាបញ្ជី';
$string['schema_blank'] = 'មិនត្រូវទទេ';
$string['schema_boolean'] = 'ត្រូវតែជា true ឬ false';
$string['schema_controls'] = 'មិនត្រូវមានតួអក្សរបញ្ជា ដូចជាការចុះបន្ទាត់ ឬ tab';
$string['schema_enum'] = 'ត្រូវតែជាមួយក្នុងចំណោម៖ {$a}';
$string['schema_integer'] = 'ត្រូវតែជាចំនួនគត់';
$string['schema_maximum'] = 'មិនត្រូវលើស {$a}';
$string['schema_maxitems'] = 'មិនត្រូវមានលើស {$a} ធាតុ';
$string['schema_maxlength'] = 'មិនត្រូវវែងជាង {$a} តួអក្សរ';
$string['schema_minimum'] = 'មិនត្រូវតិចជាង {$a}';
$string['schema_missing'] = 'ខ្វះ';
$string['schema_object'] = 'ត្រូវតែជាវត្ថុ (object)';
$string['schema_pattern'] = 'មិនមានទម្រង់ដែលតម្រូវ៖ {$a}';
$string['schema_string'] = 'ត្រូវតែជាអក្សរ';
$string['schema_unknown'] = 'មិនមែនជាវាលដែលកម្មវិធីជំនួយនេះស្គាល់ទេ សូមពិនិត្យអក្ខរាវិរុទ្ធ ឬធ្វើបច្ចុប្បន្នភាពកម្មវិធីជំនួយ';
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
$string['unknownkind'] = 'កម្មវិធីបន្ថែមនេះមិនស្គាល់ឯកសារប្រភេទ "{$a}" ទេ។ សូមធ្វើបច្ចុប្បន្នភាពកម្មវិធីបន្ថែម។';
$string['unknownread'] = 'កម្មវិធីបន្ថែមនេះមិនអាចអាន "{$a}" បានទេ។ សូមធ្វើបច្ចុប្បន្នភាពកម្មវិធីបន្ថែម។';
