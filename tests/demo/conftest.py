"""A platform with a campus of seven, and a stub tool on a real port."""

from __future__ import annotations

import datetime as dt
import secrets
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask, jsonify, redirect, request
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server

from demo import Platform, PlatformConfig, Quirks, create_platform
from demo.client import Browser
from demo.keys import new_key
from demo.model import Course, Person, ResourceLink, Tool

CAMPUS: dict[str, Any] = {
    "site": "Test campus",
    "people": [
        {"username": "admin", "family_name": "Admin", "site_admin": True},
        {"username": "teacher", "given_name": "Sophea", "family_name": "Chan", "idnumber": "T-1"},
        {"username": "assistant", "given_name": "Rithy", "family_name": "Kim", "idnumber": "T-2"},
        {"username": "dara", "given_name": "ដារា", "family_name": "សុខ", "idnumber": "S-1",
         "email": "dara@example.edu"},
        {"username": "bopha", "given_name": "Bopha", "family_name": "Chea"},
        {"username": "gone", "given_name": "Gone", "family_name": "Away", "idnumber": "S-3"},
        {"username": "outsider", "given_name": "Out", "family_name": "Sider", "idnumber": "S-4"},
    ],
    "courses": [
        {
            "shortname": "EHSS-07",
            "fullname": "English 7",
            "idnumber": "EHSS-07|A",
            "members": [
                {"username": "teacher", "role": "editingteacher"},
                {"username": "assistant", "role": "teacher"},
                {"username": "dara"},
                {"username": "bopha"},
                {"username": "gone", "status": "suspended"},
            ],
        }
    ],
}  # fmt: skip


class StubTool:
    """The least that a tool is: keys, a login, a place that receives messages."""

    def __init__(self) -> None:
        self.key: RSAKey = new_key()
        self.jwks_fetches = 0
        self.jwks_status = 200
        self.received: list[dict[str, str]] = []
        self.logins: list[dict[str, str]] = []
        self.auth_changes: dict[str, str | None] = {}
        self.auth_url = "http://platform.test/mod/lti/auth.php"
        self.url = ""
        self.app = self._build()

    def _build(self) -> Flask:
        app = Flask("stub-tool")

        @app.get("/jwks")
        def jwks() -> Any:
            self.jwks_fetches += 1
            if self.jwks_status != 200:
                return "<html>down</html>", self.jwks_status
            return jsonify(keys=[self.key.as_dict(private=False)])

        @app.post("/login")
        def login() -> Any:
            asked = request.form.to_dict()
            self.logins.append(asked)
            fields: dict[str, str | None] = {
                "scope": "openid",
                "response_type": "id_token",
                "response_mode": "form_post",
                "prompt": "none",
                "client_id": asked["client_id"],
                "redirect_uri": f"{self.url}/launch",
                "login_hint": asked["login_hint"],
                "lti_message_hint": asked["lti_message_hint"],
                "state": "state-1",
                "nonce": "nonce-1",
                **self.auth_changes,
            }
            kept = {name: value for name, value in fields.items() if value is not None}
            return redirect(f"{self.auth_url}?{urlencode(kept)}")

        @app.post("/launch")
        def launch() -> Any:
            self.received.append(request.form.to_dict())
            return "launched"

        return app

    def sign(self, claims: dict[str, Any], **header: Any) -> str:
        """Sign as the tool."""
        base = {"alg": "RS256", "kid": self.key.kid}
        return jwt.encode({**base, **header}, claims, self.key)

    def assertion(self, tool: Tool, now: dt.datetime, **changes: Any) -> str:
        """Return a client assertion; a claim that is changed to ``None`` is left out."""
        at = int(now.timestamp())
        claims = {
            "iss": tool.client_id,
            "sub": tool.client_id,
            "aud": "http://platform.test/mod/lti/token.php",
            "iat": at,
            "exp": at + 60,
            "jti": secrets.token_hex(8),
        } | changes
        return self.sign({name: value for name, value in claims.items() if value is not None})


class Lab:
    """A platform, a stub tool registered on it, and everybody by name."""

    def __init__(self, platform: Platform, app: Flask, stub: StubTool) -> None:
        self.platform = platform
        self.app = app
        self.stub = stub
        self.client = app.test_client()
        self.people = {p.username: p for p in platform.state.people.values()}
        self.course: Course = next(iter(platform.state.courses.values()))
        self.tool = platform.add_tool(
            name="Stub",
            login_uri=f"{stub.url}/login",
            redirect_uris=[f"{stub.url}/launch"],
            jwks_uri=f"{stub.url}/jwks",
            target_link_uri=f"{stub.url}/launch",
            deep_linking_uri=f"{stub.url}/launch",
        )
        self.link: ResourceLink = platform.add_link(self.course, self.tool, "Class")
        self.browser = Browser(self.client, stub.app.test_client())

    def person(self, username: str) -> Person:
        """Return a person."""
        return self.people[username]

    def launch(self, username: str = "teacher", **options: Any) -> dict[str, str]:
        """Launch and return what the tool received."""
        response = self.browser.launch(self.link.id, self.person(username).id, **options)
        assert response.status_code == 200, response.get_data(as_text=True)
        return self.stub.received[-1]

    def claims(self, username: str = "teacher") -> dict[str, Any]:
        """Launch and return the verified claims."""
        return self.platform.signing.verify(self.launch(username)["id_token"])

    def request_token(self, *scopes: str, **changes: Any) -> Any:
        """Ask the token endpoint."""
        assertion = self.stub.assertion(self.tool, self.platform.now(), **changes)
        return self.client.post(
            "/mod/lti/token.php",
            data={
                "grant_type": "client_credentials",
                "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                "client_assertion": assertion,
                "scope": " ".join(scopes),
            },
        )

    def call(self, method: str, url: str, *scopes: str, **options: Any) -> Any:
        """Call a service with a token of these scopes."""
        token = self.platform.issue_token(self.tool, list(scopes))
        headers = {"Authorization": f"Bearer {token}", **options.pop("headers", {})}
        path = url.removeprefix(self.platform.base_url)
        return self.client.open(path, method=method, headers=headers, **options)


@pytest.fixture(scope="session")
def served_stub() -> Iterator[StubTool]:
    stub = StubTool()
    server = make_server("127.0.0.1", 0, stub.app, threaded=True)
    stub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield stub
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def stub(served_stub: StubTool) -> StubTool:
    served_stub.received.clear()
    served_stub.logins.clear()
    served_stub.auth_changes.clear()
    served_stub.jwks_status = 200
    served_stub.jwks_fetches = 0
    return served_stub


NOW = dt.datetime(2026, 3, 2, 3, 0, tzinfo=dt.UTC)


@pytest.fixture
def make_lab(stub: StubTool) -> Callable[..., Lab]:
    """Build a lab with these quirks."""

    def build(quirks: Quirks | None = None, **changes: Any) -> Lab:
        config = PlatformConfig(
            base_url="http://platform.test",
            course_json=CAMPUS,
            quirks=quirks or Quirks(),
            now=lambda: NOW,
            **changes,
        )
        app = create_platform(config)
        return Lab(app.extensions["platform"], app, stub)

    return build


@pytest.fixture
def lab(make_lab: Callable[..., Lab]) -> Lab:
    return make_lab()
