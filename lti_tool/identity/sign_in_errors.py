"""Why a sign-in at the school's identity provider did not connect an account."""

from __future__ import annotations

from lti_tool.core.errors import ForbiddenError, InvalidInputError, NagaError, OutboundError
from lti_tool.lti.errors import REASONS

# What to do is what launches say in the same case, in the reader's language.
AGAIN = REASONS["state_unknown"].remedy
ALLOW_COOKIES = REASONS["binding_missing"].remedy
ASK_ADMINISTRATOR = REASONS["registration_unknown"].remedy


class SignInOffError(NagaError):
    """No identity provider is set (``NAGASIS_OIDC_ISSUER``)."""

    code = "sign_in_off"
    status = 404
    title = "Signing in is not set up"


class SignInNotOpenError(InvalidInputError):
    """The sign-in was used, has expired, or never began; or it began on no page of ours."""

    code = "sign_in_not_open"
    title = "This sign-in is no longer open"


class SignInOtherBrowserError(ForbiddenError):
    """The sign-in was begun in another browser, or this one lost its cookie."""

    code = "sign_in_other_browser"
    title = "This sign-in began in another browser"


class SignInDeniedError(ForbiddenError):
    """The provider did not sign the person in; ``error`` is its reason."""

    code = "sign_in_denied"
    title = "You were not signed in"


class SignInUnavailableError(OutboundError):
    """The provider is down or slow, or its answer is not that of an OpenID provider."""

    code = "sign_in_unavailable"
    title = "The school's sign-in does not answer"


class SignInTokenError(NagaError):
    """The ID token does not hold; ``field`` is the claim or header at fault."""

    code = "sign_in_token_invalid"
    status = 401
    title = "The school's sign-in sent an answer that does not hold"


class SignInClaimMissingError(ForbiddenError):
    """The ID token does not say who the person is in the SIS."""

    code = "sign_in_claim_missing"
    title = "Your school account has no person key"


class SignInPersonUnknownError(ForbiddenError):
    """The SIS has no person with the key that the ID token names."""

    code = "sign_in_person_unknown"
    title = "The school's system does not know this person"


class SignInStepUpError(ForbiddenError):
    """The provider did not make the person prove who they are as was asked.

    ``field`` is the claim that says so.
    """

    code = "sign_in_step_up"
    title = "That was not proof enough"


class SignInRightlessError(ForbiddenError):
    """The person signed in, and none of their roles gives a right here."""

    code = "sign_in_rightless"
    title = "You have no right here"
