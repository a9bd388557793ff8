from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from lti_tool.identity.models import SignIn
from lti_tool.identity.people import PersonLinkConflictError
from lti_tool.identity.sign_in import SignIns
from lti_tool.identity.sign_in_errors import (
    SignInClaimMissingError,
    SignInDeniedError,
    SignInNotOpenError,
    SignInOtherBrowserError,
    SignInPersonUnknownError,
    SignInTokenError,
)
from lti_tool.lti.errors import LaunchError
from lti_tool.lti.models import Launch, Registration, Standing
from tests.identity.launched import OTHER, PERSON, add_launch
from tests.identity.oidc_provider import (
    CLIENT_ID,
    CONFIGURATION,
    key,
)
from tests.identity.sign_in_world import World, refused


def test_the_account_is_linked_to_the_person_of_the_claim(world: World) -> None:
    assert world.sign_in() == PERSON
    assert world.links() == [("42", PERSON, "sign_in", f"person:{PERSON}")]
    assert world.person_of_launch() == PERSON
    assert world.audited() == [("person.linked", None)]


def test_the_same_pair_again_changes_nothing(world: World) -> None:
    world.sign_in()
    world.sign_in()
    assert len(world.links()) == 1
    assert world.audited() == [("person.linked", None)]


def test_configuration_and_keys_are_fetched_once(world: World) -> None:
    for _ in range(3):
        world.sign_in()
    assert len(world.oidc.stub.seen("GET", CONFIGURATION)) == 1
    assert len(world.oidc.stub.seen("GET", "/keys")) == 1
    world.clock.advance(hours=2)
    with world.database.write() as session:
        session.execute(sa.update(Launch).values(expires_at=world.clock.now().replace(hour=23)))
    world.sign_in()
    assert len(world.oidc.stub.seen("GET", CONFIGURATION)) == 2


def test_a_new_key_of_the_provider_is_fetched(world: World) -> None:
    world.sign_in()
    world.oidc.signing_key = key("next")
    world.oidc.published.append(key("next"))
    world.clock.advance(minutes=2)
    world.sign_in()
    assert len(world.oidc.stub.seen("GET", "/keys")) == 2


def test_the_request_asks_for_a_fresh_sign_in_and_keeps_no_secret(world: World) -> None:
    ticket = world.sign_ins.begin(world.launched.reference)
    assert "prompt=login" in ticket.redirect_url
    assert ticket.secret not in ticket.redirect_url
    with world.database.read() as session:
        row = session.scalars(sa.select(SignIn)).one()
    assert {row.state, row.binding_hash}.isdisjoint({ticket.state, ticket.secret})


def test_a_public_client_sends_no_secret(world: World) -> None:
    world.sign_ins = world.process(secret="")
    with pytest.raises(SignInDeniedError):
        world.sign_in()
    sent = world.oidc.stub.seen("POST", "/token")[0]
    assert sent.form["client_id"] == CLIENT_ID
    assert "Authorization" not in sent.headers


@pytest.mark.parametrize(
    ("spoil", "field"),
    [
        ({"iss": "https://other.example"}, "iss"),
        ({"iss": None}, "iss"),
        ({"aud": "another-tool"}, "aud"),
        ({"aud": ["another-tool"]}, "aud"),
        ({"aud": []}, "aud"),
        ({"aud": None}, "aud"),
        ({"aud": [CLIENT_ID, "another-tool"]}, "azp"),
        ({"aud": [CLIENT_ID, "another-tool"], "azp": "another-tool"}, "azp"),
        ({"azp": "another-tool"}, "azp"),
        ({"azp": [CLIENT_ID]}, "azp"),
        ({"nonce": "of another sign-in"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"exp": 1}, None),
        ({"exp": None}, "exp"),
        ({"exp": "tomorrow"}, "exp"),
        ({"exp": True}, "exp"),
        ({"iat": 4102444800}, "iat"),
        ({"iat": None}, "iat"),
        ({"sub": None}, "sub"),
        ({"nbf": 4102444800}, "nbf"),
    ],
)
def test_a_claim_that_does_not_hold_isrefused(
    world: World, spoil: dict[str, Any], field: str | None
) -> None:
    world.oidc.spoil = spoil
    error = refused(world, SignInTokenError)
    assert error.field == field or field is None


def test_several_audiences_are_fine_where_this_tool_is_the_party(world: World) -> None:
    world.oidc.spoil = {"aud": [CLIENT_ID, "account"], "azp": CLIENT_ID}
    assert world.sign_in() == PERSON


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"alg": "none"}, "token_algorithm"),
        ({"alg": "HS256"}, "token_algorithm"),
        ({"kid": "nobody's"}, "token_key_unknown"),
        ({"kid": None}, "token_kid_missing"),
        ({"jku": "https://evil.example/keys"}, "token_header"),
    ],
)
def test_a_header_that_does_not_hold_isrefused(
    world: World, header: dict[str, Any], reason: str
) -> None:
    world.oidc.header = header
    assert refused(world, SignInTokenError).context["reason"] == reason
    assert len(world.oidc.stub.seen("GET", "/keys")) <= 1


def test_another_key_by_the_same_name_isrefused(world: World) -> None:
    world.oidc.published = [key("provider")]
    world.oidc.signing_key = key("thief")
    world.oidc.header = {"kid": "provider"}
    assert refused(world, SignInTokenError).context["reason"] == "token_signature"


@pytest.mark.parametrize("value", [None, "", 7, ["person-sok-dara"], "x" * 300])
def test_the_claim_must_name_the_person(world: World, value: Any) -> None:
    world.oidc.person = {"person_uuid": value, "email": "dara@school.example", "sub": PERSON}
    assert refused(world, SignInClaimMissingError).field == "person_uuid"


def test_a_person_unknown_to_the_sis(world: World) -> None:
    world.oidc.person = {"person_uuid": "nobody"}
    refused(world, SignInPersonUnknownError)


def test_a_person_with_another_account_is_a_conflict(world: World) -> None:
    world.sign_in()
    world.launched = add_launch(
        world.database, world.clock, world.launched.registration_id, subject="43"
    )
    with pytest.raises(PersonLinkConflictError) as caught:
        world.sign_in()
    assert caught.value.context["reference"] == "LAUNCH43"
    assert [link[0] for link in world.links()] == ["42"]
    assert world.audited()[-1] == ("person.sign_in_refused", "person_link_conflict")
    assert world.person_of_launch() is None


def test_an_account_with_another_person_is_a_conflict(world: World) -> None:
    world.sign_in()
    world.oidc.person = {"person_uuid": OTHER}
    with pytest.raises(PersonLinkConflictError):
        world.sign_in()
    assert [link[1] for link in world.links()] == [PERSON]
    assert world.person_of_launch() == PERSON


def test_a_replayed_answer_isrefused(world: World) -> None:
    ticket = world.sign_ins.begin(world.launched.reference)
    answer = world.oidc.authorize(ticket.redirect_url)
    world.sign_ins.finish(**answer, secret=ticket.secret)
    with pytest.raises(SignInNotOpenError):
        world.sign_ins.finish(**answer, secret=ticket.secret)
    assert len(world.oidc.stub.seen("POST", "/token")) == 1


def test_of_two_answers_at_once_one_wins(world: World) -> None:
    ticket = world.sign_ins.begin(world.launched.reference)
    answer = world.oidc.authorize(ticket.redirect_url)

    def finish(sign_ins: SignIns) -> str:
        try:
            return sign_ins.finish(**answer, secret=ticket.secret).person_key or ""
        except SignInNotOpenError as error:
            return error.code

    with ThreadPoolExecutor(2) as pool:
        done = sorted(pool.map(finish, [world.process(), world.process()]))
    assert done == [PERSON, "sign_in_not_open"]


@pytest.mark.parametrize("secret", [None, "", "of another browser"])
def test_another_browser_is_refused_and_the_first_can_go_on(
    world: World, secret: str | None
) -> None:
    ticket = world.sign_ins.begin(world.launched.reference)
    answer = world.oidc.authorize(ticket.redirect_url)
    with pytest.raises(SignInOtherBrowserError):
        world.sign_ins.finish(**answer, secret=secret)
    assert world.sign_ins.finish(**answer, secret=ticket.secret).person_key == PERSON


def test_a_code_of_another_sign_in_isrefused(world: World) -> None:
    stolen = world.oidc.authorize(world.sign_ins.begin(world.launched.reference).redirect_url)
    ticket = world.sign_ins.begin(world.launched.reference)
    with pytest.raises(SignInDeniedError):
        world.sign_ins.finish(state=ticket.state, code=stolen["code"], secret=ticket.secret)
    assert world.links() == []


def test_a_sign_in_that_took_too_long(world: World) -> None:
    ticket = world.sign_ins.begin(world.launched.reference)
    answer = world.oidc.authorize(ticket.redirect_url)
    world.clock.advance(minutes=11)
    with pytest.raises(SignInNotOpenError):
        world.sign_ins.finish(**answer, secret=ticket.secret)
    world.sign_ins.begin(world.launched.reference)
    with world.database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(SignIn)) == 1


def test_a_launch_that_has_ended_or_never_was(world: World) -> None:
    with pytest.raises(LaunchError):
        world.sign_ins.begin("NOSUCHLAUNCH")
    ticket = world.sign_ins.begin(world.launched.reference)
    answer = world.oidc.authorize(ticket.redirect_url)
    with world.database.write() as session:
        session.execute(sa.update(Registration).values(standing=Standing.DISABLED))
    with pytest.raises(LaunchError):
        world.sign_ins.finish(**answer, secret=ticket.secret)
    assert world.links() == []
