"""T1 to T6, T23 and T28: state, nonce, binding, replay and deployments."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from lti_tool.core.audit import AuditLog
from lti_tool.core.clock import FixedClock
from lti_tool.core.database import Database
from lti_tool.core.http import HttpClient
from lti_tool.lti.errors import DeploymentPendingError, LaunchError
from lti_tool.lti.launch import AcceptedLaunch, Launches
from lti_tool.lti.login import Logins
from lti_tool.lti.models import Deployment, Launch, LaunchOutcome, Login, Standing
from lti_tool.lti.platform_keys import PlatformKeys
from lti_tool.lti.registrations import Registrations
from tests.conformance.conftest import World
from tests.conformance.messages import DEPLOYMENT, PUBLIC_URL


def test_t02_nothing_sent(world: World) -> None:
    ticket = world.login()
    assert world.refused_token("", ticket, state="").code == "state_missing"
    assert world.refused_token("", ticket).code == "id_token_missing"
    assert world.refused_token("", ticket, state="", binding_secret=None).code == "state_missing"


def test_t03_state_unknown(world: World) -> None:
    ticket = world.login()
    token = world.sign(world.claims(ticket))
    assert world.refused_token(token, ticket, state="x" * 43).code == "state_unknown"
    assert world.refused_token(token, ticket, state="\x00é" * 9).code == "state_unknown"


def test_t03_state_expired(world: World) -> None:
    ticket = world.login()
    world.clock.advance(minutes=10, seconds=1)
    token = world.sign(world.claims(ticket))
    assert world.refused_token(token, ticket).code == "state_expired"


def test_t03_another_browser(world: World) -> None:
    ticket, other = world.login(), world.login()
    token = world.sign(world.claims(ticket))
    error = world.refused_token(token, ticket, binding_secret=other.binding_secret)
    assert (error.code, error.status) == ("binding_mismatch", 403)
    assert world.refused_token(token, ticket, binding_secret=None).code == "binding_missing"
    # A stranger's attempt takes nothing from the person whose sign-in it is.
    assert world.accept(ticket, token)


def test_t03_cookie_login_cannot_be_proved_by_storage(world: World) -> None:
    ticket = world.login()
    token = world.sign(world.claims(ticket))
    assert world.refused_token(token, ticket, binding="storage").code == "binding_mismatch"


def test_t03_state_of_another_registration(world: World) -> None:
    world.registrations.create(
        actor="test",
        name="Other",
        issuer="https://other.example",
        client_id="other",
        auth_url="https://other.example/auth",
        token_url="https://other.example/token",
        jwks_url=world.registration.jwks_url + "?other",
        deployment_ids=[DEPLOYMENT],
    )
    ticket = world.login(iss="https://other.example", client_id="other")
    world.key_server.answers["/keys?other"] = world.key_server.answers["/keys"]
    token = world.sign(world.claims(ticket))
    assert world.refused_token(token, ticket).code == "issuer_mismatch"


def test_t05_replay(world: World) -> None:
    ticket = world.login()
    token = world.sign(world.claims(ticket))
    accepted = world.accept(ticket, token)
    assert world.refused_token(token, ticket).code == "state_unknown"
    assert world.launches.session(accepted.launch.reference, accepted.secret)


def test_t05_a_refused_launch_cannot_be_tried_again(world: World) -> None:
    ticket = world.login()
    assert world.refused_token("a.b.c", ticket).code == "token_malformed"
    token = world.sign(world.claims(ticket))
    assert world.refused_token(token, ticket).code == "state_unknown"


def test_t05_replay_at_once(
    world: World, at_once: Callable[[list[Callable[[], Any]]], list[Any]]
) -> None:
    for _ in range(3):
        ticket = world.login()
        token = world.sign(world.claims(ticket))
        results = at_once([partial(world.accept, ticket, token)] * 8)
        assert sum(isinstance(each, AcceptedLaunch) for each in results) == 1
        codes = {each.code for each in results if isinstance(each, LaunchError)}
        assert codes == {"state_unknown"}
    assert len(world.records()) == 24


def _accept_elsewhere(url: str, now: Any, state: str, token: str, secret: str) -> str:
    clock = FixedClock(now)
    database = Database(url)
    registrations = Registrations(database, clock, AuditLog(clock), allow_http=True)
    logins = Logins(database, clock, registrations, public_url=PUBLIC_URL)
    keys = PlatformKeys(database, clock, HttpClient(allow_private=True, allow_http=True))
    launches = Launches(database, clock, registrations, logins, keys, public_url=PUBLIC_URL)
    try:
        launches.accept(state=state, id_token=token, binding_secret=secret)
    except LaunchError as error:
        return error.code
    finally:
        database.dispose()
    return "ok"


def test_t05_replay_on_two_processes(world: World, database_url: str) -> None:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        for _ in range(3):
            ticket = world.login()
            token = world.sign(world.claims(ticket))
            arguments = (
                database_url,
                world.clock.now(),
                ticket.state,
                token,
                ticket.binding_secret,
            )
            both = [pool.submit(_accept_elsewhere, *arguments) for _ in range(2)]
            assert sorted(each.result() for each in both) == ["ok", "state_unknown"]


def test_t06_two_tabs(world: World) -> None:
    first, second = world.login(), world.login()
    assert first.cookie_name != second.cookie_name
    tokens = [world.sign(world.claims(ticket)) for ticket in (first, second)]
    one = world.accept(second, tokens[1])
    two = world.accept(first, tokens[0])
    for accepted in (one, two):
        assert world.launches.session(accepted.launch.reference, accepted.secret)
    assert world.launches.session(one.launch.reference, two.secret) is None


@pytest.mark.parametrize("nonce", [..., "other", ["x"], "", 5, None, "n" * 300, "é"])
def test_t23_nonce(world: World, nonce: Any) -> None:
    code = {"other": "nonce_mismatch", "é": "nonce_mismatch"}.get(
        nonce if isinstance(nonce, str) else "", "claim_invalid"
    )
    assert world.refused(nonce=nonce).code == ("claim_missing" if nonce is ... else code)


def test_t23_nonce_of_an_earlier_launch(world: World) -> None:
    earlier = world.login()
    world.accept(earlier, world.sign(world.claims(earlier)))
    assert world.refused(nonce=earlier.nonce).code == "nonce_mismatch"


def test_t28_unknown_deployment_is_parked(world: World) -> None:
    for _ in range(2):
        ticket = world.login(lti_deployment_id=None)
        token = world.sign(world.claims(ticket, deployment_id="8"))
        error = world.refused_token(token, ticket)
        assert isinstance(error, DeploymentPendingError)
        assert error.status == 403
    parked = world.launches.recent(outcome=LaunchOutcome.PARKED)
    assert [each.deployment_id for each in parked] == ["8", "8"]
    registration = world.registrations.get(world.registration.id)
    assert {each.deployment_id: each.standing for each in registration.deployments} == {
        DEPLOYMENT: Standing.ACTIVE,
        "8": Standing.PENDING,
    }
    world.registrations.set_deployment_standing(
        world.registration.id, "8", Standing.ACTIVE, actor="test"
    )
    ticket = world.login(lti_deployment_id=None)
    assert world.accept(ticket, world.sign(world.claims(ticket, deployment_id="8")))


def test_t28_disabled_deployment(world: World) -> None:
    accepted = world.launch()
    world.registrations.set_deployment_standing(
        world.registration.id, DEPLOYMENT, Standing.DISABLED, actor="test"
    )
    assert world.refused().code == "deployment_disabled"
    reference, secret = accepted.launch.reference, accepted.secret
    assert world.launches.session(reference, secret) is None
    assert world.launches.session_problem(reference, secret).code == "deployment_disabled"


def test_t28_deployment_of_another_tenant(world: World) -> None:
    other = world.registrations.create(
        actor="test",
        name="Other",
        issuer="https://other.example",
        client_id="other",
        auth_url="https://other.example/auth",
        token_url="https://other.example/token",
        jwks_url="https://other.example/keys",
        deployment_ids=["99"],
    )
    ticket = world.login(lti_deployment_id=None)
    token = world.sign(world.claims(ticket, deployment_id="99"))
    assert world.refused_token(token, ticket).code == "deployment_pending"
    with world.database.read() as session:
        owners = session.scalars(
            sa.select(Deployment.registration_id).where(Deployment.deployment_id == "99")
        ).all()
    assert sorted(owners) == sorted([other.id, world.registration.id])


@pytest.mark.parametrize("deployment_id", ["", "x" * 256, 7, None, "a\x00b"])
def test_t28_deployment_id_of_another_shape(world: World, deployment_id: Any) -> None:
    assert world.refused(deployment_id=deployment_id).code == "claim_invalid"


def test_l06_deployment_of_the_login_must_be_the_claims(world: World) -> None:
    assert world.refused(deployment_id="8").code == "deployment_mismatch"
    with world.database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Deployment)) == 1


def test_disabled_registration_is_refused_at_once(world: World) -> None:
    accepted = world.launch()
    ticket = world.login()
    token = world.sign(world.claims(ticket))
    world.registrations.set_standing(world.registration.id, Standing.DISABLED, actor="test")
    assert world.refused_token(token, ticket).code == "registration_disabled"
    with pytest.raises(LaunchError) as caught:
        world.login()
    assert caught.value.code == "registration_disabled"
    reference, secret = accepted.launch.reference, accepted.secret
    assert world.launches.session(reference, secret) is None
    assert world.launches.session_problem(reference, secret).code == "registration_disabled"


def test_every_launch_leaves_one_record(world: World) -> None:
    accepted = world.launch(iat=int(world.clock.now().timestamp()) + 20)
    (record,) = world.records()
    assert record.reference == accepted.launch.reference
    assert (record.outcome, record.reason) == (LaunchOutcome.ACCEPTED, "ok")
    assert record.registration_id == world.registration.id
    assert (record.deployment_id, record.subject) == (DEPLOYMENT, "42")
    assert (record.context_id, record.resource_link_id) == ("3", "12")
    assert record.clock_skew == 20
    assert record.binding == "cookie"
    assert record.at == world.clock.now()


def test_a_warm_launch_takes_six_statements_and_asks_nobody(
    world: World, statements: list[str]
) -> None:
    world.launch()
    fetches = world.key_server.fetches
    statements.clear()
    ticket = world.login()
    assert len(statements) <= 2
    token = world.sign(world.claims(ticket))
    statements.clear()
    world.accept(ticket, token)
    assert len(statements) <= 4
    assert world.key_server.fetches == fetches


def test_records_and_logins_are_purged(world: World) -> None:
    world.launch()
    world.login()
    world.clock.advance(days=10)
    kept = world.launch()
    assert world.launches.purge(older_than_days=5) == 1
    assert [each.reference for each in world.records()] == [kept.launch.reference]
    assert world.logins.purge() == 1
    with world.database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Login)) == 0


def test_records_can_be_filtered(world: World) -> None:
    world.refused(version="1.1")
    world.clock.advance(minutes=1)
    accepted = world.launch()
    found = world.launches.recent
    assert len(found(registration_id=world.registration.id)) == 2
    assert found(registration_id=99) == []
    (by_reference,) = found(reference=f" {accepted.launch.reference.lower()} ")
    assert isinstance(by_reference, Launch)
    assert len(found(before=accepted.launch.at)) == 1
    assert len(found(outcome=LaunchOutcome.REFUSED)) == 1
