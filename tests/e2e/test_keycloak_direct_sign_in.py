"""Teachers and students use the tool itself, signed in at a real Keycloak, in a real browser."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask
from playwright.sync_api import BrowserContext, Page, Playwright, expect

from lti_tool.core.audit import AuditEvent
from lti_tool.core.clock import SystemClock
from lti_tool.identity.keycloak.connection import as_administrator
from lti_tool.identity.keycloak.realm import TOOL, RealmPlan
from lti_tool.identity.keycloak.setup import RealmSetup
from lti_tool.identity.models import PersonLink
from lti_tool.lti.models import Invite
from lti_tool.sis.entities import PersonStatus
from lti_tool.sis.models import Person
from lti_tool.web.sessions import LAUNCH_COOKIE, ScopedSessions
from lti_tool.wiring import Services
from tests.e2e.keycloak import ADMIN, ADMIN_PASSWORD, Keycloak
from tests.e2e.tool_here import run_tool
from tests.identity.launched import SECRET, Launched, add_launch, add_school
from tests.web.own_school import CLASSMATE, MINE, OTHERS, STUDENT, TEACHER, own_school

pytestmark = [pytest.mark.keycloak, pytest.mark.browser, pytest.mark.timeout(400)]

BUTTON = "Sign in with your school account"


@dataclass
class School:
    """The tool on a port of its own, whose people are Keycloak's and the SIS's."""

    app: Flask
    url: str
    keycloak: Keycloak
    registration_id: int
    realm: str

    @property
    def services(self) -> Services:
        """What the tool is made of."""
        found: Services = self.app.extensions["naga"]
        return found

    def launch(self, person_key: str) -> Launched:
        """This person opens the tool in a course, from an account that is connected to them."""
        launched = add_launch(
            self.services.database,
            SystemClock(),
            self.registration_id,
            subject=f"{person_key}-{time.monotonic_ns()}"[-12:],
        )
        with self.services.database.write() as session:
            session.execute(sa.delete(PersonLink).where(PersonLink.person_key == person_key))
        self.services.people.link(
            self.registration_id, launched.subject, person_key, method="administrator", actor="test"
        )
        return launched

    def answers(self, launched: Launched) -> int:
        """What the page of a launch answers; 404: let in, to a course without a class."""
        interface = self.app.session_interface
        assert isinstance(interface, ScopedSessions)
        content = {"reference": launched.reference, "secret": SECRET, "csrf_token": "seed"}
        client = self.app.test_client()
        client.set_cookie(
            LAUNCH_COOKIE,
            interface.dump(self.app, content),
            domain="localhost",
            path=f"/l/{launched.reference}",
        )
        return client.get(f"/l/{launched.reference}/", base_url=self.url).status_code

    def answers_soon(self, launched: Launched) -> int:
        """The same, once Keycloak's call to the tool has come."""
        until = time.monotonic() + 30
        while (found := self.answers(launched)) != 401 and time.monotonic() < until:
            time.sleep(0.1)
        return found

    def sign_in(self, page: Page, name: str, path: str = "/my/") -> None:
        """From a page of the tool to Keycloak's, and back."""
        page.goto(self.url + path)
        page.get_by_role("button", name=BUTTON).click()
        page.get_by_label("Username").fill(name)
        page.get_by_label("Password", exact=True).fill(name)
        page.get_by_role("button", name="Sign In").click()

    def set_status(self, person_key: str, status: PersonStatus) -> None:
        """The SIS says something else of somebody."""
        with self.services.database.write() as session:
            session.execute(
                sa.update(Person).where(Person.sourced_id == person_key).values(status=status)
            )

    def keep_sessions(self) -> None:
        """What the worker does every twenty seconds."""
        assert self.services.signing_in is not None
        self.services.signing_in.sessions.keep_current()


@pytest.fixture(scope="module")
def school(keycloak: Keycloak, tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    # Keycloak's own word for "proved now"; "0" is a session that was there already.
    with _tool(keycloak, tmp_path_factory.mktemp("direct"), realm="direct", acr="1") as school:
        yield school


@contextmanager
def _tool(keycloak: Keycloak, folder: Path, *, realm: str, acr: str) -> Iterator[School]:
    with run_tool(
        folder,
        oidc_issuer=f"{keycloak.url}/realms/{realm}",
        oidc_client_id=TOOL,
        oidc_step_up_acr=acr,
    ) as (app, url):
        services: Services = app.extensions["naga"]
        own_school(services.database, SystemClock())
        registration_id = add_school(services.database, SystemClock())
        school = School(app, url, keycloak, registration_id, realm)
        _prepare(school)
        yield school


def _prepare(school: School) -> None:
    admin = as_administrator(
        school.services.http,
        school.keycloak.url,
        realm=school.realm,
        username=ADMIN,
        password=ADMIN_PASSWORD,
    )
    RealmSetup(admin, RealmPlan(realm=school.realm, tool_url=school.url)).apply()
    tool = admin.get_client_id(TOOL)
    assert tool is not None
    # No roles but the head's: who is a student or a teacher, the SIS knows.
    for name, person_key in (
        ("student", STUDENT),
        ("classmate", CLASSMATE),
        ("teacher", TEACHER),
        ("stranger", None),
        ("head", None),
    ):
        user = admin.create_user(
            {
                "username": name,
                "enabled": True,
                "firstName": "Given",
                "lastName": "Family",
                "email": f"{name}@school.example",
                "emailVerified": True,
                "attributes": {"person_uuid": [person_key]} if person_key else {},
                "credentials": [{"type": "password", "value": name, "temporary": False}],
            }
        )
        if name == "head":
            admin.assign_client_role(user, tool, [admin.get_client_role(tool, "administrator")])


@pytest.fixture
def browse(playwright_: Playwright, chromium: Path) -> Iterator[Callable[[], BrowserContext]]:
    """Opens a browser that nobody has used."""
    browser = playwright_.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
    yield browser.new_context
    browser.close()


def test_a_student_finds_own_grades_and_no_strangers_class(
    school: School, browse: Callable[[], BrowserContext]
) -> None:
    page = browse().new_page()
    school.sign_in(page, "student")
    expect(page.get_by_role("heading", name="My classes")).to_be_visible()
    assert page.url == f"{school.url}/my/"
    page.get_by_role("link", name=MINE).click()
    expect(page.get_by_role("cell", name="81.5")).to_be_visible()
    assert "67.75" not in page.content()
    answer = page.goto(f"{school.url}/my/classes/{OTHERS}")
    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_text("You have no such class.")).to_be_visible()
    answer = page.goto(f"{school.url}/admin/registrations")
    assert answer is not None
    assert answer.status == 403


def test_a_teacher_finds_the_roster_and_comes_to_the_page_that_was_asked_for(
    school: School, browse: Callable[[], BrowserContext]
) -> None:
    page = browse().new_page()
    school.sign_in(page, "teacher", f"/my/teaching/{MINE}?show=grades")
    expect(page.get_by_role("region", name="Grades by student and part")).to_contain_text("67.75")
    assert page.url == f"{school.url}/my/teaching/{MINE}?show=grades"
    page.get_by_role("link", name="Roster").click()
    expect(page.get_by_role("row", name="CHAN Bopha")).to_be_visible()
    answer = page.goto(f"{school.url}/my/teaching/{OTHERS}")
    assert answer is not None
    assert answer.status == 404


def test_who_is_nobody_to_the_sis_is_told_so(
    school: School, browse: Callable[[], BrowserContext]
) -> None:
    page = browse().new_page()
    school.sign_in(page, "stranger")
    expect(page.get_by_role("heading", name="You have no right here")).to_be_visible()
    with school.services.database.read() as session:
        refused = session.scalars(
            sa.select(AuditEvent.detail).where(AuditEvent.action == "admin.sign_in_refused")
        ).all()
    assert "sign_in_rightless" in [each["code"] for each in refused]


def test_the_way_out_ends_it_at_keycloak_too(
    school: School, browse: Callable[[], BrowserContext]
) -> None:
    launched = school.launch(STUDENT)
    page = browse().new_page()
    school.sign_in(page, "student")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{school.url}/sign-in*")
    page.get_by_role("button", name=BUTTON).click()
    # Who is still signed in there would not be asked.
    expect(page.get_by_label("Username")).to_be_visible()
    # Keycloak tells of that session's end as of any other's.
    assert school.answers_soon(launched) == 401


def test_signed_out_in_keycloaks_account_page_is_signed_out_everywhere_here(
    school: School, browse: Callable[[], BrowserContext]
) -> None:
    """The own pages, and the launches of the same person: by Keycloak's own call to the tool."""
    mine, elses = school.launch(CLASSMATE), school.launch(STUDENT)
    assert school.answers(mine) == school.answers(elses) == 404
    context = browse()
    page = context.new_page()
    school.sign_in(page, "classmate")
    expect(page.get_by_role("heading", name="My classes")).to_be_visible()
    account = context.new_page()
    account.goto(f"{school.keycloak.url}/realms/{school.realm}/account/")
    account.get_by_role("button", name="Given Family").click()
    account.get_by_role("menuitem", name="Sign out").click()
    assert school.answers_soon(mine) == 401
    assert school.answers(elses) == 404
    page.reload()
    expect(page.get_by_role("button", name=BUTTON)).to_be_visible()


def test_suspension_in_the_sis_closes_all_doors(
    school: School, browse: Callable[[], BrowserContext]
) -> None:
    launched = school.launch(TEACHER)
    page, other = browse().new_page(), browse().new_page()
    for each in (page, other):
        school.sign_in(each, "teacher")
        expect(each.get_by_role("heading", name="My classes")).to_be_visible()
    school.set_status(TEACHER, PersonStatus.SUSPENDED)
    try:
        # At the very next request, before any worker has looked.
        assert school.answers(launched) == 403
        page.reload()
        expect(page.get_by_role("heading", name="Your account is closed")).to_be_visible()
        school.keep_sessions()
        assert school.answers(launched) == 401
        other.reload()
        expect(other.get_by_role("button", name=BUTTON)).to_be_visible()
        other.get_by_role("button", name=BUTTON).click()
        # Keycloak still has them signed in, and the tool does not.
        expect(other.get_by_text("or they have left")).to_be_visible()
    finally:
        school.set_status(TEACHER, PersonStatus.ACTIVE)


def test_what_reaches_far_wants_more_than_a_session_that_was_there(
    school: School, browse: Callable[[], BrowserContext]
) -> None:
    """By ``acr``: Keycloak says 0 of whoever was signed in already, and 1 of who has just been."""
    context = browse()
    page = context.new_page()
    school.sign_in(page, "head", "/admin/registrations")
    expect(page.get_by_role("heading", name="Registrations")).to_be_visible()
    assert page.url == f"{school.url}/admin/registrations"
    context.clear_cookies(name="__Host-naga-signed-in")
    page.goto(f"{school.url}/admin/registrations/new")
    page.get_by_role("button", name=BUTTON).click()
    page.wait_for_url(f"{school.url}/admin/registrations/new")
    invite = page.locator("form[action$='/registrations/invite'] button")
    invite.click()
    expect(page.get_by_text("needs a better proof")).to_be_visible()
    page.get_by_role("button", name=BUTTON).click()
    page.get_by_label("Password", exact=True).fill("head")
    page.get_by_role("button", name="Sign In").click()
    page.wait_for_url(f"{school.url}/admin/registrations/new")
    invite.click()
    expect(page.get_by_text("It is shown once").or_(page.locator("code").first)).to_be_visible()
    assert "needs a better proof" not in page.content()


def test_less_proof_than_was_asked_for_is_refused(
    school: School, browse: Callable[[], BrowserContext], tmp_path: Path
) -> None:
    """Keycloak knows the word, and nothing that would prove so much."""
    with _tool(school.keycloak, tmp_path, realm="gold", acr="gold") as strict:
        realm = strict.keycloak.call("GET", "/gold")
        realm["attributes"]["acr.loa.map"] = '{"silver": 1, "gold": 2}'
        strict.keycloak.call("PUT", "/gold", realm)
        page = browse().new_page()
        strict.sign_in(page, "head", "/admin/registrations/new")
        page.locator("form[action$='/registrations/invite'] button").click()
        expect(page.get_by_text("needs a better proof")).to_be_visible()
        page.get_by_role("button", name=BUTTON).click()
        page.wait_for_url("**/openid-connect/auth?*")
        # Keycloak says that it knows the word, and is told that it is a must.
        asked = dict(parse_qsl(urlsplit(page.url).query))
        assert asked["acr_values"] == "gold"
        assert '"essential":true' in asked["claims"]
        page.get_by_label("Password", exact=True).fill("head")
        page.get_by_role("button", name="Sign In").click()
        expect(page.get_by_role("heading", name="That was not proof enough")).to_be_visible()
        with strict.services.database.read() as session:
            assert not session.scalars(sa.select(Invite)).all()
            refused = session.scalars(
                sa.select(AuditEvent.detail).where(AuditEvent.action == "admin.sign_in_refused")
            ).one()
        assert (refused["code"], refused["field"]) == ("sign_in_step_up", "acr")
