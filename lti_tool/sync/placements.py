"""Where a class is taught, decided by an administrator against the SIS."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sqlalchemy as sa
from sqlalchemy.orm import Session

from lti_tool.core.audit import AuditLog
from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.core.errors import ConflictError, InvalidInputError, NotFoundError
from lti_tool.sis.change_models import ChangeKind
from lti_tool.sis.changes import record
from lti_tool.sis.entities import ClassStatus, ClassView
from lti_tool.sis.interfaces import SisExtracts
from lti_tool.sis.placement_models import ClassPlacement, Placing


class Placements:
    """Decisions about single classes; who has none is taught as the SIS says.

    They are applied where the SIS is read (``sis/together.py``), so that everything that asks
    which classes are taught together gets the same answer.
    """

    def __init__(self, database: Database, clock: Clock, audit: AuditLog, sis: SisExtracts) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._sis = sis

    def of(self, class_keys: Iterable[str]) -> Mapping[str, ClassPlacement]:
        """What was decided about these classes, by key."""
        query = sa.select(ClassPlacement).where(ClassPlacement.class_key.in_(sorted(class_keys)))
        with self._database.read() as session:
            return {each.class_key: each for each in session.scalars(query)}

    def list(self) -> list[ClassPlacement]:
        """All decisions, by class."""
        with self._database.read() as session:
            return [*session.scalars(sa.select(ClassPlacement).order_by(ClassPlacement.class_key))]

    def place_with(self, class_key: str, host: str, *, actor: str) -> ClassView:
        """Teach a class in the course in which another one is taught.

        Raises:
            NotFoundError: there is no such class.
            InvalidInputError: it is the class itself, or of another term, or cancelled.
            ConflictError: the other one is placed elsewhere itself, or others with this one.
        """
        if class_key == host:
            raise InvalidInputError(
                "A class cannot be placed with itself. To give it a course of its own, place it "
                "alone.",
                field="host",
            )
        view, other = self._class(class_key), self._class(host)
        if view.term_key != other.term_key:
            raise InvalidInputError(
                f"{other.label} is of another term: a course belongs to one term.", field="host"
            )
        if other.status is ClassStatus.CANCELLED:
            raise InvalidInputError(f"{other.label} is cancelled.", field="host")
        return self._decide(view, Placing.WITH, host, actor=actor)

    def place_alone(self, class_key: str, *, actor: str) -> ClassView:
        """Give a class a course of its own, whatever the SIS has it together with."""
        return self._decide(self._class(class_key), Placing.ALONE, None, actor=actor)

    def make_host(self, class_key: str, *, actor: str) -> ClassView:
        """Teach the classes that the SIS has together with this one in this one's course.

        Raises:
            InvalidInputError: it is alone.
            ConflictError: it is placed with another class; place it as the SIS says first.
        """
        view = self._class(class_key)
        placed = self.of([class_key]).get(class_key)
        if placed is not None and placed.placing is Placing.WITH:
            raise ConflictError(
                f"{view.label} is a guest in the course of {placed.with_key}. Place it as the SIS "
                "says first.",
                class_key=class_key,
            )
        if not view.combined_with:
            raise InvalidInputError(f"{view.label} is taught alone.", field="class_key")
        return self._decide(view, Placing.HOST, None, actor=actor)

    def as_sis(self, class_key: str, *, actor: str) -> ClassView | None:
        """Take a decision back; ``None`` if the SIS no longer has the class.

        Raises:
            NotFoundError: nothing was decided about this class.
        """
        view = self._sis.classes([class_key]).get(class_key)
        with self._database.write() as session:
            row = session.get(ClassPlacement, class_key)
            if row is None:
                raise NotFoundError("Nothing was decided about this class.", class_key=class_key)
            before = _facts(row)
            session.delete(row)
            self._noted(session, class_key, "sis", None, before, actor=actor)
            self._changed(session, class_key, view, None)
        return self._moved(class_key, view)

    def _decide(
        self, view: ClassView, placing: Placing, with_key: str | None, *, actor: str
    ) -> ClassView:
        key, now = view.class_key, self._clock.now()
        with self._database.write() as session:
            row = session.get(ClassPlacement, key, with_for_update=True)
            before = _facts(row)
            if before == {"placing": placing.value, "with_key": with_key}:
                return view
            self._check(session, view, placing, with_key)
            if placing is Placing.HOST:
                # There is one host.
                session.execute(
                    sa.delete(ClassPlacement).where(
                        ClassPlacement.class_key.in_(view.combined_with),
                        ClassPlacement.placing == Placing.HOST,
                    )
                )
            row = row or ClassPlacement(class_key=key)
            row.placing, row.with_key = placing, with_key
            row.decided_by, row.decided_at = actor[:200], now
            session.add(row)
            self._noted(session, key, placing.value, with_key, before, actor=actor)
            self._changed(session, key, view, with_key)
        return self._moved(key, view) or view

    def _check(
        self, session: Session, view: ClassView, placing: Placing, with_key: str | None
    ) -> None:
        if placing is not Placing.WITH:
            return
        other = session.get(ClassPlacement, with_key, with_for_update=True)
        if other is not None and other.placing is Placing.WITH:
            raise ConflictError(
                f"{with_key} is itself taught in the course of {other.with_key}. Name that class.",
                class_key=with_key,
            )
        guest = session.scalar(
            sa.select(ClassPlacement.class_key)
            .where(ClassPlacement.with_key == view.class_key)
            .order_by(ClassPlacement.class_key)
            .limit(1)
        )
        if guest is not None:
            raise ConflictError(
                f"{guest} was placed with {view.label}. Place that one elsewhere first.",
                class_key=guest,
            )

    def _noted(
        self,
        session: Session,
        class_key: str,
        placing: str,
        with_key: str | None,
        before: Mapping[str, str | None] | None,
        *,
        actor: str,
    ) -> None:
        self._audit.record(
            session,
            actor=actor,
            action="class.placed",
            target=f"class:{class_key}",
            placing=placing,
            with_key=with_key,
            before=dict(before) if before else None,
        )

    def _changed(
        self, session: Session, key: str, view: ClassView | None, with_key: str | None
    ) -> None:
        # Those that it joins and those that it leaves; all others of both come with them.
        touched = {key, *(view.combined_with if view else ()), *([with_key] if with_key else ())}
        record(session, ChangeKind.CLASS, touched, at=self._clock.now())

    def _moved(self, key: str, before: ClassView | None) -> ClassView | None:
        """The class as it is placed now; those that it has come to are noted too."""
        view = self._sis.classes([key]).get(key)
        joined = set(view.combined_with) if view else set()
        if view is not None and joined.difference(before.combined_with if before else ()):
            with self._database.write() as session:
                self._changed(session, key, view, None)
        return view

    def _class(self, class_key: str) -> ClassView:
        view = self._sis.classes([class_key]).get(class_key)
        if view is None:
            raise NotFoundError(
                f"The SIS has no class with the key {class_key}.", class_key=class_key
            )
        return view


def _facts(row: ClassPlacement | None) -> dict[str, str | None] | None:
    return {"placing": row.placing.value, "with_key": row.with_key} if row is not None else None
