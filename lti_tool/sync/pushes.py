"""Grade pushes: preview, queue, run by a worker, receipts, retry.

A push is rows in the database from its preview on. The worker only knows that there is work: it can
die at any point and another goes on from what is stored.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from lti_tool.core.audit import AuditLog
from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.core.errors import ConflictError, InvalidInputError, NotFoundError
from lti_tool.lti.assignment_grades import AssignmentGrades
from lti_tool.lti.models import Registration
from lti_tool.lti.names_roles import NamesRoles
from lti_tool.sis.entities import GradeStatus, PartGradeView
from lti_tool.sis.interfaces import StudentInformationSystem
from lti_tool.sync.accounts import Accounts
from lti_tool.sync.courses import Courses
from lti_tool.sync.models import GradePush, GradePushItem, ItemState, LineItemLink, PushState
from lti_tool.sync.push_plan import Plan, Planner
from lti_tool.sync.push_reasons import RETRYABLE, PushReason
from lti_tool.sync.push_run import PushRun, claim, claimable
from lti_tool.sync.push_views import PushLine, PushProgress, push_lines, read_items, read_progress

log = structlog.get_logger(__name__)

_INSERT_CHUNK = 2000
_PREVIEW_DAYS = 1


class PushRunningError(ConflictError):
    """Grades of this course are on their way already."""

    code = "push_running"
    title = "Grades of this course are being sent already"


class PushStateError(ConflictError):
    """The push is not in the state that this step starts from."""

    code = "push_state"
    title = "This step is not open to this push"


class GradePushes:
    """Pushes of part grades to platforms.

    ``concurrency``: calls to a platform at once. ``batch_size``: scores whose receipts are stored
    together; a worker that is killed sends at most so many again.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        sis: StudentInformationSystem,
        people: Accounts,
        courses: Courses,
        assignment_grades: AssignmentGrades,
        names_roles: NamesRoles,
        audit: AuditLog,
        *,
        concurrency: int = 4,
        batch_size: int = 100,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sis = sis
        self._courses = courses
        self._grades = assignment_grades
        self._audit = audit
        self._concurrency = concurrency
        self._batch_size = batch_size
        self._planner = Planner(database, sis, people, assignment_grades, names_roles)

    def preview(
        self,
        registration: Registration,
        *,
        context_id: str,
        class_keys: Sequence[str],
        ags: Mapping[str, Any] | None,
        nrps: Mapping[str, Any] | None,
        actor: str,
        part_keys: Collection[str] | None = None,
    ) -> GradePush:
        """Compare the SIS's grades with the platform's and keep what a push would do.

        Nothing changes on the platform. Without ``nrps`` nobody is refused as not in the course.

        Raises:
            AgsNotOfferedError: the launch offers no gradebook, or not all of what is needed.
            InvalidInputError: no class of the course, or no part.
            AgsError, NrpsError subclasses: the platform did not answer as it should.
        """
        of_course = set(self._courses.class_keys(registration.id, context_id))
        foreign = sorted(set(class_keys) - of_course)
        if foreign:
            raise InvalidInputError(
                "This class is not linked to this course.", field="class_keys", class_keys=foreign
            )
        plan = self._planner.plan(
            registration,
            class_keys=class_keys,
            ags=ags,
            nrps=nrps,
            part_keys=part_keys,
            linked=self._line_item_links(registration.id, context_id),
        )
        push = GradePush(
            id=secrets.token_hex(13),
            registration_id=registration.id,
            context_id=context_id,
            ags=dict(ags or {}),
            state=PushState.PREVIEW,
            created_by=actor,
            created_at=self._clock.now(),
        )
        with self._database.write() as session:
            self._keep_line_items(session, registration.id, context_id, plan)
            session.add(push)
            session.flush()
            for start in range(0, len(plan.items), _INSERT_CHUNK):
                session.execute(
                    sa.insert(GradePushItem),
                    [
                        {"push_id": push.id, **item}
                        for item in plan.items[start : start + _INSERT_CHUNK]
                    ],
                )
        return push

    def queue(self, push_id: str, *, actor: str) -> GradePush:
        """Hand a preview to the workers.

        Raises:
            PushRunningError: another push of the same course is queued or running.
            PushStateError: it was queued before. NotFoundError: there is no such push.
        """
        with self._database.write() as session:
            push = self._get(session, push_id)
            if push.state is not PushState.PREVIEW:
                raise PushStateError(
                    "This push was started before.", remedy="Make a new preview.", push_id=push_id
                )
            return self._enqueue(session, push, actor=actor, action="grades.queued")

    def retry(self, push_id: str, *, actor: str) -> GradePush:
        """Queue what failed, was left over, or was refused for a reason that may have passed.

        A grade that changed after the preview is sent as the SIS has it now.

        Raises:
            PushStateError: it is not finished, or there is nothing to retry.
            PushRunningError, NotFoundError
        """
        grades = self._current_grades(push_id)
        with self._database.write() as session:
            push = self._get(session, push_id)
            if push.state not in (PushState.DONE, PushState.FAILED):
                raise PushStateError("This push is not finished.", push_id=push_id)
            items = session.execute(
                sa.select(
                    GradePushItem.part_key,
                    GradePushItem.person_key,
                    GradePushItem.state,
                    GradePushItem.reason,
                )
                .where(GradePushItem.push_id == push_id)
                .where(_retryable())
            ).all()
            again = []
            for item in items:
                values: dict[str, Any] = {
                    "push_id": push_id,
                    "part_key": item.part_key,
                    "person_key": item.person_key,
                    "state": ItemState.SEND,
                    "reason": None,
                    "detail": None,
                    "confirmed_at": None,
                }
                if item.reason == PushReason.CHANGED_SINCE_PREVIEW:
                    grade = grades.get((item.part_key, item.person_key))
                    if grade is None or grade.score is None or grade.status is GradeStatus.DRAFT:
                        continue
                    values["score"] = grade.score
                again.append(values)
            if not again:
                raise PushStateError("There is nothing that could be sent again.", push_id=push_id)
            for with_score in (True, False):
                some = [values for values in again if ("score" in values) is with_score]
                if some:
                    session.execute(sa.update(GradePushItem), some)
            push.finished_at = None
            push.error = None
            return self._enqueue(
                session, push, actor=actor, action="grades.retried", items=len(again)
            )

    def run(self, push_id: str) -> PushProgress:
        """Send what is to be sent; for workers. One that another worker holds is left alone.

        Resumable: every batch is committed, and after a crash at most one batch is sent again with
        later timestamps, which changes nothing.
        """
        runner = secrets.token_hex(16)
        push = claim(self._database, self._clock, push_id, runner)
        if push is not None:
            PushRun(
                self._database,
                self._clock,
                self._sis,
                self._grades,
                self._audit,
                push,
                runner,
                concurrency=self._concurrency,
                batch_size=self._batch_size,
            ).go()
        return self.progress(push_id)

    def resume_abandoned(self) -> list[str]:
        """Run what is queued, or was left by a worker that died; return the ids."""
        with self._database.read() as session:
            ids = list(
                session.scalars(
                    sa.select(GradePush.id)
                    .where(claimable(self._clock.now()))
                    .order_by(GradePush.created_at)
                )
            )
        for push_id in ids:
            self.run(push_id)
        return ids

    def progress(self, push_id: str) -> PushProgress:
        """How far a push is; raises :class:`NotFoundError`."""
        with self._database.read() as session:
            return read_progress(session, self._get(session, push_id))

    def items(
        self,
        push_id: str,
        *,
        state: ItemState | None = None,
        offset: int = 0,
        limit: int = 50,
    ) -> list[PushLine]:
        """A slice of the items, by student; before the run the plan, afterwards the receipts."""
        with self._database.read() as session:
            self._get(session, push_id)
            rows = read_items(session, push_id, state=state, offset=offset, limit=limit)
        return push_lines(self._sis, rows)

    def recent(self, registration_id: int, context_id: str, *, limit: int = 10) -> list[GradePush]:
        """The course's newest pushes; previews that were not started are left out."""
        with self._database.read() as session:
            return list(
                session.scalars(
                    sa.select(GradePush)
                    .where(GradePush.registration_id == registration_id)
                    .where(GradePush.context_id == context_id)
                    .where(GradePush.state != PushState.PREVIEW)
                    .order_by(GradePush.created_at.desc(), GradePush.id)
                    .limit(limit)
                )
            )

    def purge(self, *, older_than_days: int) -> int:
        """Delete old receipts, and previews of yesterday that were never started."""
        now = self._clock.now()
        with self._database.write() as session:
            return len(
                session.scalars(
                    sa.delete(GradePush)
                    .where(
                        (GradePush.finished_at < now - dt.timedelta(days=older_than_days))
                        | (
                            (GradePush.state == PushState.PREVIEW)
                            & (GradePush.created_at < now - dt.timedelta(days=_PREVIEW_DAYS))
                        )
                    )
                    .returning(GradePush.id)
                ).all()
            )

    def _get(self, session: Session, push_id: str) -> GradePush:
        push = session.get(GradePush, push_id)
        if push is None:
            raise NotFoundError("There is no such push.", push_id=push_id)
        return push

    def _enqueue(
        self, session: Session, push: GradePush, *, actor: str, action: str, **detail: Any
    ) -> GradePush:
        of_course = (
            sa.select(GradePush.id)
            .where(GradePush.registration_id == push.registration_id)
            .where(GradePush.context_id == push.context_id)
            .order_by(GradePush.id)
        )
        # Two who both find the course free would both send: on PostgreSQL, too, they go one after
        # the other.
        session.execute(of_course.with_for_update())
        other = session.scalar(
            of_course.where(GradePush.state.in_([PushState.QUEUED, PushState.RUNNING])).limit(1)
        )
        if other is not None:
            raise PushRunningError(
                "Grades of this course are being sent already.",
                remedy="Wait until that push is finished.",
                push_id=other,
            )
        push.state = PushState.QUEUED
        self._audit.record(session, actor=actor, action=action, target=f"push:{push.id}", **detail)
        return push

    def _current_grades(self, push_id: str) -> dict[tuple[str, str], PartGradeView]:
        with self._database.read() as session:
            changed = session.execute(
                sa.select(GradePushItem.class_key, GradePushItem.part_key)
                .where(GradePushItem.push_id == push_id)
                .where(GradePushItem.reason == PushReason.CHANGED_SINCE_PREVIEW)
                .distinct()
            ).all()
        by_class: dict[str, list[str]] = {}
        for class_key, part_key in changed:
            by_class.setdefault(class_key, []).append(part_key)
        return {
            (grade.part_key, grade.person_key): grade
            for class_key, part_keys in by_class.items()
            for grade in self._sis.part_grades(class_key, part_keys)
        }

    def _line_item_links(self, registration_id: int, context_id: str) -> dict[str, str]:
        with self._database.read() as session:
            rows = session.execute(
                sa.select(LineItemLink.part_key, LineItemLink.url)
                .where(LineItemLink.registration_id == registration_id)
                .where(LineItemLink.context_id == context_id)
            )
            return {row.part_key: row.url for row in rows}

    def _keep_line_items(
        self, session: Session, registration_id: int, context_id: str, plan: Plan
    ) -> None:
        """Remember which columns there are, and forget those that are gone."""
        session.execute(
            sa.delete(LineItemLink)
            .where(LineItemLink.registration_id == registration_id)
            .where(LineItemLink.context_id == context_id)
            .where(LineItemLink.part_key.in_(plan.part_keys))
        )
        if plan.line_items:
            session.execute(
                sa.insert(LineItemLink),
                [
                    {
                        "registration_id": registration_id,
                        "context_id": context_id,
                        "part_key": part_key,
                        "url": item.url,
                        "maximum": item.maximum,
                    }
                    for part_key, item in plan.line_items.items()
                ],
            )


def _retryable() -> sa.ColumnElement[bool]:
    return GradePushItem.state.in_([ItemState.FAILED, ItemState.SEND]) | (
        (GradePushItem.state == ItemState.REFUSED) & GradePushItem.reason.in_(sorted(RETRYABLE))
    )
