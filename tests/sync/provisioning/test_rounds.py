"""The schedule's rounds: one site's trouble keeps no other waiting."""

from __future__ import annotations

import datetime as dt

from lti_tool.core.errors import ConflictError
from lti_tool.moodle.models import Site
from lti_tool.sis.models import Term
from lti_tool.sync.provisioning.models import SyncRun
from tests.sync.connected import connected_site
from tests.sync.provisioning.conftest import Campus


def _second_site(campus: Campus) -> int:
    return connected_site(campus.database, campus.clock, "http://127.0.0.1:1", name="Other").id


def test_a_site_that_is_away_keeps_no_other_waiting(campus: Campus) -> None:
    away = _second_site(campus)
    campus.parts.rounds.changes()
    assert campus.equal()
    assert campus.parts.marks.counts(away)["user"] > 0, "nothing is consumed"
    # While it is away there is no run each few seconds.
    for _ in range(5):
        campus.parts.rounds.changes()
    assert len(campus.parts.runs.recent(away)) <= 2
    assert campus.count("sync_dead_letter") == 0


def test_whatever_breaks_at_one_site_the_next_has_its_turn(campus: Campus) -> None:
    other = _second_site(campus)
    seen: list[int] = []

    def act(site: Site) -> SyncRun | None:
        seen.append(site.id)
        if len(seen) == 1:
            raise ZeroDivisionError
        raise ConflictError("no")

    campus.parts.rounds.each(act)
    assert seen == [campus.site.id, other]


def test_courses_open_and_close_by_date(campus: Campus) -> None:
    campus.run()
    closed = _closed(campus)
    with campus.database.read() as session:
        last = max(term.end_date for term in session.query(Term))
    days = (last + dt.timedelta(days=40) - campus.clock.now().date()).days
    campus.clock.advance(days=days)
    campus.parts.rounds.everything()
    assert len(_closed(campus)) > len(closed)
    assert campus.equal()


def _closed(campus: Campus) -> list[str]:
    """Courses that are hidden, or can only be read."""
    courses = campus.platform.state.courses.values()
    return [each.idnumber for each in courses if each.readonly or not each.visible]
