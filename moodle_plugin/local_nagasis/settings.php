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
 * Pages and settings in the site administration.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

defined('MOODLE_INTERNAL') || die();

if ($hassiteconfig) {
    $ADMIN->add('localplugins', new admin_category('local_nagasis_category', get_string('pluginname', 'local_nagasis')));
    $ADMIN->add('local_nagasis_category', new admin_externalpage(
        'local_nagasis_status',
        get_string('status_title', 'local_nagasis'),
        new moodle_url('/local/nagasis/index.php'),
    ));
    $ADMIN->add('local_nagasis_category', new admin_externalpage(
        'local_nagasis_pair',
        get_string('pair_title', 'local_nagasis'),
        new moodle_url('/local/nagasis/pair.php'),
    ));
    $ADMIN->add('local_nagasis_category', new admin_externalpage(
        'local_nagasis_unpair',
        get_string('unpair_title', 'local_nagasis'),
        new moodle_url('/local/nagasis/unpair.php'),
        'moodle/site:config',
        true,
    ));
    $settings = new admin_settingpage('local_nagasis', get_string('settings', 'local_nagasis'));
    $settings->add(new admin_setting_configtext(
        'local_nagasis/outboxlimit',
        get_string('outboxlimit', 'local_nagasis'),
        get_string('outboxlimit_desc', 'local_nagasis'),
        100000,
        PARAM_INT,
    ));
    $ADMIN->add('local_nagasis_category', $settings);
}
