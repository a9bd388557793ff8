"""A push as pages show it: how far it is, and its items in plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from lti_tool.sis.interfaces import StudentInformationSystem
from lti_tool.sync.models import GradePush, GradePushItem, ItemState, PushState
from lti_tool.sync.push_reasons import WORDS, PushReason


@dataclass(frozen=True, slots=True)
class PushProgress:
    """How far a push is. ``reasons`` counts refusals and failures by their reason.

    ``new_columns`` are the part keys for which a column will be created.
    """

    push: GradePush
    counts: Mapping[ItemState, int]
    reasons: Mapping[PushReason, int]
    new_columns: tuple[str, ...]

    @property
    def total(self) -> int:
        """All items."""
        return sum(self.counts.values())

    @property
    def done(self) -> int:
        """Items that are not to be sent any more."""
        return self.total - self.counts[ItemState.SEND]

    @property
    def active(self) -> bool:
        """Whether it waits for a worker or runs."""
        return self.push.state in (PushState.QUEUED, PushState.RUNNING)

    @property
    def can_retry(self) -> bool:
        """Whether :meth:`GradePushes.retry` has something to send."""
        return self.push.state in (PushState.DONE, PushState.FAILED) and (
            self.counts[ItemState.FAILED] + self.counts[ItemState.SEND] > 0
            or any(reason.retryable for reason in self.reasons)
        )


@dataclass(frozen=True, slots=True)
class PushLine:
    """An item as the page shows it; ``reason`` and ``remedy`` are plain words or empty."""

    item: GradePushItem
    name: str
    khmer_name: str | None
    student_id: str | None
    part_name: str
    class_label: str
    reason: str
    remedy: str


def read_progress(session: Session, push: GradePush) -> PushProgress:
    """Count the items of a push: two statements."""
    of_this = GradePushItem.push_id == push.id
    rows = session.execute(
        sa.select(GradePushItem.state, GradePushItem.reason, sa.func.count())
        .where(of_this)
        .group_by(GradePushItem.state, GradePushItem.reason)
    ).all()
    new = session.scalars(
        sa.select(GradePushItem.part_key)
        .where(of_this)
        .where(GradePushItem.reason == PushReason.COLUMN_NEW)
        .distinct()
        .order_by(GradePushItem.part_key)
    ).all()
    counts = dict.fromkeys(ItemState, 0)
    reasons: dict[PushReason, int] = {}
    for state, reason, count in rows:
        counts[state] += count
        if reason is not None and state in (ItemState.REFUSED, ItemState.FAILED):
            key = PushReason(reason)
            reasons[key] = reasons.get(key, 0) + count
    return PushProgress(push, counts, reasons, tuple(new))


def read_items(
    session: Session, push_id: str, *, state: ItemState | None, offset: int, limit: int
) -> Sequence[GradePushItem]:
    """A slice of the items, by student."""
    statement = (
        sa.select(GradePushItem)
        .where(GradePushItem.push_id == push_id)
        .order_by(GradePushItem.sort_name, GradePushItem.person_key, GradePushItem.part_key)
        .offset(offset)
        .limit(limit)
    )
    if state is not None:
        statement = statement.where(GradePushItem.state == state)
    return session.scalars(statement).all()


def push_lines(sis: StudentInformationSystem, rows: Sequence[GradePushItem]) -> list[PushLine]:
    """The items with names, part names and plain words."""
    people = sis.people({row.person_key for row in rows})
    parts: dict[str, tuple[str, str]] = {}
    for class_key in {row.class_key for row in rows}:
        class_ = sis.class_(class_key)
        if class_ is not None:
            parts |= {part.part_key: (part.name, class_.label) for part in class_.parts}
    lines = []
    for row in rows:
        person = people.get(row.person_key)
        part_name, class_label = parts.get(row.part_key, (row.part_key, row.class_key))
        words = WORDS[PushReason(row.reason)] if row.reason else None
        lines.append(
            PushLine(
                item=row,
                name=person.full_name if person else row.person_key,
                khmer_name=person.khmer_name if person else None,
                student_id=person.student_id if person else None,
                part_name=part_name,
                class_label=class_label,
                reason=words.reason if words else "",
                remedy=(words.remedy or "") if words else "",
            )
        )
    return lines
