"""The tool's side of pairing, and Moodles that want to be connected."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from lti_tool.core.audit import AuditLog
from lti_tool.core.clock import FixedClock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Database
from lti_tool.core.http import HttpClient
from lti_tool.lti.paired import PairedRegistrations
from lti_tool.lti.platform_keys import PlatformKeys
from lti_tool.lti.registrations import Registrations
from lti_tool.moodle.messages import PairingRequest
from lti_tool.moodle.models import MoodleSite
from lti_tool.moodle.pairing import Pairing
from lti_tool.moodle.signatures import SignedRequests
from lti_tool.moodle.sites import Sites
from tests.moodle.moodle_site import MoodleServer, encoded, served

TOOL = "https://sis.example.edu"
PAIR = f"{TOOL}/api/v1/moodle/pair"


@dataclass
class World:
    """The tool's side of pairing."""

    database: Database
    clock: FixedClock
    registrations: Registrations
    sites: Sites
    pairing: Pairing

    def secret(self) -> str:
        """The secret of a new code, as Moodle reads it."""
        return read_code(self.pairing.code(actor="tests").text)["s"]

    def pair(self, moodle: MoodleServer, secret: str, **changes: Any) -> MoodleSite:
        """Send the pairing message, signed."""
        body = encoded(moodle.pairing(secret, **changes))
        return self.send(body, moodle.authorization(body, PAIR))

    def send(self, body: bytes, authorization: str | None) -> MoodleSite:
        """Send these very bytes."""
        return self.pairing.pair(
            PairingRequest.model_validate_json(body),
            authorization=authorization,
            body=body,
            url=PAIR,
        )


def read_code(text: str) -> dict[str, str]:
    """Read a code as the plugin does."""
    head, content, check = text.split(".")
    assert head == "naga1"
    assert check == hashlib.sha256(f"{head}.{content}".encode()).hexdigest()[:6]
    found: dict[str, str] = json.loads(
        base64.urlsafe_b64decode(content + "=" * (-len(content) % 4))
    )
    return found


@pytest.fixture
def world(
    database: Database, clock: FixedClock, audit: AuditLog, keyring: Keyring, http: HttpClient
) -> World:
    registrations = Registrations(database, clock, audit, allow_http=True)
    paired = PairedRegistrations(registrations)
    sites = Sites(database, clock, audit, keyring, paired)
    signed = SignedRequests(database, clock, paired, PlatformKeys(database, clock, http))
    pairing = Pairing(
        database,
        clock,
        audit,
        paired,
        sites,
        signed,
        public_url=TOOL,
        tool_name="Naga SIS",
        allow_http=True,
    )
    return World(database, clock, registrations, sites, pairing)


@pytest.fixture
def moodle(clock: FixedClock) -> Iterator[MoodleServer]:
    with served(clock) as running:
        yield running


@pytest.fixture
def other(clock: FixedClock) -> Iterator[MoodleServer]:
    with served(clock) as running:
        yield running
