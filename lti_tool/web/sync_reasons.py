"""Why a site refused a thing and what to do, and the steps of an explanation, in the reader's
language."""

from __future__ import annotations

from typing import Any

from lti_tool.moodle.models import System
from lti_tool.sync.provisioning.explain import Step, StepState
from lti_tool.web import account_reasons, grade_words
from lti_tool.web.display import Badge
from lti_tool.web.i18n import gettext as _
from lti_tool.web.i18n import lazy_gettext as _l
from lti_tool.web.i18n import page_language

_MOODLE = System.MOODLE.title()
_CORRECT = _l("Correct it in the SIS: the change is sent by itself.")
_THERE = _l("Correct it in %(system)s, then try again.")

# By the stable code of a refusal (docs/contract.md): why, and what to do.
_REFUSALS: dict[str, tuple[Any, Any]] = {
    "unfit": (_l("What the SIS has fits no Moodle."), _CORRECT),
    "schema": (_l("What the SIS has does not fit the plugin's form."), _CORRECT),
    "unknown_kind": (
        _l("Moodle's plugin does not know this kind of thing."),
        _l("Update the plugin in Moodle, then try again."),
    ),
    "duplicate_document": (_l("It was sent twice in one call."), _l("Try again.")),
    "ambiguous_idnumber": (
        _l("Two things in Moodle have this ID number."),
        _l("Take the ID number from the wrong one in Moodle, then try again."),
    ),
    "category_missing": (_l("The term's category is not in Moodle."), _l("Resync the course.")),
    "category_loop": (_l("The category would contain itself."), _CORRECT),
    "shortname_taken": (
        _l("Another course in Moodle has this short name."),
        _l("Rename the other course in Moodle, then try again."),
    ),
    "username_taken": (
        _l("Another account in Moodle has this username."),
        _l(
            "If it is the same person, give that account the person's key as its ID number in "
            "Moodle; else rename it. Then try again."
        ),
    ),
    "username_invalid": (_l("Moodle does not allow this username."), _CORRECT),
    "email_taken": (
        _l("Another account in Moodle has this e-mail address."),
        _l(
            "If it is the same person, give that account the person's key as its ID number in "
            "Moodle; else correct the address. Then try again."
        ),
    ),
    "email_invalid": (_l("This is no e-mail address that Moodle takes."), _CORRECT),
    "auth_missing": (
        _l("This Moodle does not have the way to sign in that was named."),
        _l("Switch it on in Moodle, then try again."),
    ),
    "protected_user": (
        _l("This is an administrator, a guest or the service account of Moodle."),
        _l("Nothing is to be done if that is right: such accounts are never changed."),
    ),
    "locking_disabled": (
        _l("The course should be read only, and this Moodle freezes nothing."),
        _l("Switch on context freezing in Moodle, or pair again."),
    ),
    "aggregation_forced": (
        _l("A setting of this Moodle forces another way of adding up grades on every course."),
        _l("The message names the setting: let courses choose, then try again."),
    ),
    "dates_reversed": (_l("The course would end before it starts."), _CORRECT),
    "course_missing": (_l("The course is not in Moodle."), _l("Resync the course.")),
    "user_missing": (_l("The person has no account in Moodle."), _l("Resync the person.")),
    "count_mismatch": (_l("The list of people came cut short."), _l("Try again.")),
    "duplicate_member": (_l("A person is in the roster twice."), _CORRECT),
    "group_missing": (_l("A group is not in the course."), _l("Resync the course.")),
    "role_missing": (
        _l("This Moodle does not have the role."),
        _l("Add the role in Moodle with this short name, then try again."),
    ),
    "enrol_disabled": (
        _l("The enrolment method “Naga SIS” is switched off in Moodle."),
        _l("Switch it on in Moodle under Plugins, Enrolments, then try again."),
    ),
    "failed": (_l("%(system)s could not write it."), _THERE),
}
_OTHER = (_l("%(system)s did not take it."), _THERE)
# Of grades, a teacher is told the same.
_OF_GRADES = frozenset(
    {
        "source_missing",
        "source_taken",
        "source_not_numeric",
        "item_locked",
        "gradebook_missing",
        "item_missing",
        "not_enrolled",
        "no_gradebook_role",
        "grade_locked",
    }
)


def refusal(code: str, *, system: str = _MOODLE) -> tuple[str, str]:
    """Why a thing was refused, and what to do."""
    if code in _OF_GRADES:
        return grade_words.refusal(code)
    known = _REFUSALS if system == _MOODLE else account_reasons.REFUSALS
    return _of(system, known.get(code, _OTHER))


def _of(system: str, words: tuple[Any, Any]) -> tuple[str, str]:
    why, remedy = (str(each or "").replace("%(system)s", system) for each in words)
    return why, remedy


_WAIT = _l("It is tried again by itself; look whether %(system)s is up.")

# By the code of a step: what it says and what to do; English pages say it with more detail.
_STEPS: dict[str, tuple[Any, Any]] = {
    "person_unknown": (
        _l("The SIS has no person with this key."),
        _l("Check the key, or import the person."),
    ),
    "person": (_l("The SIS knows the person."), None),
    "class_unknown": (
        _l("The SIS has no class with this key."),
        _l("Check the key, or import the class."),
    ),
    "class": (_l("The SIS knows the class."), None),
    "class_draft": (
        _l("The class is a draft: it gets its course when it is finalised."),
        _l("Set the class to SCHEDULED or ACTIVE in the SIS."),
    ),
    "unfit": (_l("The roster fits no document."), _l("Correct it in the SIS.")),
    "enrolled": (_l("By the SIS the person is in the course."), None),
    "not_enrolled": (
        _l("The person is neither enrolled in this class nor teaches it."),
        _l("Enrol the person in the SIS."),
    ),
    "person_suspended": (
        _l("The person's status in the SIS takes the account away."),
        _l("Change the person's status in the SIS, if it is wrong."),
    ),
    "enrollment_ended": (
        _l("The enrolment has ended: the place is suspended, nothing is lost."),
        _l("Enrol the person again in the SIS, if that is wrong."),
    ),
    "site_paused": (
        _l("The connection with this Moodle is paused."),
        _l("Look at the site's page; connect it again with a new code if need be."),
    ),
    "site_disconnected": (
        _l("This Moodle is not connected."),
        _l("Look at the site's page; connect it again with a new code if need be."),
    ),
    "site_held": (
        _l("An administrator stopped the changes."),
        _l("Let them go on when it is right."),
    ),
    "mass_change": (
        _l("A mass change waits for a yes."),
        _l("Look at the run, and approve it if it is right."),
    ),
    "site_unreachable": (_l("%(system)s does not answer."), _WAIT),
    "readonly": (_l("The course can only be read: its term is over."), None),
    "course_hidden": (
        _l("The course is hidden from students: by the class's status, or the term's dates."),
        _l("Look at the status of the class, and at the dates of its term."),
    ),
    "equal": (
        _l("%(system)s was made equal to this. If it is not so there, somebody changed it since."),
        _l("Reconcile the course."),
    ),
}


def step_words(step: Step, *, system: str = _MOODLE) -> tuple[str, str]:
    """What a step says, and what to do about it."""
    if page_language() == "en":
        return step.text, step.remedy or ""
    known = _STEPS if system == _MOODLE else _STEPS | account_reasons.STEPS
    return _of(system, known.get(step.code) or _thing_step(step, system))


def _thing_step(step: Step, system: str) -> tuple[str, str | None]:
    """A step about one of the site's things: its kind, and what is the matter with it."""
    kind, _underscore, code = step.code.partition("_")
    names = {
        "category": _("The term's category"),
        "user": _("The account"),
        "course": _("The course"),
        "roster": _("The course's roster"),
        "account": _("The account"),
    }
    if kind not in names:
        return step.text, step.remedy
    if not code:
        return _("%(what)s: it is in %(system)s.", what=names[kind], system=system), None
    if code == "queued":
        return _("%(what)s: a change is under way.", what=names[kind]), None
    if code == "never":
        return (
            _("%(what)s: nothing was ever sent.", what=names[kind]),
            _("Resync this person.") if kind == "account" else _("Resync this person or course."),
        )
    why, remedy = refusal(code, system=system)
    return f"{names[kind]}: {why}", remedy


def step_badge(step: Step) -> Badge:
    """Where a step stands."""
    return {
        StepState.DONE: Badge(_("Good"), "✓", "good"),
        StepState.WAITING: Badge(_("Waits"), "…", "warn"),
        StepState.STOPPED: Badge(_("Here it ends"), "✕", "bad"),
    }[step.state]
