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
 * @package    enrol_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

defined('MOODLE_INTERNAL') || die();

$string['nagasis:config'] = 'Switch off or delete the enrolments of the SIS';
$string['pluginname'] = 'Naga SIS enrolments';
$string['pluginname_desc'] = 'People whom the school enrols in its student information system (SIS). Nobody edits these enrolments in Moodle: the plugin Naga SIS (local_nagasis) keeps them as the SIS has them.';
$string['privacy:metadata:core_group'] = 'People whom the SIS enrols are put into the groups of their class.';
