"""Who is suspended in the SIS is out of every page of a launch at the next request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from lti_tool.sis.entities import PersonStatus
from lti_tool.sis.models import Person
from tests.web.world import World

_CLOSED = "Your account is closed"


@contextmanager
def status(world: World, key: str, now: PersonStatus) -> Iterator[None]:
    """Another status in the SIS for a while."""
    person = sa.update(Person).where(Person.sourced_id == key)
    with world.services.database.write() as session:
        session.execute(person.values(status=now))
    try:
        yield
    finally:
        with world.services.database.write() as session:
            session.execute(person.values(status=PersonStatus.ACTIVE))


@pytest.mark.parametrize("who", ["student", "teacher"])
def test_every_page_of_a_launch_is_closed(world: World, who: str) -> None:
    visit = world.launch(who)
    assert visit.get("/").status_code == 200
    world.app.config["WTF_CSRF_ENABLED"] = False
    walked = 0
    try:
        with status(world, world.people[who].idnumber, PersonStatus.SUSPENDED):
            for rule in world.app.url_map.iter_rules():
                if not rule.rule.startswith("/l/<reference>"):
                    continue
                values = dict.fromkeys(rule.arguments, 1) | {"reference": visit.reference}
                path = world.app.url_map.bind("localhost").build(rule.endpoint, values)
                for method in {"GET", "POST"} & (rule.methods or set()):
                    answer = visit.client.open(path, method=method, base_url=world.url)
                    text = answer.get_data(as_text=True)
                    assert (answer.status_code, _CLOSED in text) == (403, True), (method, path)
                    walked += 1
    finally:
        world.app.config["WTF_CSRF_ENABLED"] = True
    assert walked >= 40
    assert visit.get("/").status_code == 200, "and let in again, they go on"


@pytest.mark.parametrize("who", ["student", "teacher"])
def test_a_new_launch_leads_to_the_same_page(world: World, who: str) -> None:
    with status(world, world.people[who].idnumber, PersonStatus.INACTIVE):
        visit = world.launch(who)
        assert visit.first.status_code == 403
        assert _CLOSED in visit.first.get_data(as_text=True)
        assert visit.reference in visit.first.get_data(as_text=True)


def test_who_graduated_goes_on_reading_what_was_theirs(world: World) -> None:
    with status(world, world.people["student"].idnumber, PersonStatus.GRADUATED):
        assert world.launch("student").first.status_code == 200


def test_a_site_administrator_who_was_suspended_administers_no_more(world: World) -> None:
    taken = {person.idnumber for person in world.people.values()}
    roster = world.services.sis.roster(world.class_.class_key)
    key = next(
        entry.person.person_key
        for chunk in roster
        for entry in chunk
        if entry.status.attends and entry.person.person_key not in taken
    )
    subject, people = str(world.people["admin"].id), world.services.people
    people.link(world.registration.id, subject, key, method="administrator", actor="tests")
    try:
        visit = world.launch("admin")
        assert visit.get("/registration").status_code == 200
        with status(world, key, PersonStatus.SUSPENDED):
            assert visit.get("/registration").status_code == 403
    finally:
        people.unlink(world.registration.id, subject, actor="tests")
