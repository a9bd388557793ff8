"""Requests signed by a Moodle: whose they are, and what is wrong with those that are refused."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lti_tool.core.clock import FixedClock
from lti_tool.core.database import Database
from lti_tool.core.errors import NagaError
from lti_tool.core.http import HttpClient
from lti_tool.lti.models import Standing
from lti_tool.moodle.errors import SiteDisconnectedError, SiteUnknownError
from lti_tool.moodle.models import MoodleSite, SeenRequest, SiteStanding
from lti_tool.moodle.signatures import (
    RequestExpiredError,
    RequestReplayedError,
    RequestUnsignedError,
    SignedRequests,
    SiteDisabledError,
    SiteKeysUnavailableError,
)
from tests.moodle.moodle_site import STRANGE_KEY, MoodleServer, served
from tests.moodle.signing import (
    EVENTS,
    claims_of,
    connect,
    registrations,
    reload,
    signature,
    signed_requests,
)

BODY = b'{"contract":1}'


@dataclass
class World:
    """A Moodle that is connected, and what judges its requests."""

    database: Database
    clock: FixedClock
    moodle: MoodleServer
    site: MoodleSite
    requests: SignedRequests

    def verify(self, body: bytes = BODY, url: str = EVENTS, **claims: Any) -> MoodleSite:
        """Verify a signature of the body that differs from a right one in ``claims``."""
        content = claims_of(self.moodle, BODY) | claims
        content = {name: value for name, value in content.items() if value is not ...}
        return self.take(signature(content, self.moodle.key), body=body, url=url)

    def take(
        self, authorization: str | None, *, body: bytes = BODY, url: str = EVENTS
    ) -> MoodleSite:
        """Verify this very header."""
        return self.requests.verify(authorization=authorization, body=body, url=url)


@pytest.fixture
def world(database: Database, clock: FixedClock, http: HttpClient) -> Iterator[World]:
    with served(clock) as moodle:
        site = connect(database, clock, moodle)
        yield World(database, clock, moodle, site, signed_requests(database, clock, http))


def test_a_signed_request_is_its_site_s_and_the_site_was_heard(world: World) -> None:
    world.clock.advance(seconds=5)
    issued = world.moodle.now() + 12
    assert world.verify(iat=issued, exp=issued + 60).id == world.site.id
    site = reload(world.database, world.site)
    assert site.heard_at == world.clock.now()
    assert site.clock_skew == 12


def test_the_keys_are_asked_for_once(world: World) -> None:
    for _ in range(3):
        world.verify()
    assert world.moodle.key_fetches == 1


@pytest.mark.parametrize(
    ("claims", "field"),
    [
        ({"bh": "0" * 43}, "bh"),
        ({"bh": ...}, "bh"),
        ({"aud": EVENTS + "/"}, "aud"),
        ({"aud": EVENTS.replace("https", "http")}, "aud"),
        ({"aud": [EVENTS]}, "aud"),
        ({"aud": ...}, "aud"),
        ({"jti": ...}, "jti"),
        ({"jti": "short"}, "jti"),
        ({"jti": "x" * 65}, "jti"),
        ({"jti": "spaces in the middle of it"}, "jti"),
        ({"iat": ...}, "iat"),
        ({"iat": "1772420400"}, "iat"),
        ({"iat": True}, "iat"),
        ({"exp": ...}, "exp"),
        ({"exp": 1e300}, "exp"),
        ({"iss": ...}, "iss"),
        ({"iss": ["a"]}, "iss"),
        ({"iss": "https://\x00"}, "iss"),
        ({"iss": "\ud800"}, "iss"),
        ({"sub": ...}, "sub"),
        ({"sub": "x" * 256}, "sub"),
    ],
)
def test_each_claim_is_judged(world: World, claims: dict[str, Any], field: str) -> None:
    with pytest.raises(RequestUnsignedError) as caught:
        world.verify(**claims)
    assert caught.value.field == field
    assert caught.value.problem()["code"] == "request_unsigned"
    assert _remembered(world) == 0


def test_a_lifetime_beyond_a_minute_is_refused(world: World) -> None:
    now = world.moodle.now()
    for issued, expires in ((now, now + 61), (now, now), (now, now - 1)):
        with pytest.raises(RequestUnsignedError) as caught:
            world.verify(iat=issued, exp=expires)
        assert caught.value.field == "exp"


def test_another_body_or_another_address(world: World) -> None:
    with pytest.raises(RequestUnsignedError) as caught:
        world.verify(body=BODY + b" ")
    assert caught.value.field == "bh"
    with pytest.raises(RequestUnsignedError) as caught:
        world.verify(url=EVENTS.replace("events", "unpair"))
    assert caught.value.field == "aud"


@pytest.mark.parametrize("age", [0, 30, 59, 60, 119])
def test_clocks_may_differ_by_a_minute(world: World, age: int) -> None:
    now = world.moodle.now()
    world.verify(iat=now - age, exp=now - age + 60)


def test_too_old_or_from_the_future(world: World) -> None:
    now = world.moodle.now()
    with pytest.raises(RequestExpiredError) as caught:
        world.verify(iat=now - 120, exp=now - 60)
    assert (caught.value.field, caught.value.context["now"]) == ("exp", now)
    assert "before" in caught.value.detail
    world.verify(iat=now + 60, exp=now + 120)
    with pytest.raises(RequestExpiredError) as caught:
        world.verify(iat=now + 61, exp=now + 121)
    assert caught.value.field == "iat"
    assert "ahead" in caught.value.detail


def test_a_request_is_taken_once(world: World) -> None:
    header = signature(claims_of(world.moodle, BODY), world.moodle.key)
    world.take(header)
    with pytest.raises(RequestReplayedError):
        world.take(header)
    world.verify()


def test_of_two_at_once_one_is_taken(world: World) -> None:
    header = signature(claims_of(world.moodle, BODY), world.moodle.key)
    found: list[str] = []
    barrier = threading.Barrier(4)

    def take() -> None:
        barrier.wait()
        try:
            world.take(header)
            found.append("taken")
        except RequestReplayedError:
            found.append("replayed")

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == ["replayed", "replayed", "replayed", "taken"]


def test_what_is_forgotten_is_refused_by_its_age(world: World) -> None:
    header = signature(claims_of(world.moodle, BODY), world.moodle.key)
    world.take(header)
    assert world.requests.purge() == 0
    world.clock.advance(seconds=119)
    assert world.requests.purge() == 0
    with pytest.raises(RequestReplayedError):
        world.take(header)
    world.clock.advance(seconds=2)
    assert world.requests.purge() == 1
    with pytest.raises(RequestExpiredError):
        world.take(header)


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer  ", "Basic YTpi", "Bearer a.b", "Bearer a.b.c.d.e", "Bearer ...",
     "Bearer a.b.c", "Bearer é.é.é", "Bearer " + "a" * 9000 + ".b.c", "bearer e30.e30.e30"],
)  # fmt: skip
def test_no_signature_at_all(world: World, header: str | None) -> None:
    with pytest.raises(RequestUnsignedError) as caught:
        world.take(header)
    assert caught.value.status == 401


def test_another_key_under_the_same_name(world: World) -> None:
    header = signature(claims_of(world.moodle, BODY), STRANGE_KEY, kid=world.moodle.key.kid)
    with pytest.raises(RequestUnsignedError) as caught:
        world.take(header)
    assert caught.value.context["reason"] == "token_signature"


def test_no_algorithm_but_rs256(world: World) -> None:
    claims = _part(claims_of(world.moodle, BODY))
    for header in ({"alg": "none"}, {"alg": "HS256", "kid": world.moodle.key.kid}):
        signing = f"{_part(header)}.{claims}"
        # The public key as a shared secret: what a careless library takes.
        secret = world.moodle.key.as_pem(private=False)
        digest = hmac.new(secret, signing.encode(), hashlib.sha256).digest()
        with pytest.raises(RequestUnsignedError) as caught:
            world.take(f"Bearer {signing}.{_base64(digest)}")
        assert caught.value.context["reason"] == "token_algorithm"


def test_a_key_that_is_not_published(world: World) -> None:
    with pytest.raises(RequestUnsignedError) as caught:
        world.take(signature(claims_of(world.moodle, BODY), STRANGE_KEY))
    assert caught.value.context["reason"] == "token_key_unknown"


def test_new_keys_are_found_when_the_cool_down_is_over(world: World) -> None:
    world.verify()
    world.moodle.key = STRANGE_KEY
    with pytest.raises(RequestUnsignedError):
        world.verify()
    world.clock.advance(seconds=61)
    world.verify()


def test_keys_that_cannot_be_read_are_no_verdict(
    database: Database, clock: FixedClock, http: HttpClient
) -> None:
    with served(clock) as moodle:
        connect(database, clock, moodle)
    requests = signed_requests(database, clock, http)
    with pytest.raises(SiteKeysUnavailableError) as caught:
        requests.verify(
            authorization=signature(claims_of(moodle, BODY), moodle.key), body=BODY, url=EVENTS
        )
    assert caught.value.status == 503


def test_unknown_sites(world: World) -> None:
    with pytest.raises(SiteUnknownError):
        world.verify(iss="https://elsewhere.example")
    with pytest.raises(SiteUnknownError):
        world.verify(sub="client-2")


def test_one_moodle_cannot_speak_for_another(world: World) -> None:
    with served(world.clock) as other:
        other.client_id = "client-9"
        other.key = STRANGE_KEY
        connect(world.database, world.clock, other)
        stolen = claims_of(other, BODY) | {"iss": world.moodle.url, "sub": world.moodle.client_id}
        with pytest.raises(RequestUnsignedError):
            world.take(signature(stolen, STRANGE_KEY))
        assert world.take(signature(claims_of(other, BODY), STRANGE_KEY)).url == other.url


def test_standing(world: World) -> None:
    _stand(world, SiteStanding.PAUSED)
    world.verify()
    _stand(world, SiteStanding.DISCONNECTED)
    with pytest.raises(SiteDisconnectedError) as caught:
        world.verify()
    assert caught.value.status == 410
    # Whoever cannot sign learns nothing of it.
    with pytest.raises(RequestUnsignedError):
        world.take(signature(claims_of(world.moodle, BODY), STRANGE_KEY))


def test_a_registration_that_is_switched_off(world: World) -> None:
    known = registrations(world.database, world.clock)
    known.set_standing(world.site.registration_id, Standing.DISABLED, actor="tests")
    with pytest.raises(SiteDisabledError) as caught:
        world.verify()
    assert caught.value.status == 403
    assert _remembered(world) == 0


def test_for_pairing_a_key_set_is_enough(world: World) -> None:
    header = signature(claims_of(world.moodle, BODY), world.moodle.key)
    for _ in range(2):
        signed = world.requests.verify_against(
            authorization=header,
            body=BODY,
            url=EVENTS,
            jwks_url=f"{world.moodle.url}/mod/lti/certs.php",
            issuer=world.moodle.url,
            client_id=world.moodle.client_id,
        )
        assert (signed.issuer, signed.client_id) == (world.moodle.url, world.moodle.client_id)
        assert signed.expires_at == world.clock.now() + dt.timedelta(seconds=120)
    for wrong in ({"issuer": "https://other.example"}, {"client_id": "client-2"}):
        with pytest.raises(RequestUnsignedError):
            world.requests.verify_against(
                authorization=header,
                body=BODY,
                url=EVENTS,
                **{
                    "jwks_url": f"{world.moodle.url}/mod/lti/certs.php",
                    "issuer": world.moodle.url,
                    "client_id": world.moodle.client_id,
                }
                | wrong,
            )


# The examples of a test share its world.
_SHARED = [HealthCheck.function_scoped_fixture]
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@settings(max_examples=60, deadline=None, suppress_health_check=_SHARED)
@given(
    changes=st.dictionaries(
        st.sampled_from(["iss", "sub", "aud", "iat", "exp", "jti", "bh", "nbf"]), _json, min_size=1
    )
)
def test_whatever_is_claimed_the_answer_is_a_reason(world: World, changes: dict[str, Any]) -> None:
    right = claims_of(world.moodle, BODY)
    try:
        world.take(signature(right | changes, world.moodle.key))
        status = 200
    except NagaError as error:
        status = error.status
    harmless = right | changes == right or set(changes) <= {"nbf"}
    assert status == (200 if harmless else 401)


def _stand(world: World, standing: SiteStanding) -> None:
    with world.database.write() as session:
        session.execute(sa.update(MoodleSite).values(standing=standing))


def _remembered(world: World) -> int:
    with world.database.read() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(SeenRequest)) or 0


def _part(value: dict[str, Any]) -> str:
    return _base64(json.dumps(value).encode())


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
