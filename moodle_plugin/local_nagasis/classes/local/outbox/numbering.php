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
 * Gives waiting events their numbers.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\outbox;

use local_nagasis\local\state;

/**
 * Gives waiting events their numbers, at the last moment: what was rolled back leaves no gap, and what has no number yet may
 * still be thinned. To be called by the one who holds the outbox's lock.
 */
final class numbering {
    /**
     * Numbers the oldest events that have none, in one statement.
     *
     * @param int $atmost
     * @return bool whether there were any
     */
    public static function give(int $atmost): bool {
        global $DB;
        $transaction = $DB->start_delegated_transaction();
        $last = (int) state::get('lastseq');
        $DB->execute(self::statement($last, $atmost));
        $newlast = (int) $DB->get_field_sql(
            'SELECT MAX(seq) FROM {local_nagasis_outbox} WHERE setaside = 0 AND seq > :last',
            ['last' => $last],
        );
        if ($newlast > $last) {
            state::set('lastseq', $newlast);
        }
        $transaction->allow_commit();
        return $newlast > $last;
    }

    /**
     * Begins to count anew: what waits has no number any more.
     */
    public static function restart(): void {
        global $DB;
        $transaction = $DB->start_delegated_transaction();
        state::set('epoch', \core\uuid::generate());
        state::set('lastseq', 0);
        state::set('heldseq', 0);
        state::set('heldid', null);
        $DB->execute('UPDATE {local_nagasis_outbox} SET seq = NULL WHERE seq IS NOT NULL');
        $transaction->allow_commit();
    }

    /**
     * The numbering statement; the databases differ in how an update joins.
     *
     * @param int $last
     * @param int $atmost
     * @return string
     */
    private static function statement(int $last, int $atmost): string {
        global $DB;
        // Numbers stand in it as such: MariaDB takes no quoted limit, and would add to a quoted number as to a fraction.
        $numbers = "SELECT waiting.id, $last + ROW_NUMBER() OVER (ORDER BY waiting.id) AS seq
                      FROM (SELECT id
                              FROM {local_nagasis_outbox}
                             WHERE setaside = 0 AND seq IS NULL
                          ORDER BY id
                             LIMIT $atmost) waiting";
        if ($DB->get_dbfamily() === 'mysql') {
            return "UPDATE {local_nagasis_outbox} outbox
                      JOIN ($numbers) numbered ON numbered.id = outbox.id
                       SET outbox.seq = numbered.seq";
        }
        return "UPDATE {local_nagasis_outbox}
                   SET seq = numbered.seq
                  FROM ($numbers) numbered
                 WHERE {local_nagasis_outbox}.id = numbered.id";
    }
}
