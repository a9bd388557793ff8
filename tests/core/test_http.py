"""The door out, against real sockets."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version

import pytest

from lti_tool.core.http import (
    HostRefusedError,
    HttpClient,
    NotJsonError,
    TooLargeError,
    UnreachableError,
)


class _Handler(BaseHTTPRequestHandler):
    seen: list[dict[str, str]]

    def do_GET(self) -> None:
        self.server.seen.append(dict(self.headers))  # type: ignore[attr-defined]
        match self.path:
            case "/json":
                self._send(200, b'{"a": 1}', {"Set-Cookie": "x=y"})
            case "/html":
                self._send(200, b"<html>")
            case "/redirect":
                self._send(302, b"", {"Location": "/json"})
            case "/links":
                self.send_response(200)
                self.send_header("Link", '<http://a/1>; rel="next"')
                self.send_header("Link", '<http://a/2>; rel="differences"')
                self.send_header("Content-Length", "0")
                self.end_headers()
            case "/large":
                self.send_response(200)
                self.end_headers()
                try:
                    for _ in range(1000):
                        self.wfile.write(b"x" * 65536)
                except OSError:
                    self.server.gave_up.set()  # type: ignore[attr-defined]
            case "/drip":
                self.send_response(200)
                self.end_headers()
                try:
                    while not self.server.stop.wait(0.05):  # type: ignore[attr-defined]
                        self.wfile.write(b"x")
                except OSError:
                    pass
            case "/hang":
                self.server.stop.wait(5)  # type: ignore[attr-defined]

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen: list[dict[str, str]] = []
        self.stop = threading.Event()
        self.gave_up = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


@pytest.fixture
def server() -> Iterator[_Server]:
    server = _Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.stop.set()
    server.shutdown()
    thread.join()
    server.server_close()


def test_answers_with_status_headers_and_json(http: HttpClient, server: _Server) -> None:
    response = http.request("GET", f"{server.url}/json")
    assert (response.status, response.ok, response.json()) == (200, True, {"a": 1})
    assert response.headers["content-length"] == "8"


def test_says_who_it_is_and_keeps_no_cookie(http: HttpClient, server: _Server) -> None:
    for _ in range(2):
        http.request("GET", f"{server.url}/json")
    ours = f"NagaSIS-LTI/{version('naga-moodle')}"
    assert [seen["User-Agent"] for seen in server.seen] == [ours, ours]
    assert all("Cookie" not in seen for seen in server.seen)


def test_keeps_repeated_link_headers_apart(http: HttpClient, server: _Server) -> None:
    assert len(http.request("GET", f"{server.url}/links").link_headers) == 2


def test_never_follows_a_redirect(http: HttpClient, server: _Server) -> None:
    response = http.request("GET", f"{server.url}/redirect", headers={"Authorization": "Bearer t"})
    assert response.status == 302
    assert len(server.seen) == 1


def test_refuses_a_large_answer_while_it_arrives(http: HttpClient, server: _Server) -> None:
    with pytest.raises(TooLargeError):
        http.request("GET", f"{server.url}/large", max_bytes=100_000)
    assert server.gave_up.wait(5), "the connection stayed open to the end"


def test_total_timeout_holds_against_a_dripping_server(http: HttpClient, server: _Server) -> None:
    with pytest.raises(UnreachableError) as raised:
        http.request("GET", f"{server.url}/drip", total_timeout=0.3)
    assert raised.value.context["host"] == "127.0.0.1"


def test_a_silent_server_times_out(http: HttpClient, server: _Server) -> None:
    with pytest.raises(UnreachableError, match="timed out"):
        http.request("GET", f"{server.url}/hang", total_timeout=0.2)


def test_not_json(http: HttpClient, server: _Server) -> None:
    with pytest.raises(NotJsonError):
        http.request("GET", f"{server.url}/html").json()


def test_connection_refused() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    client = HttpClient(allow_private=True, allow_http=True)
    with pytest.raises(UnreachableError):
        client.request("GET", f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_private_address_is_refused_before_a_byte_is_sent(server: _Server, host: str) -> None:
    client = HttpClient(allow_http=True)
    port = server.server_address[1]
    with pytest.raises(HostRefusedError) as raised:
        client.request("GET", f"http://{host}:{port}/json", headers={"Authorization": "secret"})
    assert raised.value.context["host"] == host
    assert server.seen == []


@pytest.mark.parametrize(
    "url",
    [
        "http://example.edu/",
        "ftp://example.edu/",
        "//example.edu/",
        "/etc/passwd",
        "https://",
        "https://user@example.edu/",
        "https://example.edu:port/",
        "",
    ],
)
def test_only_absolute_https_addresses(url: str) -> None:
    with pytest.raises(HostRefusedError):
        HttpClient().request("GET", url)


def test_an_untrusted_certificate_names_the_setting(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    import ssl

    from tests.core.certificates import self_signed

    certificate, key = self_signed(tmp_path_factory.mktemp("tls"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *args: None  # type: ignore[method-assign]
    server.seen = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    url = f"https://localhost:{server.server_address[1]}/json"
    try:
        with pytest.raises(UnreachableError, match="NAGASIS_CA_BUNDLE"):
            HttpClient(allow_private=True).request("GET", url)
        trusting = HttpClient(allow_private=True, ca_bundle=str(certificate))
        assert trusting.request("GET", url).json() == {"a": 1}
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_many_threads_share_one_client(http: HttpClient, server: _Server) -> None:
    results: list[int] = []

    def fetch() -> None:
        results.extend(http.request("GET", f"{server.url}/json").status for _ in range(10))

    threads = [threading.Thread(target=fetch) for _ in range(8)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [200] * 80, time.monotonic() - started
