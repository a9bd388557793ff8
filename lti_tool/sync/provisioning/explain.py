"""Why is this student not in the course, or cannot sign in? Every step from the SIS to the site,
and where it stands."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import sqlalchemy as sa

from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.moodle.contract import fingerprint
from lti_tool.moodle.documents import Account, Course, Kind, Member, Roster
from lti_tool.moodle.models import MoodleSite, Site, SiteStanding
from lti_tool.sis.entities import ClassView
from lti_tool.sis.interfaces import SisExtracts
from lti_tool.sync.lifecycle import account_suspended
from lti_tool.sync.provisioning.gate import Gates
from lti_tool.sync.provisioning.ledger import Ledger
from lti_tool.sync.provisioning.letters import DeadLetters
from lti_tool.sync.provisioning.models import BreakerState, SyncMark
from lti_tool.sync.provisioning.runs import Runs
from lti_tool.sync.rendered import Nothing, Unfit
from lti_tool.sync.rendering import Rendering, host_of

_marks = cast(sa.Table, SyncMark.__table__)


class StepState(enum.StrEnum):
    """Where one step stands. ``STOPPED`` is where the way ends."""

    DONE = "done"
    WAITING = "waiting"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the way. ``code`` is stable, for translations; ``since`` if it is known."""

    code: str
    state: StepState
    text: str
    remedy: str | None = None
    since: dt.datetime | None = None


class Explanations:
    """Answers from what the tool knows, without a call to the site."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        sis: SisExtracts,
        rendering: Rendering,
        ledger: Ledger,
        letters: DeadLetters,
        gates: Gates,
        runs: Runs,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sis = sis
        self._rendering = rendering
        self._ledger = ledger
        self._letters = letters
        self._gates = gates
        self._runs = runs

    def explain(self, site: Site, person_key: str, class_key: str) -> list[Step]:
        """The steps of one person into one course, up to the one where the way ends."""
        return _to_the_end(self._steps(site, person_key, class_key))

    def explain_account(self, site: Site, person_key: str) -> list[Step]:
        """The steps of one person to an account by which they can sign in, up to the one where the
        way ends."""
        return _to_the_end(self._steps_of_account(site, person_key))

    def _steps_of_account(self, site: Site, person_key: str) -> Iterator[Step]:
        person = self._sis.people([person_key]).get(person_key)
        if person is None:
            yield _nobody()
            return
        yield _done("person", f"The SIS knows the person; status {person.status}.")
        document = self._rendering.render(
            "account", [person_key], now=self._clock.now(), site_id=site.id
        )[person_key]
        if not isinstance(document, Account):
            why = document.message if isinstance(document, Unfit) else "nothing is to be sent"
            yield _stopped(
                "account_unfit",
                f"What the SIS has fits no account: {why}",
                "Correct it in the SIS: the change is sent by itself.",
            )
            return
        if not document.enabled:
            yield _stopped(
                "person_closed",
                f"The person's status in the SIS ({person.status}) closes the account: signing in "
                "is refused.",
                "Change the person's status in the SIS, if it is wrong.",
            )
            return
        yield _done(
            "account_wanted",
            f"By the SIS the person has the open account {document.username}"
            f"{_in_groups(document.groups)}.",
        )
        if document.email_shared:
            yield _done(
                "account_email_shared",
                "Several people of the SIS have this e-mail address: the account has a "
                "placeholder.",
                "Give each person their own address in the SIS: the change is sent by itself.",
            )
        yield from self._site(site)
        yield from self._thing(site, "account", person_key, "the account")
        known = self._ledger.known(site.id, "account", [person_key]).get(person_key)
        if known is not None and known.fingerprint == fingerprint(document):
            yield _done(
                "account_equal",
                f"{site.product} was made equal to this. If it is not so there, somebody changed "
                "it since.",
                "Compare and repair. If all is equal and signing in fails, give the person a new "
                f"password in {site.product}: passwords never pass through this tool.",
            )

    def _steps(self, site: Site, person_key: str, class_key: str) -> Iterator[Step]:
        person = self._sis.people([person_key]).get(person_key)
        if person is None:
            yield _nobody()
            return
        yield _done("person", f"The SIS knows the person; status {person.status}.")
        view = self._sis.classes([class_key]).get(class_key)
        if view is None:
            yield _stopped(
                "class_unknown",
                "The SIS has no class with this key.",
                "Check the key, or import the class.",
            )
            return
        host = host_of(view)
        yield _done("class", f"The SIS knows the class {view.label}; status {view.status}.")
        document = self._rendering.render("roster", [host], now=self._clock.now(), site_id=site.id)[
            host
        ]
        if isinstance(document, Nothing):
            yield _stopped(
                "class_draft",
                "The class is a draft: it gets its course when it is finalised.",
                "Set the class to SCHEDULED or ACTIVE in the SIS.",
            )
            return
        if isinstance(document, Unfit):
            yield _stopped(
                "unfit",
                f"The roster fits no document: {document.message}",
                "Correct it in the SIS.",
            )
            return
        assert isinstance(document, Roster)  # noqa: S101 - narrows the type
        member = next((each for each in document.members if each.user == person_key), None)
        yield self._membership(view, person_key, member, account_suspended(person.status))
        yield from self._site(site)
        course = self._rendering.render("course", [host], now=self._clock.now(), site_id=site.id)[
            host
        ]
        if isinstance(course, Course):
            yield from self._thing(site, "category", course.category, "the term's category")
        yield from self._thing(site, "user", person_key, "the account")
        yield from self._thing(site, "course", host, "the course")
        yield from self._thing(site, "roster", host, "the course's roster", item=person_key)
        if isinstance(course, Course):
            yield from self._seen(course, view, member)
        known = self._ledger.known(site.id, "roster", [host]).get(host)
        if known is not None and known.fingerprint == fingerprint(document):
            yield _done(
                "equal",
                "Moodle was made equal to this. If it is not so there, somebody changed it since.",
                "Reconcile the course.",
            )

    def _seen(self, course: Course, view: ClassView, member: Member | None) -> Iterator[Step]:
        if not course.visible and member is not None and member.role == "student":
            yield _stopped(
                "course_hidden",
                "The course is hidden from students: by the class's status, or the term's dates.",
                "Look at the status of the class, and at the dates of its term.",
            )
        elif course.readonly:
            since = self._rendering.archived_since(view)
            yield _done("readonly", f"The course can only be read since {since}: its term is over.")

    def _membership(
        self, view: ClassView, person_key: str, member: Member | None, suspended: bool
    ) -> Step:
        enrolled = next(
            (
                each
                for each in self._sis.memberships([view.class_key]).get(view.class_key, [])
                if each.person_key == person_key
            ),
            None,
        )
        if member is None:
            return _stopped(
                "not_enrolled",
                "The person is neither enrolled in this class nor teaches it.",
                "Enrol the person in the SIS.",
            )
        if member.status == "active":
            return _done("enrolled", f"By the SIS the person is in the course, as {member.role}.")
        if suspended:
            return _stopped(
                "person_suspended",
                "The person's status in the SIS takes the account away.",
                "Change the person's status in the SIS, if it is wrong.",
            )
        status = enrolled.status if enrolled else "-"
        return _stopped(
            "enrollment_ended",
            f"The enrolment's status is {status}: the place is suspended, nothing is lost.",
            "Enrol the person again in the SIS, if that is wrong.",
        )

    def _site(self, site: Site) -> Iterator[Step]:
        if site.standing is not SiteStanding.ACTIVE:
            yield _stopped(
                "site_" + site.standing.value,
                f"The connection to {site.name} is {site.standing.value}.",
                "Look at the site's page; connect it again with a new code if need be."
                if isinstance(site, MoodleSite)
                else "Look at the realm's page; it says what is wrong. Resume or connect it again.",
                since=site.updated_at,
            )
            return
        gate = self._gates.state(site.id)
        if gate is not None and gate.held_by is not None:
            yield _stopped(
                "site_held",
                f"{gate.held_by} stopped the changes: {gate.held_for or 'no reason given'}.",
                "Let them go on when it is right.",
                since=gate.held_at,
            )
            return
        waiting = self._runs.waiting(site.id)
        if waiting is not None and not waiting.guard.get("approved_by"):
            yield _stopped(
                "mass_change",
                f"A mass change waits for a yes: {waiting.guard.get('suspended')} people would be "
                f"suspended, {waiting.guard.get('before') or 0} were in the ten minutes before, "
                f"{waiting.guard.get('limit')} are allowed without asking.",
                f"Look at run {waiting.id}, and approve it if it is right.",
                since=waiting.started_at,
            )
            return
        if gate is not None and gate.breaker is not BreakerState.CLOSED:
            yield Step(
                "site_unreachable",
                StepState.WAITING,
                f"{site.product} does not answer ({gate.last_error or 'unreachable'}).",
                f"It is tried again by itself; look whether {site.product} is up.",
                gate.opened_at,
            )

    def _thing(
        self, site: Site, kind: Kind, key: str, what: str, *, item: str = ""
    ) -> Iterator[Step]:
        for letter in self._letters.list(site.id, kind=kind, key=key):
            if letter.item in ("", item):
                yield _stopped(
                    f"{kind}_{letter.code}",
                    f"{site.product} refused {what}: {letter.message}",
                    "Correct it, then retry.",
                    since=letter.since,
                )
                return
        with self._database.reading() as connection:
            mark = connection.execute(
                sa.select(_marks.c.since, _marks.c.waiting_for, _marks.c.not_before).where(
                    _marks.c.site_id == site.id, _marks.c.kind == kind, _marks.c.key == key
                )
            ).first()
        if mark is not None:
            reason = f"; it waits for {mark.waiting_for}" if mark.waiting_for else ""
            yield Step(
                f"{kind}_queued",
                StepState.WAITING,
                f"A change of {what} is under way{reason}.",
                since=mark.since,
            )
            return
        known = self._ledger.known(site.id, kind, [key]).get(key)
        if known is None:
            yield Step(
                f"{kind}_never",
                StepState.WAITING,
                f"Nothing was ever sent about {what}.",
                "Resync this person." if kind == "account" else "Resync this person or course.",
            )
        else:
            number = f" (number {known.moodle_id} in Moodle)" if known.moodle_id else ""
            yield _done(kind, f"{site.product} has {what}{number}.")


def _to_the_end(steps: Iterator[Step]) -> list[Step]:
    found: list[Step] = []
    for step in steps:
        found.append(step)
        if step.state is StepState.STOPPED:
            break
    return found


def _nobody() -> Step:
    return _stopped(
        "person_unknown",
        "The SIS has no person with this key.",
        "Check the key, or import the person.",
    )


def _in_groups(groups: list[str]) -> str:
    return f" in {', '.join(groups)}" if groups else ""


def _done(code: str, text: str, remedy: str | None = None) -> Step:
    return Step(code, StepState.DONE, text, remedy)


def _stopped(code: str, text: str, remedy: str, *, since: dt.datetime | None = None) -> Step:
    return Step(code, StepState.STOPPED, text, remedy, since)
