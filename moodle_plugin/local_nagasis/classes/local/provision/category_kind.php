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
 * Terms as course categories.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\provision;

use local_nagasis\local\contract\refusal;

/**
 * A Term as a course category.
 */
final class category_kind implements kind {
    /** @var directory What this call has made. */
    private readonly directory $directory;

    /** @var category_tree All categories. */
    private category_tree $tree;

    /** @var array All documents of this call by idnumber. */
    private array $wishes = [];

    /**
     * Constructor.
     *
     * @param directory $directory
     */
    public function __construct(directory $directory) {
        $this->directory = $directory;
    }

    /**
     * Reads all categories.
     *
     * @param array $documents
     */
    public function load(array $documents): void {
        $this->tree = new category_tree();
        foreach ($documents as $document) {
            $this->wishes["=$document[idnumber]"] = $document;
        }
    }

    /**
     * Plans one document.
     *
     * @param array $document
     * @return plan
     */
    public function plan(array $document): plan {
        $node = $this->only($document['idnumber'], '/idnumber');
        $parent = null;
        if ($document['parent'] !== null) {
            $this->check_wishes($document);
            $parent = $this->only($document['parent'], '/parent');
            if (!$parent) {
                throw new refusal('category_missing', '/parent', ['category' => $document['parent']]);
            }
        }
        return $node ? $this->plan_update($document, $node, $parent) : $this->plan_create($document, $parent);
    }

    /**
     * Plans a new category.
     *
     * @param array $document
     * @param \stdClass|null $parent
     * @return plan
     */
    private function plan_create(array $document, ?\stdClass $parent): plan {
        $node = category_tree::node(null, $document['idnumber'], $document['name'], $document['visible']);
        $node->parent = $parent;
        $remember = function () use ($node): void {
            $this->tree->put($node);
            $this->directory->made('category', $node->idnumber, $node->id);
        };
        return new plan(
            ['result' => 'created'],
            function (plan $plan) use ($node, $remember): void {
                $node->id = (int) \core_course_category::create((object) [
                    'idnumber' => $node->idnumber,
                    'name' => $node->name,
                    'parent' => $node->parent?->id ?? 0,
                    'visible' => (int) $node->own,
                ])->id;
                $plan->result['id'] = $node->id;
                $remember();
            },
            $remember,
        );
    }

    /**
     * Plans what differs in a category.
     *
     * @param array $document
     * @param \stdClass $node
     * @param \stdClass|null $parent the one that it should have
     * @return plan
     */
    private function plan_update(array $document, \stdClass $node, ?\stdClass $parent): plan {
        $differs = array_filter([
            'name' => $node->name !== $document['name'] ? [$node->name, $document['name']] : null,
            'parent' => $node->parent !== $parent ? [$node->parent?->idnumber, $document['parent']] : null,
            'visible' => $node->own !== $document['visible'] ? [$node->own, $document['visible']] : null,
        ]);
        if (!$differs) {
            return new plan(['result' => 'unchanged', 'id' => $node->id]);
        }
        for ($above = $parent; $above; $above = $above->parent) {
            if ($above === $node) {
                throw $this->loop($document);
            }
        }
        $changes = [];
        foreach ($differs as $field => [$before, $after]) {
            $changes[] = ['field' => $field, 'before' => $before, 'after' => $after];
        }
        $remember = function () use ($node, $document, $parent): void {
            $node->name = $document['name'];
            $node->parent = $parent;
            $node->own = $document['visible'];
        };
        return new plan(
            ['result' => 'updated', 'id' => $node->id, 'changes' => $changes],
            function () use ($node, $document, $parent, $remember): void {
                $this->update($node->id, $document, $parent);
                $remember();
            },
            $remember,
        );
    }

    /**
     * Changes a category.
     *
     * @param int $id
     * @param array $document
     * @param \stdClass|null $parent
     */
    private function update(int $id, array $document, ?\stdClass $parent): void {
        global $DB;
        $shown = category_tree::is_shown($parent);
        $hidden = $shown && $document['visible'] ? null : new hidden_below($id);
        $data = ['name' => $document['name'], 'parent' => $parent?->id ?? 0];
        if ($shown || !$document['visible']) {
            $data['visible'] = (int) $document['visible'];
        }
        \core_course_category::get($id, MUST_EXIST, true)->update($data);
        $hidden?->restore();
        if (!$shown) {
            // In a hidden category it stays hidden; this says what becomes of it when that is shown again.
            $DB->set_field('course_categories', 'visibleold', (int) $document['visible'], ['id' => $id]);
            \cache_helper::purge_by_event('changesincoursecat');
        }
    }

    /**
     * The one category with this idnumber.
     *
     * @param string $idnumber
     * @param string $field of the document
     * @return \stdClass|null
     */
    private function only(string $idnumber, string $field): ?\stdClass {
        $found = $this->tree->find($idnumber);
        if (count($found) > 1) {
            throw new refusal('ambiguous_idnumber', $field, [
                'idnumber' => $idnumber,
                'names' => implode(', ', array_map(category_tree::describe(...), $found)),
            ]);
        }
        return $found[0] ?? null;
    }

    /**
     * Refuses what would be its own ancestor once all documents of this call are done.
     *
     * @param array $document
     */
    private function check_wishes(array $document): void {
        $seen = [];
        $key = $document['parent'];
        while ($key !== null && $key !== '' && !isset($seen["=$key"])) {
            if ($key === $document['idnumber']) {
                throw $this->loop($document);
            }
            $seen["=$key"] = true;
            $wish = $this->wishes["=$key"] ?? null;
            $key = $wish ? $wish['parent'] : ($this->tree->find($key)[0] ?? null)?->parent?->idnumber;
        }
    }

    /**
     * The refusal of a loop.
     *
     * @param array $document
     * @return refusal
     */
    private function loop(array $document): refusal {
        return new refusal('category_loop', '/parent', [
            'category' => $document['idnumber'],
            'parent' => $document['parent'],
        ]);
    }
}
