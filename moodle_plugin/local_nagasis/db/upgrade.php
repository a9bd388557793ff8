<?php
// This file is part of Moodle - https://moodle.org/
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
// along with Moodle.  If not, see <https://www.gnu.org/licenses/>.

/**
 * What an older version of the plugin lacks.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

/**
 * Brings the database up to this version.
 *
 * @param int $oldversion
 * @return bool
 */
function xmldb_local_nagasis_upgrade($oldversion) {
    global $DB;
    $dbman = $DB->get_manager();
    if ($oldversion < 2026112400) {
        // The first version knew no grades; a later one of the same number did.
        if (!$dbman->table_exists('local_nagasis_gradeitem')) {
            $dbman->install_one_table_from_xmldb_file(__DIR__ . '/install.xml', 'local_nagasis_gradeitem');
        }
        upgrade_plugin_savepoint(true, 2026112400, 'local', 'nagasis');
    }
    return true;
}
