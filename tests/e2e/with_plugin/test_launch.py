"""The campus opens the connected tool: nobody has to be linked by hand."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import OpenBrowser
from tests.e2e.moodle.pages import settled
from tests.e2e.tool_pages import arrived
from tests.e2e.with_plugin.link import Link, arrive

pytestmark = [pytest.mark.moodle, pytest.mark.browser, pytest.mark.timeout(900)]


def test_a_student_is_recognised_and_sees_their_own_class(
    link: Link, open_browser: OpenBrowser
) -> None:
    chosen = link.campus.chosen
    page = arrive(open_browser(), link.campus, chosen.students[0])
    text = arrived(link.open(page), chosen.course).inner_text()
    assert "administrator" not in text
    with link.campus.tool.services() as services:
        others = services.sis_extracts.people(chosen.students[1:])
    for person in others.values():
        assert person.student_id
        assert person.student_id not in text


def test_the_teacher_is_recognised_and_works_with_the_whole_class(
    link: Link, open_browser: OpenBrowser
) -> None:
    chosen = link.campus.chosen
    page = arrive(open_browser(), link.campus, chosen.teacher)
    text = arrived(link.open(page), link.name).inner_text()
    with link.campus.tool.services() as services:
        people = services.sis_extracts.people(chosen.students)
    assert [who for who, person in people.items() if str(person.student_id) not in text] == []


def test_accounts_are_linked_by_what_the_sis_gave_them(link: Link) -> None:
    campus = link.campus
    people = [campus.chosen.students[0], campus.chosen.teacher]
    with campus.tool.services() as services, services.database.read() as session:
        (site,) = services.sites.moodles()
        linked = services.people.by_person(session, site.registration_id, people)
    assert linked == {person: str(campus.place(person)["user"]) for person in people}


def test_nobody_can_give_themselves_anothers_id_number(
    link: Link, open_browser: OpenBrowser
) -> None:
    campus = link.campus
    page = arrive(open_browser(), campus, campus.chosen.students[0])
    page.goto(f"{campus.moodle.url}/user/edit.php")
    settled(page)
    for field in ("idnumber", "email"):
        assert page.locator(f"input[type=text][name={field}]:not([readonly])").count() == 0, field
