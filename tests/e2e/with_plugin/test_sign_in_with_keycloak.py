"""One sign-in: a real Keycloak lets people into a real Moodle, and from there into the tool."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.conftest import OpenBrowser
from tests.e2e.keycloak import (
    ADMIN,
    ADMIN_PASSWORD,
    Keycloak,
    Secured,
    find_keycloak,
    run_keycloak,
)
from tests.e2e.moodle.pages import sign_in
from tests.e2e.tool_pages import arrived
from tests.e2e.with_plugin.campus import Campus
from tests.e2e.with_plugin.link import Link
from tests.e2e.with_plugin.plugins import Plugins

pytestmark = [
    pytest.mark.moodle,
    pytest.mark.keycloak,
    pytest.mark.browser,
    pytest.mark.timeout(900),
]


@pytest.fixture(scope="module")
def keycloak(campus: Campus, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keycloak]:
    """It stands beside the tool, with the tool's certificate: Moodle takes nothing but HTTPS."""
    home = find_keycloak()
    if isinstance(home, str):
        pytest.skip(home)
    address = campus.tool.address
    secured = Secured(address.host, address.certificate, address.key, campus.tool.ca)
    folder = tmp_path_factory.mktemp("keycloak")
    with run_keycloak(home, folder, secured=secured) as keycloak:
        yield keycloak


@dataclass(frozen=True)
class School:
    """A campus whose people sign in at Keycloak. ``said`` is what pairing printed."""

    link: Link
    keycloak: Keycloak
    said: str

    @property
    def campus(self) -> Campus:
        """The campus."""
        return self.link.campus

    def prepare(self) -> str:
        """Run ``nagasis keycloak setup``."""
        return self.campus.tool.cli(
            *("keycloak", "setup", self.keycloak.url, "--realm", "school"),
            *("--user", ADMIN, "--password", ADMIN_PASSWORD),
        )

    def come_in(self, browser: BrowserContext, person: str, *, name: str) -> Page:
        """The course's page, for a person of the SIS who has an account at Keycloak alone."""
        course = self.campus.place(person)["course"]
        self.keycloak.make_user(name, person)
        return self.enter(browser, f"/course/view.php?id={course}", name=name)

    def enter(self, browser: BrowserContext, path: str, *, name: str) -> Page:
        """A page of Moodle, after signing in at Keycloak on the way."""
        page = browser.new_page()
        page.goto(self.campus.moodle.url + path)
        page.get_by_role("link", name="School account").click()
        page.locator("#username").fill(name)
        page.locator("#password").fill(name)
        page.locator("#kc-login").click()
        return page


@pytest.fixture(scope="module")
def school(link: Link, keycloak: Keycloak, plugins: Plugins) -> School:
    """Prepared by one command, handed to Moodle by pairing."""
    school = School(link, keycloak, "")
    school.prepare()
    said = plugins.pair(link.campus.tool.cli("site", "code"))
    return School(link, keycloak, said)


def test_pairing_sets_it_up_and_both_sides_say_so(school: School, plugins: Plugins) -> None:
    # Another Keycloak may have been there before: then accounts are linked already.
    assert f"People sign in by {school.keycloak.issuer}" in " ".join(school.said.split())
    checks = {each["name"]: each for each in plugins.connection()["checks"]}
    assert checks["moodle:signin"]["status"] == "ok"
    assert school.keycloak.issuer in checks["moodle:signin"]["summary"]


def test_the_first_visit_leads_into_the_course_and_on_into_the_tool(
    school: School, open_browser: OpenBrowser
) -> None:
    chosen = school.campus.chosen
    page = school.come_in(open_browser(), chosen.students[0], name="first.visit")
    expect(page).to_have_url(re.compile(r"/course/view\.php"))
    arrived(school.link.open(page), chosen.course)


def test_whom_the_engine_makes_now_has_this_way_in_alone(
    school: School, open_browser: OpenBrowser
) -> None:
    campus = school.campus
    person = campus.chosen.students[1]
    campus.plugins.act("forget", course=[], user=[person], category=[])
    campus.sync("reconcile")
    assert campus.plugins.act("ways_in", person=person) == {
        "auth": "oauth2",
        "links": [person.lower()],
    }
    page = school.come_in(open_browser(), person, name="newly.made")
    expect(page).to_have_url(re.compile(r"/course/view\.php"))
    arrived(school.link.open(page), campus.chosen.course)


def test_an_administrator_signs_in_as_before_and_nobody_else_as_them(
    school: School, open_browser: OpenBrowser
) -> None:
    moodle = school.campus.moodle
    sign_in(open_browser().new_page(), moodle, moodle.admin_user, moodle.admin_password)
    about = school.campus.plugins.act("administrator")
    assert about["links"] == []
    # Whoever may write their own address at the provider.
    school.keycloak.make_user("thief", None)
    (thief,) = school.keycloak.call("GET", "/school/users?username=thief&exact=true")
    document = {**thief, "email": about["email"]}
    school.keycloak.call("PUT", f"/school/users/{thief['id']}", document)
    page = school.enter(open_browser(), "/admin/search.php", name="thief")
    expect(page.get_by_text("must be linked before you can log in")).to_be_visible()
    page.goto(f"{moodle.url}/admin/search.php")
    expect(page.get_by_role("link", name="School account")).to_be_visible()


def test_a_new_secret_reaches_moodle(
    school: School, plugins: Plugins, open_browser: OpenBrowser
) -> None:
    tool, moodle = school.campus.tool, school.campus.moodle
    tool.cli(
        *("keycloak", "rotate-secret", moodle.url),
        *("--user", ADMIN, "--password", ADMIN_PASSWORD),
    )
    # Something has happened in Moodle by then: administrators have signed in.
    sign_in(open_browser().new_page(), moodle, moodle.admin_user, moodle.admin_password)
    plugins.send()
    page = school.come_in(open_browser(), school.campus.chosen.students[2], name="third.visit")
    expect(page).to_have_url(re.compile(r"/course/view\.php"))
