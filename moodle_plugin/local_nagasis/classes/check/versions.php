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
 * Whether the versions fit together.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\check;

use core\check\result;
use local_nagasis\local\health\probe;

/**
 * Whether both plugins, Moodle and the tool fit together.
 */
final class versions extends naga_check {
    /** @var string[] Plugins that belong together. */
    private const PLUGINS = ['local_nagasis', 'enrol_nagasis'];

    #[\Override]
    public function get_action_link(): ?\action_link {
        return new \action_link(new \moodle_url('/admin/plugins.php'), get_string('plugins', 'admin'));
    }

    #[\Override]
    public function get_result(): result {
        global $CFG;
        $manager = \core_plugin_manager::instance();
        $releases = [];
        foreach (self::PLUGINS as $component) {
            $plugin = $manager->get_plugin_info($component);
            if (!$plugin || $plugin->versiondb === null) {
                return $this->finding(result::ERROR, 'missing', $component);
            }
            if ((int) $plugin->versiondb !== (int) $plugin->versiondisk) {
                return $this->finding(result::ERROR, 'upgrade', $component);
            }
            $releases[$component] = (string) $plugin->release;
        }
        $a = (object) [
            'local' => $releases['local_nagasis'],
            'enrol' => $releases['enrol_nagasis'],
            'moodle' => $CFG->release,
        ];
        if (probe::last_error() === 'contract_unsupported') {
            return $this->finding(result::ERROR, 'contract', $a, [probe::last()['error']['message']]);
        }
        if (count(array_unique($releases)) > 1) {
            return $this->finding(result::WARNING, 'differ', $a);
        }
        $plugin = $manager->get_plugin_info('local_nagasis');
        if ($manager->check_explicitly_supported($plugin, (int) $CFG->branch) === \core_plugin_manager::VERSION_NOT_SUPPORTED) {
            return $this->finding(result::WARNING, 'untested', $a);
        }
        return $this->finding(result::OK, 'ok', $a);
    }
}
