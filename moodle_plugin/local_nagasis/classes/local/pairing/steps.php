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
 * The steps of pairing.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\pairing;

/**
 * The steps of pairing, in their order.
 */
final class steps {
    /**
     * All steps.
     *
     * @param offer|null $offer what the tool says of itself; null: they can only be undone
     * @return step[]
     */
    public static function all(?offer $offer = null): array {
        return [...self::settings(), new role_step(), new user_step(), new lti_step($offer)];
    }

    /**
     * All steps that pairing can have done; how people sign in is said by the tool only when it is connected.
     *
     * @return step[]
     */
    public static function to_undo(): array {
        return [...self::all(), new signin_step()];
    }

    /**
     * Steps that only set Moodle's settings, which somebody may change at any time.
     *
     * @return step[]
     */
    public static function settings(): array {
        return [new services_step(), new enrolment_step(), new locks_step(), new freezing_step()];
    }

    /**
     * What no longer is as pairing has set it: settings, role, service user. Pairing again mends it.
     *
     * @return string[] in words; none: all is as it must be
     */
    public static function drifted(): array {
        $steps = [...self::settings(), new role_step(), new user_step(), new signin_step()];
        return array_merge(...array_map(fn(step $step): array => $step->needed(), $steps));
    }

    /**
     * What pairing would do, step by step.
     *
     * @param offer $offer
     * @return array{name: string, title: string, needed: string[]}[]
     */
    public static function preview(offer $offer): array {
        $preview = [];
        $steps = self::all($offer);
        if ($offer->signinurl !== '') {
            $steps[] = new signin_step(null, $offer->signinurl);
        }
        foreach ($steps as $step) {
            $preview[] = ['name' => $step->name(), 'title' => self::title($step->name()), 'needed' => $step->needed()];
        }
        $days = (int) (token::LIFETIME / DAYSECS);
        $preview[] = [
            'name' => 'token',
            'title' => self::title('token'),
            'needed' => [get_string('will_token', 'local_nagasis', (object) ['days' => $days, 'tool' => $offer->toolname])],
        ];
        return $preview;
    }

    /**
     * What a step is about, in words.
     *
     * @param string $name
     * @return string
     */
    public static function title(string $name): string {
        return get_string("step_$name", 'local_nagasis');
    }
}
