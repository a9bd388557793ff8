"""L1 to L13 of the conformance list: the sign-in that a platform begins. L1 over HTTP is in
test_login_http.py."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa

from lti_tool.lti.errors import AmbiguousClientError, LaunchError
from lti_tool.lti.models import Login, Standing
from tests.conformance.conftest import World
from tests.conformance.messages import CLIENT, ISSUER, PUBLIC_URL, query_of


def refused(world: World, **changes: Any) -> LaunchError:
    with pytest.raises(LaunchError) as caught:
        world.login(**changes)
    with world.database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Login)) == 0
    return caught.value


@pytest.mark.parametrize("name", ["iss", "login_hint", "target_link_uri"])
@pytest.mark.parametrize("value", [None, ""])
def test_l02_missing(world: World, name: str, value: str | None) -> None:
    error = refused(world, **{name: value})
    assert (error.code, error.field, error.status) == ("login_parameter_missing", name, 400)


@pytest.mark.parametrize("issuer", ["https://unknown.example", ISSUER + "/", "<script>"])
def test_l03_unknown_issuer(world: World, issuer: str) -> None:
    error = refused(world, iss=issuer)
    assert (error.code, error.status) == ("registration_unknown", 404)
    assert issuer not in json.dumps(error.problem())


def test_l03_unknown_client(world: World) -> None:
    assert refused(world, client_id="other").code == "registration_unknown"


def test_l04_two_clients_and_none_named(world: World) -> None:
    world.registrations.create(
        actor="test",
        name="Second",
        issuer=ISSUER,
        client_id="client-2",
        auth_url=ISSUER + "/auth",
        token_url=ISSUER + "/token",
        jwks_url=ISSUER + "/keys",
    )
    error = refused(world, client_id=None)
    assert isinstance(error, AmbiguousClientError)
    assert error.code == "client_ambiguous"
    assert query_of(world.login(client_id="client-2").redirect_url)["client_id"] == ["client-2"]


def test_l04_one_client_and_none_named(world: World) -> None:
    assert world.login(client_id=None).registration_id == world.registration.id


@pytest.mark.parametrize(
    "hint", ['{"cmid":5,"launchid":"a b+c%20&é"}', " leading", "a=b&c=d#e", "\u1780\u17b6"]
)
def test_l05_message_hint_is_echoed(world: World, hint: str) -> None:
    query = query_of(world.login(lti_message_hint=hint).redirect_url)
    assert query["lti_message_hint"] == [hint]


def test_l05_no_message_hint(world: World) -> None:
    assert "lti_message_hint" not in world.login(lti_message_hint=None).redirect_url


def test_l07_unknown_parameters(world: World) -> None:
    ticket = world.login(unknown="x", redirect_uri="https://evil.example")
    assert "evil" not in ticket.redirect_url


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "http://tool.example/",
        "https://tool.example:444/",
        "https://tool.example@evil.example/",
        "https://user@tool.example/",
        "https://tool.example.evil.example/",
        "//tool.example/",
        "/l",
        "javascript:alert(1)",
        "https://[",
        "https://tool.example/\n",
    ],
)
def test_l08_target_elsewhere(world: World, target: str) -> None:
    error = refused(world, target_link_uri=target)
    assert (error.code, error.status) == ("target_link_foreign", 400)


@pytest.mark.parametrize("path", ["", "/", "/l/x?y=z", ":443/l"])
def test_l08_target_here(world: World, path: str) -> None:
    assert world.login(target_link_uri=PUBLIC_URL + path)


def test_l09_request(world: World) -> None:
    first, second = world.login(), world.login()
    query = query_of(first.redirect_url)
    assert query == {
        "scope": ["openid"],
        "response_type": ["id_token"],
        "response_mode": ["form_post"],
        "prompt": ["none"],
        "client_id": [CLIENT],
        "redirect_uri": [PUBLIC_URL + "/lti/launch"],
        "login_hint": ["42"],
        "state": [first.state],
        "nonce": [first.nonce],
        "lti_message_hint": ['{"cmid":5,"launchid":"ltilaunch9_123"}'],
    }
    assert first.redirect_url.startswith(ISSUER + "/mod/lti/auth.php?")
    secrets = {first.state, first.nonce, first.binding_secret}
    assert not secrets & {second.state, second.nonce, second.binding_secret}
    # 128 bits are 22 characters of base64.
    assert min(len(each) for each in secrets) >= 22


def test_l10_auth_url_with_a_query(world: World) -> None:
    world.registrations.update(
        world.registration.id, actor="test", auth_url=ISSUER + "/auth?site=a%20b&x="
    )
    url = world.login().redirect_url
    assert url.startswith(ISSUER + "/auth?site=a%20b&x=&scope=openid&")


def test_l11_only_digests_are_stored(world: World) -> None:
    ticket = world.login()
    with world.database.read() as session:
        login = session.scalars(sa.select(Login)).one()
    assert ticket.state not in repr(vars(login))
    assert ticket.binding_secret not in repr(vars(login))
    assert (login.expires_at - world.clock.now()).total_seconds() <= 600
    assert login.registration_id == world.registration.id


def test_l12_abandoned_logins_are_purged(world: World) -> None:
    for _ in range(5):
        world.login()
    world.clock.advance(minutes=11)
    assert world.logins.purge() == 5


@pytest.mark.parametrize(
    ("name", "length"),
    [
        ("iss", 501),
        ("login_hint", 2001),
        ("lti_message_hint", 10_000),
        ("client_id", 256),
        ("lti_deployment_id", 256),
        ("lti_storage_target", 101),
        ("target_link_uri", 2001),
    ],
)
def test_l13_too_long(world: World, name: str, length: int) -> None:
    error = refused(world, **{name: "x" * length})
    assert (error.code, error.field) == ("login_parameter_invalid", name)


def test_l13_nul(world: World) -> None:
    assert refused(world, login_hint="a\x00b").code == "login_parameter_invalid"


def test_pending_registration(world: World) -> None:
    world.registrations.set_standing(world.registration.id, Standing.PENDING, actor="test")
    assert refused(world).code == "registration_pending"


def test_cookie_came_back(world: World) -> None:
    ticket = world.login()
    resumed = world.logins.resume(state=ticket.state, binding_secret=ticket.binding_secret)
    assert resumed == ticket


@pytest.mark.parametrize(
    ("secret", "code"),
    [(None, "binding_missing"), ("", "binding_missing"), ("x", "binding_mismatch")],
)
def test_cookie_did_not_come_back(world: World, secret: str | None, code: str) -> None:
    ticket = world.login()
    with pytest.raises(LaunchError) as caught:
        world.logins.resume(state=ticket.state, binding_secret=secret)
    assert caught.value.code == code
    with pytest.raises(LaunchError) as caught:
        world.logins.resume(state="unknown", binding_secret=secret)
    assert caught.value.code == "state_unknown"


def test_storage_gets_a_secret_of_its_own(world: World) -> None:
    ticket = world.login(lti_storage_target="_parent")
    assert ticket.storage_target == "_parent"
    stored = world.logins.use_storage(state=ticket.state)
    assert stored.binding_secret != ticket.binding_secret
    assert (stored.nonce, stored.redirect_url) == (ticket.nonce, ticket.redirect_url)
    pending = world.logins.peek(state=ticket.state)
    assert pending is not None
    assert (pending.binding, pending.platform_origin) == ("storage", ISSUER)
    token = world.sign(world.claims(ticket))
    assert world.refused_token(token, ticket).code == "binding_mismatch"
    assert world.accept(stored, token, binding="storage").launch.binding == "storage"
    assert world.logins.peek(state=ticket.state) is None


def test_storage_that_was_not_offered(world: World) -> None:
    ticket = world.login()
    with pytest.raises(LaunchError) as caught:
        world.logins.use_storage(state=ticket.state)
    assert caught.value.code == "binding_missing"
    assert world.login(lti_storage_target="<script>").storage_target is None


def test_window_begins_the_same_login_anew(world: World) -> None:
    ticket = world.login()
    for _ in range(2):
        again = world.logins.restart(state=ticket.state)
        assert again.state != ticket.state
        query, first = query_of(again.redirect_url), query_of(ticket.redirect_url)
        for name in ("state", "nonce"):
            assert query.pop(name) != first.pop(name)
        assert query == first
        assert world.accept(again, world.sign(world.claims(again)))
