"""The one place where pylti1p3 is used: its validators judge messages that we have verified.

Nothing of its network, state, cookie, cache or JOSE code runs. Replacing the library, or doing
without it, changes this file alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pylti1p3.exception import LtiException
from pylti1p3.message_validators.deep_link import DeepLinkMessageValidator
from pylti1p3.message_validators.resource_message import ResourceMessageValidator
from pylti1p3.message_validators.submission_review import SubmissionReviewLaunchValidator

from lti_tool.lti.claims import DEEP_LINK, DEEP_LINKING, LTI, RESOURCE_LINK, SUBMISSION_REVIEW
from lti_tool.lti.errors import LaunchError

_VALIDATORS = {
    RESOURCE_LINK: ResourceMessageValidator(),
    DEEP_LINK: DeepLinkMessageValidator(),
    SUBMISSION_REVIEW: SubmissionReviewLaunchValidator(),
}


def validate_message(body: Mapping[str, Any], *, message_type: str) -> None:
    """Judge a verified message whose schema is right.

    Raises:
        LaunchError: ``message_invalid``.
    """
    if message_type == DEEP_LINK:
        body = _as_the_library_expects(body)
    try:
        _VALIDATORS[message_type].validate(body)
    except LtiException as error:
        raise LaunchError(
            "message_invalid", field="id_token", detail=f"The message is not complete: {error}."
        ) from error


def _as_the_library_expects(body: Mapping[str, Any]) -> dict[str, Any]:
    """Fill in what the specification lets a deep-linking request leave out.

    The library would refuse it; our deep-linking page tells the person what the platform does not
    take instead.
    """
    settings = dict(body[DEEP_LINKING])
    settings["accept_types"] = [*(settings.get("accept_types") or ()), "ltiResourceLink"]
    targets = settings.get("accept_presentation_document_targets")
    settings["accept_presentation_document_targets"] = targets or ["window"]
    return {**body, LTI + "roles": body.get(LTI + "roles") or [], DEEP_LINKING: settings}
