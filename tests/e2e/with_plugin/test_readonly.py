"""A course whose term is long over: students read it, nobody writes in it, and it opens again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from lti_tool.moodle.documents import Roster
from lti_tool.sis.changes import record_since
from lti_tool.sis.models import ClassHeader, Term
from lti_tool.wiring import Services
from tests.e2e.conftest import OpenBrowser
from tests.e2e.moodle.pages import settled, sign_in
from tests.e2e.with_plugin.campus import Campus

pytestmark = [pytest.mark.moodle, pytest.mark.browser, pytest.mark.timeout(600)]


@pytest.fixture
def services(campus: Campus) -> Iterator[Services]:
    with campus.tool.services() as found:
        yield found


def _archived(services: Services) -> tuple[str, str, str]:
    """A class whose course can only be read, a student and a teacher of it."""
    sis, lifecycle = services.sis_extracts, services.provisioning.rendering
    today = services.clock.now().date()
    for key, view in sorted(sis.classes(sis.class_keys()).items()):
        if view.combined_with or today < lifecycle.archived_since(view):
            continue
        found = lifecycle.render("roster", [key], now=services.clock.now(), site_id=0)[key]
        roles = {m.role: m.user for m in getattr(found, "members", []) if m.status == "active"}
        if isinstance(found, Roster) and {"student", "editingteacher"} <= roles.keys():
            return key, roles["student"], roles["editingteacher"]
    raise AssertionError("no term of the campus is long over")


def _end(services: Services, class_key: str, day: dt.date) -> dt.date:
    """Let the term of a class end on this day; returns when it ended before."""
    now = services.clock.now()
    with services.database.write() as session:
        header = session.scalars(sa.select(ClassHeader).filter_by(sourced_id=class_key)).one()
        term = session.get_one(Term, header.term_id)
        before, term.end_date, term.updated_at = term.end_date, day, now
        record_since(session, now)
    return before


def test_it_is_read_and_not_written_until_its_term_goes_on(
    campus: Campus, services: Services, open_browser: OpenBrowser
) -> None:
    class_key, student, teacher = _archived(services)
    made = campus.plugins.act("activities", course=class_key)
    assert "can only be read since" in campus.sync("explain", student, class_key)
    for person, writes in ((student, "Submit"), (teacher, "Edit mode")):
        page = open_browser().new_page()
        sign_in(page, campus.moodle, *campus.account(person))
        page.goto(f"{campus.moodle.url}/course/view.php?id={made['course']}")
        settled(page)
        expect(page.get_by_role("link", name="Discuss here").first).to_be_visible()
        assert writes == "Submit" or page.get_by_text(writes).count() == 0
        page.goto(f"{campus.moodle.url}/mod/forum/view.php?id={made['forum']}")
        settled(page)
        expect(page.get_by_role("heading", name="Discuss here")).to_be_visible()
        assert page.get_by_role("link", name="Add discussion topic").count() == 0
        page.goto(f"{campus.moodle.url}/mod/assign/view.php?id={made['assign']}")
        settled(page)
        assert page.get_by_role("button", name="Add submission").count() == 0
    # Past the pages: what is sent is refused too.
    refused = campus.plugins.act("write", person=student, **made)
    assert refused == {"post": False, "submit": False}

    before = _end(services, class_key, services.clock.now().date() + dt.timedelta(days=10))
    try:
        assert "updated" in campus.sync("apply")
        page = open_browser().new_page()
        sign_in(page, campus.moodle, *campus.account(student))
        page.goto(f"{campus.moodle.url}/mod/assign/view.php?id={made['assign']}")
        settled(page)
        expect(page.get_by_role("button", name="Add submission")).to_be_visible()
        assert campus.plugins.act("write", person=student, **made) == {"post": True, "submit": True}
    finally:
        _end(services, class_key, before)
        campus.sync("apply")
    assert campus.plugins.act("write", person=student, **made) == {"post": False, "submit": False}
