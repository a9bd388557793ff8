"""The page that hands the answer of a deep link to the platform."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from demo.client import parse_forms
from tests.conformance.browser.conftest import Cookies, Visit, Visitor
from tests.web.world import Page, World

_SETTINGS = "https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings"
_AWKWARD = """&a="b"&c='d'&e=<script>alert(1)</script>&f=%22%3E&amp;g=1&khmer=ខ្មែរ"""


def _return_to(change: Callable[[str], str]) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    def mutate(claims: dict[str, Any], _header: dict[str, Any]) -> None:
        settings = claims[_SETTINGS]
        settings["deep_link_return_url"] = change(settings["deep_link_return_url"])

    return mutate


def _policy(header: str) -> dict[str, list[str]]:
    rules = (rule.split() for rule in header.split(";"))
    return {rule[0]: rule[1:] for rule in rules if rule}


def test_d9_the_return_address_is_escaped_and_arrives_as_it_was(world: World) -> None:
    asked: list[str] = []

    def awkward(address: str) -> str:
        asked.append(address + _AWKWARD)
        return asked[-1]

    world.platform.mutate_id_token = _return_to(awkward)
    page = world.select_content("teacher").post("/deep-link", {"choice": "roster"})
    assert page.status_code == 200, page.text
    assert "<script>alert" not in page.text
    assert (
        f'action="{html.escape(asked[0]).replace("&#x27;", "&#39;").replace("&quot;", "&#34;")}"'
        in (page.text)
    )
    form = parse_forms(page.text)[-1]
    assert form.action == asked[0]
    assert form.method == "post"
    assert list(form.fields) == ["JWT"]
    assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+", form.fields["JWT"])


def test_d9_scripts_and_forms_of_the_page_are_bounded(world: World) -> None:
    page = world.select_content("teacher").post("/deep-link", {"choice": "roster"})
    policy = _policy(page.headers["Content-Security-Policy"])
    assert policy["default-src"] == ["'none'"]
    assert policy["form-action"] == ["'self'", world.platform.base_url]
    # Every script is a file of ours or carries the nonce of this answer, and none says "inline".
    nonces = [each for each in policy["script-src"] if each != "'self'"]
    assert all(re.fullmatch(r"'nonce-[\w-]{16,}'", each) for each in nonces)
    for attributes in re.findall(r"<script([^>]*)>", page.text):
        nonce = re.search(r'nonce="([^"]+)"', attributes)
        assert 'src="/static/' in attributes or (nonce and f"'nonce-{nonce[1]}'" in nonces)
    assert Page(page.text).styled == []
    assert page.headers["Cache-Control"] == "no-store"


def test_d9_the_form_may_go_to_the_origin_of_the_return_address_alone(world: World) -> None:
    other = "https://content.example:8443"
    world.platform.mutate_id_token = _return_to(
        lambda address: other + urlsplit(address).path + "?a=1"
    )
    page = world.select_content("teacher").post("/deep-link", {"choice": "roster"})
    policy = _policy(page.headers["Content-Security-Policy"])
    assert policy["form-action"] == ["'self'", other]


def _choose(visitor: Visitor) -> None:
    world = visitor.world
    visitor.be("teacher")
    visitor.page.goto(world.platform.url(f"/course/{world.course.id}/select/{world.tool_id}"))
    visitor.heading("What should the link open?")


@pytest.mark.browser
@pytest.mark.parametrize("cookies", list(Cookies))
def test_d9_the_answer_goes_by_itself(
    visit: Visit, world: World, storage: None, cookies: Cookies
) -> None:
    visitor = visit(cookies)
    _choose(visitor)
    visitor.frame.get_by_role("radio", name=re.compile("^Gradebook")).check()
    visitor.frame.get_by_role("button", name="Place the link").click()
    # The frame is the platform's again, with the activity to be saved.
    expect(visitor.frame.get_by_label("Activity name")).to_have_value("Gradebook")


@pytest.mark.browser
def test_d9_without_scripts_a_button_sends_the_answer(without_scripts: Visitor) -> None:
    visitor, page, world = without_scripts, without_scripts.page, without_scripts.world
    visitor.be("teacher")
    page.goto(
        world.platform.url(f"/mod/lti/contentitem.php?course={world.course.id}&id={world.tool_id}")
    )
    for _ in ("the login", "the message"):
        page.get_by_role("button", name="Continue").click()
    page.get_by_role("radio", name=re.compile("^Roster")).check()
    page.get_by_role("button", name="Place the link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Back to the course")
    assert page.url.startswith(world.url)
    page.get_by_role("button", name="Continue").click()
    # The platform posts the answer to itself once more, to see its own cookie.
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_label("Activity name")).to_have_value("Roster")


def test_d10_the_second_answer_is_refused(world: World) -> None:
    visit = world.select_content("teacher")
    first = visit.post("/deep-link", {"choice": "roster"})
    assert first.status_code == 200
    for again in ({"choice": "roster"}, {"choice": "gradebook"}, {"cancel": "yes"}):
        second = visit.post("/deep-link", again)
        assert second.status_code == 409
        assert "The link was placed already" in second.text
        assert "JWT" not in second.text
        assert (
            world.platform.base_url
            not in second.headers["Content-Security-Policy"].split("form-action")[1].split(";")[0]
        )
    # Another launch has an answer of its own.
    assert world.select_content("teacher").post("/deep-link", {"cancel": "yes"}).status_code == 200


def test_d10_of_answers_at_the_same_moment_one_is_given(world: World) -> None:
    visit = world.select_content("teacher")
    token = visit.token()

    cookie = visit.client.get_cookie(
        "__Secure-naga-launch", domain="localhost", path=f"/l/{visit.reference}"
    )
    assert cookie is not None

    def answer(_number: int) -> int:
        return (
            world.app.test_client(use_cookies=False)
            .post(
                f"/l/{visit.reference}/deep-link",
                base_url=world.url,
                data={"csrf_token": token, "choice": "roster"},
                headers={"Cookie": f"{cookie.key}={cookie.value}"},
            )
            .status_code
        )

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(answer, range(6))) == [200, 409, 409, 409, 409, 409]
