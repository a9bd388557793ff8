"""Which course of a platform is which class of the SIS."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from lti_tool.core.audit import AuditLog
from lti_tool.core.clock import Clock
from lti_tool.core.database import Database, Executor
from lti_tool.core.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from lti_tool.lti.models import Registration
from lti_tool.sis.entities import ClassView
from lti_tool.sis.interfaces import StudentInformationSystem
from lti_tool.sync.models import CourseLink

log = structlog.get_logger(__name__)


class ClassLinkedElsewhereError(ConflictError):
    """The class belongs to another course; ``links`` in the context says which."""

    code = "class_linked_elsewhere"
    title = "This class belongs to another course"


class CourseLinkedError(ConflictError):
    """The course has its classes already."""

    code = "course_linked"
    title = "This course has its class already"


class ClassNotTaughtError(ForbiddenError):
    """The person does not teach the class that they chose."""

    code = "class_not_taught"
    title = "You do not teach this class"


# Built once, of columns: every page of a course asks this.
_TABLE = cast(sa.Table, CourseLink.__table__)
_LINKED = (
    sa.select(_TABLE.c.class_key)
    .where(
        _TABLE.c.registration_id == sa.bindparam("registration"),
        _TABLE.c.context_id == sa.bindparam("context"),
    )
    .order_by(_TABLE.c.class_key)
)


class Courses:
    """Links between courses (contexts) and classes. Combined classes share one course."""

    def __init__(
        self, database: Database, clock: Clock, sis: StudentInformationSystem, audit: AuditLog
    ) -> None:
        self._database = database
        self._clock = clock
        self._sis = sis
        self._audit = audit

    def class_keys(self, registration_id: int, context_id: str) -> list[str]:
        """The classes that this course is, in the order of their keys; none if not linked."""
        with self._database.reading() as session:
            return self._linked(session, registration_id, context_id)

    def recognise(
        self, registration: Registration, *, context_id: str, sourced_id: str | None
    ) -> list[str]:
        """Return the classes that this course is, linking it by ``sourced_id`` if it is new.

        A class that is linked to another course is left alone: a teacher can often write a
        course's ID number, and must not take over a class with it. Then there is no link, and the
        teacher chooses or asks.
        """
        found = self.class_keys(registration.id, context_id)
        if found or not sourced_id:
            return found
        class_ = self._sis.class_(sourced_id)
        if class_ is None:
            return []
        try:
            return self._link(
                registration.id,
                context_id,
                _with_combined([class_]),
                method="sourcedid",
                actor="platform",
            )
        except ClassLinkedElsewhereError as error:
            log.warning(
                "course.class_linked_elsewhere",
                registration_id=registration.id,
                context_id=context_id,
                class_key=sourced_id,
                links=error.context["links"],
            )
            return []
        except CourseLinkedError:
            # Another launch of the same course was faster.
            return self.class_keys(registration.id, context_id)

    def choose(
        self,
        registration_id: int,
        context_id: str,
        class_keys: Sequence[str],
        *,
        person_key: str,
    ) -> list[str]:
        """Link the course to classes that this teacher teaches, and to those combined with them.

        Choosing the same again changes nothing.

        Raises:
            ClassNotTaughtError, ClassLinkedElsewhereError, CourseLinkedError, InvalidInputError
        """
        if not class_keys:
            raise InvalidInputError("No class was chosen.", field="class_keys")
        taught = {class_.class_key: class_ for class_ in self._sis.classes_taught_by(person_key)}
        allowed = set(_with_combined(taught.values()))
        refused = sorted(set(class_keys) - allowed)
        if refused:
            raise ClassNotTaughtError(
                "You can choose only classes that you teach.",
                field="class_keys",
                remedy="Ask the registrar to enter you as the teacher, or an administrator to link "
                "the course.",
                class_keys=refused,
            )
        chosen = [taught[key] for key in class_keys if key in taught]
        return self._link(
            registration_id,
            context_id,
            sorted({*class_keys, *_with_combined(chosen)}),
            method="teacher",
            actor=f"person:{person_key}",
        )

    def link(
        self, registration_id: int, context_id: str, class_keys: Sequence[str], *, actor: str
    ) -> list[str]:
        """Link as an administrator, who may add classes and link a class to a second course.

        Returns all classes that the course is now. Raises :class:`NotFoundError` for a class that
        the SIS does not know.
        """
        found: list[ClassView] = []
        for class_key in class_keys:
            class_ = self._sis.class_(class_key)
            if class_ is None:
                raise NotFoundError(
                    "The SIS has no class with this key.",
                    field="class_keys",
                    remedy="Look the class up in the SIS, and use its key.",
                    class_key=class_key,
                )
            found.append(class_)
        return self._link(
            registration_id,
            context_id,
            _with_combined(found),
            method="administrator",
            actor=actor,
            anywhere=True,
        )

    def unlink(
        self,
        registration_id: int,
        context_id: str,
        *,
        actor: str,
        class_keys: Sequence[str] | None = None,
    ) -> None:
        """Remove these classes, or all, from the course; what was pushed stays on the platform."""
        statement = (
            sa.delete(CourseLink)
            .where(CourseLink.registration_id == registration_id)
            .where(CourseLink.context_id == context_id)
        )
        if class_keys is not None:
            statement = statement.where(CourseLink.class_key.in_(class_keys))
        with self._database.write() as session:
            gone = session.scalars(statement.returning(CourseLink.class_key)).all()
            if not gone:
                raise NotFoundError(
                    "This course is not linked to that class.", context_id=context_id
                )
            self._record(session, "course.unlinked", registration_id, context_id, actor, gone)

    def courses_of(self, registration_id: int, class_keys: Sequence[str]) -> list[CourseLink]:
        """Where these classes are linked to within this registration."""
        with self._database.read() as session:
            return list(
                session.scalars(
                    sa.select(CourseLink)
                    .where(CourseLink.registration_id == registration_id)
                    .where(CourseLink.class_key.in_(class_keys))
                    .order_by(CourseLink.context_id, CourseLink.class_key)
                )
            )

    def _link(
        self,
        registration_id: int,
        context_id: str,
        class_keys: Sequence[str],
        *,
        method: str,
        actor: str,
        anywhere: bool = False,
    ) -> list[str]:
        with self._database.write() as session:
            standing = set(self._linked(session, registration_id, context_id))
            new = [key for key in class_keys if key not in standing]
            if not new:
                return sorted(standing)
            if not anywhere:
                self._check(session, registration_id, context_id, standing, new)
            now = self._clock.now()
            session.execute(
                self._database.upsert(CourseLink).on_conflict_do_nothing(),
                [
                    {
                        "registration_id": registration_id,
                        "context_id": context_id,
                        "class_key": class_key,
                        "method": method,
                        "linked_by": actor,
                        "created_at": now,
                    }
                    for class_key in new
                ],
            )
            self._record(session, "course.linked", registration_id, context_id, actor, new)
            return sorted({*standing, *new})

    def _check(
        self,
        session: Session,
        registration_id: int,
        context_id: str,
        standing: set[str],
        new: Sequence[str],
    ) -> None:
        if standing:
            raise CourseLinkedError(
                "This course is linked to another class already.",
                remedy="An administrator can change which class it is.",
                class_keys=sorted(standing),
            )
        elsewhere = session.execute(
            sa.select(CourseLink.class_key, CourseLink.context_id)
            .where(CourseLink.registration_id == registration_id)
            .where(CourseLink.class_key.in_(new))
            .where(CourseLink.context_id != context_id)
            .order_by(CourseLink.class_key)
        ).all()
        if elsewhere:
            places = ", ".join(sorted({row.context_id for row in elsewhere}))
            raise ClassLinkedElsewhereError(
                f"This class is linked already to the course with the id {places}.",
                remedy="Use that course, or ask an administrator to link this one as well.",
                links=[
                    {"class_key": row.class_key, "context_id": row.context_id} for row in elsewhere
                ],
            )

    def _linked(self, session: Executor, registration_id: int, context_id: str) -> list[str]:
        keys = {"registration": registration_id, "context": context_id}
        return list(session.scalars(_LINKED, keys))

    def _record(
        self,
        session: Session,
        action: str,
        registration_id: int,
        context_id: str,
        actor: str,
        class_keys: Sequence[str],
    ) -> None:
        self._audit.record(
            session,
            actor=actor,
            action=action,
            target=f"registration:{registration_id}/course:{context_id}"[:300],
            class_keys=sorted(class_keys),
        )


def _with_combined(classes: Iterable[ClassView]) -> list[str]:
    return sorted({key for class_ in classes for key in (class_.class_key, *class_.combined_with)})
