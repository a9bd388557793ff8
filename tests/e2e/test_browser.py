"""The browser really does with cookies what the other tests count on."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import Cookies
from tests.e2e.conftest import OpenBrowser
from tests.e2e.environment import ToolAddress
from tests.e2e.moodle.site import Moodle

pytestmark = [pytest.mark.moodle, pytest.mark.browser, pytest.mark.timeout(300)]

_PLAIN = "plain=1"
_PARTITIONED = "__Host-partitioned=1"


class _Control(BaseHTTPRequestHandler):
    """Sets two cookies on ``/set``, and shows what the browser sends."""

    def do_GET(self) -> None:
        self.send_response(200)
        if self.path == "/set":
            kept = "Path=/; Secure; HttpOnly; SameSite=None"
            self.send_header("Set-Cookie", f"{_PLAIN}; {kept}")
            self.send_header("Set-Cookie", f"{_PARTITIONED}; {kept}; Partitioned")
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(f"<p id=cookies>{self.headers.get('Cookie', 'none')}</p>".encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture(scope="module")
def control(address: ToolAddress) -> Iterator[str]:
    """A server on the tool's host, at a port of its own: the same site as the tool."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Control)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(address.certificate, address.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"https://{address.host}:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_tool_is_on_another_site_than_moodle(moodle: Moodle, address: ToolAddress) -> None:
    tool, platform = (urlsplit(url).hostname or "" for url in (address.url, moodle.url))
    assert tool.split(".")[-2:] != platform.split(".")[-2:]


@pytest.mark.parametrize(
    ("cookies", "sent"),
    [
        (Cookies.ALLOWED, f"{_PLAIN}; {_PARTITIONED}"),
        (Cookies.BLOCKED, _PARTITIONED),
        (Cookies.REFUSED, "none"),
    ],
)
def test_cookies_of_a_frame(
    open_browser: OpenBrowser, moodle: Moodle, control: str, cookies: Cookies, sent: str
) -> None:
    page = open_browser(cookies).new_page()
    page.goto(f"{moodle.url}/login/index.php")
    _open_frame(page, f"{control}/set", "first")
    _open_frame(page, f"{control}/read", "second")
    expect(page.frame_locator("#second").locator("#cookies")).to_have_text(sent)


@pytest.mark.parametrize("cookies", list(Cookies))
def test_cookies_of_a_window_are_always_kept(
    open_browser: OpenBrowser, control: str, cookies: Cookies
) -> None:
    page = open_browser(cookies).new_page()
    page.goto(f"{control}/set")
    page.goto(f"{control}/read")
    expect(page.locator("#cookies")).to_have_text(f"{_PLAIN}; {_PARTITIONED}")


def _open_frame(page: Page, url: str, name: str) -> None:
    page.evaluate(
        "([url, id]) => new Promise((done) => {"
        " const frame = document.createElement('iframe');"
        " Object.assign(frame, {id, src: url, onload: () => done(null)});"
        " document.body.append(frame); })",
        [url, name],
    )
