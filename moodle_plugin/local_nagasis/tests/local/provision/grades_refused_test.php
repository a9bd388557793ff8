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
 * Tests of which grades are refused.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

use local_nagasis\tests\grades_testcase;

/**
 * Which grades are refused, and that the others are done.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \local_nagasis\local\provision\grades_kind
 * @covers     \local_nagasis\local\provision\grades_cell
 * @covers     \local_nagasis\local\provision\grades_people
 * @covers     \local_nagasis\local\provision\grades_standing
 * @covers     \local_nagasis\local\provision\grades_writer
 */
final class grades_refused_test extends grades_testcase {
    public function test_a_grade_that_somebody_changed_in_moodle_is_not_overwritten(): void {
        $this->grade_by_hand('S1', 'A1', 75);
        $result = $this->send([['S1', 'A1', 8000], ['S2', 'A1', 6000]]);
        $this->assertSame('updated', $result['result']);
        $member = $result['members'][0];
        $this->assertSame(
            ['refused', 'changed_in_moodle', '/grades/0/expected', [['field' => 'value', 'before' => 7500, 'after' => 8000]]],
            [$member['result'], $member['code'], $member['field'], $member['changes']],
        );
        $this->assertStringContainsString('75.00', $member['message']);
        $this->assertSame([75.0, 60.0], [$this->final('S1', 'A1'), $this->final('S2', 'A1')]);
        $this->assertSame('changed_in_moodle', $this->send_one('S1', 'A1', 8000, ['expected' => 7400]));
        $this->assertSame('unchanged', $this->send_one('S1', 'A1', 7500, ['expected' => 7400]));
        $this->assertSame('updated', $this->send_one('S1', 'A1', 8000, ['expected' => 7500]));
    }

    public function test_nothing_clears_only_what_was_expected(): void {
        $this->grade_by_hand('S1', 'A1', 75);
        $this->assertSame('changed_in_moodle', $this->send_one('S1', 'A1', null));
        $this->assertSame('changed_in_moodle', $this->send_one('S1', 'A1', null, ['expected' => 7400]));
        $this->assertSame('updated', $this->send_one('S1', 'A1', null, ['expected' => 7500]));
        $this->assertNull($this->final('S1', 'A1'));
        $this->assertSame('unchanged', $this->send_one('S1', 'A1', null, ['expected' => 7500]));
        $this->assertNull($this->final('S1', '#total'));
    }

    public function test_a_grade_that_was_withdrawn_in_moodle_does_not_come_back_unseen(): void {
        $this->send([['S1', 'A1', 8000]]);
        $this->grade_by_hand('S1', 'A1', null);
        $this->assertSame('changed_in_moodle', $this->send_one('S1', 'A1', 8100, ['expected' => 8000]));
    }

    public function test_a_letter_does_not_replace_a_grade_unseen(): void {
        $this->grade_by_hand('S1', 'A1', 75);
        $this->assertSame('changed_in_moodle', $this->send_one('S1', 'A1', null, ['text' => 'I']));
        $this->assertSame('updated', $this->send_one('S1', 'A1', null, ['text' => 'I', 'expected' => 7500]));
    }

    public function test_what_is_locked(): void {
        $this->send([['S1', 'A1', 8000], ['S2', 'A1', 7000], ['S1', '#total', 8000]]);
        $this->moodle_grade('S1', 'A1')->set_locked(1);
        $grades = [['S1', 'A1', 9000, ['expected' => 8000]], ['S2', 'A1', 9100, ['expected' => 7000]], ['S1', 'A2', 5000]];
        $this->assertSame(['grade_locked', 'updated', 'updated'], $this->outcomes($this->send($grades)));
        $this->assertSame('unchanged', $this->send_one('S1', 'A1', 8000));

        $this->moodle_item('A2')->set_locked(1);
        $this->assertSame('item_locked', $this->send_one('S3', 'A2', 5000));
        $this->assertSame('updated', $this->send_one('S3', 'A1', 5000));
        $this->moodle_item('A2')->set_locked(0);

        $this->moodle_item('A')->set_locked(1);
        $this->assertSame(['item_locked', 'item_locked', 'updated'], $this->outcomes($this->send([
            ['S3', 'A1', 5100, ['expected' => 5000]],
            ['S3', 'A', 5000],
            ['S3', '#total', 5000],
        ])));
        $this->moodle_item('A')->set_locked(0);

        $this->compute_all();
        $this->moodle_item('#total')->set_locked(1);
        $this->assertSame(['item_locked', 'item_locked', 'item_locked', 'unchanged'], $this->outcomes($this->send([
            ['S3', 'A1', 5100, ['expected' => 5000]],
            ['S3', 'A', 5000],
            ['S2', '#total', 5100],
            ['S3', '#total', 5000],
        ])));
    }

    public function test_what_should_be_locked_by_now(): void {
        global $DB;
        $this->send([['S1', 'A1', 8000]]);
        $DB->set_field('grade_grades', 'locktime', self::NOW - 1, ['id' => $this->stands('S1', 'A1')->id]);
        $this->assertSame('grade_locked', $this->send_one('S1', 'A1', 8100, ['expected' => 8000]));
        $DB->set_field('grade_items', 'locktime', self::NOW - 1, ['id' => $this->items['A2']]);
        $this->assertSame('item_locked', $this->send_one('S1', 'A2', 8100));
    }

    public function test_who_cannot_be_graded(): void {
        global $DB;
        $generator = $this->getDataGenerator();
        $generator->create_user(['idnumber' => 'OUT']);
        $generator->create_user(['idnumber' => 'TWIN']);
        $generator->create_user(['idnumber' => 'TWIN']);
        $status = ['ENDED' => [ENROL_USER_ACTIVE, 'student', self::NOW], 'LATER' => [ENROL_USER_ACTIVE, 'student', 0],
            'SUSPENDED' => [ENROL_USER_SUSPENDED, 'student', 0], 'T1' => [ENROL_USER_ACTIVE, 'editingteacher', 0]];
        foreach ($status as $idnumber => [$state, $role, $end]) {
            $user = $generator->create_user(['idnumber' => $idnumber]);
            $start = $idnumber === 'LATER' ? self::NOW + 1 : 0;
            $generator->enrol_user($user->id, $this->course->id, $role, 'manual', $start, $end, $state);
        }
        $users = ['NOBODY', 'TWIN', 'OUT', 'SUSPENDED', 'ENDED', 'LATER', 'T1', 'S1'];
        $result = $this->send(array_map(fn(string $user): array => [$user, '#total', 5000], $users));
        $this->assertSame([
            'user_missing', 'ambiguous_idnumber', 'not_enrolled', 'not_enrolled', 'not_enrolled', 'not_enrolled',
            'no_gradebook_role', 'updated',
        ], $this->outcomes($result));
        $this->assertSame('/grades/0/user', $result['members'][0]['field']);
        $DB->set_field('enrol', 'status', ENROL_INSTANCE_DISABLED, ['courseid' => $this->course->id]);
        $this->assertSame('not_enrolled', $this->send_one('S1', '#total', 6000));
    }

    public function test_a_role_above_the_course_gets_grades_too(): void {
        global $DB;
        $teacher = $this->getDataGenerator()->create_user(['idnumber' => 'T1']);
        $this->getDataGenerator()->enrol_user($teacher->id, $this->course->id, 'teacher');
        $this->assertSame('no_gradebook_role', $this->send_one('T1', 'A1', 5000));
        $student = $DB->get_field('role', 'id', ['shortname' => 'student']);
        role_assign($student, $teacher->id, \core\context\coursecat::instance($this->course->category));
        $this->assertSame('updated', $this->send_one('T1', 'A1', 5000));
        set_config('gradebookroles', '');
        $this->assertSame('no_gradebook_role', $this->send_one('S1', 'A1', 5000));
    }

    public function test_items_that_are_not_there(): void {
        $this->moodle_item('A2')->delete();
        $result = $this->send([['S1', 'A2', 5000], ['S1', 'B1', 5000], ['S1', 'A1', 5000]]);
        $this->assertSame(['item_missing', 'item_missing', 'updated'], $this->outcomes($result));
        $this->assertSame('/grades/1/item', $result['members'][1]['field']);
    }

    public function test_items_without_numbers(): void {
        global $DB;
        $DB->set_field('grade_items', 'gradetype', GRADE_TYPE_TEXT, ['id' => $this->items['A1']]);
        $this->assertSame('source_not_numeric', $this->send_one('S1', 'A1', 5000));
        $DB->set_field('grade_items', 'gradetype', GRADE_TYPE_NONE, ['id' => $this->items['A1']]);
        $this->assertSame('source_not_numeric', $this->send_one('S1', 'A1', 5000));
        $scale = $this->getDataGenerator()->create_scale(['scale' => 'Poor, Fair, Good']);
        $fields = ['gradetype' => GRADE_TYPE_SCALE, 'scaleid' => $scale->id, 'grademin' => 1, 'grademax' => 3];
        $DB->update_record('grade_items', (object) (['id' => $this->items['A1']] + $fields));
        $this->assertSame('updated', $this->send_one('S1', 'A1', 5000));
        $DB->delete_records('scale', ['id' => $scale->id]);
        $this->assertSame('source_not_numeric', $this->send_one('S1', 'A1', 6000, ['expected' => 5000]));
    }

    public function test_documents_that_cannot_be_done(): void {
        global $DB;
        $this->getDataGenerator()->create_course(['idnumber' => 'C2']);
        $codes = [];
        foreach (['MISSING', 'C2'] as $course) {
            [$result] = batch::run([$this->document([['S1', 'A1', 5000]], $course)], false);
            $codes[] = [$result['code'], $result['field']];
        }
        $this->assertSame([['course_missing', '/course'], ['gradebook_missing', '/course']], $codes);
        $other = $this->getDataGenerator()->create_course();
        $DB->set_field('course', 'idnumber', 'C2', ['id' => $other->id]);
        [$result] = batch::run([$this->document([['S1', 'A1', 5000]], 'C2')], false);
        $this->assertSame('ambiguous_idnumber', $result['code']);
        $twice = $this->send([['S1', 'A1', 5000], ['S2', 'A1', 5000], ['S1', 'A1', 6000]]);
        $this->assertSame(['schema', '/grades/2'], [$twice['code'], $twice['field']]);
        $this->assertNull($this->stands('S2', 'A1')?->finalgrade);
        $this->assertSame('schema', $this->send([['S1', 'A1', 10001]])['code']);
        $this->assertSame('schema', $this->send([['S1', 'A1', null, ['value' => '50']]])['code']);
    }

    public function test_who_grades_while_it_is_written_wins_and_the_others_are_done(): void {
        $this->send([['S1', 'A1', 8000], ['S2', 'A1', 7000]]);
        $document = $this->document([['S1', 'A1', 8100, ['expected' => 8000]], ['S2', 'A1', 7100, ['expected' => 7000]]]);
        $kind = new grades_kind(new directory());
        $kind->load([\local_nagasis\local\contract\schema::document($document)]);
        $this->grade_by_hand('S1', 'A1', 99);
        $kind->plan($document = \local_nagasis\local\contract\schema::document($document))->execute();
        try {
            $kind->flush();
            $this->fail('it was written');
        } catch (\moodle_exception $exception) {
            $this->assertSame('gradedmeanwhile', $exception->errorcode);
        }
        $this->assertSame(99.0, $this->final('S1', 'A1'));
        // What the call then does: rolls back, reads anew, and finds it.
        $this->assertSame(['changed_in_moodle', 'unchanged'], $this->outcomes(batch::run([$document], false)[0]));
    }

    /**
     * What became of each grade.
     *
     * @param array $result
     * @return string[]
     */
    private function outcomes(array $result): array {
        return array_map(fn(array $member): string => $member['code'] ?? $member['result'], $result['members']);
    }
}
