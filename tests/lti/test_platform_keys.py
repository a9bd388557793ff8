"""Platform keys between processes: shared through the database, fetched by one at a time."""

from __future__ import annotations

import datetime as dt
import json
import threading
from typing import Any

import pytest
import responses
import sqlalchemy as sa
from joserfc import jws
from joserfc.jwk import RSAKey

from lti_tool.core.clock import FixedClock
from lti_tool.core.database import Database
from lti_tool.core.http import HttpClient
from lti_tool.lti.errors import LaunchError
from lti_tool.lti.models import PlatformKeySet
from lti_tool.lti.platform_keys import PlatformKeys

URL = "http://moodle.example/keys"


@pytest.fixture(scope="module")
def key() -> RSAKey:
    return RSAKey.generate_key(2048, private=True)


@pytest.fixture
def published(key: RSAKey) -> Any:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.get(URL, body=json.dumps({"keys": [{**key.as_dict(private=True), "kid": "one"}]}))
        yield mock


def token(key: RSAKey, kid: str = "one") -> str:
    return jws.serialize_compact({"alg": "RS256", "kid": kid}, b'{"a":1}', key)


@pytest.fixture
def processes(database: Database, clock: FixedClock, http: HttpClient) -> list[PlatformKeys]:
    return [PlatformKeys(database, clock, http) for _ in range(2)]


def test_one_fetch_for_all_processes(
    processes: list[PlatformKeys], published: Any, key: RSAKey, database: Database
) -> None:
    for each in processes:
        assert each.decode_cached(token(key), jwks_url=URL) is None
        assert each.decode(token(key), jwks_url=URL)[1] == {"a": 1}
        assert each.decode_cached(token(key), jwks_url=URL) is not None
    assert len(published.calls) == 1
    with database.read() as session:
        (row,) = session.scalars(sa.select(PlatformKeySet)).all()
    # A private key that was published by mistake is not kept.
    assert set(row.keys[0]) == {"kty", "kid", "n", "e"}


def test_threads_wait_for_the_first(
    processes: list[PlatformKeys], published: Any, key: RSAKey
) -> None:
    found: list[Any] = []
    threads = [
        threading.Thread(
            target=lambda: found.append(processes[0].decode(token(key), jwks_url=URL)[1])
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [{"a": 1}] * 4
    assert len(published.calls) == 1


def test_unknown_kids_are_asked_for_once_per_cool_down(
    processes: list[PlatformKeys], published: Any, key: RSAKey, clock: FixedClock
) -> None:
    processes[0].decode(token(key), jwks_url=URL)
    for number in range(5):
        with pytest.raises(LaunchError) as caught:
            processes[number % 2].decode(token(key, f"new-{number}"), jwks_url=URL)
        assert caught.value.code == "token_key_unknown"
    assert len(published.calls) == 1
    clock.advance(seconds=60)
    with pytest.raises(LaunchError):
        processes[0].decode(token(key, "new"), jwks_url=URL)
    assert len(published.calls) == 2


def test_another_process_fetching_now_is_waited_for(
    processes: list[PlatformKeys], key: RSAKey, clock: FixedClock, database: Database
) -> None:
    now = clock.now()
    with database.write() as session:
        session.add(PlatformKeySet(jwks_url=URL, keys=[], fetched_at=None, attempted_at=now))

    def finish() -> None:
        public = {**key.as_dict(private=False), "kid": "one"}
        with database.write() as session:
            session.execute(sa.update(PlatformKeySet).values(keys=[public], fetched_at=now))

    other = threading.Timer(0.1, finish)
    other.start()
    assert processes[0].decode(token(key), jwks_url=URL)[1] == {"a": 1}
    other.join()


def test_a_failure_elsewhere_is_not_waited_for_long(
    processes: list[PlatformKeys], key: RSAKey, clock: FixedClock, database: Database
) -> None:
    earlier = clock.now() - dt.timedelta(seconds=5)
    with database.write() as session:
        session.add(PlatformKeySet(jwks_url=URL, keys=[], fetched_at=None, attempted_at=earlier))
    with pytest.raises(LaunchError) as caught:
        processes[0].decode(token(key), jwks_url=URL)
    assert caught.value.code == "platform_keys_unavailable"


def test_withdrawn_keys_are_forgotten(
    processes: list[PlatformKeys], published: Any, key: RSAKey, clock: FixedClock
) -> None:
    for each in processes:
        each.decode(token(key), jwks_url=URL)
    other = RSAKey.generate_key(2048, private=True)
    body = json.dumps({"keys": [{**other.as_dict(private=False), "kid": "two"}]})
    published.replace(responses.GET, URL, body=body)
    clock.advance(hours=12)
    for each in processes:
        with pytest.raises(LaunchError) as caught:
            each.decode(token(key), jwks_url=URL)
        assert caught.value.code == "token_key_unknown"
    assert len(published.calls) == 2


def test_what_the_process_holds_is_read_again(
    processes: list[PlatformKeys], published: Any, key: RSAKey, clock: FixedClock
) -> None:
    processes[0].decode(token(key), jwks_url=URL)
    clock.advance(minutes=5)
    assert processes[0].decode_cached(token(key), jwks_url=URL) is None
    processes[0].decode(token(key), jwks_url=URL)
    assert processes[0].decode_cached(token(key), jwks_url=URL) is not None
    assert len(published.calls) == 1
