"""Connecting a Moodle with one code."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

from lti_tool.core.audit import AuditEvent, AuditLog
from lti_tool.core.clock import FixedClock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Database
from lti_tool.core.errors import NagaError
from lti_tool.core.http import HttpClient
from lti_tool.lti.models import Standing
from lti_tool.lti.paired import PairedRegistrations
from lti_tool.lti.platform_keys import PlatformKeys
from lti_tool.lti.registrations import Registrations
from lti_tool.moodle.errors import (
    ContractUnsupportedError,
    PairingCodeExpiredError,
    PairingCodeUnknownError,
    PairingCodeUsedError,
    PairingRefusedError,
    SiteElsewhereError,
)
from lti_tool.moodle.messages import PairingRequest
from lti_tool.moodle.models import MoodleSite, PairingCode, SiteStanding
from lti_tool.moodle.pairing import Pairing
from lti_tool.moodle.signatures import (
    RequestUnsignedError,
    SignedRequests,
    SiteKeysUnavailableError,
)
from lti_tool.moodle.sites import Sites
from tests.moodle.moodle_site import STRANGE_KEY, MoodleServer, encoded, served

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


def test_a_code_says_where_the_tool_is_and_its_secret_is_not_stored(world: World) -> None:
    made = world.pairing.code(actor="tests")
    content = read_code(made.text)
    assert content["u"] == TOOL
    with world.database.read() as session:
        stored = session.scalars(sa.select(PairingCode)).one()
        (event,) = session.scalars(sa.select(AuditEvent)).all()
    assert stored.secret_hash == hashlib.sha256(content["s"].encode()).hexdigest()
    assert content["s"] not in repr(vars(stored)) + repr(vars(event))
    assert event.action == "pairing_code.made"


def test_the_offer_says_what_the_tool_is(world: World) -> None:
    offer = world.pairing.offer(contract=1, secret=world.secret())
    assert offer.tool_url == TOOL
    assert offer.launch_url == f"{TOOL}/lti/launch"
    assert offer.expires_at == world.clock.now().timestamp() + 15 * 60


def test_a_code_is_unknown_expired_or_used(world: World, moodle: MoodleServer) -> None:
    with pytest.raises(PairingCodeUnknownError):
        world.pairing.offer(contract=1, secret="x" * 32)
    used, left = world.secret(), world.secret()
    world.pair(moodle, used)
    with pytest.raises(PairingCodeUsedError):
        world.pairing.offer(contract=1, secret=used)
    world.clock.advance(minutes=15)
    for secret in (used, left):
        with pytest.raises(PairingCodeExpiredError):
            world.pairing.offer(contract=1, secret=secret)
    world.clock.advance(days=2)
    assert world.pairing.purge() == 2
    with pytest.raises(PairingCodeUnknownError):
        world.pairing.offer(contract=1, secret=left)


def test_another_contract_is_told_which_side_to_update(world: World, moodle: MoodleServer) -> None:
    secret = world.secret()
    with pytest.raises(ContractUnsupportedError) as newer:
        world.pairing.offer(contract=2, secret=secret)
    assert newer.value.remedy == "Update this tool."
    assert newer.value.context["supported"] == [1]
    versions = {"moodle": "4.5.6", "plugin": "9", "contracts": [7, 8]}
    with pytest.raises(ContractUnsupportedError):
        world.pair(moodle, secret, versions=versions)
    assert world.sites.moodles() == []
    assert world.pair(moodle, secret).contract == 1


def test_a_moodle_is_registered_and_its_token_sealed(world: World, moodle: MoodleServer) -> None:
    site = world.pair(moodle, world.secret())
    registration = world.registrations.get(site.registration_id)
    assert registration.standing is Standing.ACTIVE
    assert registration.platform_family == "moodle"
    assert registration.sourcedid_trusted
    assert (registration.issuer, registration.client_id) == (moodle.url, "client-1")
    assert [(each.deployment_id, each.standing) for each in registration.deployments] == [
        ("1", Standing.ACTIVE)
    ]
    stored = world.sites.moodle(site.id)
    assert stored.standing is SiteStanding.ACTIVE
    assert stored.token_sealed is not None
    assert moodle.token.encode() not in stored.token_sealed
    assert world.sites.token(stored) == moodle.token
    assert stored.versions["moodle"] == "4.5.6"
    assert stored.reconcile_since is None


def test_the_code_tells_its_page_which_moodle_it_has_connected(
    world: World, moodle: MoodleServer
) -> None:
    made = world.pairing.code(actor="tests")
    assert world.pairing.connected(made.reference) is None
    site = world.pair(moodle, read_code(made.text)["s"])
    found = world.pairing.connected(made.reference)
    assert found is not None
    assert found.id == site.id
    assert world.pairing.connected("%") is None


def test_the_same_moodle_may_ask_again_while_the_code_lives(
    world: World, moodle: MoodleServer, other: MoodleServer
) -> None:
    secret = world.secret()
    first = world.pair(moodle, secret)
    again = world.pair(moodle, secret)
    assert (again.id, again.registration_id) == (first.id, first.registration_id)
    assert len(world.registrations.list()) == 1
    with pytest.raises(PairingCodeUsedError):
        world.pair(other, secret)
    assert other.key_fetches == 0
    assert len(world.sites.moodles()) == 1
    world.clock.advance(minutes=15)
    with pytest.raises(PairingCodeExpiredError):
        world.pair(moodle, secret)


def test_nobody_is_called_for_a_stranger_without_a_code(world: World, moodle: MoodleServer) -> None:
    with pytest.raises(PairingCodeUnknownError):
        world.pair(moodle, "x" * 32)
    assert moodle.key_fetches == 0


@pytest.mark.parametrize("how", ["unsigned", "another key", "another body", "another address"])
def test_a_wrong_signature_changes_nothing(world: World, moodle: MoodleServer, how: str) -> None:
    secret = world.secret()
    body = encoded(moodle.pairing(secret))
    authorization: str | None = {
        "unsigned": None,
        "another key": moodle.authorization(body, PAIR, key=STRANGE_KEY),
        "another body": moodle.authorization(body + b" ", PAIR),
        "another address": moodle.authorization(body, "https://elsewhere.example/pair"),
    }[how]
    with pytest.raises(RequestUnsignedError):
        world.send(body, authorization)
    assert world.sites.moodles() == []
    assert world.registrations.list() == []
    assert world.pair(moodle, secret).name == "Campus Moodle"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("jwks_url", "https://evil.example/keys"),
        ("jwks_url", "{url}.evil.example/mod/lti/certs.php"),
        ("jwks_url", "{url}/../keys"),
        ("jwks_url", "{url}/%2e%2e/keys"),
        ("token_url", "https://evil.example/token"),
        ("auth_url", "https://evil.example/auth"),
        ("issuer", "https://evil.example"),
    ],
)
def test_addresses_lie_under_the_moodle(
    world: World, moodle: MoodleServer, field: str, value: str
) -> None:
    message = moodle.pairing(world.secret())
    message["lti"][field] = value.replace("{url}", moodle.url)
    body = encoded(message)
    with pytest.raises(PairingRefusedError) as refused:
        world.send(body, moodle.authorization(body, PAIR))
    assert refused.value.field == f"lti.{field}"
    assert world.registrations.list() == []
    assert moodle.key_fetches == 0


@pytest.mark.parametrize(
    "url", ["ftp://m.example", "https://", "https://a@m.example", "https://m.example/", "m", "\n"]
)
def test_an_address_that_is_none_is_refused(world: World, moodle: MoodleServer, url: str) -> None:
    with pytest.raises(PairingRefusedError):
        world.pair(moodle, world.secret(), url=url)


def test_keys_that_cannot_be_read_leave_the_code_as_it_was(
    world: World, moodle: MoodleServer
) -> None:
    secret = world.secret()
    message = moodle.pairing(secret)
    message["lti"]["jwks_url"] = f"{moodle.url}/nowhere"
    body = encoded(message)
    with pytest.raises(SiteKeysUnavailableError):
        world.send(body, moodle.authorization(body, PAIR))
    assert world.pair(moodle, secret).url == moodle.url


def test_pairing_again_mends_what_was_changed(world: World, moodle: MoodleServer) -> None:
    site = world.pair(moodle, world.secret())
    registration_id = site.registration_id
    world.registrations.update(registration_id, actor="tests", sourcedid_trusted=False)
    world.registrations.set_standing(registration_id, Standing.DISABLED, actor="tests")
    moodle.client_id, moodle.deployment_id, moodle.token = "client-2", "2", "b" * 32
    again = world.pair(moodle, world.secret())
    mended = world.registrations.get(registration_id)
    assert (again.id, again.registration_id) == (site.id, registration_id)
    assert (mended.standing, mended.sourcedid_trusted) == (Standing.ACTIVE, True)
    assert mended.client_id == "client-2"
    assert ("2", Standing.ACTIVE) in [
        (each.deployment_id, each.standing) for each in mended.deployments
    ]
    assert world.sites.token(again) == "b" * 32


def test_a_registration_made_by_hand_is_adopted(world: World, moodle: MoodleServer) -> None:
    by_hand = world.registrations.create(
        actor="tests",
        name="Our Moodle",
        issuer=moodle.url,
        client_id=moodle.client_id,
        auth_url=f"{moodle.url}/a",
        token_url=f"{moodle.url}/t",
        jwks_url=f"{moodle.url}/old",
        standing=Standing.PENDING,
    )
    site = world.pair(moodle, world.secret())
    assert site.registration_id == by_hand.id
    found = world.registrations.get(by_hand.id)
    assert found.name == "Our Moodle"
    assert found.standing is Standing.ACTIVE
    assert found.jwks_url == f"{moodle.url}/mod/lti/certs.php"


def test_connected_again_after_its_end_it_wants_reconciling(
    world: World, moodle: MoodleServer
) -> None:
    site = world.pair(moodle, world.secret())
    heard = world.clock.now()
    world.sites.disconnect(site.id, actor="tests")
    ended = world.sites.moodle(site.id)
    assert ended.token_sealed is None
    assert world.registrations.get(site.registration_id).standing is Standing.DISABLED
    world.sites.disconnect(site.id, actor="tests")
    world.clock.advance(days=3)
    again = world.pair(moodle, world.secret())
    assert again.id == site.id
    assert again.standing is SiteStanding.ACTIVE
    assert again.reconcile_since == heard
    assert world.registrations.get(site.registration_id).standing is Standing.ACTIVE


def test_a_new_epoch_begins_at_nothing(world: World, moodle: MoodleServer) -> None:
    site = world.pair(moodle, world.secret())
    with world.database.write() as session:
        session.execute(sa.update(MoodleSite).values(held=7, held_id="x"))
    assert world.pair(moodle, world.secret()).held == 7
    again = world.pair(moodle, world.secret(), epoch="00000000-0000-4000-8000-000000000000")
    assert (again.id, again.held, again.held_id) == (site.id, 0, None)
    assert again.reconcile_since is not None


def test_a_registration_of_another_moodle_is_not_taken_over(
    world: World, moodle: MoodleServer, other: MoodleServer
) -> None:
    site = world.pair(moodle, world.secret())
    world.registrations.update(site.registration_id, actor="tests", issuer=other.url)
    secret = world.secret()
    with pytest.raises(SiteElsewhereError):
        world.pair(other, secret)
    assert [each.url for each in world.sites.moodles()] == [moodle.url]


def test_of_two_moodles_with_one_code_one_wins(
    world: World, moodle: MoodleServer, other: MoodleServer
) -> None:
    secret = world.secret()
    barrier = threading.Barrier(2)
    outcomes: list[str] = []

    def pair(site: MoodleServer) -> None:
        barrier.wait()
        try:
            world.pair(site, secret)
            outcomes.append("paired")
        except NagaError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=pair, args=(each,)) for each in (moodle, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["paired", "pairing_code_used"]
    assert len(world.sites.moodles()) == len(world.registrations.list()) == 1


def test_a_code_in_use_is_not_taken_by_another(
    world: World, moodle: MoodleServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = world.secret()
    real = world.pairing._usable

    def taken_meanwhile(*arguments: Any, **named: Any) -> PairingCode:
        code = real(*arguments, **named)
        with world.database.write() as session:
            session.execute(sa.update(PairingCode).values(used_at=world.clock.now()))
        return code

    monkeypatch.setattr(world.pairing, "_usable", taken_meanwhile)
    with pytest.raises(PairingCodeUsedError):
        world.pair(moodle, secret)
    assert world.sites.moodles() == []


def test_what_fails_in_between_gives_the_code_back(
    world: World, moodle: MoodleServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = world.secret()
    with monkeypatch.context() as patch:
        patch.setattr(world.sites, "keep", _broken)
        with pytest.raises(RuntimeError):
            world.pair(moodle, secret)
    assert world.pair(moodle, secret).url == moodle.url
    assert len(world.registrations.list()) == 1


def _broken(*_arguments: object, **_named: object) -> None:
    raise RuntimeError("the process is about to die")
