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
 * Fingerprints of what the SIS owns.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\contract;

/**
 * Fingerprints of what the SIS owns: the tool computes the same of what should be there.
 *
 * Every character counts: the tool's are made in Python, from the JSON that docs/contract.md of the product describes.
 */
final class fingerprint {
    /** @var int Without the line terminators' flag, PHP would write U+2028 as an escape. */
    private const FLAGS = JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_LINE_TERMINATORS
        | JSON_INVALID_UTF8_SUBSTITUTE | JSON_THROW_ON_ERROR;

    /**
     * Of a category.
     *
     * @param string $idnumber
     * @param string $name
     * @param string|null $parent the parent's idnumber ('' if it has none), null at the top
     * @param bool $visible
     * @return string 32 hexadecimal characters
     */
    public static function category(string $idnumber, string $name, ?string $parent, bool $visible): string {
        return self::of(['category', $idnumber, $name, $parent, $visible]);
    }

    /**
     * Of a user.
     *
     * @param string $idnumber
     * @param string $username
     * @param string $firstname
     * @param string $lastname
     * @param string $email
     * @param string $alternatename
     * @param bool $suspended
     * @return string 32 hexadecimal characters
     */
    public static function user(
        string $idnumber,
        string $username,
        string $firstname,
        string $lastname,
        string $email,
        string $alternatename,
        bool $suspended,
    ): string {
        return self::of(['user', $idnumber, $username, $firstname, $lastname, $email, $alternatename, $suspended]);
    }

    /**
     * Of a course.
     *
     * @param string $idnumber
     * @param string $shortname
     * @param string $fullname
     * @param string $category the category's idnumber
     * @param int $startdate
     * @param int $enddate
     * @param bool $visible
     * @param bool $readonly
     * @param array $sections [key, name] of each, in any order
     * @param array $groups [idnumber, name] of each, in any order
     * @return string 32 hexadecimal characters
     */
    public static function course(
        string $idnumber,
        string $shortname,
        string $fullname,
        string $category,
        int $startdate,
        int $enddate,
        bool $visible,
        bool $readonly,
        array $sections,
        array $groups,
    ): string {
        return self::of([
            'course', $idnumber, $shortname, $fullname, $category, $startdate, $enddate, $visible, $readonly,
            self::sorted($sections), self::sorted($groups),
        ]);
    }

    /**
     * Of a roster.
     *
     * @param string $course the course's idnumber
     * @param array $members [user's idnumber, role, groups' idnumbers] of each active member, in any order
     * @return string 32 hexadecimal characters
     */
    public static function roster(string $course, array $members): string {
        foreach ($members as &$member) {
            sort($member[2], SORT_STRING);
        }
        unset($member);
        return self::of(['roster', $course, self::sorted($members)]);
    }

    /**
     * Of a gradebook.
     *
     * @param string $course the course's idnumber
     * @param array|null $categories [key, name, weight] of each, in any order; null: they do not add up as the SIS does
     * @param array $items [key, name ('' if it has a source), category's key, weight, source or null] of each, in any order
     * @param array $letters [letter, minimum] of each, in any order
     * @return string 32 hexadecimal characters
     */
    public static function gradebook(string $course, ?array $categories, array $items, array $letters): string {
        $sorted = $categories === null ? '' : self::sorted($categories);
        return self::of(['gradebook', $course, $sorted, self::sorted($items), self::sorted($letters)]);
    }

    /**
     * Of a document: what digest() says once the document has been applied.
     *
     * @param array $document checked and normalised
     * @return string 32 hexadecimal characters
     */
    public static function document(array $document): string {
        return match ($document['kind']) {
            'category' => self::category($document['idnumber'], $document['name'], $document['parent'], $document['visible']),
            'user' => self::user(
                $document['idnumber'],
                $document['username'],
                $document['firstname'],
                $document['lastname'],
                $document['email'],
                $document['alternatename'],
                $document['suspended'],
            ),
            'course' => self::course(
                $document['idnumber'],
                $document['shortname'],
                $document['fullname'],
                $document['category'],
                $document['startdate'],
                $document['enddate'],
                $document['visible'],
                $document['readonly'],
                array_map(fn(array $section): array => [$section['key'], $section['name']], $document['sections']),
                array_map(fn(array $group): array => [$group['idnumber'], $group['name']], $document['groups']),
            ),
            'roster' => self::roster($document['course'], array_values(array_map(
                fn(array $member): array => [$member['user'], $member['role'], $member['groups']],
                array_filter($document['members'], fn(array $member): bool => $member['status'] === 'active'),
            ))),
            'gradebook' => self::gradebook(
                $document['course'],
                array_map(fn(array $each): array => [$each['key'], $each['name'], $each['weight']], $document['categories']),
                array_map(fn(array $each): array => [
                    $each['key'],
                    $each['source'] === null ? $each['name'] : '',
                    $each['category'],
                    $each['weight'],
                    $each['source'],
                ], $document['items']),
                array_map(fn(array $each): array => [$each['letter'], $each['minimum']], $document['letters']),
            ),
        };
    }

    /**
     * Sorts by the bytes of the first element.
     *
     * @param array $items
     * @return array
     */
    private static function sorted(array $items): array {
        usort($items, fn(array $one, array $other): int => strcmp($one[0], $other[0]));
        return $items;
    }

    /**
     * Half of the SHA-256 of the JSON.
     *
     * @param array $owned
     * @return string
     */
    private static function of(array $owned): string {
        return substr(hash('sha256', json_encode($owned, self::FLAGS)), 0, 32);
    }
}
