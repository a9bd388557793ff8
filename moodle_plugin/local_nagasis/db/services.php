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
 * Web services: one service, which only the paired tool may use.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

defined('MOODLE_INTERNAL') || die();


$functions = [
    'local_nagasis_apply' => [
        'classname' => \local_nagasis\external\apply::class,
        'description' => 'Make Moodle equal to documents of the SIS, or say what would change.',
        'type' => 'write',
        'capabilities' => 'local/nagasis:apply',
    ],
    'local_nagasis_digest' => [
        'classname' => \local_nagasis\external\digest::class,
        'description' => 'Fingerprints of what is there, to be compared with the SIS.',
        'type' => 'read',
        'capabilities' => 'local/nagasis:read',
    ],
    'local_nagasis_read' => [
        'classname' => \local_nagasis\external\read::class,
        'description' => 'Activity, rosters, grade items and grades, in bulk and in pages.',
        'type' => 'read',
        'capabilities' => 'local/nagasis:read',
    ],
    'local_nagasis_status' => [
        'classname' => \local_nagasis\external\status::class,
        'description' => 'Versions, health and backlog of the connection.',
        'type' => 'read',
        'capabilities' => 'local/nagasis:read',
    ],
];

$services = [
    'Naga SIS' => [
        'shortname' => 'local_nagasis',
        'functions' => array_keys($functions),
        'enabled' => 1,
        'restrictedusers' => 1,
        'downloadfiles' => 0,
        'uploadfiles' => 0,
    ],
];
