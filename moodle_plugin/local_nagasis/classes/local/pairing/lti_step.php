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
 * The tool as an LTI tool.
 *
 * @package    local_nagasis
 * @copyright  2026 Naga SIS contributors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace local_nagasis\local\pairing;

defined('MOODLE_INTERNAL') || die();

require_once($CFG->dirroot . '/mod/lti/locallib.php');

/**
 * The tool is an LTI tool of this Moodle, as its Dynamic Registration would have made it, and stands in the activity chooser.
 * One that was registered before, by hand or by Dynamic Registration, is adopted: activities and people's links stay.
 */
final class lti_step implements step {
    /** @var offer|null What the tool says of itself; not needed to undo. */
    private readonly ?offer $offer;

    /**
     * Constructor.
     *
     * @param offer|null $offer null: this step can only be undone
     */
    public function __construct(?offer $offer = null) {
        $this->offer = $offer;
    }

    #[\Override]
    public function name(): string {
        return 'lti';
    }

    #[\Override]
    public function needed(): array {
        $needed = [];
        if (!self::module_visible()) {
            $needed[] = get_string('will_enablelti', 'local_nagasis');
        }
        if (!get_config('mod_lti', 'privatekey')) {
            $needed[] = get_string('will_ltikey', 'local_nagasis');
        }
        $type = $this->find();
        if (!$type) {
            $needed[] = get_string('will_lti', 'local_nagasis', $this->offer->toolname);
        } else if ($this->differing($type)) {
            $needed[] = get_string('will_mendlti', 'local_nagasis', $type->name);
        }
        return $needed;
    }

    #[\Override]
    public function run(): void {
        if (!self::module_visible()) {
            journal::note('ltimodule', ['visible' => 0], ['visible' => 1]);
            \core\plugininfo\mod::enable_plugin('lti', 1);
        }
        self::ensure_key();
        $type = $this->find();
        $id = $type ? (int) $type->id : $this->create();
        if ($type) {
            if ($type->clientid === get_config('local_nagasis', 'ltileft')) {
                journal::note('ltitype', ['clientid' => null], ['clientid' => $type->clientid]);
                unset_config('ltileft', 'local_nagasis');
            }
            $differing = $this->differing($type);
            if ($differing) {
                journal::note("lti/$id", array_intersect_key(self::settings($type), $differing), $differing);
                self::change($type, $differing);
            }
        }
        set_config('ltitypeid', $id, 'local_nagasis');
    }

    #[\Override]
    public function undo(): array {
        global $DB;
        $left = [];
        foreach (array_keys(journal::all()) as $key) {
            if (str_starts_with($key, 'lti/')) {
                $left = [...$left, ...$this->undo_type((int) substr($key, 4))];
                journal::forget($key);
            }
        }
        $created = journal::get('ltitype');
        if ($created) {
            $type = self::by_client($created['after']['clientid']);
            $left = [...$left, ...($type ? self::withdraw($type) : [])];
            journal::forget('ltitype');
        }
        if (journal::get('ltimodule')) {
            if ($DB->record_exists('lti', [])) {
                $left[] = get_string('left_ltimodule', 'local_nagasis');
            } else {
                \core\plugininfo\mod::enable_plugin('lti', 0);
            }
            journal::forget('ltimodule');
        }
        unset_config('ltitypeid', 'local_nagasis');
        return $left;
    }

    /**
     * The tool's registration in this Moodle, as the tool must know it.
     *
     * @return array
     */
    public function registration(): array {
        global $CFG;
        $type = $this->find();
        return [
            'issuer' => $CFG->wwwroot,
            'client_id' => $type->clientid,
            'deployment_id' => (string) $type->id,
            'auth_url' => (new \moodle_url('/mod/lti/auth.php'))->out(false),
            'token_url' => (new \moodle_url('/mod/lti/token.php'))->out(false),
            'jwks_url' => (new \moodle_url('/mod/lti/certs.php'))->out(false),
        ];
    }

    /**
     * The tool's type: the one of the last pairing, or one with the tool's addresses; of several the one that is used most.
     *
     * @return \stdClass|null row of lti_types
     */
    private function find(): ?\stdClass {
        global $DB;
        $known = (int) get_config('local_nagasis', 'ltitypeid');
        if ($known) {
            $type = $DB->get_record('lti_types', ['id' => $known, 'ltiversion' => LTI_VERSION_1P3]);
            if ($type) {
                return $type;
            }
        }
        $value = $DB->sql_compare_text('c.value', 1024);
        $found = $DB->get_records_sql(
            "SELECT t.*, (SELECT COUNT(1) FROM {lti} l WHERE l.typeid = t.id) AS activities
               FROM {lti_types} t
              WHERE t.ltiversion = :version AND t.course = :site AND t.clientid IS NOT NULL
                AND EXISTS (SELECT 1 FROM {lti_types_config} c
                             WHERE c.typeid = t.id AND c.name = 'initiatelogin' AND $value = :login)
           ORDER BY activities DESC, t.state, t.id",
            ['version' => LTI_VERSION_1P3, 'site' => SITEID, 'login' => $this->offer->loginurl],
            0,
            1,
        );
        return $found ? reset($found) : null;
    }

    /**
     * What must be so for the type to work with the tool. Names as mod_lti has them in its form, without "lti_".
     *
     * @return array
     */
    private function wanted(): array {
        return [
            'toolurl' => $this->offer->launchurl,
            'state' => (string) LTI_TOOL_STATE_CONFIGURED,
            'coursevisible' => (string) LTI_COURSEVISIBLE_ACTIVITYCHOOSER,
            'keytype' => LTI_JWK_KEYSET,
            'publickeyset' => $this->offer->keysurl,
            'initiatelogin' => $this->offer->loginurl,
            'redirectionuris' => $this->offer->launchurl,
            'contentitem' => '1',
            'toolurl_ContentItemSelectionRequest' => $this->offer->launchurl,
            'sendname' => (string) LTI_SETTING_ALWAYS,
            'sendemailaddr' => (string) LTI_SETTING_ALWAYS,
            'acceptgrades' => (string) LTI_SETTING_DELEGATE,
            // 2: with line items of the tool's own.
            'ltiservice_gradesynchronization' => '2',
            'ltiservice_memberships' => '1',
        ];
    }

    /**
     * What must be changed of a type.
     *
     * @param \stdClass $type
     * @return array new values
     */
    private function differing(\stdClass $type): array {
        return array_diff_assoc($this->wanted(), self::settings($type));
    }

    /**
     * The settings of a type, with the names of wanted().
     *
     * @param \stdClass $type
     * @return array
     */
    private static function settings(\stdClass $type): array {
        $settings = array_map('strval', lti_get_type_config($type->id));
        return ['toolurl' => $type->baseurl, 'state' => $type->state, 'coursevisible' => $type->coursevisible] + $settings;
    }

    /**
     * Makes the type.
     *
     * @return int its id
     */
    private function create(): int {
        $type = new \stdClass();
        $type->clientid = \mod_lti\local\ltiopenid\registration_helper::get()->new_clientid();
        $type->state = LTI_TOOL_STATE_CONFIGURED;
        $config = self::form($this->wanted());
        $config->lti_typename = $this->offer->toolname;
        $config->lti_description = get_string('ltidescription', 'local_nagasis', $this->offer->toolname);
        $config->lti_ltiversion = LTI_VERSION_1P3;
        $config->lti_clientid = $type->clientid;
        $config->lti_organizationid_default = LTI_DEFAULT_ORGID_SITEID;
        $config->lti_launchcontainer = LTI_LAUNCH_CONTAINER_EMBED_NO_BLOCKS;
        $config->lti_customparameters = '';
        $config->ltiservice_toolsettings = 0;
        journal::note('ltitype', ['clientid' => null], ['clientid' => $type->clientid]);
        return (int) lti_add_type($type, $config);
    }

    /**
     * Changes settings of a type, and nothing else of it.
     *
     * @param \stdClass $type
     * @param array $values with the names of wanted()
     */
    private static function change(\stdClass $type, array $values): void {
        global $DB;
        $config = self::form($values);
        // What mod_lti would else take for unset.
        $config->lti_forcessl = lti_get_type_config($type->id)['forcessl'] ?? 0;
        $categories = $DB->get_fieldset('lti_types_categories', 'categoryid', ['typeid' => $type->id]);
        if ($categories) {
            $config->lti_coursecategories = implode(',', $categories);
        }
        $change = (object) ['id' => $type->id, 'clientid' => $type->clientid, 'ltiversion' => $type->ltiversion];
        if (isset($values['state'])) {
            $change->state = $values['state'];
        }
        lti_update_type($change, $config);
    }

    /**
     * Settings as mod_lti's form has them.
     *
     * @param array $values with the names of wanted()
     * @return \stdClass
     */
    private static function form(array $values): \stdClass {
        $config = new \stdClass();
        unset($values['state']);
        foreach ($values as $name => $value) {
            $config->{str_starts_with($name, 'ltiservice_') ? $name : "lti_$name"} = $value;
        }
        return $config;
    }

    /**
     * Gives a type that was adopted its former settings back, where they still are as pairing has set them.
     *
     * @param int $id
     * @return string[] what was left as it is, and why
     */
    private function undo_type(int $id): array {
        global $DB;
        $type = $DB->get_record('lti_types', ['id' => $id]);
        $created = journal::get('ltitype');
        if (!$type || ($created && $created['after']['clientid'] === $type->clientid)) {
            return [];
        }
        $entry = journal::get("lti/$id");
        $still = array_intersect_assoc(self::settings($type), $entry['after']);
        $before = array_intersect_key($entry['before'], $still);
        if ($before) {
            self::change($type, $before);
        }
        foreach (array_keys(array_diff_key($still, $entry['before'])) as $name) {
            $DB->delete_records('lti_types_config', ['typeid' => $id, 'name' => $name]);
        }
        return [get_string('left_adopted', 'local_nagasis', $type->name)];
    }

    /**
     * Takes the type that pairing has made away, or, if activities use it, all that the tool could do with it.
     *
     * @param \stdClass $type
     * @return string[] what was left as it is, and why
     */
    private static function withdraw(\stdClass $type): array {
        global $DB;
        $DB->delete_records('lti_access_tokens', ['typeid' => $type->id]);
        $activities = $DB->count_records('lti', ['typeid' => $type->id]);
        if (!$activities) {
            lti_delete_type($type->id);
            return [];
        }
        // Ours still: connected again and disconnected when nothing uses it any more, it goes.
        set_config('ltileft', $type->clientid, 'local_nagasis');
        // Moodle does not look at the state when the tool asks for a token: without keys it cannot.
        self::change($type, [
            'state' => (string) LTI_TOOL_STATE_PENDING,
            'coursevisible' => (string) LTI_COURSEVISIBLE_NO,
            'publickeyset' => '',
            'ltiservice_gradesynchronization' => '0',
            'ltiservice_memberships' => '0',
        ]);
        $a = (object) ['name' => $type->name, 'count' => $activities];
        return [get_string('left_lti', 'local_nagasis', $a)];
    }

    /**
     * A type by its client id.
     *
     * @param string $clientid
     * @return \stdClass|null
     */
    private static function by_client(string $clientid): ?\stdClass {
        global $DB;
        return $DB->get_record('lti_types', ['clientid' => $clientid]) ?: null;
    }

    /**
     * Whether teachers can use LTI tools at all.
     *
     * @return bool
     */
    private static function module_visible(): bool {
        global $DB;
        return (bool) $DB->get_field('modules', 'visible', ['name' => 'lti']);
    }

    /**
     * Makes sure that Moodle has its platform key, with which our requests are signed too.
     *
     * @throws \moodle_exception pairnokey
     */
    private static function ensure_key(): void {
        global $CFG;
        require_once($CFG->dirroot . '/mod/lti/upgradelib.php');
        $warning = mod_lti_verify_private_key();
        if ($warning) {
            throw new \moodle_exception('pairnokey', 'local_nagasis', '', $warning);
        }
    }
}
