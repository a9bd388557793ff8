"""Why a login or launch was refused: one error type, one table of reason codes."""

from __future__ import annotations

from typing import Any, NamedTuple

from lti_tool.core.errors import NagaError


class Reason(NamedTuple):
    """What a reason code means: HTTP status, one plain sentence, and what to do."""

    status: int
    detail: str
    remedy: str


_AGAIN = "Go back to your course and open the link again."
_ADMINISTRATOR = "Give the reference on this page to the administrator of this tool."
_PLATFORM = "The platform sent a message that it should not send; tell its administrator."

# Part of the public interface: documented in docs/errors.md, stored in every launch record.
REASONS: dict[str, Reason] = {
    "login_parameter_missing": Reason(400, "A parameter of the login is missing.", _PLATFORM),
    "login_parameter_invalid": Reason(400, "A parameter of the login is not valid.", _PLATFORM),
    "registration_unknown": Reason(
        404, "This platform is not registered with this tool.", _ADMINISTRATOR
    ),
    "client_ambiguous": Reason(
        400, "The platform is registered more than once and did not say which.", _ADMINISTRATOR
    ),
    "registration_pending": Reason(
        403, "This platform waits for the approval of this tool's administrator.", _ADMINISTRATOR
    ),
    "registration_disabled": Reason(403, "This platform has been switched off.", _ADMINISTRATOR),
    "target_link_foreign": Reason(400, "The link does not lead to this tool.", _PLATFORM),
    "state_missing": Reason(400, "The answer of the platform has no state.", _AGAIN),
    "state_unknown": Reason(400, "This sign-in was already used, or never began here.", _AGAIN),
    "state_expired": Reason(400, "This sign-in took too long.", _AGAIN),
    "binding_missing": Reason(
        403,
        "Your browser did not bring back the proof that it began this sign-in.",
        "Allow cookies for this site, then go back to your course and open the link again.",
    ),
    "binding_mismatch": Reason(403, "This sign-in was begun in another browser.", _AGAIN),
    "platform_error": Reason(401, "The platform refused to sign you in.", _AGAIN),
    "id_token_missing": Reason(400, "The answer of the platform has no message.", _AGAIN),
    "launch_too_large": Reason(413, "The message is too large.", _PLATFORM),
    "token_malformed": Reason(400, "The message is not a signed token.", _PLATFORM),
    "token_encrypted": Reason(
        400, "The message is encrypted; only signed ones are read.", _PLATFORM
    ),
    "token_algorithm": Reason(401, "The message is not signed with RS256.", _PLATFORM),
    "token_header": Reason(400, "The message's header holds what may not be there.", _PLATFORM),
    "token_kid_missing": Reason(400, "The message does not name its key.", _PLATFORM),
    "token_key_unknown": Reason(401, "The platform publishes no such key.", _ADMINISTRATOR),
    "token_key_weak": Reason(401, "The platform's key is shorter than 2048 bits.", _ADMINISTRATOR),
    "token_signature": Reason(401, "The signature is not the platform's.", _PLATFORM),
    "platform_keys_unavailable": Reason(
        502, "The platform's keys could not be read.", "Try again in a minute; " + _ADMINISTRATOR
    ),
    "claim_missing": Reason(400, "The message lacks a claim.", _PLATFORM),
    "claim_invalid": Reason(400, "A claim of the message is not valid.", _PLATFORM),
    "version_unsupported": Reason(400, "The message is not LTI 1.3.0.", _PLATFORM),
    "message_type_unsupported": Reason(400, "This tool does not know this message.", _PLATFORM),
    "message_invalid": Reason(400, "The message is not complete.", _PLATFORM),
    "anonymous_not_supported": Reason(
        403,
        "The platform did not say who you are, and this tool needs to know.",
        "Sign in to the platform, then open the link again.",
    ),
    "issuer_mismatch": Reason(401, "The message comes from another platform.", _ADMINISTRATOR),
    "audience_mismatch": Reason(401, "The message is for another tool.", _ADMINISTRATOR),
    "azp_mismatch": Reason(401, "The message was issued to another tool.", _ADMINISTRATOR),
    "token_expired": Reason(
        401, "The message has expired.", _AGAIN + " If it happens again, a clock is wrong."
    ),
    "token_not_yet_valid": Reason(
        401, "The message comes from the future: a clock is wrong.", _ADMINISTRATOR
    ),
    "token_too_old": Reason(
        401, "The message is too old.", _AGAIN + " If it happens again, a clock is wrong."
    ),
    "nonce_mismatch": Reason(401, "The message does not belong to this sign-in.", _AGAIN),
    "deployment_mismatch": Reason(
        401, "The message names another deployment than the sign-in did.", _PLATFORM
    ),
    "target_link_mismatch": Reason(
        400, "The message leads elsewhere than the sign-in did.", _PLATFORM
    ),
    "deployment_pending": Reason(
        403,
        "This deployment waits for the approval of this tool's administrator.",
        _ADMINISTRATOR,
    ),
    "deployment_disabled": Reason(403, "This deployment has been switched off.", _ADMINISTRATOR),
    "session_missing": Reason(401, "You are not signed in to this page.", _AGAIN),
    "session_expired": Reason(401, "Your session on this page has ended.", _AGAIN),
    "session_foreign": Reason(403, "This page belongs to another session.", _AGAIN),
}


class LaunchError(NagaError):
    """A login, launch or launch session was refused.

    ``code`` is a key of :data:`REASONS`; ``reference`` finds the launch record, once written.
    """

    title = "This link could not be opened"

    def __init__(
        self,
        code: str,
        *,
        detail: str | None = None,
        field: str | None = None,
        remedy: str | None = None,
        **context: Any,
    ) -> None:
        reason = REASONS[code]
        super().__init__(
            detail or reason.detail, field=field, remedy=remedy or reason.remedy, **context
        )
        # The code is the instance's: one type with a table says what thirty subclasses would.
        self.code = code  # type: ignore[misc]
        self.status = reason.status  # type: ignore[misc]
        self.reference: str | None = None

    def problem(self, *, reference: str | None = None) -> dict[str, Any]:
        """Return the RFC 9457 document, with the launch record's reference if there is one."""
        return super().problem(reference=reference or self.reference)


class AmbiguousClientError(LaunchError):
    """The issuer has several client ids and the platform named none."""

    def __init__(self, issuer: str) -> None:
        super().__init__("client_ambiguous", field="client_id", issuer=issuer)


class DeploymentPendingError(LaunchError):
    """The launch is parked until an administrator approves its deployment."""

    title = "This link waits for approval"

    def __init__(self, deployment_id: str) -> None:
        super().__init__("deployment_pending", deployment_id=deployment_id)
