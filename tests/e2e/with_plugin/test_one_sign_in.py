"""One story: who the SIS knows signs in once, to Moodle and the tool, and is let in nowhere when
the SIS says so. A real Keycloak, a real Moodle, a real browser; the worker does all by itself."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import BrowserContext, FrameLocator, Page, expect

from lti_tool.lti.models import LaunchOutcome
from lti_tool.sis.entities import PersonStatus
from lti_tool.sync.provisioning.models import BreakerState, RunState
from tests.e2e.browser import Cookies
from tests.e2e.conftest import OpenBrowser
from tests.e2e.keycloak import CLAIM, KeycloakServer, Secured, find_keycloak, serving
from tests.e2e.tool_pages import arrived
from tests.e2e.with_plugin.link import Link
from tests.e2e.with_plugin.one_school import (
    OneSchool,
    Passwords,
    choose_password,
    fill_in,
    until,
)

pytestmark = [
    pytest.mark.moodle,
    pytest.mark.keycloak,
    pytest.mark.browser,
    pytest.mark.timeout(900),
]
NEW, LATE = "e2e-newcomer", "e2e-latecomer"
FIRST_PASSWORD, PASSWORD = "by the mail, once", "known to nobody else"
REGISTRAR = "e2e-registrar"
# What the school promises: who is suspended is out within a minute.
MINUTE = 60.0
COURSE = re.compile(r"/course/view\.php")


@pytest.fixture(scope="module")
def server(link: Link, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeycloakServer]:
    """It stands beside the tool, with the tool's certificate: Moodle takes nothing but HTTPS."""
    home = find_keycloak()
    if isinstance(home, str):
        pytest.skip(home)
    tool = link.campus.tool
    address = tool.address
    secured = Secured(address.host, address.certificate, address.key, tool.ca)
    folder = tmp_path_factory.mktemp("keycloak")
    with serving(KeycloakServer(home, folder, secured=secured)) as server:
        yield server


@pytest.fixture(scope="module")
def school(link: Link, server: KeycloakServer) -> Iterator[OneSchool]:
    """Joined by two commands and a pairing code; the worker has done the rest."""
    school = OneSchool(link, server, {})
    school.join()
    until(lambda: not school.unsettled(), seconds=300, what="the first synchronisation")
    yield school
    school.leave()


@dataclass
class Visit:
    """The newcomer's browser, where they have signed in once. ``passwords`` counts from then."""

    browser: BrowserContext
    page: Page
    passwords: Passwords

    def open(self, school: OneSchool) -> FrameLocator:
        """Launch the tool from the course."""
        return school.link.open(self.page)


@pytest.fixture(scope="module")
def newcomer(school: OneSchool) -> dict[str, int]:
    """A student was entered in the SIS, and stands everywhere: how many runs that took, by site."""
    before = max((run.id for run in school.runs()), default=0)
    school.enter(NEW)
    until(lambda: school.account(NEW), seconds=MINUTE, what="the account in Keycloak")
    until(
        lambda: (place := school.place(NEW)) is not None and place["active"],
        seconds=MINUTE,
        what="the place in the course",
    )
    until(lambda: not school.unsettled(), seconds=MINUTE, what="nothing left to do")
    runs: dict[str, int] = {}
    for run in school.runs(after=before):
        assert (run.state, run.error) == (RunState.DONE, None)
        kinds = set(run.counts) & {"account", "user"}
        for kind in kinds:
            runs[kind] = runs.get(kind, 0) + 1
    return runs


@pytest.fixture(scope="module")
def visit(school: OneSchool, newcomer: dict[str, int], browsers: OpenBrowser) -> Iterator[Visit]:
    """The newcomer's first sign-in to Moodle, by Keycloak, on their way to their course. They have
    no address of their own."""
    school.give_password(NEW, FIRST_PASSWORD)
    browser = browsers(Cookies.BLOCKED)
    place = school.place(NEW)
    assert place is not None
    page = school.to_moodle(browser, f"/course/view.php?id={place['course']}")
    fill_in(page, NEW, FIRST_PASSWORD)
    choose_password(page, PASSWORD)
    expect(page).to_have_url(COURSE)
    yield Visit(browser, page, Passwords.of(browser))
    browser.close()


def test_everybody_of_the_sis_stands_in_both(school: OneSchool) -> None:
    """The same person in each, by the same key; nobody else's doing."""
    people = school.people()
    assert len(people) > 40
    accounts, moodle = school.accounts(), school.ways_in()
    assert accounts.keys() == people
    assert people <= moodle.keys()
    unlinked = [key for key in people if moodle[key]["links"] != [key.lower()]]
    assert not unlinked
    # Also of those who have none of their own: Moodle lets nobody in without an address.
    assert {key: each["email"] for key, each in accounts.items()} == {
        key: moodle[key]["email"].lower() for key in people
    }
    # Two people with one address are told, and have an account each, without it.
    shared = school.sharing()
    assert all(accounts[key]["email"].endswith("@no-address.invalid") for key in shared)
    assert school.refused() == ({"email_shared": len(shared)} if shared else {})
    assert "✓" in school.said["pair"] or "linked" in school.said["pair"]
    assert "error" not in school.said["connect"]


def test_who_is_new_stands_in_both_by_one_run(school: OneSchool, newcomer: dict[str, int]) -> None:
    assert newcomer == {"account": 1, "user": 1}
    account = school.account(NEW)
    assert account is not None
    assert (account["attributes"], account["enabled"]) == ({CLAIM: [NEW]}, True)
    assert school.groups(NEW) == ["naga-students"]
    way_in = school.ways_in()[NEW]
    # Linked before they ever came: no mail asks them to confirm.
    assert (way_in["auth"], way_in["links"]) == ("oauth2", [NEW])


def test_the_first_sign_in_leads_into_the_course(school: OneSchool, visit: Visit) -> None:
    place = school.place(NEW)
    assert place is not None
    assert (place["active"], place["roles"]) == (True, ["student"])
    expect(visit.page).to_have_url(re.compile(rf"/course/view\.php\?id={place['course']}"))
    expect(visit.page.locator("h1").first).to_contain_text(school.campus.chosen.course)
    account = school.account(NEW)
    assert account is not None
    assert account["requiredActions"] == []


def test_the_tool_is_launched_without_another_sign_in(school: OneSchool, visit: Visit) -> None:
    arrived(visit.open(school), school.campus.chosen.course)
    launch = school.last_launch()
    assert launch.outcome is LaunchOutcome.ACCEPTED
    assert school.who_launched(launch) == NEW
    assert visit.passwords.sent == 0


def test_the_tool_itself_asks_for_no_second_password(school: OneSchool, visit: Visit) -> None:
    own = visit.browser.new_page()
    school.to_tool(own)
    expect(own).to_have_url(f"{school.tool.url}/my/")
    arrived(own, "My classes")
    expect(own.locator("main")).to_contain_text(school.campus.chosen.course)
    expect(own.locator("main")).to_contain_text(NEW.upper())
    assert visit.passwords.sent == 0
    session = school.own_session(NEW)
    assert session is not None
    assert session.roles == ["student"]
    own.close()


def test_no_credential_has_passed_through_the_tool(school: OneSchool, visit: Visit) -> None:
    asked = school.keycloak.call("GET", "/school/admin-events?max=1000")
    service = [
        each
        for each in asked
        if each["authDetails"]["clientId"]
        == school.keycloak.call("GET", "/school/clients?clientId=naga-service")[0]["id"]
    ]
    made = [each for each in service if each["operationType"] == "CREATE"]
    assert len(made) >= len(school.people())
    for each in service:
        written = json.loads(each.get("representation") or "{}")
        assert "credentials" not in json.dumps(written)
        assert "reset-password" not in each["resourcePath"]
    # What the tool holds and says, in whatever file.
    for path in school.tool.folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            for password in (FIRST_PASSWORD, PASSWORD):
                assert password.encode() not in content, path


def test_signing_out_at_keycloak_ends_the_tools_session(school: OneSchool, visit: Visit) -> None:
    own = visit.browser.new_page()
    school.to_tool(own)
    expect(own).to_have_url(f"{school.tool.url}/my/")
    launched = arrived(visit.open(school), school.campus.chosen.course)
    expect(launched).to_be_visible()
    own.goto(f"{school.keycloak.issuer}/protocol/openid-connect/logout")
    own.locator("#kc-logout").click()
    expect(own.locator("body")).to_contain_text("You are logged out")
    assert school.sessions(NEW) == []
    session = school.own_session(NEW)
    assert session is not None
    assert session.secret_hash is None
    own.goto(f"{school.tool.url}/my/")
    expect(own).to_have_url(re.compile(rf"{re.escape(school.tool.url)}/sign-in"))
    # Nobody is let in anew without a password.
    school.to_tool(own)
    expect(own.locator("#kc-login")).to_be_visible()
    launch = school.last_launch()
    answer = own.goto(f"{school.tool.url}/l/{launch.reference}/")
    assert answer is not None
    assert answer.status in (401, 403)
    own.close()
    # As the pages of the documentation say: Moodle knows no single logout.
    arrived(visit.open(school), school.campus.chosen.course)


def test_who_is_suspended_is_out_everywhere_within_a_minute(
    school: OneSchool, visit: Visit
) -> None:
    own = visit.browser.new_page()
    school.to_tool(own)
    fill_in(own, NEW, PASSWORD)
    expect(own).to_have_url(f"{school.tool.url}/my/")
    frame = visit.open(school)
    arrived(frame, school.campus.chosen.course)
    launch = school.last_launch()
    assert school.who_launched(launch) == NEW
    assert school.sessions(NEW)

    school.set_status(NEW, PersonStatus.SUSPENDED)
    took = {
        "Keycloak's account": until(
            lambda: not (school.account(NEW) or {})["enabled"],
            seconds=MINUTE,
            what="disabled in Keycloak",
        ),
        "Keycloak's sessions": until(
            lambda: not school.sessions(NEW), seconds=MINUTE, what="no session at Keycloak"
        ),
        "Moodle's account": until(
            lambda: school.ways_in()[NEW]["suspended"], seconds=MINUTE, what="suspended in Moodle"
        ),
        "the tool's session": until(
            lambda: (session := school.own_session(NEW)) and session.secret_hash is None,
            seconds=MINUTE,
            what="the tool's session ended",
        ),
        "the launch's session": until(
            lambda: school.last_launch().expires_at != launch.expires_at,
            seconds=MINUTE,
            what="the launch's session ended",
        ),
    }
    assert sum(took.values()) < MINUTE, took
    print(took)  # noqa: T201 - shown with a failure, or where it is asked for

    own.goto(f"{school.tool.url}/my/")
    expect(own).to_have_url(re.compile(rf"{re.escape(school.tool.url)}/sign-in"))
    school.to_tool(own)
    fill_in(own, NEW, PASSWORD)
    expect(own.locator("body")).to_contain_text("Account is disabled")
    answer = visit.page.request.get(f"{school.tool.url}/l/{launch.reference}/")
    assert answer.status in (401, 403)
    place = school.place(NEW)
    assert place is not None
    visit.page.goto(f"{school.campus.moodle.url}/course/view.php?id={place['course']}")
    expect(visit.page).to_have_url(re.compile(r"/login/index\.php"))
    visit.page.get_by_role("link", name="School account").click()
    fill_in(visit.page, NEW, PASSWORD)
    expect(visit.page.locator("body")).to_contain_text("Account is disabled")
    own.close()


def test_who_is_let_in_again_finds_everything_in_place(school: OneSchool, visit: Visit) -> None:
    before = school.place(NEW)
    assert before is not None
    school.set_status(NEW, PersonStatus.ACTIVE)
    until(
        lambda: (school.account(NEW) or {})["enabled"], seconds=MINUTE, what="enabled in Keycloak"
    )
    until(lambda: not school.ways_in()[NEW]["suspended"], seconds=MINUTE, what="let in by Moodle")
    assert school.groups(NEW) == ["naga-students"]
    place = school.place(NEW)
    assert place is not None
    assert (place["user"], place["active"], place["roles"]) == (before["user"], True, ["student"])
    page = school.to_moodle(visit.browser, f"/course/view.php?id={place['course']}")
    fill_in(page, NEW, PASSWORD)
    expect(page).to_have_url(COURSE)
    visit.page.close()
    visit.page = page
    arrived(visit.open(school), school.campus.chosen.course)
    assert school.who_launched(school.last_launch()) == NEW
    own = visit.browser.new_page()
    school.to_tool(own)
    expect(own).to_have_url(f"{school.tool.url}/my/")
    own.close()


def test_roles_arrive_in_the_token(school: OneSchool, open_browser: OpenBrowser) -> None:
    teacher = school.account(school.campus.chosen.teacher)
    assert teacher is not None
    assert "naga-teachers" in school.groups(school.campus.chosen.teacher)
    token = school.id_token(teacher["username"])
    assert token[CLAIM] == school.campus.chosen.teacher
    assert token["naga_roles"] == ["teacher"]
    assert school.id_token(NEW)["naga_roles"] == ["student"]
    # A registrar is whom the administrator of Keycloak makes one; no person of the SIS.
    school.keycloak.make_user(REGISTRAR, None)
    (client,) = school.keycloak.call("GET", "/school/clients?clientId=naga-tool")
    (user,) = school.keycloak.call("GET", f"/school/users?username={REGISTRAR}&exact=true")
    role = school.keycloak.call("GET", f"/school/clients/{client['id']}/roles/registrar")
    mappings = f"/school/users/{user['id']}/role-mappings/clients/{client['id']}"
    school.keycloak.call("POST", mappings, [role])
    assert school.id_token(REGISTRAR)["naga_roles"] == ["registrar"]
    page = school.to_tool(open_browser().new_page())
    fill_in(page, REGISTRAR, REGISTRAR)
    expect(page).to_have_url(re.compile(rf"{re.escape(school.tool.url)}/admin/"))
    teaching = open_browser().new_page()
    school.give_password(school.campus.chosen.teacher, FIRST_PASSWORD)
    school.to_tool(teaching)
    fill_in(teaching, teacher["username"], FIRST_PASSWORD)
    choose_password(teaching, PASSWORD)
    expect(teaching).to_have_url(f"{school.tool.url}/my/")
    expect(teaching.locator("main")).to_contain_text("Classes that I teach")
    expect(teaching.locator("main")).to_contain_text(school.campus.chosen.course)


def test_while_keycloak_is_away_whoever_is_in_goes_on(
    school: OneSchool, server: KeycloakServer, visit: Visit, open_browser: OpenBrowser
) -> None:
    own = visit.browser.new_page()
    school.to_tool(own)
    expect(own).to_have_url(f"{school.tool.url}/my/")
    refused = school.refused()
    server.stop(signal.SIGKILL)
    try:
        school.enter(LATE)
        realm = school.realm.id

        def breaker() -> BreakerState | None:
            with school.tool.services() as services:
                gate = services.provisioning.gates.state(realm)
                return gate.breaker if gate else None

        until(lambda: breaker() is BreakerState.OPEN, seconds=MINUTE, what="the breaker open")
        arrived(visit.open(school), school.campus.chosen.course)
        own.reload()
        arrived(own, "My classes")
        until(lambda: school.place(LATE), seconds=MINUTE, what="Moodle's goes on")
        # Who is not in meets Keycloak's silence in their browser, and is in nowhere.
        stranger = school.to_tool(open_browser().new_page())
        expect(stranger.locator("body")).to_contain_text("reached")
        stranger.goto(f"{school.tool.url}/my/")
        expect(stranger).to_have_url(re.compile(rf"{re.escape(school.tool.url)}/sign-in"))
        assert school.refused() == refused
    finally:
        server.start()
    until(lambda: school.account(LATE), seconds=300, what="made up for in Keycloak")
    until(lambda: not school.unsettled(), seconds=MINUTE, what="nothing left to do")
    assert breaker() is BreakerState.CLOSED
    assert school.accounts().keys() == school.people()
    own.close()
