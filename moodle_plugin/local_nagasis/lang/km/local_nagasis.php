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

$string['actions'] = 'សកម្មភាព';
$string['applybusy'] = 'ការហៅមួយទៀតកំពុងសរសេរនៅឡើយ។ សូមព្យាយាមម្ដងទៀតក្នុងមួយនាទី។';
$string['checkagain'] = 'ពិនិត្យម្តងទៀត';
$string['checkbacklog'] = 'Naga SIS៖ ព្រឹត្តិការណ៍ដែលរង់ចាំ';
$string['checkbacklog_failing'] = 'លើកចុងក្រោយ មិនអាចផ្ញើព្រឹត្តិការណ៍បានទេ វានឹងសាកល្បងម្តងទៀតរៀងរាល់នាទី។';
$string['checkbacklog_full'] = 'ព្រឹត្តិការណ៍ដែលរង់ចាំ៖ {$a->count}។ កម្រិតកំណត់គឺ {$a->limit}៖ ការចូលប្រើចាស់ៗបំផុតនឹងត្រូវបំភ្លេច។';
$string['checkbacklog_late'] = 'ព្រឹត្តិការណ៍ដែលរង់ចាំ៖ {$a->count} ចាស់បំផុតរង់ចាំ {$a->age} ហើយ។';
$string['checkbacklog_ok'] = 'គ្មានព្រឹត្តិការណ៍ណារង់ចាំទេ។';
$string['checkbacklog_paused'] = 'ការផ្ញើត្រូវបានផ្អាក។ ព្រឹត្តិការណ៍ដែលរង់ចាំ៖ {$a->count}។ សូមបន្តការផ្ញើនៅលើទំព័រស្ថានភាព។';
$string['checkbacklog_sentat'] = 'ផ្ញើចុងក្រោយ៖ {$a}';
$string['checkbacklog_some'] = 'ព្រឹត្តិការណ៍ដែលរង់ចាំ៖ {$a->count}។ វានឹងត្រូវផ្ញើក្នុងរយៈពេលមួយនាទី។';
$string['checkclock'] = 'Naga SIS៖ នាឡិកា';
$string['checkclock_ahead'] = 'នាឡិការបស់ Moodle នេះលឿនជាងឧបករណ៍ {$a}។ សូមកំណត់ម៉ាស៊ីនមេទាំងពីរតាម NTP។';
$string['checkclock_behind'] = 'នាឡិការបស់ Moodle នេះយឺតជាងឧបករណ៍ {$a}។ សូមកំណត់ម៉ាស៊ីនមេទាំងពីរតាម NTP។';
$string['checkclock_ok'] = 'នាឡិការបស់ Moodle និងឧបករណ៍ត្រូវគ្នា។';
$string['checkclock_refused'] = 'ឧបករណ៍បដិសេធសំណើ ព្រោះនាឡិកាខុសគ្នា។ សូមកំណត់ម៉ាស៊ីនមេទាំងពីរតាម NTP។';
$string['checkclock_unknown'] = 'ឧបករណ៍មិនបានប្រាប់ម៉ោងរបស់វាទេ។';
$string['checkconnection'] = 'Naga SIS៖ ការតភ្ជាប់';
$string['checkconnection_none'] = 'Moodle នេះមិនទាន់បានភ្ជាប់ជាមួយ Naga SIS ទេ។';
$string['checkconnection_ok'] = 'បានភ្ជាប់ជាមួយ {$a->tool} ({$a->url})។';
$string['checkconnection_unfinished'] = 'ការតភ្ជាប់បានចាប់ផ្តើម ប៉ុន្តែមិនបានបញ្ចប់ទេ។ សូមភ្ជាប់ម្តងទៀតដោយប្រើលេខកូដថ្មី ឬដកអ្វីដែលបានផ្លាស់ប្តូរវិញ។';
$string['checkcron'] = 'Naga SIS៖ cron';
$string['checkcron_disabled'] = 'កិច្ចការតាមកាលវិភាគ "{$a}" ត្រូវបានបិទ។ សូមបើកវា។';
$string['checkcron_failing'] = 'កិច្ចការតាមកាលវិភាគ "{$a}" បានបរាជ័យ ហើយរង់ចាំមុនសាកល្បងម្តងទៀត។ កំណត់ហេតុរបស់វាប្រាប់ពីមូលហេតុ។';
$string['checkcron_late'] = 'cron ដំណើរការចុងក្រោយ {$a} មុន។ វាគួរតែដំណើរការរៀងរាល់នាទី។';
$string['checkcron_never'] = 'cron មិនដែលដំណើរការទេ។ សូមកំណត់ឱ្យវាដំណើរការរៀងរាល់នាទី។';
$string['checkcron_ok'] = 'cron ដំណើរការ ហើយកិច្ចការរបស់យើងក៏ដំណើរការដែរ។';
$string['checkfromtool'] = 'Naga SIS៖ ឧបករណ៍ទាក់ទង Moodle បាន';
$string['checkfromtool_failed'] = 'ឧបករណ៍មិនទទួលបានចម្លើយពី Moodle នេះទេ។';
$string['checkfromtool_ok'] = 'ឧបករណ៍ទាក់ទង Moodle នេះបាន ហើយសញ្ញាសម្គាល់របស់វាដំណើរការ។';
$string['checkfromtool_unknown'] = 'ឧបករណ៍មិនបានប្រាប់ថាតើវាទាក់ទង Moodle នេះបានឬទេ។';
$string['checklist'] = 'អ្វីដែលដំណើរការ និងអ្វីដែលនៅសល់';
$string['checklist_at'] = 'បានពិនិត្យនៅ {$a}';
$string['checklist_none'] = 'ឧបករណ៍មិនទាន់បានប្រាប់អំពីស្ថានភាពនៃការភ្ជាប់ទេ។';
$string['checklist_todo'] = 'ដែលនៅសល់សម្រាប់អ្នក';
$string['checklist_works'] = 'ដំណើរការ';
$string['checklosses'] = 'Naga SIS៖ ព្រឹត្តិការណ៍ដែលបាត់';
$string['checklosses_missed'] = 'ព្រឹត្តិការណ៍ដែលមិនអាចកត់ត្រាបាន៖ {$a}។ ការផ្ទៀងផ្ទាត់បន្ទាប់នឹងជួសជុលអ្វីដែលពាក់ព័ន្ធ។';
$string['checklosses_ok'] = 'គ្មានព្រឹត្តិការណ៍ណាបាត់ទេ។';
$string['checklosses_some'] = 'ការចូលប្រើដែលត្រូវបានបំភ្លេច ព្រោះព្រឹត្តិការណ៍រង់ចាំច្រើនពេក៖ {$a}។ គ្មានពិន្ទុ ឬការចុះឈ្មោះណាបាត់ទេ។';
$string['checklosses_thinned'] = '{$a->at}៖ ការចូលប្រើដែលបំភ្លេច៖ {$a->count}';
$string['checksetaside'] = 'Naga SIS៖ ព្រឹត្តិការណ៍ដែលដាក់មួយឡែក';
$string['checksetaside_ok'] = 'ឧបករណ៍ទទួលព្រឹត្តិការណ៍ទាំងអស់។';
$string['checksetaside_some'] = 'ព្រឹត្តិការណ៍ដែលឧបករណ៍មិនអាចទទួលបាន៖ {$a}។ ទំព័រស្ថានភាពរាយបញ្ជីវា។';
$string['checksettings'] = 'Naga SIS៖ ការកំណត់';
$string['checksettings_drifted'] = 'លែងដូចពេលដែលបានភ្ជាប់៖ {$a}។ សូមភ្ជាប់ម្តងទៀតដោយប្រើលេខកូដថ្មី៖ វានឹងជួសជុល។';
$string['checksettings_ok'] = 'ការកំណត់នៅដូចពេលដែលបានភ្ជាប់។';
$string['checktoken'] = 'Naga SIS៖ សញ្ញាសម្គាល់';
$string['checktoken_expired'] = 'សញ្ញាសម្គាល់បានផុតកំណត់នៅ {$a}។ សូមភ្ជាប់ម្តងទៀតដោយប្រើលេខកូដថ្មី។';
$string['checktoken_late'] = 'សញ្ញាសម្គាល់នឹងផុតកំណត់នៅ {$a} ហើយគួរតែបានបន្តរួចហើយ។ សូមពិនិត្យមើលថា cron ដំណើរការ និងអាចទាក់ទងឧបករណ៍បាន។';
$string['checktoken_none'] = 'ឧបករណ៍គ្មានសញ្ញាសម្គាល់សម្រាប់ Moodle នេះទេ។ សូមភ្ជាប់ម្តងទៀតដោយប្រើលេខកូដថ្មី។';
$string['checktoken_ok'] = 'សញ្ញាសម្គាល់មានសុពលភាពរហូតដល់ {$a} ហើយនឹងត្រូវបន្តមុនពេលនោះ។';
$string['checktool'] = 'Naga SIS៖ អ្វីដែលឧបករណ៍រកឃើញ';
$string['checktool_ok'] = 'ឧបករណ៍មិនឃើញមានអ្វីខុសទេ។';
$string['checktool_some'] = 'អ្វីដែលឧបករណ៍រកឃើញថាត្រូវធ្វើ៖ {$a}។';
$string['checktool_unknown'] = 'ឧបករណ៍មិនបានប្រាប់អ្វីដែលវារកឃើញទេ។';
$string['checktotool'] = 'Naga SIS៖ Moodle ទាក់ទងឧបករណ៍បាន';
$string['checktotool_failed'] = 'ឧបករណ៍មិនបានឆ្លើយតបដូចដែលវាគួរឆ្លើយទេ។';
$string['checktotool_ok'] = 'Moodle នេះទាក់ទងឧបករណ៍បាន ហើយឧបករណ៍ទទួលយកហត្ថលេខារបស់វា។';
$string['checkversions'] = 'Naga SIS៖ កំណែ';
$string['checkversions_contract'] = 'ឧបករណ៍ និងកម្មវិធីបន្ថែមនេះមិនមានកំណែកិច្ចសន្យារួមទេ។ សូមធ្វើបច្ចុប្បន្នភាពអ្វីដែលចាស់ជាង។';
$string['checkversions_differ'] = 'កម្មវិធីបន្ថែមទាំងពីរមានកំណែខុសគ្នា៖ local_nagasis {$a->local}, enrol_nagasis {$a->enrol}។ សូមដំឡើងទាំងពីរក្នុងកំណែតែមួយ។';
$string['checkversions_missing'] = 'ខ្វះកម្មវិធីបន្ថែម {$a}។ សូមដំឡើងវា។';
$string['checkversions_ok'] = 'កម្មវិធីបន្ថែម {$a->local}, Moodle {$a->moodle}។';
$string['checkversions_untested'] = 'កំណែកម្មវិធីបន្ថែមនេះ ({$a->local}) មិនត្រូវបានបង្កើតសម្រាប់ Moodle {$a->moodle} ទេ។ សូមរកកំណែថ្មីជាង។';
$string['checkversions_upgrade'] = 'កម្មវិធីបន្ថែម {$a} មិនទាន់ដំឡើងពេញលេញទេ។ សូមបើក ការគ្រប់គ្រងគេហទំព័រ > ការជូនដំណឹង។';
$string['cli_pairhelp'] = 'ភ្ជាប់ Moodle នេះជាមួយ Naga SIS។

  --code=CODE  លេខកូដពី Naga SIS
  --preview    ប្រាប់អ្វីដែលនឹងត្រូវធ្វើ ដោយមិនធ្វើអ្វីទេ
  -h, --help   ជំនួយនេះ

លទ្ធផល៖ 0 បានភ្ជាប់, 1 មិនបាន, 2 ជម្រើសខុស។';
$string['cli_unpairhelp'] = 'បញ្ចប់ការភ្ជាប់ជាមួយ Naga SIS៖ ប្រាប់វា ដកហូតសោចូលរបស់វា ហើយដកវិញនូវអ្វីដែលការភ្ជាប់បានផ្លាស់ប្តូរ។

  -h, --help   ជំនួយនេះ';
$string['connectedwith'] = 'Moodle នេះបានភ្ជាប់ជាមួយ {$a->tool} នៅ {$a->url} តាំងពី {$a->at}។';
$string['contractunsupported'] = 'ឧបករណ៍បានស្នើកំណែ {$a->asked} នៃកិច្ចសន្យា ប៉ុន្តែកម្មវិធីជំនួយនេះប្រើ {$a->supported}។ សូមធ្វើបច្ចុប្បន្នភាព {$a->side}។';
$string['documentsnotjson'] = 'ឯកសារមិនមែនជាបញ្ជី JSON ទេ៖ {$a}';
$string['documentstoolarge'] = 'ច្រើនពេកសម្រាប់ការហៅមួយ៖ យ៉ាងច្រើន {$a->documents} ឯកសារ និង {$a->bytes}។ សូមផ្ញើជាផ្នែកៗ។';
$string['done_token'] = '{$a} មានសោចូលហើយ ហើយបានហៅមក Moodle នេះវិញ។';
$string['found_clock_error'] = 'នាឡិកាខុសគ្នាខ្លាំងរហូតដល់ការបើក និងព្រឹត្តិការណ៍ត្រូវបានបដិសេធ។ សូមកំណត់ម៉ាស៊ីនមេទាំងពីរតាម NTP។';
$string['found_clock_ok'] = 'នាឡិកាទាំងពីរត្រូវគ្នា។';
$string['found_clock_warning'] = 'នាឡិកាខុសគ្នា។ សូមកំណត់ម៉ាស៊ីនមេទាំងពីរតាម NTP មុនពេលការបើកត្រូវបានបដិសេធ។';
$string['found_events_ok'] = 'អ្វីដែលកើតឡើងក្នុង Moodle នេះទៅដល់ Naga SIS។';
$string['found_events_warning'] = 'ព្រឹត្តិការណ៍រង់ចាំនៅទីនេះ ឬត្រូវបានផ្អាក ឬមិនអាចទទួលយកបាន។ សូមមើលទំព័រស្ថានភាព។';
$string['found_id_numbers_ok'] = 'លេខសម្គាល់ត្រូវបានជឿទុកចិត្ត៖ មនុស្សត្រូវបានស្គាល់តាំងពីការចូលលើកដំបូង។';
$string['found_id_numbers_warning'] = 'Naga SIS មិនជឿទុកចិត្តលេខសម្គាល់ទេ៖ អ្នកគ្រប់គ្រងរបស់វាភ្ជាប់គណនីនីមួយៗ។';
$string['found_launches_error'] = 'គ្មាននរណាអាចបើក Naga SIS ពី Moodle នេះទេ៖ ការចុះបញ្ជីរបស់វាត្រូវបានបិទនៅទីនោះ។ សូមសួរអ្នកគ្រប់គ្រង Naga SIS។';
$string['found_launches_ok'] = 'មនុស្សអាចបើក Naga SIS ពី Moodle នេះ។';
$string['found_moodle_answers_error'] = 'Naga SIS មិនទទួលបានចម្លើយពី Moodle នេះទេ។';
$string['found_moodle_answers_ok'] = 'Naga SIS ទាក់ទង Moodle នេះបាន ហើយសោចូលរបស់វាដំណើរការ។';
$string['found_moodle_answers_unknown'] = 'Moodle នេះមិនត្រូវបានសួរទេ៖ ការភ្ជាប់ត្រូវបានផ្អាក ឬបញ្ចប់នៅខាង Naga SIS។';
$string['found_moodle_asks_ok'] = 'Moodle នេះទាក់ទង Naga SIS បាន។';
$string['found_moodle_asks_unknown'] = 'Naga SIS មិនទាន់ឮពី Moodle នេះទេ។';
$string['found_moodle_asks_warning'] = 'Naga SIS មិនបានឮពី Moodle នេះជាងមួយម៉ោងហើយ។ សូមពិនិត្យថា cron ដំណើរការរាល់នាទី។';
$string['found_reconciling_ok'] = 'គ្មានព្រឹត្តិការណ៍ណាត្រូវបានខកខានទេ។';
$string['found_reconciling_warning'] = 'ព្រឹត្តិការណ៍អាចត្រូវបានខកខាន៖ Moodle នេះ ឬ Naga SIS ត្រូវបានស្តារ ឬការភ្ជាប់បានដាច់។ ការផ្ទៀងផ្ទាត់បន្ទាប់នឹងជួសជុលវា។';
$string['found_token_error'] = 'សោចូលផុតកំណត់ហើយ។ សូមភ្ជាប់ម្តងទៀតដោយលេខកូដថ្មី។';
$string['found_token_ok'] = 'សោចូលមានសុពលភាព ហើយ Moodle នេះបន្តវាទាន់ពេល។';
$string['found_token_warning'] = 'សោចូលគួរតែត្រូវបានបន្តរួចហើយ។ សូមពិនិត្យថា cron ដំណើរការ។';
$string['found_versions_error'] = 'Naga SIS និងកម្មវិធីមិនមានកំណែកិច្ចសន្យារួមទេ។ សូមធ្វើបច្ចុប្បន្នភាពមួយដែលចាស់ជាង។';
$string['found_versions_ok'] = 'Naga SIS និងកម្មវិធីប្រើកំណែកិច្ចសន្យាដូចគ្នា។';
$string['left_adopted'] = 'ឧបករណ៍ LTI "{$a}" មានតាំងពីមុនមក ហើយនៅដដែល ជាមួយការកំណត់ដើមរបស់វា។ លុបវាចេញនៅ External tool, Manage tools ប្រសិនបើគ្មាននរណាត្រូវការ។';
$string['left_enrol'] = 'កម្មវិធីចុះឈ្មោះនៅបើកដដែល៖ មានមនុស្សចុះឈ្មោះតាមវា ហើយបើគ្មានវា ពួកគេមិនអាចចូលវគ្គសិក្សារបស់ពួកគេបានទេ។';
$string['left_freezing'] = 'ការបង្កកបរិបទនៅបើកដដែល៖ មានមុខវិជ្ជាត្រូវបានបង្កក ហើយបើគ្មានវាទេ អ្វីៗក្នុងនោះអាចកែប្រែបានឡើងវិញ។';
$string['left_lti'] = 'ឧបករណ៍ LTI "{$a->name}" នៅដដែល ព្រោះសកម្មភាព {$a->count} ប្រើវា។ វាត្រូវបានលាក់ពីគ្រូ ហើយមិនអាចអាន ឬសរសេរអ្វីទៀតទេ។';
$string['left_ltimodule'] = 'សកម្មភាព "External tool" នៅបើកដដែល៖ មានសកម្មភាពរបស់វា។';
$string['left_tell'] = 'មិនអាចប្រាប់ឧបករណ៍បានទេ។ សោចូលរបស់វាលែងដំណើរការហើយ។ សូមផ្តាច់ការភ្ជាប់នៅលើទំព័ររបស់ឧបករណ៍សម្រាប់គេហទំព័រនេះផងដែរ។';
$string['left_webservices'] = 'សេវាវេបនៅបើកដដែល៖ អ្នកដទៃក៏ប្រើវាដែរ។';
$string['ltidescription'] = 'បញ្ជីឈ្មោះ និងពិន្ទុរបស់ {$a}';
$string['nagasis:apply'] = 'ធ្វើឱ្យ Moodle ដូចគ្នានឹង SIS';
$string['nagasis:read'] = 'អានអ្វីដែល SIS ត្រូវដឹង';
$string['nothingtodo'] = 'ត្រឹមត្រូវរួចហើយ';
$string['outboxlimit'] = 'ព្រឹត្តិការណ៍ដែលអាចរង់ចាំ';
$string['outboxlimit_desc'] = 'នៅពេលមិនអាចទាក់ទងឧបករណ៍បាន ព្រឹត្តិការណ៍រង់ចាំនៅទីនេះ។ លើសពីចំនួននេះ ការចូលប្រើចាស់ជាងគេត្រូវបានបំភ្លេច ប៉ុន្តែពិន្ទុ ការចុះឈ្មោះ និងកំណត់ត្រាផ្សេងទៀតមិនត្រូវបានបំភ្លេចឡើយ។';
$string['pair_again'] = 'ភ្ជាប់ម្តងទៀត ដើម្បីជួសជុល';
$string['pair_againhelp'] = 'ការភ្ជាប់ម្តងទៀតជួសជុលអ្វីដែលត្រូវបានផ្លាស់ប្តូរនៅទីនេះ។ គ្មានអ្វីបាត់បង់ទេ។';
$string['pair_button'] = 'ភ្ជាប់';
$string['pair_code'] = 'លេខកូដ';
$string['pair_code_help'] = 'នៅក្នុង Naga SIS អ្នកគ្រប់គ្រងជ្រើសរើស "ភ្ជាប់ Moodle"។ លេខកូដដែលបង្ហាញអាចប្រើបានតែម្តង ក្នុងរយៈពេល ១៥ នាទី។ វាចាប់ផ្តើមដោយ naga1.';
$string['pair_codeends'] = 'លេខកូដដំណើរការរហូតដល់ {$a}។';
$string['pair_continue'] = 'បន្ត';
$string['pair_failed'] = 'Moodle នេះមិនទាន់បានភ្ជាប់ទេ៖ ជំហានមួយបានបរាជ័យ។ សូមជួសជុលវា រួចព្យាយាមម្តងទៀត។ អ្វីដែលបានធ្វើរួចហើយនៅដដែល ហើយមិនត្រូវធ្វើម្តងទៀតទេ។';
$string['pair_failedagain'] = 'មិនអាចជួសជុលការភ្ជាប់បានទេ៖ ជំហានមួយបានបរាជ័យ។ អ្វីដែលធ្លាប់ដំណើរការនៅតែដំណើរការ។';
$string['pair_intro'] = 'បិទភ្ជាប់លេខកូដពី Naga SIS។ នៅទំព័របន្ទាប់ អ្នកនឹងឃើញអ្វីដែលនឹងត្រូវធ្វើ។ គ្មានអ្វីត្រូវបានធ្វើមុនពេលអ្នកបញ្ជាក់ទេ។';
$string['pair_steps'] = 'ជំហាន';
$string['pair_success'] = 'Moodle នេះបានភ្ជាប់ជាមួយ {$a} ហើយ។';
$string['pair_title'] = 'ភ្ជាប់ជាមួយ Naga SIS';
$string['pair_tool'] = 'ឧបករណ៍';
$string['pair_unfinished'] = 'ការភ្ជាប់មួយបានចាប់ផ្តើម តែមិនទាន់ចប់។ សូមចាប់ផ្តើមម្តងទៀតដោយលេខកូដថ្មី ឬដកអ្វីដែលបានផ្លាស់ប្តូរវិញ។';
$string['pair_willdo'] = 'អ្វីដែលនឹងត្រូវធ្វើ';
$string['pair_willdohelp'] = 'ទាំងអស់នេះនឹងត្រូវដកវិញនៅពេលអ្នកផ្តាច់ ដរាបណាគ្មាននរណាផ្លាស់ប្តូរវាតាំងពីពេលនោះ។';
$string['pairbadoffer'] = 'អ្វីដែលបានឆ្លើយមិនមែនជា Naga SIS ឬជាកំណែដែលកម្មវិធីនេះមិនស្គាល់ (ខុស៖ {$a})។';
$string['pairbusy'] = 'មាននរណាម្នាក់ផ្សេងកំពុងភ្ជាប់ ឬផ្តាច់ Moodle នេះ។ សូមព្យាយាមម្តងទៀតក្នុងមួយនាទី។';
$string['paircodecut'] = 'ផ្នែកមួយនៃលេខកូដបាត់ ឬត្រូវបានផ្លាស់ប្តូរ។ សូមចម្លងវាទាំងអស់ម្តងទៀត។';
$string['pairconnected'] = 'Moodle នេះបានភ្ជាប់ជាមួយ {$a->tool} នៅ {$a->url}។ សូមផ្តាច់វាជាមុនសិន រួចភ្ជាប់ជាមួយឧបករណ៍ផ្សេង។';
$string['pairforced'] = 'ការកំណត់ {$a->setting} ត្រូវបានកំណត់ក្នុង config.php ហើយត្រូវតែជា "{$a->value}"។ សូមប្តូរវានៅទីនោះ។';
$string['pairnohttps'] = 'Moodle នេះគ្មាន HTTPS ទេ ({$a}) ហើយអាចភ្ជាប់បានតែជាមួយវាប៉ុណ្ណោះ៖ សោចូលត្រូវបានផ្ញើតាមបណ្តាញ។ សូមដំឡើងវា ហើយកែ $CFG->wwwroot ក្នុង config.php។';
$string['pairnokey'] = 'Moodle មិនអាចបង្កើតសោ LTI របស់វាបានទេ៖ {$a}';
$string['pairnotacode'] = 'នេះមិនមែនជាលេខកូដរបស់ Naga SIS ទេ។ លេខកូដចាប់ផ្តើមដោយ naga1.';
$string['pairnotool'] = 'លេខកូដមិនមានអាសយដ្ឋានដែលចាប់ផ្តើមដោយ https:// ទេ ({$a})។ សូមកែអាសយដ្ឋានសាធារណៈរបស់ឧបករណ៍ រួចបង្កើតលេខកូដថ្មី។';
$string['pairnouser'] = 'គណនីសេវាបាត់។ សូមភ្ជាប់ម្តងទៀតដើម្បីបង្កើតវា។';
$string['pairotheraddress'] = 'លេខកូដនេះសម្រាប់ {$a->asked} ប៉ុន្តែឧបករណ៍នៅទីនោះនិយាយថាអាសយដ្ឋានរបស់វាគឺ {$a->said}។ សូមកែអាសយដ្ឋានសាធារណៈរបស់ឧបករណ៍ រួចបង្កើតលេខកូដថ្មី។';
$string['pluginname'] = 'Naga SIS';
$string['privacy:metadata:outbox'] = 'ព្រឹត្តិការណ៍ដែលរង់ចាំផ្ញើទៅ Naga SIS។ វាត្រូវបានលុបនៅពេលឧបករណ៍ទទួលបាន។';
$string['privacy:metadata:outbox:actorid'] = 'នរណាជាអ្នកបង្ក';
$string['privacy:metadata:outbox:payload'] = 'លេខសម្គាល់វគ្គសិក្សា និងអ្វីដែលពាក់ព័ន្ធ ព្រមទាំងពិន្ទុចុងក្រោយ';
$string['privacy:metadata:outbox:timecreated'] = 'វាបានកើតឡើងនៅពេលណា';
$string['privacy:metadata:outbox:type'] = 'អ្វីបានកើតឡើង';
$string['privacy:metadata:outbox:userid'] = 'ព្រឹត្តិការណ៍នេះពាក់ព័ន្ធនឹងនរណា';
$string['privacy:metadata:tool'] = 'ឧបករណ៍ Naga SIS ដែល Moodle នេះភ្ជាប់ជាមួយ៖ ប្រព័ន្ធព័ត៌មានសិស្សរបស់សាលា។';
$string['privacy:metadata:tool:access'] = 'ពេលណាដែលបានចូលមកទីនេះ និងក្នុងវគ្គសិក្សានីមួយៗចុងក្រោយ';
$string['privacy:metadata:tool:account'] = 'ស្នាមសម្គាល់នៃឈ្មោះ ឈ្មោះអ្នកប្រើ និងអ៊ីមែល ដែលឧបករណ៍ប្រើដើម្បីដឹងថាវានៅដូចដែលសាលាមានឬទេ';
$string['privacy:metadata:tool:enrolments'] = 'ការចុះឈ្មោះ តួនាទី និងក្រុមក្នុងវគ្គសិក្សា';
$string['privacy:metadata:tool:events'] = 'អ្វីបានកើតឡើង៖ ការចូលប្រើ ការដាក់ស្នាដៃ ពិន្ទុ ការបញ្ចប់ ការចុះឈ្មោះ ក្រុម';
$string['privacy:metadata:tool:fullname'] = 'ឈ្មោះមនុស្សដែលគ្មានលេខសម្គាល់ ហើយបានចុះឈ្មោះក្នុងវគ្គសិក្សារបស់សាលា';
$string['privacy:metadata:tool:grades'] = 'ពិន្ទុ និងអ្នកដែលដាក់ពិន្ទុ';
$string['privacy:metadata:tool:idnumber'] = 'លេខសម្គាល់ ដែលឧបករណ៍ស្គាល់មនុស្សតាមរយៈវា';
$string['privacy:metadata:tool:userid'] = 'លេខគណនីក្នុង Moodle នេះ';
$string['privacy:path:outbox'] = 'ព្រឹត្តិការណ៍ដែលរង់ចាំផ្ញើ';
$string['refused_ambiguous_idnumber'] = 'មានច្រើនជាងមួយក្នុង Moodle ដែលមានលេខសម្គាល់ "{$a->idnumber}"៖ {$a->names}។ សូមទុកវាឱ្យតែមួយ។';
$string['refused_auth_missing'] = 'គេហទំព័រនេះមិនមានវិធីផ្ទៀងផ្ទាត់ "{$a->auth}" ទេ។ សូមដំឡើងវា ឬជ្រើសវិធីផ្សេង។';
$string['refused_category_loop'] = 'ប្រភេទ "{$a->category}" មិនអាចនៅក្នុង "{$a->parent}" ដែលនៅក្នុងវាទេ។';
$string['refused_category_missing'] = 'គ្មានប្រភេទដែលមានលេខសម្គាល់ "{$a->category}" ទេ។ សូមផ្ញើឯកសាររបស់វាជាមុន ឬជាមួយគ្នា។';
$string['refused_count_mismatch'] = 'បញ្ជីប្រាប់ថាមានសមាជិក {$a->count} នាក់ តែមាន {$a->members} នាក់។ វាអាចត្រូវបានកាត់ ដូច្នេះគ្មាននរណាត្រូវបានប៉ះពាល់ទេ។ សូមផ្ញើបញ្ជីទាំងមូល។';
$string['refused_course_missing'] = 'គ្មានវគ្គសិក្សាដែលមានលេខសម្គាល់ "{$a->idnumber}" ទេ។ សូមផ្ញើវគ្គសិក្សាជាមុនសិន ឬដាក់លេខសម្គាល់ឱ្យវា។';
$string['refused_dates_reversed'] = 'វគ្គសិក្សានឹងចប់ ({$a->end}) មុនពេលចាប់ផ្ដើម ({$a->start})។';
$string['refused_duplicate_document'] = 'ឯកសារពីរក្នុងការហៅនេះគឺសម្រាប់ {$a->kind} "{$a->key}" តែមួយ។ សូមផ្ញើតែមួយ។';
$string['refused_duplicate_member'] = '"{$a->user}" មានក្នុងបញ្ជីលើសពីម្តង ដូច្នេះមិនច្បាស់ថាចង់មានន័យអ្វី។ សូមផ្ញើម្នាក់តែម្តង។';
$string['refused_email_invalid'] = '"{$a->email}" មិនមែនជាអាសយដ្ឋានអ៊ីមែលទេ។';
$string['refused_email_taken'] = 'អាសយដ្ឋាន {$a->email} ជារបស់ {$a->other} ហើយគេហទំព័រនេះមិនឱ្យគណនីប្រើរួមគ្នាទេ។';
$string['refused_enrol_disabled'] = 'កម្មវិធីបន្ថែម "ការចុះឈ្មោះ Naga SIS" ត្រូវបានបិទលើគេហទំព័រនេះ ឬក្នុងវគ្គសិក្សា "{$a->course}"។ សូមបើកវានៅ ការគ្រប់គ្រងគេហទំព័រ, កម្មវិធីបន្ថែម, ការចុះឈ្មោះ ឬក្នុងវិធីចុះឈ្មោះរបស់វគ្គសិក្សា។';
$string['refused_failed'] = 'Moodle បដិសេធមិនសរសេរ៖ {$a->reason} ព័ត៌មានលម្អិតមានក្នុងកំណត់ហេតុម៉ាស៊ីនបម្រើគេហទំព័រ។';
$string['refused_group_missing'] = 'វគ្គសិក្សាគ្មានក្រុមដែលមានលេខសម្គាល់ "{$a->idnumber}" ទេ។ សូមផ្ញើវគ្គសិក្សាជាមួយក្រុមនេះជាមុនសិន។';
$string['refused_locking_disabled'] = 'មុខវិជ្ជា "{$a->course}" គួរអានបានតែប៉ុណ្ណោះ ប៉ុន្តែគេហទំព័រនេះមិនបង្កកអ្វីទេ។ សូមបើក "Context freezing" (contextlocking) ក្នុង ការគ្រប់គ្រងគេហទំព័រ, Development, Experimental ឬឱ្យមុខវិជ្ជាដែលទុកក្នុងបណ្ណសារត្រូវបានលាក់វិញ តាមការកំណត់នៃឧបករណ៍ Naga SIS។';
$string['refused_protected_user'] = '{$a->user} ជាអ្នកគ្រប់គ្រង ភ្ញៀវ ឬអ្នកប្រើសេវារបស់ការតភ្ជាប់នេះ។ SIS មិនកែគណនីបែបនេះទេ។';
$string['refused_role_missing'] = 'គេហទំព័រនេះគ្មានតួនាទីដែលមានឈ្មោះខ្លី "{$a->role}" ទេ។ សូមបង្កើតវានៅ ការគ្រប់គ្រងគេហទំព័រ, អ្នកប្រើ, កំណត់តួនាទី។';
$string['refused_schema'] = '{$a->path} {$a->problem}។';
$string['refused_shortname_taken'] = 'ឈ្មោះខ្លី "{$a->shortname}" ជារបស់វគ្គសិក្សា {$a->other}។ បើជាថ្នាក់តែមួយ សូមដាក់លេខសម្គាល់ពី SIS ឱ្យវគ្គនោះ បើមិនដូច្នោះ សូមជ្រើសឈ្មោះខ្លីផ្សេង។';
$string['refused_unknown_kind'] = 'កម្មវិធីជំនួយនេះមិនស្គាល់ឯកសារប្រភេទ "{$a->kind}" ទេ។ វាស្គាល់៖ {$a->kinds}។ សូមធ្វើបច្ចុប្បន្នភាពកម្មវិធីជំនួយ។';
$string['refused_user_missing'] = 'គ្មានគណនីដែលមានលេខសម្គាល់ "{$a->idnumber}" ទេ។ សូមផ្ញើមនុស្សនោះជាមុនសិន ឬដាក់លេខសម្គាល់ឱ្យគណនី។';
$string['refused_username_invalid'] = 'Moodle មិនអនុញ្ញាតឈ្មោះអ្នកប្រើ "{$a->username}" ទេ។ វាអនុញ្ញាត "{$a->allowed}"៖ អក្សរតូច លេខ និង - _ . @';
$string['refused_username_taken'] = 'ឈ្មោះអ្នកប្រើ "{$a->username}" ជារបស់ {$a->other}។ បើជាមនុស្សតែមួយ សូមដាក់លេខសម្គាល់ពី SIS ឱ្យគណនីនោះ បើមិនដូច្នោះ សូមជ្រើសឈ្មោះអ្នកប្រើផ្សេង។';
$string['result_already'] = 'មានរួចហើយ';
$string['result_done'] = 'រួចរាល់';
$string['result_failed'] = 'បរាជ័យ';
$string['result_left'] = 'ទុកដដែល';
$string['result_nothing'] = 'គ្មានអ្វីត្រូវធ្វើ';
$string['roledescription'] = 'អ្វីដែលគណនីរបស់ Naga SIS អាចធ្វើបាន ហើយគ្មានអ្វីផ្សេងទៀតទេ។ កម្មវិធីរក្សាវាឲ្យនៅដដែល។';
$string['rolename'] = 'សេវា Naga SIS';
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
$string['schema_twice'] = 'ដាក់ឈ្មោះ "{$a}" ជាលើកទីពីរ';
$string['schema_unknown'] = 'មិនមែនជាវាលដែលកម្មវិធីជំនួយនេះស្គាល់ទេ សូមពិនិត្យអក្ខរាវិរុទ្ធ ឬធ្វើបច្ចុប្បន្នភាពកម្មវិធីជំនួយ';
$string['send_answerunclear'] = 'ឧបករណ៍បានឆ្លើយតប ប៉ុន្តែមិនបានប្រាប់ថាវារក្សាទុកអ្វីខ្លះទេ។';
$string['send_notheld'] = 'ឧបករណ៍បានឆ្លើយតប ប៉ុន្តែមិនបានរក្សាទុកព្រឹត្តិការណ៍ទេ។';
$string['serviceuserdescription'] = 'Naga SIS ធ្វើការក្នុងនាមគណនីនេះ។ គ្មាននរណាអាចចូលដោយប្រើវាទេ។ បើគ្មានវា ការភ្ជាប់នឹងបញ្ចប់។';
$string['serviceuserlastname'] = 'គណនីសេវា (កុំលុប)';
$string['settings'] = 'ការកំណត់';
$string['status_capture'] = 'មិនអាចកត់ត្រាបាន';
$string['status_check'] = 'ពិនិត្យការតភ្ជាប់ឥឡូវនេះ';
$string['status_checks'] = 'ការតភ្ជាប់យ៉ាងណាដែរ';
$string['status_discard'] = 'បោះបង់';
$string['status_discardconfirm'] = 'បោះបង់ព្រឹត្តិការណ៍នេះឬ? វាមិនអាចយកមកវិញបានទេ ការផ្ទៀងផ្ទាត់បន្ទាប់នឹងជួសជុលអ្វីដែលពាក់ព័ន្ធ។';
$string['status_dismiss'] = 'ខ្ញុំបានឃើញអ្វីដែលបាត់ហើយ';
$string['status_events'] = 'ព្រឹត្តិការណ៍';
$string['status_held'] = 'ព្រឹត្តិការណ៍ចុងក្រោយដែលឧបករណ៍មាន';
$string['status_lasterror'] = 'បញ្ហាចុងក្រោយ';
$string['status_more'] = 'និង {$a} ទៀត។';
$string['status_number'] = 'លេខ';
$string['status_oldest'] = 'ចាស់បំផុតក្នុងចំណោមនោះ';
$string['status_pause'] = 'ផ្អាកការផ្ញើ';
$string['status_paused'] = 'ការផ្ញើត្រូវបានផ្អាក។ ព្រឹត្តិការណ៍នៅតែត្រូវបានកត់ត្រា ហើយរង់ចាំ។';
$string['status_reason'] = 'មូលហេតុ';
$string['status_resend'] = 'ផ្ញើម្តងទៀត';
$string['status_resendfrom'] = 'ផ្ញើម្តងទៀតទាំងអស់ចាប់ពីលេខ';
$string['status_resume'] = 'បន្តការផ្ញើ';
$string['status_send'] = 'ផ្ញើឥឡូវនេះ';
$string['status_sentat'] = 'ផ្ញើចុងក្រោយ';
$string['status_setaside'] = 'ដាក់មួយឡែក';
$string['status_setasidehelp'] = 'ឧបករណ៍មិនអាចទទួលព្រឹត្តិការណ៍ទាំងនេះបានទេ។ សូមផ្ញើម្តងទៀតបន្ទាប់ពីធ្វើបច្ចុប្បន្នភាពឧបករណ៍ ឬកម្មវិធីបន្ថែម ឬបោះបង់វា។';
$string['status_title'] = 'ស្ថានភាព';
$string['status_told_busy'] = 'ព្រឹត្តិការណ៍កំពុងត្រូវបានផ្ញើឥឡូវនេះ។';
$string['status_told_checked'] = 'ឧបករណ៍បានឆ្លើយតប។';
$string['status_told_discarded'] = 'ព្រឹត្តិការណ៍ត្រូវបានបោះបង់។';
$string['status_told_dismissed'] = 'បានកត់សម្គាល់។';
$string['status_told_notchecked'] = 'មិនអាចសួរឧបករណ៍បានទេ៖ {$a}';
$string['status_told_notdiscarded'] = 'ព្រឹត្តិការណ៍នេះលែងនៅទីនេះ ឬមិនទាន់អាចបោះបង់បាន។';
$string['status_told_nothing'] = 'គ្មានអ្វីរង់ចាំទេ ឧបករណ៍បានឆ្លើយតប។';
$string['status_told_notresent'] = 'គ្មានអ្វីត្រូវផ្ញើម្តងទៀតទេ។';
$string['status_told_notsent'] = 'មិនអាចផ្ញើព្រឹត្តិការណ៍បានទេ៖ {$a}';
$string['status_told_pause'] = 'ការផ្ញើត្រូវបានផ្អាក។';
$string['status_told_paused'] = 'ការផ្ញើត្រូវបានផ្អាក។ សូមបន្តវាជាមុនសិន។';
$string['status_told_resent'] = 'ត្រូវផ្ញើម្តងទៀត៖ {$a}។';
$string['status_told_resume'] = 'ការផ្ញើបន្ត យ៉ាងយូរបំផុតនៅពេល cron ដំណើរការលើកក្រោយ។';
$string['status_told_sent'] = 'បានផ្ញើ៖ {$a->sent}។ កំពុងរង់ចាំ៖ {$a->left}។';
$string['status_type'] = 'អ្វីបានកើតឡើង';
$string['status_waiting'] = 'កំពុងរង់ចាំ';
$string['step_enrolment'] = 'ការចុះឈ្មោះ';
$string['step_freezing'] = 'មុខវិជ្ជាក្នុងបណ្ណសារ';
$string['step_locks'] = 'វាលដែលចាក់សោ';
$string['step_lti'] = 'ឧបករណ៍ LTI';
$string['step_role'] = 'តួនាទី';
$string['step_services'] = 'សេវាវេប';
$string['step_token'] = 'សោចូល';
$string['step_user'] = 'គណនីសេវា';
$string['task_maintain'] = 'ថែទាំការតភ្ជាប់ជាមួយ Naga SIS';
$string['task_send_events'] = 'ផ្ញើព្រឹត្តិការណ៍ទៅ Naga SIS';
$string['task_watch_outbox'] = 'ផ្ញើព្រឹត្តិការណ៍ទៅ Naga SIS ភ្លាមៗក្រោយពេលវាកើតឡើង';
$string['theplugin'] = 'កម្មវិធីជំនួយ Moodle';
$string['thetool'] = 'ឧបករណ៍';
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
$string['undo_connection'] = 'បំភ្លេចឧបករណ៍ និងអ្វីដែលរង់ចាំផ្ញើទៅវា';
$string['undo_enrolment'] = 'បិទកម្មវិធីចុះឈ្មោះវិញ';
$string['undo_freezing'] = 'បិទការបង្កកបរិបទ';
$string['undo_locks'] = 'ដោះសោអ្វីដែលការភ្ជាប់បានចាក់សោ';
$string['undo_lti'] = 'ដកឧបករណ៍ LTI ចេញ';
$string['undo_role'] = 'ដកតួនាទីចេញ';
$string['undo_services'] = 'បិទសេវាវេបវិញ';
$string['undo_tell'] = 'ប្រាប់ឧបករណ៍';
$string['undo_token'] = 'ដកហូតសោចូល';
$string['undo_user'] = 'ដកគណនីសេវាចេញ';
$string['unknownkind'] = 'កម្មវិធីបន្ថែមនេះមិនស្គាល់ឯកសារប្រភេទ "{$a}" ទេ។ សូមធ្វើបច្ចុប្បន្នភាពកម្មវិធីបន្ថែម។';
$string['unknownread'] = 'កម្មវិធីបន្ថែមនេះមិនអាចអាន "{$a}" បានទេ។ សូមធ្វើបច្ចុប្បន្នភាពកម្មវិធីបន្ថែម។';
$string['unpair_button'] = 'ផ្តាច់';
$string['unpair_failed'] = 'មិនអាចដកវិញទាំងអស់បានទេ។ សូមមើលខាងក្រោម រួចព្យាយាមម្តងទៀត។';
$string['unpair_intro'] = 'ឧបករណ៍បាត់បង់សិទ្ធិចូល Moodle នេះភ្លាមៗ។ វគ្គសិក្សា មនុស្ស ការចុះឈ្មោះ និងពិន្ទុមិនត្រូវបានផ្លាស់ប្តូរទេ។ អ្វីដែលការភ្ជាប់បានកំណត់នៅទីនេះត្រូវបានដកវិញ ដរាបណាគ្មាននរណាផ្លាស់ប្តូរវាតាំងពីពេលនោះ។';
$string['unpair_nothing'] = 'Moodle នេះមិនបានភ្ជាប់ទេ ហើយគ្មានអ្វីត្រូវដកវិញទេ។';
$string['unpair_success'] = 'Moodle នេះលែងភ្ជាប់ហើយ។';
$string['unpair_title'] = 'ផ្តាច់ពី Naga SIS';
$string['will_enableenrol'] = 'បើកកម្មវិធីចុះឈ្មោះ "Naga SIS enrolments"';
$string['will_enablelti'] = 'បើកសកម្មភាព "External tool"';
$string['will_enablerest'] = 'បើកពិធីការ REST';
$string['will_enableservice'] = 'បើកសេវា "Naga SIS"';
$string['will_enablewebservices'] = 'បើកសេវាវេប';
$string['will_freeze'] = 'បើកការបង្កកបរិបទ (contextlocking)៖ មុខវិជ្ជានៃឆមាសមុនៗអាចអានបាន ហើយគ្មានអ្វីក្នុងនោះអាចកែប្រែបានទេ។';
$string['will_lock'] = 'ចាក់សោវាលទាំងនេះក្នុងប្រវត្តិរូបរបស់អ្នកដែលចូលតាម {$a->plugins}៖ {$a->fields}។ SIS ជាម្ចាស់វា។ អ្នកដែលអាចប្តូរវាបាន អាចយកកន្លែងអ្នកដទៃ។';
$string['will_lti'] = 'ចុះបញ្ជី "{$a}" ជាឧបករណ៍ LTI ហើយបង្ហាញវាដល់គ្រូក្នុងកម្មវិធីជ្រើសសកម្មភាព។ វាទទួលបានឈ្មោះ អាសយដ្ឋានអ៊ីមែល បញ្ជីឈ្មោះ ហើយអាចសរសេរពិន្ទុ';
$string['will_ltikey'] = 'បង្កើតសោ LTI របស់ Moodle';
$string['will_mendlti'] = 'ប្រើឧបករណ៍ LTI "{$a}" ដែលបានចុះបញ្ជីរួចហើយ ហើយកំណត់វាឲ្យដំណើរការ។ សកម្មភាពរបស់វានៅដដែល';
$string['will_mendrole'] = 'ផ្តល់សិទ្ធិទាំងនេះឲ្យតួនាទី "nagasis" វិញ៖ {$a}';
$string['will_menduser'] = 'ធ្វើឲ្យគណនី "{$a}" អាចប្រើបានសម្រាប់ឧបករណ៍វិញ';
$string['will_role'] = 'បង្កើតតួនាទី "nagasis" ដែលអាចធ្វើបានតែ៖ {$a}';
$string['will_token'] = 'បង្កើតសោចូលដែលប្រើបាន {$a->days} ថ្ងៃ ហើយប្រគល់ឲ្យ {$a->tool}។ វាត្រូវបានបន្តដោយខ្លួនឯងមុនពេលផុតកំណត់';
$string['will_user'] = 'បង្កើតគណនី "{$a}" ដែលគ្មាននរណាអាចចូលដោយប្រើវា';
