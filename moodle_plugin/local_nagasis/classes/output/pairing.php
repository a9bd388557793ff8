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
 * What the pages of pairing show.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\output;

use local_nagasis\local\pairing\code;
use local_nagasis\local\pairing\offer;
use local_nagasis\local\pairing\steps;
use local_nagasis\local\state;

/**
 * What the pages of pairing show, for their templates.
 */
final class pairing {
    /**
     * What will be done, to be confirmed.
     *
     * @param code $code
     * @param offer $offer
     * @param string $text the code as it was pasted
     * @return string HTML
     */
    public static function preview(code $code, offer $offer, string $text): string {
        global $OUTPUT;
        $steps = [];
        foreach (steps::preview($offer) as $step) {
            $steps[] = ['title' => $step['title'], 'needed' => $step['needed'], 'nothing' => !$step['needed']];
        }
        return $OUTPUT->render_from_template('local_nagasis/pair_preview', [
            'tool' => $offer->toolname,
            'url' => $code->toolurl,
            'ends' => get_string('pair_codeends', 'local_nagasis', userdate($offer->expiresat, get_string('strftimetime', 'langconfig'))),
            'steps' => $steps,
            'action' => (new \moodle_url('/local/nagasis/pair.php'))->out(false),
            'cancel' => (new \moodle_url('/local/nagasis/pair.php'))->out(false),
            'sesskey' => sesskey(),
            'code' => $text,
        ]);
    }

    /**
     * What was done.
     *
     * @param array $report of connection::make() or disconnection::run()
     * @return string HTML
     */
    public static function report(array $report): string {
        global $OUTPUT;
        $steps = [];
        foreach ($report['steps'] as $step) {
            $steps[] = [
                'title' => $step['title'],
                'badge' => $OUTPUT->render_from_template('local_nagasis/badge', self::badge(
                    $step['result'],
                    get_string('result_' . $step['result'], 'local_nagasis'),
                )),
                'notes' => $step['notes'],
            ];
        }
        return $OUTPUT->render_from_template('local_nagasis/pair_report', ['steps' => $steps]);
    }

    /**
     * The checklist as the tool has last told it.
     *
     * @return string HTML
     */
    public static function checklist(): string {
        global $OUTPUT;
        $list = state::get('checklist');
        $todo = [];
        $works = [];
        foreach ($list['checks'] ?? [] as $check) {
            $status = get_string('status' . $check['status']);
            $item = [
                'summary' => self::words($check),
                'details' => $check['details'],
                'badge' => $OUTPUT->render_from_template('local_nagasis/badge', self::badge($check['status'], $status)),
            ];
            $check['status'] === 'ok' ? $works[] = $item : $todo[] = $item;
        }
        return $OUTPUT->render_from_template('local_nagasis/checklist', [
            'at' => $list ? get_string('checklist_at', 'local_nagasis', userdate($list['at'])) : '',
            'todo' => $todo,
            'works' => $works,
            'none' => !$todo && !$works,
        ]);
    }

    /**
     * A finding of the tool in the reader's language, where we know it; else in the tool's own words.
     *
     * @param array $check
     * @return string plain text
     */
    public static function words(array $check): string {
        $key = "found_{$check['name']}_{$check['status']}";
        $known = preg_match('/^[a-z_]+$/', $key) && get_string_manager()->string_exists($key, 'local_nagasis');
        return $known ? get_string($key, 'local_nagasis') : ($check['summary'] ?: $check['name']);
    }

    /**
     * A word with a colour. The colour alone says nothing: the word does.
     *
     * @param string $kind
     * @param string $word
     * @return array
     */
    private static function badge(string $kind, string $word): array {
        return [
            'word' => $word,
            'class' => match ($kind) {
                'done', 'ok' => 'bg-success text-white',
                'failed', 'error' => 'bg-danger text-white',
                'left', 'warning' => 'bg-warning text-dark',
                default => 'bg-secondary text-dark',
            },
        ];
    }
}
