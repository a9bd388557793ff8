"""Connecting a Moodle with one code."""

from __future__ import annotations

import hashlib

import pytest
import sqlalchemy as sa

from lti_tool.core.audit import AuditEvent
from lti_tool.lti.models import Standing
from lti_tool.moodle.errors import (
    ContractUnsupportedError,
    PairingCodeExpiredError,
    PairingCodeUnknownError,
    PairingCodeUsedError,
    PairingRefusedError,
)
from lti_tool.moodle.models import PairingCode, SiteStanding
from lti_tool.moodle.signatures import RequestUnsignedError, SiteKeysUnavailableError
from tests.moodle.moodle_site import STRANGE_KEY, MoodleServer, encoded
from tests.moodle.pairing_world import PAIR, TOOL, World, read_code
from tests.moodle.pairing_world import moodle as moodle
from tests.moodle.pairing_world import world as world


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
