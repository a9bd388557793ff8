"""What may go wrong with Keycloak, in this product's words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keycloak.exceptions as theirs
import requests

from lti_tool.core.errors import NagaError, OutboundError

# The token endpoint says so with status 400 (RFC 6749 5.2).
_NOT_BELIEVED = ("invalid_grant", "invalid_client", "unauthorized_client")


class KeycloakError(NagaError):
    """Keycloak did not do what it was asked for; its own words are in the answer."""

    code = "keycloak_failed"
    status = 502
    title = "Keycloak refused"


class KeycloakUnavailableError(KeycloakError):
    """Keycloak does not answer, or its certificate is not trusted."""

    code = "keycloak_unavailable"
    status = 503
    title = "Keycloak does not answer"


class KeycloakForbiddenError(KeycloakError):
    """Keycloak does not know whoever asks, or they lack the right."""

    code = "keycloak_forbidden"
    status = 502
    title = "Keycloak does not allow this"


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn the library's errors into ours; ``what`` was asked for (“read the clients”)."""
    try:
        yield
    except theirs.KeycloakConnectionError as error:
        cause = error.__cause__
        if isinstance(cause, OutboundError):
            raise cause from error
        raise KeycloakUnavailableError(
            f"Keycloak did not answer when asked to {what}.", remedy=_way_out(cause)
        ) from error
    except theirs.KeycloakError as error:
        status = getattr(error, "response_code", None)
        if status is not None and (status >= 500 or status == 429):
            raise KeycloakUnavailableError(
                f"Keycloak answered with status {status} when asked to {what}.",
                remedy="Look at Keycloak's log, and try again.",
            ) from error
        document = _document(error)
        if status in (401, 403) or document.get("error") in _NOT_BELIEVED:
            raise KeycloakForbiddenError(
                f"Keycloak does not allow to {what}: {_words(error)}.",
                remedy="Compare the account, its password and its rights.",
            ) from error
        raise KeycloakError(
            f"Keycloak refused to {what}: {_words(error)}.",
            remedy="What was done before stands; mend this and ask again.",
        ) from error


def _document(error: theirs.KeycloakError) -> dict[str, Any]:
    try:
        document = json.loads(error.response_body or b"{}")
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _words(error: theirs.KeycloakError) -> str:
    document = _document(error)
    for name in ("errorMessage", "error_description", "error"):
        if isinstance(document.get(name), str):
            return str(document[name])[:200]
    return f"status {error.response_code}"


def _way_out(cause: BaseException | None) -> str:
    if isinstance(cause, requests.exceptions.SSLError):
        return (
            "Its certificate is not trusted here: name the authority's file in NAGASIS_CA_BUNDLE."
        )
    return "Check the address, and that Keycloak is up."
