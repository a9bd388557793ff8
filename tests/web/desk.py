"""A browser at the tool without a launch, and the provider where its person signs in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask
from werkzeug.test import Client, TestResponse

from lti_tool import create_app
from lti_tool.core.clock import FixedClock
from lti_tool.core.crypto import load_keyring
from lti_tool.core.database import Database
from lti_tool.settings import Settings
from lti_tool.wiring import Services
from tests.identity.oidc_provider import CLIENT_ID, CLIENT_SECRET, OidcProvider, open_provider

URL = "http://localhost:8700"
OWN = {"Sec-Fetch-Site": "same-origin"}
HTML = {"Accept": "text/html"}


@dataclass
class Desk:
    """A browser, and the provider where its person signs in."""

    app: Flask
    oidc: OidcProvider
    clock: FixedClock
    client: Client

    @property
    def services(self) -> Services:
        """What the tool is made of."""
        found: Services = self.app.extensions["naga"]
        return found

    def get(self, path: str, **headers: str) -> TestResponse:
        """A page."""
        return self.client.get(path, base_url=URL, headers=HTML | headers)

    def post(self, path: str, *, of: str = "/admin/sign-in", **data: str) -> TestResponse:
        """A form of the page ``of``."""
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.get(of).text)
        assert found is not None
        return self.client.post(
            path,
            base_url=URL,
            data={"csrf_token": found[1], **data},
            headers=HTML | OWN | {"Referer": URL + of},
        )

    def sign_in(self, **data: str) -> TestResponse:
        """To the administration: from the button to where it leads."""
        return self.come_back(self.post("/admin/sign-in", **data))

    def come_in(self, path: str = "/sign-in") -> TestResponse:
        """Directly: from the page where the button is, with the fields of its form."""
        page = self.get(path).text
        onward = re.search(r'name="onward" value="([^"]+)"', page)
        data = {"onward": unescape(onward[1])} if onward else {}
        return self.come_back(
            self.client.post("/sign-in", base_url=URL, data=data, headers=HTML | OWN)
        )

    def asked(self, leaving: TestResponse) -> str:
        """The address at the provider that a page leads to."""
        found = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', leaving.text)
        assert found is not None, leaving.text
        return unescape(found[1])

    def come_back(self, leaving: TestResponse) -> TestResponse:
        """Sign in there, and come back."""
        answer = self.oidc.authorize(self.asked(leaving))
        return self.get(f"/sign-in/callback?state={answer['state']}&code={answer['code']}")

    @contextmanager
    def statements(self) -> Iterator[list[str]]:
        """What is asked of the database meanwhile."""
        sent: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            sent.append(statement)

        engine = self.services.database.engine
        sa.event.listen(engine, "before_cursor_execute", note)
        try:
            yield sent
        finally:
            sa.event.remove(engine, "before_cursor_execute", note)


@contextmanager
def open_desk(
    database: Database, clock: FixedClock, folder: Path, *, url: str = URL, **settings: Any
) -> Iterator[Desk]:
    """The tool with this database at ``url``, and a provider."""
    with open_provider(clock) as oidc:
        load_keyring(folder / "keys", create=True)
        app = create_app(
            Settings(
                public_url=url,
                database_url=database.url.render_as_string(hide_password=False),
                keys_dir=folder / "keys",
                log_level="ERROR",
                outbound_allow_private=True,
                outbound_allow_http=True,
                oidc_issuer=oidc.issuer,
                oidc_client_id=CLIENT_ID,
                oidc_client_secret=CLIENT_SECRET,
                **settings,
            ),
            clock=clock,
        )
        yield Desk(app, oidc, clock, app.test_client())
        app.extensions["naga"].database.dispose()
