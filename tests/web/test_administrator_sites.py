"""The administrator's pages of connected Moodles."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from werkzeug.test import Client

from lti_tool.lti.models import Registration
from lti_tool.moodle.checks import WORDS
from lti_tool.moodle.messages import PairingRequest
from lti_tool.moodle.models import MoodleSite, PairingCode, SiteStanding
from tests.moodle.moodle_site import MoodleServer, encoded, served
from tests.web.world import EVIL, Page, World


@dataclass
class Desk:
    """An administrator's browser, and a Moodle that waits to be connected."""

    world: World
    client: Client
    moodle: MoodleServer

    def get(self, path: str, *, language: str = "en") -> str:
        answer = self.client.get(
            "/admin/sites" + path,
            base_url=self.world.url,
            headers={"Accept-Language": language},
        )
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return html.unescape(answer.get_data(as_text=True))

    def post(self, path: str, **data: str) -> str:
        answer = self.client.post(
            "/admin/sites" + path,
            base_url=self.world.url,
            data={"csrf_token": Page(self.get("")).fields["csrf_token"], **data},
            follow_redirects=True,
        )
        return html.unescape(answer.get_data(as_text=True))

    def code(self) -> tuple[str, str]:
        """Make a code on the page: its secret, and the address that waits for it."""
        page = self.post("/connect")
        code = re.search(r'<code id="code">([^<]+)</code>', page)
        waiting = re.search(r'hx-get="/admin/sites(/codes/[^"]+)"', page)
        assert code
        assert waiting
        content = code[1].split(".")[1]
        secret = json.loads(base64.urlsafe_b64decode(content + "=" * (-len(content) % 4)))["s"]
        return secret, waiting[1]

    def pair(self, secret: str, name: str = "Campus") -> MoodleSite:
        """Do what the plugin does with a code."""
        url = f"{self.world.url}/api/v1/moodle/pair"
        body = encoded(self.moodle.pairing(secret, name=name))
        return self.world.services.pairing.pair(
            PairingRequest.model_validate_json(body),
            authorization=self.moodle.authorization(body, url),
            body=body,
            url=url,
        )

    @property
    def site(self) -> str:
        """The path of the one site's page."""
        (found,) = self.world.services.sites.moodles()
        return f"/{found.id}"


@pytest.fixture
def desk(world: World) -> Iterator[Desk]:
    with served(world.services.clock) as moodle:
        yield Desk(world, world.administrator(), moodle)
        with world.services.database.write() as session:
            session.execute(sa.delete(PairingCode))
            session.execute(sa.delete(MoodleSite))
            session.execute(sa.delete(Registration).where(Registration.issuer == moodle.url))


@pytest.fixture
def connected(desk: Desk) -> Desk:
    desk.pair(desk.code()[0])
    return desk


def test_strangers_see_nothing(world: World) -> None:
    client = world.app.test_client()
    for path in ("", "/1", "/codes/x"):
        assert client.get("/admin/sites" + path, base_url=world.url).status_code in (401, 403)


def test_from_the_first_click_to_the_checklist(desk: Desk) -> None:
    assert "No Moodle is connected yet." in desk.get("")
    secret, waiting = desk.code()
    assert "Waiting for the code to be used." in desk.get(waiting)
    desk.pair(secret)
    assert "Campus is connected" in desk.get(waiting)
    assert "Campus" in desk.get("")
    assert "Not checked yet." in desk.get(desk.site)
    page = desk.post(f"{desk.site}/check")
    assert "Everything works." in page
    for words in WORDS.values():
        if "ok" in words:
            assert words["ok"] in page
        else:
            # Said only where it is so.
            assert not any(text in page for text in words.values())
    assert "Connected" in desk.get("")


def test_a_code_that_nobody_used_says_so(desk: Desk) -> None:
    _, waiting = desk.code()
    with desk.world.services.database.write() as session:
        session.execute(sa.update(PairingCode).values(expires_at=PairingCode.created_at))
    page = desk.get(waiting)
    assert "The code has expired" in page
    assert "hx-get" not in page


def test_what_is_wrong_is_told_in_both_places(connected: Desk) -> None:
    connected.moodle.token = "other" * 8
    assert "Something does not work" in connected.post(f"{connected.site}/check")
    assert "Something is wrong" in connected.get("")
    connected.moodle.token = "a" * 32
    connected.moodle.status = {"paused": True}
    assert "what is left to do" in connected.post(f"{connected.site}/check")
    assert "Something is left to do" in connected.get("")


def test_what_moodle_says_is_text(connected: Desk) -> None:
    connected.moodle.status = {
        "checks": [{"name": "x", "status": "error", "summary": EVIL, "details": EVIL}],
        "versions": {"moodle": EVIL},
    }
    connected.post(f"{connected.site}/check")
    raw = connected.client.get("/admin/sites" + connected.site, base_url=connected.world.url)
    assert EVIL not in raw.get_data(as_text=True)
    assert "What Moodle says of itself" in raw.get_data(as_text=True)


def test_a_paused_moodle_is_resumed(connected: Desk) -> None:
    services = connected.world.services
    (site,) = services.sites.moodles()
    services.sites.pause(site.id, reason="tests", actor="tests")
    assert "Paused" in connected.get("")
    assert "does not call this Moodle" in connected.get(connected.site)
    assert "Everything works." in connected.post(f"{connected.site}/resume")


def test_a_connection_is_ended_on_purpose_only(connected: Desk) -> None:
    services = connected.world.services
    assert "Tick the box first" in connected.post(f"{connected.site}/disconnect")
    assert services.sites.moodles()[0].standing is SiteStanding.ACTIVE
    page = connected.post(f"{connected.site}/disconnect", meant="yes")
    assert "The connection is ended." in page
    assert "Check now" not in page
    assert services.sites.moodles()[0].token_sealed is None
    assert "Disconnected" in connected.get("")
    assert "This Moodle is not connected." in connected.post(f"{connected.site}/resume")


def test_the_pages_are_whole_and_speak_khmer(connected: Desk) -> None:
    connected.post(f"{connected.site}/check")
    for path in ("", connected.site):
        page = Page(connected.get(path))
        assert page.headings.count("h1") == 1
        assert page.unlabelled == []
        assert page.styled == []
        assert len(page.ids) == len(set(page.ids))
    khmer = connected.get(connected.site, language="km")
    assert WORDS["moodle_answers"]["ok"] not in khmer
    assert 'lang="km"' in khmer


def test_an_unknown_moodle_is_not_found(desk: Desk) -> None:
    answer = desk.client.get("/admin/sites/999", base_url=desk.world.url)
    assert answer.status_code == 404
