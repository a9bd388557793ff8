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
 * Where a pairing code is pasted.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\form;

use local_nagasis\local\pairing\code;

defined('MOODLE_INTERNAL') || die();

require_once($CFG->libdir . '/formslib.php');

/**
 * Where a pairing code is pasted.
 */
final class code_form extends \moodleform {
    #[\Override]
    protected function definition(): void {
        $form = $this->_form;
        $form->addElement('textarea', 'code', get_string('pair_code', 'local_nagasis'), [
            'rows' => 4,
            'class' => 'w-100 font-monospace',
            'autocomplete' => 'off',
            'autocapitalize' => 'none',
            'spellcheck' => 'false',
        ]);
        $form->setType('code', PARAM_RAW_TRIMMED);
        $form->addHelpButton('code', 'pair_code', 'local_nagasis');
        $form->addRule('code', null, 'required', null, 'client');
        $this->add_action_buttons(false, get_string('pair_continue', 'local_nagasis'));
    }

    #[\Override]
    public function validation($data, $files): array {
        $errors = parent::validation($data, $files);
        try {
            code::parse($data['code']);
        } catch (\moodle_exception $e) {
            $errors['code'] = s($e->getMessage());
        }
        return $errors;
    }
}
