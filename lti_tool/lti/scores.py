"""Scores, results and line items: what Assignment and Grade Services speak of."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from lti_tool.core.errors import InvalidInputError

ACTIVITY_PROGRESS = frozenset({"Initialized", "Started", "InProgress", "Submitted", "Completed"})
GRADING_PROGRESS = frozenset({"FullyGraded", "Pending", "PendingManual", "Failed", "NotReady"})


class InvalidScoreError(InvalidInputError):
    """A score that must not be sent: not a number, below zero, above the maximum…"""

    code = "invalid_score"
    title = "The score is not valid"


@dataclass(frozen=True, slots=True)
class Score:
    """A score for one user, validated when it is made; raises :class:`InvalidScoreError`.

    ``score_given`` of ``None`` with ``FullyGraded`` clears the grade on the platform.
    ``timestamp`` must increase with every score of the same line item and user; see
    ``Platform.next_timestamp``.
    """

    user_id: str
    score_given: Decimal | None
    score_maximum: Decimal
    timestamp: dt.datetime
    activity_progress: str = "Completed"
    grading_progress: str = "FullyGraded"
    comment: str | None = None
    started_at: dt.datetime | None = None
    submitted_at: dt.datetime | None = None

    def __post_init__(self) -> None:
        """Refuse what no platform should ever be sent."""
        if not self.user_id:
            raise InvalidScoreError("A score needs a user.", field="user_id")
        _check_number(self.score_maximum, "score_maximum")
        if self.score_maximum <= 0:
            raise InvalidScoreError("The maximum must be above zero.", field="score_maximum")
        if self.score_given is not None:
            _check_number(self.score_given, "score_given")
            if not 0 <= self.score_given <= self.score_maximum:
                raise InvalidScoreError(
                    f"The score must be from 0 to {self.score_maximum}.", field="score_given"
                )
        for name in ("timestamp", "started_at", "submitted_at"):
            moment = getattr(self, name)
            if moment is not None and moment.tzinfo is None:
                raise InvalidScoreError("The time must have a time zone.", field=name)
        if self.activity_progress not in ACTIVITY_PROGRESS:
            raise InvalidScoreError("Unknown activity progress.", field="activity_progress")
        if self.grading_progress not in GRADING_PROGRESS:
            raise InvalidScoreError("Unknown grading progress.", field="grading_progress")

    @property
    def progress_only(self) -> bool:
        """Whether it reports progress and not a final grade."""
        return self.grading_progress != "FullyGraded"

    def document(self) -> dict[str, Any]:
        """The JSON of ``application/vnd.ims.lis.v1.score+json``."""
        document: dict[str, Any] = {
            "userId": self.user_id,
            "timestamp": iso_time(self.timestamp),
            "activityProgress": self.activity_progress,
            "gradingProgress": self.grading_progress,
        }
        if self.score_given is not None:
            document["scoreGiven"] = as_number(self.score_given)
            document["scoreMaximum"] = as_number(self.score_maximum)
        if self.comment is not None:
            document["comment"] = self.comment
        submission = {
            name: iso_time(moment)
            for name, moment in (("startedAt", self.started_at), ("submittedAt", self.submitted_at))
            if moment is not None
        }
        if submission:
            document["submission"] = submission
        return document


@dataclass(frozen=True, slots=True)
class Result:
    """The grade that the platform holds. ``score`` of ``None`` means unknown, not zero."""

    user_id: str
    score: Decimal | None
    maximum: Decimal | None
    comment: str | None = None

    def scaled_to(self, maximum: Decimal) -> Decimal | None:
        """The score on a scale of 0 to ``maximum``; platforms may answer on their own scale."""
        if self.score is None or not self.maximum or self.maximum == maximum:
            return self.score
        return self.score * maximum / self.maximum


@dataclass(frozen=True, slots=True)
class LineItem:
    """A column of the platform's gradebook. ``url`` is its identity. ``document`` is as read."""

    url: str
    label: str
    maximum: Decimal
    resource_id: str | None = None
    tag: str | None = None
    resource_link_id: str | None = None
    document: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)


def as_number(value: Decimal) -> int | float:
    """A decimal as the JSON number that reads the same."""
    return int(value) if value == value.to_integral_value() else float(value)


def iso_time(moment: dt.datetime) -> str:
    """ISO 8601 in UTC with milliseconds and an offset."""
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds")


def _check_number(value: Decimal, name: str) -> None:
    # Callers type their decimals, yet a float NaN that slipped through would compare as false.
    if not isinstance(value, Decimal) or not value.is_finite():
        raise InvalidScoreError("The score is not a finite decimal number.", field=name)
