"""What is not Keycloak, or says that it has no time: families of errors, and how long to wait."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug import Response

from lti_tool.core.clock import SystemClock
from lti_tool.core.http import HttpClient
from lti_tool.identity.keycloak.directory import KeycloakDirectory
from lti_tool.identity.keycloak.errors import KeycloakUnavailableError
from lti_tool.identity.keycloak.models import Realm
from lti_tool.moodle.documents import Account
from lti_tool.moodle.plugin_errors import (
    AuthenticationError,
    BatchTooLargeError,
    DataError,
    TransientError,
)
from tests.core.certificates import self_signed
from tests.lti.outbound_world import Stub, TestSigner, as_json
from tests.ports import free_port

TOKEN = "/realms/school/protocol/openid-connect/token"


@pytest.fixture
def stub() -> Iterator[Stub]:
    stub = Stub()
    yield stub
    stub.close()


def _directory(http: HttpClient | None = None) -> KeycloakDirectory:
    return KeycloakDirectory(
        http or HttpClient(allow_private=True, allow_http=True), SystemClock(), TestSigner().sign
    )


def _site(url: str) -> Realm:
    return Realm(id=1, url=f"{url}/realms/school", name="school")


def _signed_in(stub: Stub) -> None:
    stub.on("POST", TOKEN, as_json({"access_token": "a.b.c", "expires_in": 300}))


def test_asked_to_wait(stub: Stub) -> None:
    stub.on("POST", TOKEN, Response("slowly", 429, headers={"Retry-After": "7"}))
    with pytest.raises(TransientError) as raised:
        _directory().status(_site(stub.url))
    assert raised.value.retry_after == 7
    _signed_in(stub)
    stub.on(
        "GET",
        "/admin/realms/school/users/count",
        Response("later", 503, headers={"Retry-After": "30"}),
    )
    with pytest.raises(TransientError) as raised:
        _directory().status(_site(stub.url))
    assert raised.value.retry_after == 30


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_server_that_fails(stub: Stub, status: int) -> None:
    stub.on("POST", TOKEN, Response("oh", status))
    with pytest.raises(TransientError, match=str(status)):
        _directory().status(_site(stub.url))


@pytest.mark.parametrize("page", [Response("<html>welcome</html>"), as_json([1]), as_json({})])
def test_something_else_answers(stub: Stub, page: Response) -> None:
    stub.on("POST", TOKEN, page)
    with pytest.raises(TransientError, match="is not Keycloak"):
        _directory().status(_site(stub.url))
    _signed_in(stub)
    stub.on("GET", "/admin/realms/school/users/count", page)
    with pytest.raises(TransientError, match="is not Keycloak"):
        _directory().status(_site(stub.url))


def test_somewhere_else_is_not_followed(stub: Stub) -> None:
    stub.on("POST", TOKEN, Response("", 302, headers={"Location": f"{stub.url}/elsewhere"}))
    with pytest.raises(TransientError):
        _directory().status(_site(stub.url))
    assert [each.path for each in stub.requests] == [TOKEN]


def test_nobody_is_there() -> None:
    site = _site(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(KeycloakUnavailableError, match="did not answer"):
        _directory().status(site)
    [line] = _directory().check(site)
    assert (line.name, line.status) == ("keycloak_answers", "error")
    assert "Check the address" in line.details


def test_an_address_that_may_not_be_called() -> None:
    with pytest.raises(AuthenticationError):
        _directory(HttpClient()).status(_site("http://127.0.0.1:9"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        site = _site(f"http://127.0.0.1:{listener.getsockname()[1]}")
        with pytest.raises(AuthenticationError, match="private network"):
            _directory(HttpClient(allow_http=True)).status(site)


def test_a_certificate_that_is_not_trusted(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def refuse() -> None:
            connection, _ = listener.accept()
            with connection, pytest.raises(OSError):
                context.wrap_socket(connection, server_side=True)

        thread = threading.Thread(target=refuse)
        thread.start()
        with pytest.raises(TransientError) as raised:
            _directory().status(_site(f"https://localhost:{listener.getsockname()[1]}"))
        thread.join()
    assert "NAGASIS_CA_BUNDLE" in f"{raised.value.detail} {raised.value.remedy}"


def test_what_it_does_not_take() -> None:
    site = _site("http://127.0.0.1:9")
    document = Account(person="p-1", username="p-1", firstname="", lastname="")
    with pytest.raises(BatchTooLargeError):
        _directory().apply(site, [document] * 1001)
    with pytest.raises(DataError):
        _directory().read(site, "grades")
    assert _directory().digest(site, "course").items == []
