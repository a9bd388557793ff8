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
 * What an administrator may do about events that wait.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\health;

use core\output\notification;
use local_nagasis\local\outbox\outbox;
use local_nagasis\local\state;

/**
 * What an administrator may do about events that wait. Each returns what became of it, in words.
 */
final class actions {
    /** @var int Seconds that "send now" takes at the most: somebody waits for the page. */
    private const SECONDS = 20;

    /** @var string[] All that there are. */
    public const NAMES = ['send', 'pause', 'resume', 'resendfrom', 'resend', 'discard', 'dismiss', 'check'];

    /**
     * Does one.
     *
     * @param string $action one of the names
     * @param int $number of the event (resendfrom), or of the row (resend, discard)
     * @return array{string, string} words, and the kind of notification
     */
    public static function run(string $action, int $number = 0): array {
        return match ($action) {
            'send' => self::send(),
            'pause' => self::pause(),
            'resume' => self::resume(),
            'resendfrom' => self::resent(outbox::resend_from($number)),
            'resend' => self::resent((int) outbox::resend($number)),
            'discard' => self::discard($number),
            'dismiss' => self::dismiss(),
            'check' => self::check(),
            default => throw new \invalid_parameter_exception('There is no such action'),
        };
    }

    /**
     * Sends what waits.
     *
     * @return array{string, string}
     */
    private static function send(): array {
        if (outbox::paused()) {
            return self::told('paused', null, notification::NOTIFY_WARNING);
        }
        $report = outbox::send(self::SECONDS, true);
        if ($report['busy']) {
            return self::told('busy', null, notification::NOTIFY_INFO);
        }
        if ($report['error'] !== null) {
            return self::told('notsent', s(state::get('senderror')['message'] ?? $report['error']), notification::NOTIFY_ERROR);
        }
        $a = (object) ['sent' => $report['sent'], 'left' => outbox::backlog()['count']];
        return self::told($report['sent'] || $a->left ? 'sent' : 'nothing', $a, notification::NOTIFY_SUCCESS);
    }

    /**
     * Stops sending.
     *
     * @return array{string, string}
     */
    private static function pause(): array {
        outbox::pause();
        return self::told('pause', null, notification::NOTIFY_WARNING);
    }

    /**
     * Goes on sending.
     *
     * @return array{string, string}
     */
    private static function resume(): array {
        outbox::resume();
        return self::told('resume', null, notification::NOTIFY_SUCCESS);
    }

    /**
     * Says how many go back to the queue.
     *
     * @param int $count
     * @return array{string, string}
     */
    private static function resent(int $count): array {
        return $count
            ? self::told('resent', $count, notification::NOTIFY_SUCCESS)
            : self::told('notresent', null, notification::NOTIFY_INFO);
    }

    /**
     * Forgets an event that was set aside.
     *
     * @param int $id
     * @return array{string, string}
     */
    private static function discard(int $id): array {
        return outbox::discard($id)
            ? self::told('discarded', null, notification::NOTIFY_SUCCESS)
            : self::told('notdiscarded', null, notification::NOTIFY_INFO);
    }

    /**
     * What was lost has been seen.
     *
     * @return array{string, string}
     */
    private static function dismiss(): array {
        state::forget('captureerror');
        state::forget('thinned');
        return self::told('dismissed', null, notification::NOTIFY_SUCCESS);
    }

    /**
     * Calls the tool, whatever was found a minute ago.
     *
     * @return array{string, string}
     */
    private static function check(): array {
        $error = probe::run()['error'];
        return $error === null
            ? self::told('checked', null, notification::NOTIFY_SUCCESS)
            : self::told('notchecked', s($error['message']), notification::NOTIFY_ERROR);
    }

    /**
     * Words.
     *
     * @param string $word
     * @param mixed $a
     * @param string $kind
     * @return array{string, string}
     */
    private static function told(string $word, mixed $a, string $kind): array {
        return [get_string("status_told_$word", 'local_nagasis', $a), $kind];
    }
}
