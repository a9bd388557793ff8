"""Dynamic Registration: lti.md R1 to R9, R11, R12 (R10 is the page's)."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from werkzeug import Request, Response

from lti_tool.core.audit import AuditEvent, AuditLog
from lti_tool.core.clock import FixedClock
from lti_tool.core.database import Database
from lti_tool.core.errors import ConflictError, NagaError, OutboundError
from lti_tool.core.http import HostRefusedError, HttpClient, TooLargeError, UnreachableError
from lti_tool.lti.dynamic_registration import (
    DynamicRegistration,
    InviteGoneError,
    InviteUnknownError,
)
from lti_tool.lti.models import Invite, Standing
from lti_tool.lti.platform_configuration import RegistrationRefusedError
from lti_tool.lti.platforms.base import LINE_ITEM, LINE_ITEM_READ, MEMBERS_READ, RESULT_READ, SCORE
from lti_tool.lti.registrations import Registrations
from tests.conformance.registration_world import (
    OURS,
    PLATFORM,
    TOOL,
    WELL_KNOWN,
    an_answer,
    configuration_of,
    invite_token,
    register,
    sent_to,
)
from tests.lti.outbound_world import Stub, as_json, raw_server


@pytest.fixture
def stub() -> Iterator[Stub]:
    stub = Stub()
    stub.on("GET", WELL_KNOWN, lambda _: as_json(configuration_of(stub)))
    stub.on("POST", "/register", lambda _: as_json(an_answer()))
    yield stub
    stub.close()


@pytest.fixture
def registrations(database: Database, clock: FixedClock, audit: AuditLog) -> Registrations:
    return Registrations(database, clock, audit, allow_http=True)


@pytest.fixture
def service(
    database: Database,
    clock: FixedClock,
    http: HttpClient,
    registrations: Registrations,
    audit: AuditLog,
) -> DynamicRegistration:
    return DynamicRegistration(
        database, clock, http, registrations, audit, public_url=OURS, tool_name="Naga SIS"
    )


def test_r1_invitation_is_kept_as_a_hash_and_audited(
    service: DynamicRegistration, database: Database
) -> None:
    token = invite_token(service)
    with database.read() as session:
        invite = session.scalars(sa.select(Invite)).one()
        event = session.scalars(sa.select(AuditEvent)).one()
    assert token not in (invite.token_hash, event.target, str(event.detail))
    service.check_invite(token)


def test_r1_unknown_and_expired_invitations_ask_nobody(
    service: DynamicRegistration, stub: Stub, clock: FixedClock
) -> None:
    with pytest.raises(InviteUnknownError):
        register(service, stub, "guess")
    token = invite_token(service, lifetime=60)
    clock.advance(seconds=60)
    with pytest.raises(InviteGoneError) as expired:
        register(service, stub, token)
    assert expired.value.status == 410
    assert stub.requests == []
    assert service.purge() == 0
    clock.advance(days=2)
    assert service.purge() == 1


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("http://moodle.example/config", HostRefusedError),
        ("ftp://moodle.example/config", HostRefusedError),
        ("file:///etc/passwd", HostRefusedError),
        ("", HostRefusedError),
        ("https://user@moodle.example/", HostRefusedError),
        ("https://127.0.0.1:1/config", OutboundError),
    ],
)
def test_r2_only_https(
    url: str,
    kind: type[NagaError],
    database: Database,
    clock: FixedClock,
    registrations: Registrations,
    audit: AuditLog,
) -> None:
    service = DynamicRegistration(
        database, clock, HttpClient(), registrations, audit, public_url=OURS, tool_name="Naga"
    )
    with pytest.raises(kind):
        service.register(invite_token(service), url)


def test_r2_only_public_addresses(
    stub: Stub,
    database: Database,
    clock: FixedClock,
    registrations: Registrations,
    audit: AuditLog,
) -> None:
    public_only = HttpClient(allow_http=True)
    service = DynamicRegistration(
        database, clock, public_only, registrations, audit, public_url=OURS, tool_name="Naga"
    )
    with pytest.raises(HostRefusedError, match="private"):
        register(service, stub)
    assert stub.requests == []


def test_r2_redirects_are_not_followed(service: DynamicRegistration, stub: Stub) -> None:
    inside = Stub()
    try:
        headers = {"Location": f"{inside.url}{WELL_KNOWN}"}
        stub.on("GET", WELL_KNOWN, Response("", 302, headers=headers))
        with pytest.raises(RegistrationRefusedError, match="302"):
            register(service, stub)
        assert inside.requests == []
    finally:
        inside.close()


def test_r2_size_and_shape(service: DynamicRegistration, stub: Stub) -> None:
    stub.on("GET", WELL_KNOWN, Response(b"{" + b" " * 1024 * 1024))
    with pytest.raises(TooLargeError):
        register(service, stub)
    for body in ("<html>", "[]", '{"issuer": ', "[" * 100_000):
        stub.on("GET", WELL_KNOWN, Response(body))
        with pytest.raises(RegistrationRefusedError, match="not a JSON"):
            register(service, stub)


def test_r2_a_server_that_breaks_off(service: DynamicRegistration) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"
    with raw_server(answer) as url, pytest.raises(UnreachableError):
        service.register(invite_token(service), url)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("issuer", "https://other.example"),
        ("issuer", None),
        ("registration_endpoint", "https://other.example/register"),
        ("registration_endpoint", None),
        ("authorization_endpoint", "javascript:alert(1)"),
        ("authorization_endpoint", None),
        ("token_endpoint", "ftp://other.example"),
        ("token_endpoint", 5),
        ("jwks_uri", "https://user:word@other.example/"),
        ("jwks_uri", " https://other.example/ "),
    ],
)
def test_r3_issuer_and_addresses_are_checked(
    service: DynamicRegistration, stub: Stub, name: str, value: Any
) -> None:
    stub.on("GET", WELL_KNOWN, as_json(configuration_of(stub, **{name: value})))
    with pytest.raises(RegistrationRefusedError) as caught:
        register(service, stub)
    assert caught.value.field == name
    assert stub.seen("POST", "/register") == []


def test_r4_registration_token_is_sent_as_bearer(service: DynamicRegistration, stub: Stub) -> None:
    register(service, stub)
    assert stub.seen("GET", WELL_KNOWN)[0].headers.get("Authorization") is None
    request = stub.seen("POST", "/register")[0]
    assert request.headers["Authorization"] == "Bearer platform-token"
    assert request.headers["Content-Type"] == "application/json"


def test_r4_registration_token_is_optional(service: DynamicRegistration, stub: Stub) -> None:
    service.register(invite_token(service), f"{stub.url}{WELL_KNOWN}")
    assert "Authorization" not in stub.seen("POST", "/register")[0].headers


def test_r4_a_token_that_would_break_the_header(service: DynamicRegistration, stub: Stub) -> None:
    with pytest.raises(RegistrationRefusedError) as caught:
        service.register(invite_token(service), f"{stub.url}{WELL_KNOWN}", "a\r\nX-Evil: 1")
    assert caught.value.field == "registration_token"


def test_r5_the_request_has_what_moodle_requires(service: DynamicRegistration, stub: Stub) -> None:
    register(service, stub)
    sent = sent_to(stub)
    assert sent["application_type"] == "web"
    assert sent["response_types"] == ["id_token"]
    assert sent["initiate_login_uri"] == f"{OURS}/lti/login"
    assert sent["redirect_uris"] == [f"{OURS}/lti/launch"]
    assert sent["client_name"] == "Naga SIS"
    assert sent["jwks_uri"] == f"{OURS}/lti/keys"
    assert sent["token_endpoint_auth_method"] == "private_key_jwt"
    assert sent["scope"].split() == [LINE_ITEM, LINE_ITEM_READ, RESULT_READ, SCORE, MEMBERS_READ]
    tool = sent[TOOL]
    assert tool["domain"] == "sis.example:8443" == urlsplit(tool["target_link_uri"]).netloc
    assert set(tool["claims"]) == {"iss", "sub", "name", "given_name", "family_name", "email"}
    assert [message["type"] for message in tool["messages"]] == [
        "LtiResourceLinkRequest",
        "LtiDeepLinkingRequest",
    ]
    assert all(m["target_link_uri"] == f"{OURS}/lti/launch" for m in tool["messages"])


def test_r5_only_what_the_platform_supports(service: DynamicRegistration, stub: Stub) -> None:
    configuration = configuration_of(
        stub, scopes_supported=[SCORE, "other", 5], claims_supported=["sub", "name"]
    )
    stub.on("GET", WELL_KNOWN, as_json(configuration))
    register(service, stub)
    assert sent_to(stub)["scope"] == SCORE
    assert sent_to(stub)[TOOL]["claims"] == ["sub", "name"]


def test_r5_what_the_platform_does_not_list_is_asked_for(
    service: DynamicRegistration, stub: Stub
) -> None:
    configuration = configuration_of(stub)
    del configuration["scopes_supported"], configuration["claims_supported"]
    del configuration[PLATFORM]
    stub.on("GET", WELL_KNOWN, as_json(configuration))
    registration = register(service, stub)
    assert len(sent_to(stub)["scope"].split()) == 5
    assert len(sent_to(stub)[TOOL]["messages"]) == 2
    assert registration.platform_family == "generic"


@pytest.mark.parametrize(
    ("supported", "count"),
    [
        (["LtiResourceLinkRequest", "LtiDeepLinkingRequest"], 2),
        ([{"type": "LtiResourceLinkRequest"}, {"type": "LtiDeepLinkingRequest"}], 2),
        ([{"type": "LtiResourceLinkRequest", "placements": ["X"]}, {"kind": "y"}, 5], 1),
        (["LtiResourceLinkRequest"], 1),
        (None, 2),
    ],
)
def test_r6_messages_as_names_or_objects(
    service: DynamicRegistration, stub: Stub, supported: Any, count: int
) -> None:
    about = {"product_family_code": "Moodle", "messages_supported": supported}
    stub.on("GET", WELL_KNOWN, as_json(configuration_of(stub, **{PLATFORM: about})))
    assert register(service, stub).platform_family == "moodle"
    assert len(sent_to(stub)[TOOL]["messages"]) == count


@pytest.mark.parametrize(
    ("answer", "client_id", "deployments"),
    [
        (an_answer(), "Xyz123", ["4"]),
        (an_answer(client_id=77), "77", ["4"]),
        (an_answer(**{TOOL: {"deployment_id": 5}}), "Xyz123", ["5"]),
        (an_answer(**{TOOL: {}}, deployment_id="6"), "Xyz123", ["6"]),
        (an_answer(**{TOOL: None}), "Xyz123", []),
        (an_answer(scope=LINE_ITEM, redirect_uris=["https://evil.example"]), "Xyz123", ["4"]),
    ],
)
def test_r7_the_answer_is_read_tolerantly(
    service: DynamicRegistration,
    stub: Stub,
    registrations: Registrations,
    answer: Any,
    client_id: str,
    deployments: list[str],
) -> None:
    stub.on("POST", "/register", as_json(answer, 201))
    registration = registrations.get(register(service, stub).id)
    assert registration.client_id == client_id
    assert [each.deployment_id for each in registration.deployments] == deployments
    urls = (registration.auth_url, registration.token_url, registration.jwks_url)
    assert urls == tuple(f"{stub.url}/{name}" for name in ("auth", "token", "certs"))
    assert (registration.issuer, registration.token_audience) == (stub.url, None)
    assert registration.name.startswith("Moodle at 127.0.0.1:")


def test_r7_authorization_server_is_the_audience(service: DynamicRegistration, stub: Stub) -> None:
    configuration = configuration_of(stub, authorization_server="https://as.example")
    stub.on("GET", WELL_KNOWN, as_json(configuration))
    assert register(service, stub).token_audience == "https://as.example"


def test_r7_an_answer_without_client_id_registers_nothing(
    service: DynamicRegistration, stub: Stub, registrations: Registrations
) -> None:
    for client_id in (None, "", True, ["x"]):
        stub.on("POST", "/register", as_json(an_answer(client_id=client_id)))
        with pytest.raises(RegistrationRefusedError):
            register(service, stub)
    assert registrations.list() == []


def test_r8_pending_until_approved_and_the_deployment_with_it(
    service: DynamicRegistration, stub: Stub, registrations: Registrations, database: Database
) -> None:
    registration = register(service, stub)
    assert registration.standing is Standing.PENDING
    registrations.set_standing(registration.id, Standing.ACTIVE, actor="admin")
    approved = registrations.get(registration.id)
    assert approved.standing is Standing.ACTIVE
    assert [each.standing for each in approved.deployments] == [Standing.ACTIVE]
    with database.read() as session:
        assert session.scalar(sa.select(Invite.registration_id)) == registration.id


@pytest.mark.parametrize("status", [400, 401, 404, 500])
def test_r9_the_platforms_refusal_is_shown_and_the_invitation_given_back(
    service: DynamicRegistration, stub: Stub, registrations: Registrations, status: int
) -> None:
    token = invite_token(service)
    stub.queue("POST", "/register", Response('{"error": "token_already_used"}', status))
    with pytest.raises(RegistrationRefusedError) as caught:
        register(service, stub, token)
    assert caught.value.context["http_status"] == status
    assert "token_already_used" in caught.value.context["excerpt"]
    assert registrations.list() == []
    service.check_invite(token)
    assert register(service, stub, token).client_id == "Xyz123"


def test_r9_moodles_page_instead_of_json_is_explained(
    service: DynamicRegistration, stub: Stub
) -> None:
    stub.queue("POST", "/register", Response("<!DOCTYPE html>", 404))
    with pytest.raises(RegistrationRefusedError, match="registration token"):
        register(service, stub)
    stub.queue("POST", "/register", Response("<html>", 200))
    with pytest.raises(RegistrationRefusedError, match="not JSON"):
        register(service, stub)


def test_r11_a_duplicate_never_overwrites(
    service: DynamicRegistration, stub: Stub, registrations: Registrations
) -> None:
    first = register(service, stub)
    stub.on("GET", WELL_KNOWN, as_json(configuration_of(stub, jwks_uri=f"{stub.url}/other")))
    with pytest.raises(ConflictError):
        register(service, stub)
    [kept] = registrations.list()
    assert (kept.id, kept.jwks_url) == (first.id, f"{stub.url}/certs")


def test_r12_an_invitation_works_once(service: DynamicRegistration, stub: Stub) -> None:
    token = invite_token(service)
    register(service, stub, token)
    asked = len(stub.requests)
    with pytest.raises(InviteGoneError):
        register(service, stub, token)
    assert len(stub.requests) == asked
    with pytest.raises(InviteGoneError):
        service.check_invite(token)


def test_r12_of_two_at_once_one_wins(
    service: DynamicRegistration, stub: Stub, registrations: Registrations
) -> None:
    numbers = iter(range(100))

    def answer(_request: Request) -> Response:
        return as_json(an_answer(client_id=f"client-{next(numbers)}"))

    stub.on("POST", "/register", answer)
    token = invite_token(service)

    def attempt(_number: int) -> str:
        try:
            return register(service, stub, token).client_id
        except InviteGoneError as error:
            return error.code

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(attempt, range(4)))
    assert outcomes == ["client-0", "invite_gone", "invite_gone", "invite_gone"]
    assert len(registrations.list()) == 1
