"""The columns of a platform's gradebook that a push writes to."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from lti_tool.core.database import Database
from lti_tool.lti.assignment_grades import AssignmentGrades
from lti_tool.lti.models import Registration
from lti_tool.sis.interfaces import StudentInformationSystem
from lti_tool.sync.models import CourseLink, GradePush, GradePushItem, ItemState, LineItemLink
from lti_tool.sync.push_plan import MAXIMUM, TAG


class PushColumns:
    """Finds, makes and forgets the columns of one push. ``beat`` guards each transaction."""

    def __init__(
        self,
        database: Database,
        sis: StudentInformationSystem,
        assignment_grades: AssignmentGrades,
        registration: Registration,
        push: GradePush,
        beat: Callable[[Session], None],
    ) -> None:
        self._database = database
        self._sis = sis
        self._grades = assignment_grades
        self._registration = registration
        self._push = push
        self._beat = beat
        self._lost: set[str] = set()

    def known(self, part_key: str) -> str | None:
        """The address of the part's column, if one was used before."""
        key = (self._push.registration_id, self._push.context_id, part_key)
        with self._database.read() as session:
            link = session.get(LineItemLink, key)
        return link.url if link else None

    def ensure(self, class_key: str, part_key: str) -> str:
        """The address of the part's column, found or created. Raises AgsError."""
        known = self.known(part_key)
        if known is not None:
            return known
        item = self._grades.ensure_line_item(
            self._registration,
            self._push.ags,
            label=self._label(class_key, part_key),
            maximum=MAXIMUM,
            resource_id=part_key,
            tag=TAG,
        )
        with self._database.write() as session:
            self._beat(session)
            session.merge(
                LineItemLink(
                    registration_id=self._push.registration_id,
                    context_id=self._push.context_id,
                    part_key=part_key,
                    url=item.url,
                    maximum=item.maximum,
                )
            )
        return item.url

    def was_lost(self, part_key: str) -> bool:
        """Whether this column disappeared once already in this run."""
        return part_key in self._lost

    def forget(self, part_key: str) -> None:
        """The column is gone, and with it what was sent to it: that is to be sent once more."""
        self._lost.add(part_key)
        with self._database.write() as session:
            self._beat(session)
            session.execute(
                sa.delete(LineItemLink)
                .where(LineItemLink.registration_id == self._push.registration_id)
                .where(LineItemLink.context_id == self._push.context_id)
                .where(LineItemLink.part_key == part_key)
            )
            session.execute(
                sa.update(GradePushItem)
                .where(unconfirmed(self._push.id, part_key))
                .values(state=ItemState.SEND)
                .execution_options(synchronize_session=False)
            )

    def _label(self, class_key: str, part_key: str) -> str:
        class_ = self._sis.class_(class_key)
        part = class_ and next((p for p in class_.parts if p.part_key == part_key), None)
        if not class_ or not part:
            return part_key
        with self._database.read() as session:
            classes = session.scalar(
                sa.select(sa.func.count())
                .select_from(CourseLink)
                .where(CourseLink.registration_id == self._push.registration_id)
                .where(CourseLink.context_id == self._push.context_id)
            )
        return class_.part_label(part, alone=classes == 1)


def unconfirmed(push_id: str, part_key: str) -> sa.ColumnElement[bool]:
    """Items that the platform took, and of which nobody has looked what it made."""
    return sa.and_(
        GradePushItem.push_id == push_id,
        GradePushItem.part_key == part_key,
        GradePushItem.state == ItemState.SENT,
        GradePushItem.confirmed_at.is_(None),
    )
