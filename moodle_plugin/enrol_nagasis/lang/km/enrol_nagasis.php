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
 * @package    enrol_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

defined('MOODLE_INTERNAL') || die();

$string['nagasis:config'] = 'បិទ ឬលុបការចុះឈ្មោះរបស់ SIS';
$string['pluginname'] = 'ការចុះឈ្មោះ Naga SIS';
$string['pluginname_desc'] = 'មនុស្សដែលសាលាចុះឈ្មោះក្នុងប្រព័ន្ធព័ត៌មានសិស្ស (SIS)។ គ្មាននរណាកែការចុះឈ្មោះទាំងនេះក្នុង Moodle ទេ៖ កម្មវិធីបន្ថែម Naga SIS (local_nagasis) រក្សាវាតាម SIS។';
$string['privacy:metadata:core_group'] = 'មនុស្សដែល SIS ចុះឈ្មោះ ត្រូវបានដាក់ក្នុងក្រុមនៃថ្នាក់របស់ពួកគេ។';
