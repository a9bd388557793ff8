"""Parts whose grades come from something that a teacher made in Moodle: a quiz, a category."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NoReturn, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from lti_tool.core.audit import AuditLog
from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.core.errors import ConflictError
from lti_tool.moodle.documents import Gradebook
from lti_tool.moodle.models import MoodleSite
from lti_tool.sis.entities import ClassView, GradeStatus, PartGradeView, PartView, RosterEntry
from lti_tool.sis.interfaces import StudentInformationSystem
from lti_tool.sync.grades.decisions import Decision, ItemKind, MoodleGrade, SisGrade, decide
from lti_tool.sync.grades.models import (
    ConflictState,
    GradeConflict,
    GradeConnection,
    GradeReceipt,
)
from lti_tool.sync.grades.values import hundredths, score
from lti_tool.sync.grades.views import course_key_of, moment, place_of
from lti_tool.sync.provisioning.client import MoodleAPIClient
from lti_tool.sync.provisioning.ledger import Ledger
from lti_tool.sync.rendering import Rendering

_connections = cast(sa.Table, GradeConnection.__table__)
_receipts = cast(sa.Table, GradeReceipt.__table__)
_conflicts = cast(sa.Table, GradeConflict.__table__)
_UNDECIDED = (ConflictState.OPEN, ConflictState.ASKED)
_NAME_LENGTH = 300


class GradeConnectionError(ConflictError):
    """The part cannot take its grades from there; ``reason`` in the context says why.

    A code of the contract: ``source_missing``, ``source_taken``, ``source_not_numeric``,
    ``item_locked`` …
    """

    code = "grade_connection_refused"
    title = "This part cannot take its grades from there"


@dataclass(frozen=True, slots=True)
class Offer:
    """Something graded in the course. ``part_key``: the part that it serves already;
    ``refusal``: why it cannot be connected (a code of the contract)."""

    item_id: int
    type: str
    module: str | None
    name: str
    maximum: Decimal
    scale: bool
    part_key: str | None = None
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """What connecting would mean for one student. ``given``: the grade as Moodle shows it, in its
    own range; ``becomes``: the same out of 100."""

    entry: RosterEntry
    given: Decimal | None
    becomes: Decimal | None
    sis: PartGradeView | None
    decision: Decision


class GradeConnections:
    """Connects parts with items of Moodle. Who may do that is the caller's to know."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        audit: AuditLog,
        sis: StudentInformationSystem,
        client: MoodleAPIClient,
        rendering: Rendering,
        ledger: Ledger,
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._sis = sis
        self._client = client
        self._rendering = rendering
        self._ledger = ledger

    def of_classes(self, site_id: int, class_keys: Collection[str]) -> dict[str, GradeConnection]:
        """What is connected of these classes, by part."""
        query = sa.select(GradeConnection).where(
            GradeConnection.site_id == site_id, GradeConnection.class_key.in_(class_keys)
        )
        with self._database.read() as session:
            return {found.part_key: found for found in session.scalars(query)}

    def offers(self, site: MoodleSite, views: Sequence[ClassView]) -> list[Offer]:
        """What the course has in Moodle at this moment that may be connected, and what may not.

        What is the tool's own is left out. Raises :class:`PluginError`.
        """
        connected = {
            found.item_id: found.part_key
            for found in self.of_classes(site.id, [view.class_key for view in views]).values()
        }
        items = self._items(site, course_key_of(views))
        return [
            _offer(item, connected.get(item["id"]))
            for item in items
            if not _is_ours(item, connected)
        ]

    def preview(
        self, site: MoodleSite, views: Sequence[ClassView], part_key: str, item_id: int
    ) -> tuple[Offer, list[PreviewRow]]:
        """The item, and what connecting it would mean for each student; nothing changes.

        Raises:
            GradeConnectionError: it cannot be connected.
            PluginError: Moodle does not answer.
        """
        view, part = _part(views, part_key)
        course_key = course_key_of(views)
        offer = self._checked(site, views, part, item_id)
        given: dict[str, Mapping[str, Any]] = {}
        scope = {"courses": [course_key], "items": [item_id]}
        for page in self._client.pages(site, "grades", scope):
            given |= {grade["user"]: grade for grade in page if grade.get("user")}
        grades = {
            grade.person_key: grade for grade in self._sis.part_grades(view.class_key, [part_key])
        }
        entries = [
            entry
            for chunk in self._sis.roster(view.class_key)
            for entry in chunk
            if not entry.is_audit and place_of(view.class_key, entry) == "active"
        ]
        entries.sort(key=lambda entry: (entry.person.full_name.casefold(), entry.person.person_key))
        rows = [
            _row(
                entry, grades.get(entry.person.person_key), given.get(entry.person.person_key), site
            )
            for entry in entries
        ]
        return offer, rows

    def connect(
        self,
        site: MoodleSite,
        views: Sequence[ClassView],
        part_key: str,
        item_id: int,
        *,
        actor: str,
    ) -> GradeConnection:
        """From now on the part's grades come from this item. Connecting the same again changes
        nothing.

        Raises:
            GradeConnectionError, PluginError
        """
        view, part = _part(views, part_key)
        offer = self._checked(site, views, part, item_id)
        with self._database.write() as session:
            # Looked at again with nobody else writing: two teachers may want one item.
            taken = session.scalar(
                sa.select(GradeConnection.part_key).where(
                    GradeConnection.site_id == site.id, GradeConnection.item_id == item_id
                )
            )
            if taken not in (None, part_key):
                _refuse("source_taken")
            standing = session.get(GradeConnection, (site.id, part_key))
            if standing is not None and standing.item_id == item_id:
                return standing
            if standing is not None:
                session.delete(standing)
                session.flush()
            found = GradeConnection(
                site_id=site.id,
                part_key=part_key,
                class_key=view.class_key,
                item_id=item_id,
                item_type=offer.module or offer.type,
                item_name=offer.name[:_NAME_LENGTH],
                connected_by=actor,
                connected_at=self._clock.now(),
            )
            session.add(found)
            session.flush()
            self._begin_anew(session, site, views, part_key)
            self._record(session, "grades.connected", site, part_key, actor, item_id=item_id)
        return found

    def disconnect(
        self, site: MoodleSite, views: Sequence[ClassView], part_key: str, *, actor: str
    ) -> None:
        """From now on the part has an item of its own again, with the SIS's grades; what was
        brought over stays in the SIS. Of a part that is not connected nothing changes."""
        _part(views, part_key)
        with self._database.write() as session:
            found = session.get(GradeConnection, (site.id, part_key))
            if found is None:
                return
            item_id = found.item_id
            session.delete(found)
            session.flush()
            self._begin_anew(session, site, views, part_key)
            self._record(session, "grades.disconnected", site, part_key, actor, item_id=item_id)

    def _begin_anew(
        self,
        session: Session,
        site: MoodleSite,
        views: Sequence[ClassView],
        part_key: str,
    ) -> None:
        """What both sides agreed on was about another item: nothing of it is known of this one.
        An empty quiz would else look as if every grade had been taken away in Moodle."""
        course_key = course_key_of(views)
        connection = session.connection()
        connection.execute(
            sa.delete(_receipts).where(
                _receipts.c.site_id == site.id,
                _receipts.c.course_key == course_key,
                _receipts.c.item_key == part_key,
            )
        )
        connection.execute(
            sa.update(_conflicts)
            .where(
                _conflicts.c.site_id == site.id,
                _conflicts.c.course_key == course_key,
                _conflicts.c.item_key == part_key,
                _conflicts.c.state.in_(_UNDECIDED),
            )
            .values(state=ConflictState.CLOSED, decided_at=self._clock.now())
        )
        # When the gradebook has changed in Moodle, the course is read, and not before.
        self._ledger.send_again(connection, site.id, "gradebook", [course_key])

    def _record(
        self,
        session: Session,
        action: str,
        site: MoodleSite,
        part_key: str,
        actor: str,
        **more: Any,
    ) -> None:
        self._audit.record(
            session,
            actor=f"person:{actor}",
            action=action,
            target=f"site:{site.id}/part:{part_key}"[:300],
            **more,
        )

    def _items(self, site: MoodleSite, course_key: str) -> list[dict[str, Any]]:
        pages = self._client.pages(site, "items", {"courses": [course_key]})
        return [item for page in pages for item in page]

    def _checked(
        self, site: MoodleSite, views: Sequence[ClassView], part: PartView, item_id: int
    ) -> Offer:
        """The item as Moodle has it now; raises GradeConnectionError if it cannot serve this part.

        Moodle itself is asked, by a dry run of the gradebook: only it knows texts and scales.
        """
        offer = next(
            (offer for offer in self.offers(site, views) if offer.item_id == item_id), None
        )
        if offer is None:
            _refuse("source_missing")
        if offer.part_key not in (None, part.part_key):
            _refuse("source_taken")
        if offer.refusal:
            _refuse(offer.refusal)
        course_key = course_key_of(views)
        rendered = self._rendering.render(
            "gradebook", [course_key], now=self._clock.now(), site_id=site.id
        )
        document = rendered.get(course_key)
        if not isinstance(document, Gradebook):
            _refuse("gradebook_missing")
        wanted = document.model_copy(
            update={
                "items": [
                    item.model_copy(update={"source": item_id})
                    if item.key == part.part_key
                    else item
                    for item in document.items
                ]
            }
        )
        [result] = self._client.apply(site, [wanted], dryrun=True).results
        if result.result == "refused":
            _refuse(result.code or "failed", result.message)
        return offer


def _part(views: Sequence[ClassView], part_key: str) -> tuple[ClassView, PartView]:
    found = next(
        ((view, part) for view in views for part in view.parts if part.part_key == part_key), None
    )
    return found or _refuse("part_unknown")


def _refuse(reason: str, message: str | None = None) -> NoReturn:
    raise GradeConnectionError(
        message or "This part cannot take its grades from there.",
        remedy="Choose something else of the course.",
        reason=reason,
    )


def _is_ours(item: Mapping[str, Any], connected: Collection[int]) -> bool:
    own = item.get("key") is not None and not item.get("source")
    return item["type"] == "course" or (own and item["id"] not in connected)


def _offer(item: Mapping[str, Any], part_key: str | None) -> Offer:
    refusal = None
    if item.get("locked"):
        refusal = "item_locked"
    elif item["scale"] is None and not item["max"] > item["min"]:
        refusal = "source_not_numeric"
    return Offer(
        item_id=item["id"],
        type=item["type"],
        module=item.get("module"),
        name=str(item.get("name") or item["id"]),
        maximum=Decimal(str(item["max"])),
        scale=item["scale"] is not None,
        part_key=part_key,
        refusal=refusal,
    )


def _row(
    entry: RosterEntry,
    grade: PartGradeView | None,
    given: Mapping[str, Any] | None,
    site: MoodleSite,
) -> PreviewRow:
    percent = given.get("percent") if given else None
    final = given.get("final") if given else None
    sis = SisGrade()
    if grade is not None and (grade.score is not None or grade.letter):
        sis = SisGrade(
            value=hundredths(grade.score),
            text=(grade.letter or "") if grade.score is None else "",
            at=grade.graded_at or grade.updated_at,
            draft=grade.status is GradeStatus.DRAFT,
            locked=grade.status.locked,
            held=grade.held_by is not None,
        )
    moodle = MoodleGrade(percent, moment(given.get("at")) if given else None)
    return PreviewRow(
        entry=entry,
        given=None if final is None else Decimal(str(final)),
        becomes=score(percent),
        sis=grade,
        decision=decide(ItemKind.PART, sis, moodle, None, site.clock_skew),
    )
