"""What was read of Moodle's grades: compared with the SIS's, and stored with all that follows."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.moodle.documents import TOTAL
from lti_tool.moodle.models import MoodleSite
from lti_tool.sis.bulk import chunks
from lti_tool.sis.entities import ClassView, GradeSource, PartGradeView
from lti_tool.sis.grade_rows import standing_grades
from lti_tool.sis.grading import GradeEntry, Grading
from lti_tool.sis.interfaces import SisExtracts
from lti_tool.sync.grades.cells import session_key
from lti_tool.sync.grades.decisions import ItemKind
from lti_tool.sync.grades.judging import Case, Item, Judgement, Seen
from lti_tool.sync.grades.log import GradeLog
from lti_tool.sync.grades.models import GradeReceipt
from lti_tool.sync.grades.open_conflicts import OpenConflicts, Standing
from lti_tool.sync.grades.reasons import Reason, reason_of
from lti_tool.sync.grades.values import CellKey, score
from lti_tool.sync.lifecycle import place
from lti_tool.sync.provisioning.ledger import Ledger

_receipts = cast(sa.Table, GradeReceipt.__table__)
_KEPT = ("class_key", "base", "agreed_at", "seen", "seen_at", "seen_by")
# Who is not in the class may be in another one of the same course, or nobody whom the SIS knows.
_OUTSIDE = (Reason.NOT_ENROLLED, Reason.NOT_ATTENDING)


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of one course: the grades of items with a key, by person and item.

    ``items``: the items in the course by key, if that was asked. ``gone``: the course is not there
    any more. Without ``classes`` it is no course of the SIS's now, and nothing follows.
    """

    course_key: str
    classes: Sequence[ClassView]
    cells: Mapping[CellKey, Seen]
    items: Mapping[str, Item] | None = None
    gone: bool = False


@dataclass(slots=True)
class Stored:
    """How many grades of each course were compared, and which courses must be read again: Moodle
    was written to while they were read."""

    compared: dict[str, int] = field(default_factory=dict)
    again: set[str] = field(default_factory=set)


class Arrivals:
    """Acts on what was read: a flat number of statements for many courses."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        sis: SisExtracts,
        grading: Grading,
        ledger: Ledger,
        log: GradeLog,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sis = sis
        self._grading = grading
        self._ledger = ledger
        self._log = log

    def store(
        self,
        session: Session,
        site: MoodleSite,
        readings: Sequence[Reading],
        people: Mapping[int, str],
        *,
        began: dt.datetime,
    ) -> Stored:
        """Compare these courses' grades with the SIS's, and do what follows, in the caller's
        transaction.

        Args:
            people: the SIS's keys of Moodle's accounts.
            began: when the reading began; what was sent to Moodle after it may not be in it.
        """
        stored = Stored()
        if not readings:
            return stored
        courses = [reading.course_key for reading in readings]
        grades = standing_grades(
            session,
            [part.part_key for each in readings for view in each.classes for part in view.parts],
        )
        receipts = _read_receipts(session, site.id, courses)
        conflicts = OpenConflicts(session, site.id, courses, now=self._clock.now())
        judgement = Judgement(
            site.id,
            people,
            conflicts,
            now=self._clock.now(),
            skew=site.clock_skew,
            restored_at=site.restored_at,
        )
        for reading in readings:
            mine = receipts.get(reading.course_key, {})
            open_ = conflicts.of_course(reading.course_key)
            if reading.gone:
                judgement.forget(reading.course_key, mine.values())
            if reading.gone or not reading.classes:
                for standing in open_.values():
                    conflicts.close(standing)
                stored.compared[reading.course_key] = 0
                continue
            cases = list(_cases(reading, mine, open_, grades))
            for standing in _strays(reading, open_):
                conflicts.close(standing)
            for case in cases:
                sent_at = case.receipt.sent_at if case.receipt is not None else None
                if (sent_at is not None and sent_at > began) or not judgement.judge(
                    case, reading.items
                ):
                    stored.again.add(reading.course_key)
            stored.compared[reading.course_key] = len(cases)
        self._import(session, judgement)
        self._refuse(judgement, {reading.course_key: reading for reading in readings})
        conflicts.store()
        self._put_receipts(session, judgement)
        self._log.write(session, judgement.moved)
        connection = session.connection()
        self._ledger.send_again(connection, site.id, "gradebook", judgement.rebuild)
        self._ledger.send_again(connection, site.id, "grades", judgement.resend)
        return stored

    def _import(self, session: Session, judgement: Judgement) -> None:
        if not judgement.imports:
            return
        entries = [
            GradeEntry(
                case.cell[0],
                case.cell[1],
                score(case.seen.value),
                actor=judgement.grader(case),
                graded_at=case.seen.at,
            )
            for case in judgement.imports
        ]
        outcomes = self._grading.enter_within(
            session, entries, actor="moodle", source=GradeSource.MOODLE_IMPORT, submitted=True
        )
        for case, outcome in zip(judgement.imports, outcomes, strict=True):
            if outcome.state == "refused":
                judgement.refused.append((case, reason_of(outcome.reason)))
            else:
                judgement.imported(case, changed=outcome.state == "entered")

    def _refuse(self, judgement: Judgement, readings: Mapping[str, Reading]) -> None:
        """Say of those who are not in the class what is the matter with them."""
        outside = [case for case, reason in judgement.refused if reason in _OUTSIDE]
        class_keys = {
            view.class_key for case in outside for view in readings[case.course_key].classes
        }
        attending = {
            (membership.person_key, class_key)
            for class_key, members in self._sis.memberships(class_keys).items()
            for membership in members
            if place(membership) == "active"
        }
        known = self._sis.people({case.cell[0] for case in outside})
        for case, reason in judgement.refused:
            person_key, classes = case.cell[0], readings[case.course_key].classes
            if reason in _OUTSIDE and person_key not in known:
                judgement.refuse(case, Reason.UNKNOWN_PERSON)
            elif reason in _OUTSIDE and any(
                (person_key, view.class_key) in attending for view in classes
            ):
                judgement.refuse(case, Reason.OTHER_CLASS)
            else:
                judgement.refuse(case, reason)

    def _put_receipts(self, session: Session, judgement: Judgement) -> None:
        if not judgement.receipts:
            return
        insert = self._database.upsert(_receipts)
        session.execute(
            insert.on_conflict_do_update(
                index_elements=["site_id", "course_key", "person_key", "item_key"],
                set_={name: getattr(insert.excluded, name) for name in _KEPT},
            ),
            list(judgement.receipts.values()),
        )


def _cases(
    reading: Reading,
    receipts: Mapping[CellKey, Any],
    conflicts: Mapping[CellKey, Standing],
    grades: Mapping[CellKey, PartGradeView],
) -> Iterator[Case]:
    """All grades of a course of which anything is known on Moodle's side."""
    parts, totals = _parts(reading), _totals(reading)
    wanted = {cell for cell in reading.cells if cell[1] in parts}
    wanted |= {cell for cell in conflicts if cell[1] in parts}
    wanted |= {
        cell
        for cell, row in receipts.items()
        if (cell[1] in parts and (row.seen is not None or row.base is not None))
        # Of totals those that stand there by us.
        or (cell[1] in totals and row.sent is not None and row.code is None)
    }
    for cell in sorted(wanted):
        yield Case(
            ItemKind.PART if cell[1] in parts else ItemKind.TOTAL,
            reading.course_key,
            parts.get(cell[1]) or totals[cell[1]],
            cell,
            reading.cells.get(cell),
            receipts.get(cell),
            conflicts.get(cell),
            grades.get(cell),
        )


def _strays(reading: Reading, conflicts: Mapping[CellKey, Standing]) -> list[Standing]:
    """Conflicts about parts that are not the SIS's any more."""
    parts = _parts(reading)
    return [standing for cell, standing in conflicts.items() if cell[1] not in parts]


def _parts(reading: Reading) -> dict[str, str]:
    """The class of each part."""
    return {part.part_key: view.class_key for view in reading.classes for part in view.parts}


def _totals(reading: Reading) -> dict[str, str]:
    """The class of each total."""
    return {TOTAL: reading.course_key} | {
        session_key(view.class_key, session.number): view.class_key
        for view in reading.classes
        for session in view.sessions
    }


def _read_receipts(
    session: Session, site_id: int, course_keys: Sequence[str]
) -> dict[str, dict[CellKey, Any]]:
    query = sa.select(
        _receipts.c.course_key,
        _receipts.c.class_key,
        _receipts.c.person_key,
        _receipts.c.item_key,
        _receipts.c.base,
        _receipts.c.agreed_at,
        _receipts.c.seen,
        _receipts.c.sent,
        _receipts.c.sent_at,
        _receipts.c.code,
    ).where(_receipts.c.site_id == site_id)
    found: dict[str, dict[CellKey, Any]] = defaultdict(dict)
    for some in chunks(course_keys, 1000):
        for row in session.execute(query.where(_receipts.c.course_key.in_(some))):
            found[row.course_key][row.person_key, row.item_key] = row
    return found
