"""What may go wrong with Keycloak, in this product's words.

The families are those of any site that is kept equal to the SIS: what helps is time, another
document, or a person.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import keycloak.exceptions as theirs
import requests

from lti_tool.core.errors import OutboundError
from lti_tool.moodle.plugin_errors import AuthenticationError, PluginError, TransientError

_WAY_OUT = "Check the address, and that Keycloak is up."
# The token endpoint says so with status 400 (RFC 6749 5.2).
_NOT_BELIEVED = ("invalid_grant", "invalid_client", "unauthorized_client")


class KeycloakError(PluginError):
    """Keycloak did not do what it was asked for; its own words are in the answer.

    ``answered`` is the HTTP status, ``answer`` the document that came with it.
    """

    code = "keycloak_failed"
    status = 502
    title = "Keycloak refused"
    answered: int | None = None
    answer: Mapping[str, Any] = MappingProxyType({})


class KeycloakUnavailableError(KeycloakError, TransientError):
    """Keycloak does not answer, or its certificate is not trusted."""

    code = "keycloak_unavailable"
    status = 503
    title = "Keycloak does not answer"


class KeycloakForbiddenError(KeycloakError, AuthenticationError):
    """Keycloak does not know whoever asks, or they lack the right."""

    code = "keycloak_forbidden"
    status = 502
    title = "Keycloak does not allow this"


class RealmUnpreparedError(KeycloakError, AuthenticationError):
    """The realm lacks a group or the attribute of people's keys: nobody is put there without."""

    code = "keycloak_unprepared"
    status = 502
    title = "The realm is not prepared"


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn the library's errors into ours; ``what`` was asked for (“read the clients”)."""
    try:
        yield
    except theirs.KeycloakConnectionError as error:
        cause = error.__cause__
        if isinstance(cause, OutboundError):
            raise cause from error
        raise KeycloakUnavailableError(_unanswered(cause, what), remedy=_WAY_OUT) from error
    except theirs.KeycloakError as error:
        raise _ours(error, what) from error
    except (TypeError, KeyError, ValueError) as error:
        # The library's way to say that an answer is not Keycloak's: a proxy's page, for one.
        raise KeycloakUnavailableError(
            f"What answered when asked to {what} is not Keycloak.",
            remedy="Look at what stands between the tool and Keycloak, and try again.",
        ) from error


def asked_to_wait(response: requests.Response, *_: Any, **__: Any) -> None:
    """A hook of sessions: the library would drop the header that says how long to wait."""
    if response.status_code in (429, 503):
        wait = response.headers.get("Retry-After", "")
        # Nobody reads it now: its connection would be lost.
        response.close()
        raise KeycloakUnavailableError(
            f"Keycloak answered with status {response.status_code}.",
            remedy="Look at Keycloak's log, and try again.",
            retry_after=float(wait) if wait.isdecimal() else None,
        )


def _ours(error: theirs.KeycloakError, what: str) -> KeycloakError:
    status = getattr(error, "response_code", None)
    if status is not None and status >= 500:
        return KeycloakUnavailableError(
            f"Keycloak answered with status {status} when asked to {what}.",
            remedy="Look at Keycloak's log, and try again.",
        )
    document = _document(error)
    if status in (401, 403) or document.get("error") in _NOT_BELIEVED:
        return KeycloakForbiddenError(
            f"Keycloak does not allow to {what}: {_words(error)}.",
            remedy="Compare the account, its password and its rights.",
        )
    ours = KeycloakError(
        f"Keycloak refused to {what}: {_words(error)}.",
        remedy="What was done before stands; mend this and ask again.",
    )
    ours.answered, ours.answer = status, document
    return ours


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


def _unanswered(cause: BaseException | None, what: str) -> str:
    """What is shown wherever the site's state is, without the remedy."""
    if isinstance(cause, requests.exceptions.SSLError):
        return (
            "Keycloak's certificate is not trusted here: name the file of its authority in "
            "NAGASIS_CA_BUNDLE."
        )
    return f"Keycloak did not answer when asked to {what}."
