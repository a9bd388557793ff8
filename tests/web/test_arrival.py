"""The answer to a launch: the page itself, in the session that its cookie opens."""

from __future__ import annotations

import re

import pytest

from lti_tool.sis.embedded import EmbeddedSis
from tests.web.world import Visit, World

COOKIE = "__Secure-naga-launch"


def cookie(visit: Visit) -> str:
    lines = visit.first.headers.getlist("Set-Cookie")
    (line,) = [line for line in lines if line.startswith(COOKIE + "=")]
    return line


def test_the_launch_answers_with_the_page_at_its_own_address(world: World) -> None:
    visit = world.launch("student")
    assert visit.first.request.path == "/lti/launch"
    assert visit.first.status_code == 200
    assert {f"Path=/l/{visit.reference}", "Secure", "HttpOnly", "Partitioned"} <= set(
        cookie(visit).split("; ")
    )
    assert visit.first.headers["Cache-Control"] == "no-store"
    policy = visit.first.headers["Content-Security-Policy"]
    assert f"frame-ancestors 'self' {world.platform.base_url}" in policy
    again = visit.get("/")
    assert again.status_code == 200
    address = re.compile(r' data-address="[^"]+"')
    assert address.search(again.text) is None
    assert address.sub("", visit.first.text) == again.text
    assert COOKIE not in str(again.headers)


def test_the_page_of_a_launch_is_of_nobody_else(world: World) -> None:
    visit, other = world.launch("student"), world.launch("teacher")
    assert visit.first.text != other.first.text
    value = cookie(visit).split(";")[0].split("=", 1)[1]
    stranger = world.app.test_client()
    stranger.set_cookie(
        COOKIE, value, domain=world.url.split("/")[2].split(":")[0], path=f"/l/{other.reference}"
    )
    assert stranger.get(f"/l/{other.reference}/", base_url=world.url).status_code == 401


def test_where_the_page_is_elsewhere_the_launch_leads_there(world: World) -> None:
    visit = world.select_content("teacher")
    assert visit.first.status_code == 200
    assert visit.first.request.path == f"/l/{visit.reference}/deep-link"
    visit = world.launch("admin")
    assert visit.first.request.path.startswith(f"/l/{visit.reference}/registration")


def test_what_is_wrong_is_said_where_it_can_be_loaded_again(world: World) -> None:
    visit = world.launch("visitor")
    assert visit.first.request.path == f"/l/{visit.reference}/"
    assert visit.first.status_code == visit.get("/").status_code == 403


def test_a_fault_of_a_first_page_is_framed_by_the_platform_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_sis: EmbeddedSis, _key: str) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(EmbeddedSis, "class_", fail)
        visit = world.launch("student")
    assert visit.first.status_code == 500
    policy = visit.first.headers["Content-Security-Policy"]
    # Other tests may have registered more platforms; no stranger is among them.
    framing = policy.rpartition("frame-ancestors ")[2].split()
    assert {"'self'", world.platform.base_url} <= set(framing)
    assert not {"*", "https:", "http:"} & set(framing)
    assert visit.get("/").status_code == 200, "mended, it is there when it is loaded again"
