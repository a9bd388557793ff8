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
 * Checks documents by the contract's schema.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\contract;

/**
 * Checks documents by the JSON Schema that the tool generates from its models, and brings them into one form.
 *
 * It knows the words that this schema uses, and no others: Moodle has no JSON Schema library.
 */
final class schema {
    /** @var string[] Names that Moodle shows to people. */
    private const NAMES = ['name', 'shortname', 'fullname', 'firstname', 'lastname', 'alternatename'];

    /** @var string[] Text that must be right as it is: to change it in silence would be to guess. */
    private const VERBATIM = ['username', 'email', 'letter'];

    /** @var array|null The schema of documents. */
    private static ?array $documents = null;

    /** @var array The schema that is used, for its definitions. */
    private array $root;

    /**
     * Constructor.
     *
     * @param array $root a whole schema
     */
    private function __construct(array $root) {
        $this->root = $root;
    }

    /**
     * Checks and normalises one document.
     *
     * @param mixed $raw decoded JSON; objects as arrays or as stdClass
     * @return array every field with its default
     * @throws refusal schema, unknown_kind
     */
    public static function document(mixed $raw): array {
        self::$documents ??= self::load('document');
        return (new self(self::$documents))->chosen($raw);
    }

    /**
     * Reads one schema of the contract.
     *
     * @param string $name
     * @return array
     */
    private static function load(string $name): array {
        $json = file_get_contents(__DIR__ . "/../../../contract/schema/$name.json");
        return json_decode($json, true, 64, JSON_THROW_ON_ERROR);
    }

    /**
     * Finds the kind's own schema, and checks with it.
     *
     * @param mixed $raw
     * @return array
     */
    private function chosen(mixed $raw): array {
        $object = $this->members($raw, '');
        $property = $this->root['discriminator']['propertyName'];
        $path = text::pointer($property);
        if (!array_key_exists($property, $object)) {
            throw $this->wrong($path, 'missing');
        }
        if (!is_string($object[$property])) {
            throw $this->wrong($path, 'string');
        }
        $mapping = $this->root['discriminator']['mapping'];
        if (!isset($mapping[$object[$property]])) {
            $kinds = implode(', ', contract::KINDS);
            throw new refusal('unknown_kind', $path, ['kind' => $object[$property], 'kinds' => $kinds]);
        }
        return $this->value($object, $this->definition($mapping[$object[$property]]), '', '');
    }

    /**
     * Checks any value.
     *
     * @param mixed $value
     * @param array $schema
     * @param string $path where it stands in the document
     * @param string $name of the field that holds it
     * @return mixed the value in its one form
     */
    private function value(mixed $value, array $schema, string $path, string $name): mixed {
        if (isset($schema['$ref'])) {
            $schema = $this->definition($schema['$ref']);
        }
        if (isset($schema['anyOf'])) {
            // The only choice in this contract is "or null".
            $nullable = array_filter($schema['anyOf'], fn($each) => ($each['type'] ?? '') === 'null');
            if ($value === null && $nullable) {
                return null;
            }
            $schema = current(array_filter($schema['anyOf'], fn($each) => ($each['type'] ?? '') !== 'null'));
        }
        $value = match ($schema['type']) {
            'object' => $this->checked_object($value, $schema, $path),
            'array' => $this->checked_list($value, $schema, $path, $name),
            'string' => $this->checked_text($value, $schema, $path, $name),
            'integer' => $this->checked_integer($value, $schema, $path),
            'boolean' => is_bool($value) ? $value : throw $this->wrong($path, 'boolean'),
        };
        $allowed = $schema['enum'] ?? (array_key_exists('const', $schema) ? [$schema['const']] : null);
        if ($allowed !== null && !in_array($value, $allowed, true)) {
            throw $this->wrong($path, 'enum', implode(', ', $allowed));
        }
        return $value;
    }

    /**
     * Checks an object: no field missing, none unknown.
     *
     * @param mixed $value
     * @param array $schema
     * @param string $path
     * @return array
     */
    private function checked_object(mixed $value, array $schema, string $path): array {
        $value = $this->members($value, $path);
        $checked = [];
        foreach ($schema['properties'] as $name => $property) {
            if (array_key_exists($name, $value)) {
                $checked[$name] = $this->value($value[$name], $property, $path . text::pointer($name), $name);
            } else if (in_array($name, $schema['required'] ?? [], true)) {
                throw $this->wrong($path . text::pointer($name), 'missing');
            } else {
                $checked[$name] = $property['default'];
            }
        }
        $unknown = array_diff_key($value, $schema['properties']);
        if ($unknown && ($schema['additionalProperties'] ?? true) === false) {
            throw $this->wrong($path . text::pointer(array_key_first($unknown)), 'unknown');
        }
        return $checked;
    }

    /**
     * Checks a list.
     *
     * @param mixed $value
     * @param array $schema
     * @param string $path
     * @param string $name
     * @return array
     */
    private function checked_list(mixed $value, array $schema, string $path, string $name): array {
        if (!is_array($value) || !array_is_list($value)) {
            throw $this->wrong($path, 'array');
        }
        if (count($value) > ($schema['maxItems'] ?? PHP_INT_MAX)) {
            throw $this->wrong($path, 'maxitems', $schema['maxItems']);
        }
        foreach ($value as $index => $item) {
            $value[$index] = $this->value($item, $schema['items'], "$path/$index", $name);
        }
        return $value;
    }

    /**
     * Checks text, and brings it into its one form.
     *
     * @param mixed $value
     * @param array $schema
     * @param string $path
     * @param string $name
     * @return string
     */
    private function checked_text(mixed $value, array $schema, string $path, string $name): string {
        if (!is_string($value)) {
            throw $this->wrong($path, 'string');
        }
        $this->measure($value, $schema, $path);
        // A pattern that a line break could slip past at the end would not be one (D).
        if (isset($schema['pattern']) && !preg_match('/' . $schema['pattern'] . '/uD', $value)) {
            throw $this->wrong($path, str_contains($schema['pattern'], '\x00') ? 'controls' : 'pattern', $schema['pattern']);
        }
        if (!isset($schema['maxLength']) || in_array($name, self::VERBATIM, true)) {
            return $value;
        }
        $value = in_array($name, self::NAMES, true) ? text::shown($value) : text::normal($value);
        $this->measure($value, $schema, $path);
        return $value;
    }

    /**
     * Checks the length of text, in characters.
     *
     * @param string $value
     * @param array $schema
     * @param string $path
     */
    private function measure(string $value, array $schema, string $path): void {
        $length = \core_text::strlen($value);
        if ($length < ($schema['minLength'] ?? 0)) {
            throw $this->wrong($path, 'blank');
        }
        if ($length > ($schema['maxLength'] ?? PHP_INT_MAX)) {
            throw $this->wrong($path, 'maxlength', $schema['maxLength']);
        }
    }

    /**
     * Checks a whole number.
     *
     * @param mixed $value
     * @param array $schema
     * @param string $path
     * @return int
     */
    private function checked_integer(mixed $value, array $schema, string $path): int {
        if (!is_int($value)) {
            throw $this->wrong($path, 'integer');
        }
        if ($value < ($schema['minimum'] ?? PHP_INT_MIN)) {
            throw $this->wrong($path, 'minimum', $schema['minimum']);
        }
        if ($value > ($schema['maximum'] ?? PHP_INT_MAX)) {
            throw $this->wrong($path, 'maximum', $schema['maximum']);
        }
        return $value;
    }

    /**
     * The members of an object.
     *
     * @param mixed $value an array counts if it is no list
     * @param string $path
     * @return array
     */
    private function members(mixed $value, string $path): array {
        if ($value instanceof \stdClass) {
            return (array) $value;
        }
        if (!is_array($value) || array_is_list($value)) {
            throw $this->wrong($path, 'object');
        }
        return $value;
    }

    /**
     * A definition of this schema.
     *
     * @param string $reference as in "#/$defs/User"
     * @return array
     */
    private function definition(string $reference): array {
        return $this->root['$defs'][substr($reference, strlen('#/$defs/'))];
    }

    /**
     * The refusal of a value.
     *
     * @param string $path
     * @param string $problem the language string is "schema_<problem>"
     * @param mixed $limit
     * @return refusal
     */
    private function wrong(string $path, string $problem, mixed $limit = null): refusal {
        $words = get_string("schema_$problem", 'local_nagasis', $limit);
        return new refusal('schema', $path, ['path' => $path === '' ? '/' : $path, 'problem' => $words]);
    }
}
