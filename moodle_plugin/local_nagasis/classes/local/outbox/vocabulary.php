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
 * Which event of Moodle is which event of the contract.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\outbox;

use core\event\base;

/**
 * Which event of Moodle is which event of the contract, and which of its facts are sent: ids, no names.
 *
 * Reads only what the event carries; no query.
 */
final class vocabulary {
    /** @var string[] Types by Moodle's event name. */
    public const TYPES = [
        '\core\event\user_graded' => 'grade.changed',
        '\core\event\grade_deleted' => 'grade.deleted',
        '\core\event\grade_item_created' => 'grade_item.created',
        '\core\event\grade_item_updated' => 'grade_item.updated',
        '\core\event\grade_item_deleted' => 'grade_item.deleted',
        '\mod_assign\event\submission_graded' => 'assign.graded',
        '\mod_assign\event\assessable_submitted' => 'assign.submitted',
        '\mod_quiz\event\attempt_submitted' => 'quiz.submitted',
        '\mod_quiz\event\attempt_graded' => 'quiz.graded',
        '\core\event\course_module_completion_updated' => 'completion.activity',
        '\core\event\course_completed' => 'completion.course',
        '\core\event\user_enrolment_created' => 'enrolment.created',
        '\core\event\user_enrolment_updated' => 'enrolment.updated',
        '\core\event\user_enrolment_deleted' => 'enrolment.deleted',
        '\core\event\role_assigned' => 'role.assigned',
        '\core\event\role_unassigned' => 'role.unassigned',
        '\core\event\group_created' => 'group.created',
        '\core\event\group_updated' => 'group.updated',
        '\core\event\group_deleted' => 'group.deleted',
        '\core\event\group_member_added' => 'group.member_added',
        '\core\event\group_member_removed' => 'group.member_removed',
        '\core\event\course_created' => 'course.created',
        '\core\event\course_updated' => 'course.updated',
        '\core\event\course_deleted' => 'course.deleted',
        '\core\event\course_restored' => 'course.restored',
        '\core\event\course_reset_ended' => 'course.reset',
        '\core\event\course_section_created' => 'section.created',
        '\core\event\course_section_updated' => 'section.updated',
        '\core\event\course_section_deleted' => 'section.deleted',
        '\core\event\course_module_created' => 'module.created',
        '\core\event\course_module_updated' => 'module.updated',
        '\core\event\course_module_deleted' => 'module.deleted',
        '\core\event\course_category_created' => 'category.created',
        '\core\event\course_category_updated' => 'category.updated',
        '\core\event\course_category_deleted' => 'category.deleted',
        '\core\event\user_created' => 'user.created',
        '\core\event\user_updated' => 'user.updated',
        '\core\event\user_deleted' => 'user.deleted',
        '\core\event\user_loggedin' => 'user.loggedin',
    ];

    /** @var string[] Types that may be thinned when the outbox is full; all others are records. */
    public const ACTIVITY = ['user.loggedin'];

    /**
     * What the contract calls it.
     *
     * @param base $event
     * @return string|null null if it is not forwarded
     */
    public static function type_of(base $event): ?string {
        return self::TYPES[$event->eventname] ?? null;
    }

    /**
     * Whom it concerns.
     *
     * @param base $event
     * @param string $type
     * @return int|null
     */
    public static function user_of(base $event, string $type): ?int {
        $user = $event->relateduserid ?: match ($type) {
            'user.created', 'user.updated', 'user.deleted', 'user.loggedin' => $event->objectid,
            // Someone submits for themselves, if not said otherwise.
            'assign.submitted', 'quiz.submitted' => $event->userid,
            default => null,
        };
        return self::id($user);
    }

    /**
     * What it is about, as it stands in the outbox's payload.
     *
     * @param base $event
     * @param string $type
     * @return array{course: int|null, object: int|null, data: array}
     */
    public static function payload_of(base $event, string $type): array {
        $other = (array) $event->other;
        $isrole = $type === 'role.assigned' || $type === 'role.unassigned';
        return [
            'course' => self::id($event->courseid),
            // Moodle names the role; the assignment is the row.
            'object' => self::id($isrole ? $other['id'] ?? null : $event->objectid),
            'data' => self::data_of($event, $type, $other),
        ];
    }

    /**
     * The few facts that a type needs besides ids.
     *
     * @param base $event
     * @param string $type
     * @param array $other what the event carries
     * @return array of scalars
     */
    private static function data_of(base $event, string $type, array $other): array {
        return match ($type) {
            'grade.changed', 'grade.deleted' => [
                'item' => self::id($other['itemid'] ?? null),
                'overridden' => !empty($other['overridden']),
                // No grade is not zero.
                'final' => isset($other['finalgrade']) ? (float) $other['finalgrade'] : null,
            ],
            'grade_item.created', 'grade_item.updated', 'grade_item.deleted' => [
                'itemtype' => self::word($other['itemtype'] ?? null),
                'module' => self::word($other['itemmodule'] ?? null),
            ],
            'assign.graded', 'assign.submitted', 'quiz.submitted', 'quiz.graded' => [
                'module' => self::id($event->contextinstanceid),
            ],
            'completion.activity' => [
                'state' => (int) ($other['completionstate'] ?? 0),
                'module' => self::id($event->contextinstanceid),
            ],
            'enrolment.created', 'enrolment.updated', 'enrolment.deleted' => ['method' => self::word($other['enrol'] ?? null)],
            'role.assigned', 'role.unassigned' => [
                'role' => self::id($event->objectid),
                'component' => self::word($other['component'] ?? null),
            ],
            'group.member_added', 'group.member_removed' => ['component' => self::word($other['component'] ?? null)],
            'course.deleted', 'user.deleted' => ['idnumber' => self::word($other['idnumber'] ?? null)],
            'course.restored' => [
                'from' => self::id($other['originalcourseid'] ?? null),
                'target' => self::id($other['target'] ?? null) ?? 0,
            ],
            'section.created', 'section.updated', 'section.deleted' => ['number' => (int) ($other['sectionnum'] ?? 0)],
            'module.created', 'module.updated', 'module.deleted' => [
                'module' => self::word($other['modulename'] ?? null),
                'instance' => self::id($other['instanceid'] ?? null),
            ],
            'category.deleted' => ['movedto' => self::id($other['contentmovedcategoryid'] ?? null)],
            default => [],
        };
    }

    /**
     * An id, or nothing.
     *
     * @param mixed $value
     * @return int|null
     */
    private static function id(mixed $value): ?int {
        return is_numeric($value) && $value > 0 ? (int) $value : null;
    }

    /**
     * A short word, or nothing.
     *
     * @param mixed $value
     * @return string|null
     */
    private static function word(mixed $value): ?string {
        return is_scalar($value) && (string) $value !== '' ? \core_text::substr((string) $value, 0, 255) : null;
    }
}
