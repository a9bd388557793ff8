"""T7 to T16 of the conformance list: what signs a message, and with which key."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from typing import Any

import pytest
from joserfc.jwk import ECKey

from lti_tool.core.http import HttpClient
from lti_tool.lti.errors import LaunchError
from lti_tool.lti.platform_keys import PlatformKeys
from tests.conformance.conftest import KeyServer, World
from tests.conformance.messages import encode, jwk, rsa_key, sign


def test_t07_alg_none(world: World) -> None:
    ticket = world.login()
    for alg in ("none", "None", "NONE", ""):
        token = f"{encode({'alg': alg, 'kid': 'key-1'})}.{encode(world.claims(ticket))}."
        assert world.refused_token(token).code == "token_algorithm"


def test_t08_hs256_with_the_public_key(world: World) -> None:
    pem = world.key.as_pem(private=False)
    head = encode({"alg": "HS256", "kid": "key-1"}) + "." + encode(world.claims())
    signature = hmac.new(pem, head.encode(), hashlib.sha256).digest()
    assert world.refused_token(f"{head}.{encode(signature)}").code == "token_algorithm"


@pytest.mark.parametrize("alg", ["RS384", "RS512", "PS256"])
def test_t09_other_algorithms(world: World, alg: str) -> None:
    assert world.refused_token(world.sign(world.claims(), alg=alg)).code == "token_algorithm"


def test_t10_tampered(world: World) -> None:
    ticket = world.login()
    token = world.sign(world.claims(ticket))
    head, _, signature = token.split(".")
    other = encode(world.claims(ticket, sub="1"))
    assert world.refused_token(f"{head}.{other}.{signature}", ticket).code == "token_signature"
    flipped = signature[:-4] + ("AAAA" if signature[-4:] != "AAAA" else "BBBB")
    token = ".".join([*token.split(".")[:2], flipped])
    assert world.refused_token(token).code == "token_signature"


def test_t11_key_of_another_registration(world: World) -> None:
    token = world.sign(world.claims(), key=rsa_key("stranger"))
    assert world.refused_token(token).code == "token_signature"
    token = world.sign(world.claims(), key=rsa_key("stranger"), kid="stranger")
    assert world.refused_token(token).code == "token_key_unknown"


def test_t12_duplicate_kids(world: World) -> None:
    world.key_server.serve(jwk(rsa_key("stranger"), "key-1"), jwk(world.key, "key-1"))
    assert world.launch()


def test_t12_no_alg_no_use(world: World) -> None:
    world.key_server.serve(jwk(world.key, "key-1", alg=None, use=None))
    assert world.launch()


def test_t12_elliptic_and_other_keys_beside(world: World) -> None:
    curve = ECKey.generate_key("P-256", private=True).as_dict(private=False)
    world.key_server.serve(
        {**curve, "kid": "key-1"},
        {"kty": "oct", "k": "x", "kid": "key-1"},
        {"kty": "RSA", "kid": "key-1"},
        {"kty": "RSA", "kid": "key-1", "n": "!", "e": "AQAB"},
        jwk(rsa_key("stranger"), "key-1", use="enc"),
        jwk(rsa_key("stranger"), None),
        jwk(world.key, "key-1"),
    )
    assert world.launch()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b'{"keys": []}'),
        (200, b"<html>Maintenance</html>"),
        (200, b'{"keys": []}'),
        (200, b'{"keys": "none"}'),
        (200, b'{"keys": [1, null, {}]}'),
        (200, b"[]"),
        (200, b"null"),
        (200, b"[" * 100_000),
        (200, json.dumps({"keys": [{}] * 51}).encode()),
        (200, b'{"keys": [], "x": "' + b"x" * 300_000 + b'"}'),
        (404, b""),
    ],
)
def test_t12_bad_key_sets(world: World, status: int, body: bytes) -> None:
    world.key_server.answer(body, status=status)
    assert world.refused().code == "platform_keys_unavailable"


def test_t12_bad_key_sets_never_replace_good_ones(world: World) -> None:
    world.launch()
    world.key_server.answer(b'{"keys": []}')
    world.clock.advance(hours=13)
    assert world.launch()
    assert world.key_server.fetches == 2


def test_t12_redirect_is_not_followed(world: World, key_server: KeyServer) -> None:
    elsewhere = key_server.serve(jwk(world.key, "key-1"), path="/private")
    key_server.answer(b"", status=302, headers={"Location": elsewhere})
    assert world.refused().code == "platform_keys_unavailable"
    assert key_server.fetches == 1


def test_t12_private_address(world: World) -> None:
    strict = HttpClient(allow_private=False, allow_http=True)
    keys = PlatformKeys(world.database, world.clock, strict)
    with pytest.raises(LaunchError) as caught:
        keys.decode(world.sign(world.claims()), jwks_url=world.registration.jwks_url)
    assert caught.value.code == "platform_keys_unavailable"
    assert world.key_server.fetches == 0


def test_t12_hanging_platform(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lti_tool.lti.platform_keys.TIMEOUT_SECONDS", 0.2)
    world.key_server.hold = threading.Event()
    assert world.refused().code == "platform_keys_unavailable"


@pytest.mark.parametrize(
    "header",
    [
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example/cert"},
        {"x5c": ["MII"]},
        {"jwk": {"kty": "RSA"}},
        {"crit": ["exp"]},
        {"b64": False, "crit": ["b64"]},
    ],
)
def test_t13_headers_that_choose_keys(world: World, header: dict[str, Any]) -> None:
    assert world.refused_token(world.sign(world.claims(), **header)).code == "token_header"
    assert world.key_server.fetches == 0


def test_t14_short_key(world: World) -> None:
    short = rsa_key("short", 1024)
    world.key_server.serve(jwk(short, "key-1"))
    token = world.sign(world.claims(), key=short)
    assert world.refused_token(token).code == "token_key_weak"
    world.clock.advance(minutes=2)
    world.key_server.serve(jwk(short, "short"), jwk(world.key, "key-1"))
    token = world.sign(world.claims(), key=short, kid="short")
    assert world.refused_token(token).code == "token_key_weak"


def test_t15_rotated_key(world: World) -> None:
    world.launch()
    assert world.key_server.fetches == 1
    new = rsa_key("stranger")
    world.key_server.serve(jwk(new, "key-2"), jwk(world.key, "key-1"))
    ticket = world.login()
    token = world.sign(world.claims(ticket), key=new, kid="key-2")
    assert world.refused_token(token, ticket).code == "token_key_unknown"
    assert world.key_server.fetches == 1
    assert world.launch()
    world.clock.advance(seconds=61)
    ticket = world.login()
    assert world.accept(ticket, world.sign(world.claims(ticket), key=new, kid="key-2"))
    assert world.launch()
    assert world.key_server.fetches == 2


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("", "id_token_missing"),
        ("abc", "token_malformed"),
        ("a.b", "token_malformed"),
        ("a.b.c", "token_malformed"),
        ("a.b.c.d", "token_malformed"),
        ("a.b.c.d.e", "token_encrypted"),
        ("...", "token_malformed"),
        ("é.b.c", "token_malformed"),
        (encode([]) + ".e30.x", "token_malformed"),
        (encode({"alg": "RS256", "typ": 5, "kid": "k"}) + ".e30.x", "token_header"),
        (encode({"alg": "RS256", "kid": ""}) + ".e30.x", "token_kid_missing"),
        (encode({"alg": "RS256", "kid": "k" * 300}) + ".e30.x", "token_kid_missing"),
        (encode({"alg": "RS256", "kid": 5}) + ".e30.x", "token_kid_missing"),
        (encode({"alg": "RS256", "kid": "k", "x": "x" * 3000}) + ".e30.x", "token_header"),
        (encode({"alg": "RS256", "kid": "key-1"}) + ".e30.!", "token_malformed"),
        ("x" * 200_000, "token_malformed"),
    ],
)
def test_t16_not_a_signed_token(world: World, token: str, code: str) -> None:
    assert world.refused_token(token).code == code


@pytest.mark.parametrize(
    "payload",
    [
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe",
        b"{",
        b"[" * 50_000,
        b'{"exp": NaN}',
        b'{"a": ' * 20_000,
    ],
)
def test_t16_payload_is_no_object(world: World, payload: bytes) -> None:
    assert world.refused_token(world.sign(payload)).code == "token_malformed"


def test_t16_payload_too_large(world: World) -> None:
    assert world.refused_token(world.sign(b"x" * 150_000)).code == "token_malformed"


def test_stranger_cannot_use_our_key_id(world: World) -> None:
    token = sign(world.claims(), rsa_key("stranger"), kid="key-1")
    assert world.refused_token(token).code == "token_signature"
