"""One score on its way to the platform, and what became of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from lti_tool.core.errors import NagaError, OutboundError
from lti_tool.lti.assignment_grades import (
    AgsConflictError,
    AgsGoneError,
    AgsNotOfferedError,
    AgsRefusedError,
    AssignmentGrades,
    InvalidScoreError,
    Score,
)
from lti_tool.lti.models import Registration
from lti_tool.lti.service_errors import ServiceError
from lti_tool.sis.entities import GradeStatus, PartGradeView
from lti_tool.sync.models import GradePushItem, ItemState
from lti_tool.sync.push_plan import MAXIMUM, held_scores, same_score
from lti_tool.sync.push_reasons import PushReason


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one item. ``fatal``: it would happen to every other item too."""

    state: ItemState
    reason: PushReason | None = None
    detail: str | None = None
    previous: Decimal | None = None
    sent_at: dt.datetime | None = None
    gone: bool = False
    fatal: bool = False


class Sender:
    """Calls the platform, from many threads; touches no table of this room."""

    def __init__(self, assignment_grades: AssignmentGrades, registration: Registration) -> None:
        self._grades = assignment_grades
        self._registration = registration

    def send(self, url: str, item: GradePushItem, sent_at: dt.datetime, recreated: bool) -> Receipt:
        """Send one item; ``recreated``: its column was lost once already in this run."""
        try:
            score = Score(
                user_id=item.user_id or "",
                score_given=item.score,
                score_maximum=MAXIMUM,
                timestamp=sent_at,
            )
            self._grades.post_score(self._registration, url, score)
        except InvalidScoreError as error:
            return Receipt(ItemState.REFUSED, PushReason.OUT_OF_RANGE, error.detail)
        except AgsConflictError:
            return self._newer(url, item)
        except AgsGoneError as error:
            if not recreated:
                return Receipt(ItemState.SEND, gone=True)
            return Receipt(ItemState.FAILED, PushReason.COLUMN_GONE, error.detail)
        except OutboundError as error:
            return failure(error, sent_at=sent_at)
        return Receipt(ItemState.SENT, sent_at=sent_at)

    def read_back(self, url: str, items: Iterable[GradePushItem]) -> dict[str, Receipt]:
        """Look once at what a column holds; receipts of items that it keeps otherwise, by person.

        A platform answers alike whether it took a score, cut it, or kept a teacher's own instead.
        Raises AgsError.
        """
        held = held_scores(self._grades, self._registration, url)
        return {
            item.person_key: Receipt(
                ItemState.REFUSED,
                PushReason.OVERRIDDEN_IN_PLATFORM,
                _both(held.get(item.user_id or ""), item.score),
                previous=held.get(item.user_id or ""),
                sent_at=item.sent_at,
            )
            for item in items
            if not same_score(held.get(item.user_id or ""), item.score)
        }

    def _newer(self, url: str, item: GradePushItem) -> Receipt:
        """The platform holds something later: it may be this very grade."""
        try:
            results = self._grades.results(self._registration, url, user_id=item.user_id)
        except OutboundError as error:
            return failure(error, sent_at=None)
        held = results[0].scaled_to(MAXIMUM) if results else None
        if held is not None and same_score(held, item.score):
            return Receipt(ItemState.UNCHANGED, previous=held)
        return Receipt(
            ItemState.REFUSED,
            PushReason.NEWER_IN_PLATFORM,
            _both(held, item.score),
            previous=held,
        )


def changed(item: GradePushItem, grade: PartGradeView | None) -> Receipt | None:
    """A receipt if the SIS no longer says what was previewed."""
    if grade is not None and grade.status is not GradeStatus.DRAFT and grade.score == item.score:
        return None
    now = "a draft" if grade and grade.status is GradeStatus.DRAFT else None
    now = now or _plain(grade.score if grade else None)
    return Receipt(
        ItemState.REFUSED,
        PushReason.CHANGED_SINCE_PREVIEW,
        f"The preview showed {_plain(item.score)}, the SIS has {now} now.",
    )


def failure(error: NagaError, *, sent_at: dt.datetime | None) -> Receipt:
    """What an error of the platform means for an item that was, or was to be, sent."""
    if _shut(error):
        return Receipt(ItemState.FAILED, PushReason.NO_ACCESS, _evidence(error), fatal=True)
    if isinstance(error, AgsRefusedError):
        return Receipt(ItemState.REFUSED, PushReason.PLATFORM_REFUSED, _evidence(error))
    return Receipt(
        ItemState.FAILED,
        PushReason.PLATFORM_UNAVAILABLE,
        _evidence(error),
        sent_at=sent_at if getattr(error, "uncertain", False) else None,
        fatal=_passes(error),
    )


def _shut(error: NagaError) -> bool:
    """Whether the platform gives us no token, or takes none: nobody's grade would pass."""
    if isinstance(error, AgsNotOfferedError):
        return True
    if not isinstance(error, AgsRefusedError):
        return False
    return "token_error" in error.context or error.http_status == 401


def _passes(error: NagaError) -> bool:
    return not isinstance(error, ServiceError) or error.transient


def _evidence(error: NagaError) -> str:
    """What the platform said, for the receipt."""
    parts = [error.detail, error.remedy]
    status = error.context.get("http_status")
    if status is not None:
        parts.append(f"(HTTP {status})")
    return " ".join(part for part in parts if part)


def _both(held: Decimal | None, ours: Decimal | None) -> str:
    return f"The platform holds {_plain(held)}, the SIS has {_plain(ours)}."


def _plain(score: Decimal | None) -> str:
    return "no grade" if score is None else f"{score:.2f}"
