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
 * Which idnumbers are asked for.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\reading;

/**
 * Which idnumbers are asked for: some, or all that are not empty.
 */
final class keys {
    /** @var string[] Empty: all. */
    private readonly array $keys;

    /** @var array The same as an index. */
    private readonly array $index;

    /**
     * Constructor.
     *
     * @param string[] $keys empty: all
     */
    public function __construct(array $keys) {
        $this->keys = $keys;
        $this->index = array_fill_keys($keys, true);
    }

    /**
     * Checks a list that came from outside.
     *
     * @param mixed $raw decoded JSON
     * @param string $name what it is called in the message
     * @return self
     * @throws \invalid_parameter_exception
     */
    public static function require_list(mixed $raw, string $name): self {
        if (!is_array($raw) || !array_is_list($raw) || count($raw) > page::MAX_LIMIT) {
            throw new \invalid_parameter_exception("$name must be a JSON array of at most " . page::MAX_LIMIT . ' idnumbers');
        }
        foreach ($raw as $index => $key) {
            if (!is_string($key) || $key === '' || \core_text::strlen($key) > 255) {
                throw new \invalid_parameter_exception("$name/$index must be an idnumber");
            }
        }
        return new self(array_values(array_unique($raw, SORT_STRING)));
    }

    /**
     * Whether all are asked for.
     *
     * @return bool
     */
    public function all(): bool {
        return !$this->keys;
    }

    /**
     * The condition in SQL. It may find a little more than was asked for: ask has(), too.
     *
     * @param string $column
     * @return array{string, array} SQL and its parameters
     */
    public function condition(string $column): array {
        global $DB;
        if ($this->all()) {
            return ["$column <> ''", []];
        }
        [$in, $params] = $DB->get_in_or_equal($this->keys, SQL_PARAMS_NAMED, 'key');
        return ["$column $in", $params];
    }

    /**
     * Whether this idnumber was asked for. MySQL and MariaDB find "s1" for "S1", too.
     *
     * @param string $idnumber
     * @return bool
     */
    public function has(string $idnumber): bool {
        return $this->all() || isset($this->index[$idnumber]);
    }
}
