"""The administrator's pages: signing in, registrations, launches, people and courses."""

from __future__ import annotations

import html
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from werkzeug.test import Client

from lti_tool.core.audit import AuditEvent
from lti_tool.lti.errors import REASONS
from lti_tool.lti.models import Registration, Standing
from tests.web.world import Page, World

FORM = {
    "name": "North campus",
    "issuer": "https://north.example",
    "client_id": "north-1",
    "auth_url": "https://north.example/auth",
    "token_url": "https://north.example/token",
    "jwks_url": "https://north.example/jwks",
    "deployment_id": "1",
}


@pytest.fixture
def client(world: World) -> Client:
    return world.administrator()


class Desk:
    """An administrator's browser."""

    def __init__(self, world: World, client: Client) -> None:
        self.world, self.client = world, client

    def get(self, path: str) -> str:
        response = self.client.get("/admin" + path, base_url=self.world.url)
        assert response.status_code == 200, response.get_data(as_text=True)
        return response.get_data(as_text=True)

    def post(self, path: str, **data: str) -> tuple[int, str]:
        page = Page(self.get("/registrations/new"))
        response = self.client.post(
            "/admin" + path,
            base_url=self.world.url,
            data={"csrf_token": page.fields["csrf_token"], **data},
            follow_redirects=True,
        )
        return response.status_code, response.get_data(as_text=True)


@pytest.fixture
def desk(world: World, client: Client) -> Desk:
    return Desk(world, client)


@pytest.fixture
def north(world: World) -> Iterator[Registration]:
    made = world.services.registrations.create(
        actor="tests",
        name="North campus",
        issuer="https://north.example",
        client_id="north-fixture",
        auth_url="https://north.example/auth",
        token_url="https://north.example/token",
        jwks_url="https://north.example/jwks",
        standing=Standing.PENDING,
        deployment_ids=["7"],
    )
    yield made
    world.services.registrations.set_standing(made.id, Standing.DISABLED, actor="tests")


def test_looking_at_a_sign_in_link_does_not_use_it_up(world: World) -> None:
    path = urlsplit(world.services.admin_sessions.sign_in_link("tests")).path
    for _ in range(3):
        assert world.app.test_client().get(path, base_url=world.url).status_code == 200
    client = world.app.test_client()
    token = Page(client.get(path, base_url=world.url).get_data(as_text=True)).fields["csrf_token"]
    sent = {"base_url": world.url, "data": {"csrf_token": token}}
    assert client.post(path, **sent).status_code == 302
    second = world.app.test_client()
    token = Page(second.get(path, base_url=world.url).get_data(as_text=True)).fields["csrf_token"]
    refused = second.post(path, base_url=world.url, data={"csrf_token": token})
    assert refused.status_code == 403
    assert "does not work" in refused.get_data(as_text=True)


def test_signing_out_ends_the_session(world: World, desk: Desk) -> None:
    status, page = desk.post("/sign-out")
    assert status == 200
    assert "signed out" in page
    assert desk.client.get("/admin/registrations", base_url=world.url).status_code == 401


def test_a_platform_is_registered_by_its_form(world: World, desk: Desk) -> None:
    status, page = desk.post("/registrations/new", platform_family="moodle", **FORM)
    assert status == 200
    assert "North campus" in page
    assert "The Moodle is registered." in page
    status, page = desk.post("/registrations/new", platform_family="moodle", **FORM)
    assert "registered already" in page
    assert 'value="https://north.example/auth"' in page, "what was typed is not lost"


def test_a_wrong_field_is_marked_and_nothing_is_saved(world: World, desk: Desk) -> None:
    before = len(world.services.registrations.list())
    wrong = FORM | {"client_id": "north-2", "jwks_url": "javascript:alert(1)"}
    _, page = desk.post("/registrations/new", platform_family="moodle", **wrong)
    assert "Nothing was saved" in page
    marked = [field["name"] for field in Page(page).inputs if "aria-invalid" in field]
    assert marked == ["jwks_url"]
    assert len(world.services.registrations.list()) == before


def test_approval_trust_and_deployments(world: World, desk: Desk, north: Registration) -> None:
    base = f"/registrations/{north.id}"
    assert "asked to be connected" in desk.get(base)
    desk.post(f"{base}/standing", standing="active")
    desk.post(f"{base}/trust", trusted="yes")
    desk.post(f"{base}/deployments", deployment_id="7", standing="disabled")
    desk.post(f"{base}/rename", name="Renamed")
    now = world.services.registrations.get(north.id)
    assert (now.standing, now.sourcedid_trusted, now.name) == (Standing.ACTIVE, True, "Renamed")
    assert [each.standing for each in now.deployments] == [Standing.DISABLED]
    status, _ = desk.post(f"{base}/standing", standing="nonsense")
    assert status == 400
    with world.services.database.read() as session:
        actors = session.scalars(
            sa.select(AuditEvent.actor).order_by(AuditEvent.id.desc()).limit(4)
        ).all()
    assert set(actors) == {"admin:tests"}


def test_an_invitation_is_shown_once_with_its_steps(desk: Desk) -> None:
    status, page = desk.post("/registrations/invite")
    assert status == 200
    assert "/lti/register?invite=" in page
    assert "Add LTI Advantage" in page


def test_the_reference_on_a_persons_page_finds_the_reason(world: World, desk: Desk) -> None:
    client = world.app.test_client()
    refused = client.post("/lti/launch", base_url=world.url, data={"state": "x", "id_token": "x"})
    assert refused.status_code >= 400
    reference = refused.get_data(as_text=True).split('<code id="reference">')[1].split("<")[0]
    page = desk.get(f"/launches?reference={reference.lower()}")
    assert reference in page
    record = world.services.launches.recent(reference=reference)[0]
    assert REASONS[record.reason].detail in html.unescape(page)
    assert REASONS[record.reason].remedy in html.unescape(page)
    assert "No launch has this reference" in desk.get("/launches?reference=NOTHERE")
    visit = world.launch("visitor")
    detail = desk.get(f"/registrations/1/launches/{visit.reference}")
    assert "nobody has said whose account" in detail
    assert "Connect this account" in detail
    assert visit.reference in desk.get("/registrations/1/launches?outcome=accepted")


def test_an_unknown_account_is_connected_and_works_at_once(world: World, desk: Desk) -> None:
    visit = world.launch("unknown_teacher")
    assert visit.first.status_code == 403
    subject = str(world.people["unknown_teacher"].id)
    listed = desk.get("/registrations/1/people")
    assert f"subject={subject}" in listed
    part = world.class_.parts[0]
    assert part.teacher_key
    world.launch("teacher")
    _, taken = desk.post(
        "/registrations/1/people/link", subject=subject, person_key=part.teacher_key
    )
    assert "connected already" in taken
    with world.services.database.read() as session:
        keys = session.scalars(sa.text("SELECT sourced_id FROM sis_person WHERE is_teacher"))
        linked = world.services.people.by_person(session, 1, list(keys))
        free = next(
            key
            for key in session.scalars(sa.text("SELECT sourced_id FROM sis_person"))
            if key not in linked and key not in {p.idnumber for p in world.people.values()}
        )
    status, page = desk.post("/registrations/1/people/link", subject=subject, person_key=free)
    assert "The account is connected" in page
    assert status == 200
    assert visit.get("/").status_code == 200
    desk.post("/registrations/1/people/unlink", subject=subject)
    assert visit.get("/").status_code == 403


def test_matches_are_confirmed_in_bulk(world: World, desk: Desk) -> None:
    world.launch("teacher")
    page = desk.get(f"/registrations/1/people/suggestions?course={world.course.id}")
    pairs = [each["value"] for each in Page(page).inputs if each.get("name") == "pair"]
    assert pairs
    status, done = desk.post("/registrations/1/people/confirm", pair=pairs[0])
    assert status == 200
    assert "1 account is connected." in done
    subject = pairs[0].split("\t")[0]
    world.services.people.unlink(1, subject, actor="tests")
    assert desk.post("/registrations/1/people/confirm", pair="nonsense")[0] == 400


def test_a_course_is_connected_by_an_administrator(world: World, desk: Desk) -> None:
    world.launch("teacher", "other")
    course = str(world.other_course.id)
    assert "Another course" in desk.get("/registrations/1/courses")
    found = desk.get(f"/registrations/1/courses?course={course}&q={world.class_.course_code}")
    assert world.class_.class_key in found
    desk.post("/registrations/1/courses/link", course=course, class_key=world.class_.class_key)
    assert world.services.courses.class_keys(1, course) == [world.class_.class_key]
    desk.post("/registrations/1/courses/unlink", course=course)
    assert world.services.courses.class_keys(1, course) == []
    assert desk.post("/registrations/1/courses/link", course="", class_key="x")[0] == 400
