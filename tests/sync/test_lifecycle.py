"""When courses open and close, and who has a place: the tables of docs/sync.md."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from lti_tool.sis.entities import (
    ClassStatus,
    ClassType,
    ClassView,
    EnrollmentStatus,
    Membership,
    PersonStatus,
    TimeOfDay,
)
from lti_tool.sync.lifecycle import Lifecycle, account_suspended, place

PHNOM_PENH = ZoneInfo("Asia/Phnom_Penh")
START, END = dt.date(2026, 3, 2), dt.date(2026, 6, 1)


def _view(status: ClassStatus = ClassStatus.ACTIVE) -> ClassView:
    return ClassView(
        class_key="C1",
        course_code="EHSS-07",
        course_title="English 7",
        term_code="T1",
        term_start=START,
        term_end=END,
        section="A",
        time_of_day=TimeOfDay.EVE,
        class_type=ClassType.STANDARD,
        status=status,
        sessions=(),
        term_key="T1",
    )


@pytest.mark.parametrize(
    ("status", "suspended"),
    [
        (PersonStatus.ACTIVE, False),
        (PersonStatus.UNKNOWN, False),
        (PersonStatus.GRADUATED, False),
        (PersonStatus.INACTIVE, True),
        (PersonStatus.DROPPED, True),
        (PersonStatus.SUSPENDED, True),
        (PersonStatus.TRANSFERRED, True),
        (PersonStatus.FROZEN, True),
        (PersonStatus.DECEASED, True),
    ],
)
def test_accounts(status: PersonStatus, suspended: bool) -> None:
    assert account_suspended(status) is suspended
    enrolled = Membership("C1", "S1", EnrollmentStatus.ENROLLED, False, status)
    assert place(enrolled) == ("suspended" if suspended else "active")


@pytest.mark.parametrize("status", list(EnrollmentStatus))
def test_places(status: EnrollmentStatus) -> None:
    gone = {
        EnrollmentStatus.DROPPED,
        EnrollmentStatus.WITHDRAWN,
        EnrollmentStatus.NO_SHOW_ACADEMIC,
        EnrollmentStatus.NO_SHOW_LANGUAGE,
    }
    found = place(Membership("C1", "S1", status, False, PersonStatus.ACTIVE))
    assert found == ("suspended" if status in gone else "active")


@pytest.mark.parametrize("status", list(ClassStatus))
def test_a_class_that_is_taught_is_seen_and_a_draft_has_no_course(status: ClassStatus) -> None:
    lifecycle = Lifecycle(PHNOM_PENH)
    assert lifecycle.exists(_view(status)) is (status is not ClassStatus.DRAFT)
    taught = {ClassStatus.SCHEDULED, ClassStatus.ACTIVE, ClassStatus.COMPLETED}
    assert lifecycle.visible(_view(status), today=START) is (status in taught)


def test_courses_open_and_close_by_date() -> None:
    lifecycle = Lifecycle(PHNOM_PENH, open_days=7, archive_days=30)
    assert not lifecycle.visible(_view(), today=START - dt.timedelta(days=8))
    assert lifecycle.visible(_view(), today=START - dt.timedelta(days=7))
    last, after = END + dt.timedelta(days=30), END + dt.timedelta(days=31)
    assert lifecycle.visible(_view(), today=last)
    assert lifecycle.visible(_view(), today=after)
    assert not lifecycle.readonly(_view(), today=last)
    assert lifecycle.readonly(_view(), today=after)
    hidden = Lifecycle(PHNOM_PENH, archive_days=30, archived="hidden")
    assert hidden.visible(_view(), today=last)
    assert not hidden.visible(_view(), today=after)
    assert not hidden.readonly(_view(), today=after)
    left_open = Lifecycle(PHNOM_PENH, archived="open")
    assert left_open.visible(_view(), today=END + dt.timedelta(days=3000))
    assert not left_open.readonly(_view(), today=END + dt.timedelta(days=3000))


def test_days_are_those_of_the_school() -> None:
    lifecycle = Lifecycle(PHNOM_PENH)
    # Phnom Penh is seven hours ahead of UTC all year.
    midnight = dt.datetime(2026, 3, 1, 17, tzinfo=dt.UTC)
    assert lifecycle.today(midnight) == START
    assert lifecycle.today(midnight - dt.timedelta(seconds=1)) == START - dt.timedelta(days=1)
    assert lifecycle.starts(_view()) == int(midnight.timestamp())
    assert lifecycle.ends(_view()) == int(dt.datetime(2026, 6, 1, 17, tzinfo=dt.UTC).timestamp())
