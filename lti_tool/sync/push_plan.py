"""What a push would do: the SIS's grades beside what the platform holds, one item each."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from lti_tool.core.database import Database
from lti_tool.core.errors import InvalidInputError
from lti_tool.lti.assignment_grades import AgsNotOfferedError, AssignmentGrades, LineItem
from lti_tool.lti.models import Registration
from lti_tool.lti.names_roles import NamesRoles
from lti_tool.lti.platforms.base import LINE_ITEM, RESULT_READ, SCORE
from lti_tool.sis.entities import (
    ClassView,
    EnrollmentStatus,
    GradeStatus,
    PartGradeView,
    PartView,
    RosterEntry,
)
from lti_tool.sis.interfaces import StudentInformationSystem
from lti_tool.sync.accounts import Accounts
from lti_tool.sync.models import ItemState
from lti_tool.sync.push_reasons import PushReason

TAG = "naga-part"
MAXIMUM = Decimal(100)
_CENT = Decimal("0.01")
_CHUNK = 2500


@dataclass(frozen=True, slots=True)
class Plan:
    """The items of a preview, and the line items that the platform has for its parts."""

    items: list[dict[str, Any]]
    line_items: dict[str, LineItem]
    part_keys: list[str]


@dataclass(slots=True)
class _Course:
    """Who is in the course: ``accounts`` by person key; ``members`` is ``None`` if not known."""

    accounts: dict[str, str] = field(default_factory=dict)
    members: set[str] | None = None


class Planner:
    """Makes plans; changes nothing."""

    def __init__(
        self,
        database: Database,
        sis: StudentInformationSystem,
        people: Accounts,
        assignment_grades: AssignmentGrades,
        names_roles: NamesRoles,
    ) -> None:
        self._database = database
        self._sis = sis
        self._people = people
        self._grades = assignment_grades
        self._names_roles = names_roles

    def plan(
        self,
        registration: Registration,
        *,
        class_keys: Sequence[str],
        ags: Mapping[str, Any] | None,
        nrps: Mapping[str, Any] | None,
        part_keys: Collection[str] | None,
        linked: Mapping[str, str],
    ) -> Plan:
        """Compare; see :meth:`lti_tool.sync.pushes.GradePushes.preview`.

        ``linked``: part key → address of the line item that was used before.
        """
        offered = check_offer(ags)
        classes = self._classes(class_keys, part_keys)
        rosters = {
            class_.class_key: [
                entry
                for chunk in self._sis.roster(class_.class_key, chunk=_CHUNK)
                for entry in chunk
            ]
            for class_, _ in classes
        }
        course = self._course(
            registration,
            nrps,
            {entry.person.person_key for entries in rosters.values() for entry in entries},
        )
        wanted = [part.part_key for _, parts in classes for part in parts]
        line_items = self._line_items(registration, offered, set(wanted), linked)
        items: list[dict[str, Any]] = []
        for class_, parts in classes:
            grades = {
                (grade.part_key, grade.person_key): grade
                for grade in self._sis.part_grades(
                    class_.class_key, [part.part_key for part in parts]
                )
            }
            for part in parts:
                line_item = line_items.get(part.part_key)
                held = held_scores(self._grades, registration, line_item.url) if line_item else {}
                for entry in rosters[class_.class_key]:
                    grade = grades.get((part.part_key, entry.person.person_key))
                    item = _item(entry, grade, course, held, column=line_item is not None)
                    if item is not None:
                        items.append(
                            item | {"part_key": part.part_key, "class_key": class_.class_key}
                        )
        return Plan(items, line_items, wanted)

    def _classes(
        self, class_keys: Sequence[str], part_keys: Collection[str] | None
    ) -> list[tuple[ClassView, list[PartView]]]:
        found = []
        for class_key in dict.fromkeys(class_keys):
            class_ = self._sis.class_(class_key)
            if class_ is None:
                continue
            parts = [
                part for part in class_.parts if part_keys is None or part.part_key in part_keys
            ]
            if parts:
                found.append((class_, parts))
        if not found:
            raise InvalidInputError(
                "There is no class part whose grades could be sent.",
                field="part_keys",
                remedy="Choose the class of this course, and at least one of its parts.",
            )
        return found

    def _course(
        self,
        registration: Registration,
        nrps: Mapping[str, Any] | None,
        person_keys: Collection[str],
    ) -> _Course:
        course = _Course()
        with self._database.read() as session:
            for keys in _slices(list(person_keys)):
                course.accounts |= self._people.by_person(session, registration.id, keys)
        if not nrps:
            return course
        course.members = set()
        claims: dict[str, list[str]] = {}
        for page in self._names_roles.members(registration, nrps):
            present = [member for member in page if member.status != "Deleted"]
            course.members |= {member.user_id for member in present}
            if not registration.sourcedid_trusted:
                continue
            with self._database.read() as session:
                known = self._people.links(
                    session, registration.id, [member.user_id for member in present]
                )
            for member in present:
                if member.sourced_id in person_keys and member.user_id not in known:
                    claims.setdefault(member.sourced_id or "", []).append(member.user_id)
        for person_key, user_ids in claims.items():
            # Two accounts with one identifier: neither is believed.
            if len(user_ids) == 1:
                course.accounts.setdefault(person_key, user_ids[0])
        return course

    def _line_items(
        self,
        registration: Registration,
        ags: Mapping[str, Any],
        part_keys: Collection[str],
        linked: Mapping[str, str],
    ) -> dict[str, LineItem]:
        found: dict[str, LineItem] = {}
        for item in self._grades.line_items(registration, ags, tag=TAG):
            part_key = item.resource_id
            # A copied course has a column twice: the one that was used before counts.
            if (
                part_key is not None
                and part_key in part_keys
                and (part_key not in found or linked.get(part_key) == item.url)
            ):
                found[part_key] = item
        return found


def check_offer(ags: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Return ``ags`` if grades can be read and sent; else raise :class:`AgsNotOfferedError`."""
    remedy = (
        "An administrator allows grade synchronisation and column management in the platform's "
        "settings of this tool; then open the tool again from the course."
    )
    if not ags or not ags.get("lineitems"):
        raise AgsNotOfferedError(
            "The platform does not offer its gradebook to this tool in this course.", remedy=remedy
        )
    scopes = ags.get("scope")
    offered = scopes if isinstance(scopes, list) else []
    missing = [scope for scope in (LINE_ITEM, SCORE, RESULT_READ) if scope not in offered]
    if missing:
        raise AgsNotOfferedError(
            "The platform does not let this tool make columns, read results and send scores: it "
            f"lacks {', '.join(scope.rsplit('/', 1)[-1] for scope in missing)}.",
            field="scope",
            remedy=remedy,
            missing=missing,
        )
    return ags


def held_scores(
    assignment_grades: AssignmentGrades, registration: Registration, url: str
) -> dict[str, Decimal | None]:
    """What a column holds, 0–100, by user. Raises AgsError."""
    return {
        result.user_id: result.scaled_to(MAXIMUM)
        for result in assignment_grades.results(registration, url)
    }


def same_score(one: Decimal | None, other: Decimal | None) -> bool:
    """Whether two scores of 0–100 are the same mark; platforms keep rounded fractions."""
    if one is None or other is None:
        return one is other
    return one.quantize(_CENT, ROUND_HALF_EVEN) == other.quantize(_CENT, ROUND_HALF_EVEN)


def _item(
    entry: RosterEntry,
    grade: PartGradeView | None,
    course: _Course,
    held: Mapping[str, Decimal | None],
    *,
    column: bool,
) -> dict[str, Any] | None:
    """One student's item, or ``None`` for who left without a grade: nobody looks for them."""
    person_key = entry.person.person_key
    user_id = course.accounts.get(person_key)
    score = grade.score if grade else None
    previous = held.get(user_id) if user_id else None
    reason = _refusal(entry, grade, user_id, course)
    if reason is PushReason.DROPPED and score is None:
        return None
    if reason is not None:
        state = ItemState.REFUSED
    elif previous is not None and same_score(previous, score):
        state = ItemState.UNCHANGED
    else:
        state = ItemState.SEND
        reason = None if column else PushReason.COLUMN_NEW
    return {
        "person_key": person_key,
        "user_id": user_id,
        # What is no number cannot be kept in a column of numbers.
        "score": None if reason is PushReason.OUT_OF_RANGE else score,
        "previous": previous,
        "state": state,
        "reason": reason,
        "detail": f"{score}" if reason is PushReason.OUT_OF_RANGE else None,
        "sort_name": (entry.person.full_name.casefold() or person_key)[:300],
    }


def _refusal(
    entry: RosterEntry, grade: PartGradeView | None, user_id: str | None, course: _Course
) -> PushReason | None:
    if entry.is_audit or entry.status is EnrollmentStatus.AUDIT:
        return PushReason.AUDIT
    if not entry.status.attends and not entry.status.ended:
        return PushReason.DROPPED
    if grade is None or grade.score is None:
        return PushReason.NO_GRADE
    if grade.status is GradeStatus.DRAFT:
        return PushReason.DRAFT
    if not grade.score.is_finite() or not 0 <= grade.score <= MAXIMUM:
        return PushReason.OUT_OF_RANGE
    if user_id is None:
        return PushReason.NOT_LINKED
    if course.members is not None and user_id not in course.members:
        return PushReason.NOT_IN_COURSE
    return None


def _slices(keys: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(keys), _CHUNK):
        yield keys[start : start + _CHUNK]
