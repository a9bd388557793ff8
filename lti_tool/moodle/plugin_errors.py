"""How a call to a Moodle can fail, by what helps: time, another document, or a person.

Moodle answers 200 to everything and says ``{"exception", "errorcode", "message"}``; which of the
three it is stands in the error code alone.
"""

from __future__ import annotations

from typing import Any

from lti_tool.core.errors import OutboundError

_TEXT = 300


class PluginError(OutboundError):
    """A call to a Moodle's plugin failed.

    ``retry_after``: seconds that Moodle asked us to wait, if it did.
    """

    code = "moodle_failed"
    title = "Moodle did not do what it was asked"

    def __init__(self, detail: str, *, retry_after: float | None = None, **more: Any) -> None:
        super().__init__(detail, **more)
        self.retry_after = retry_after


class TransientError(PluginError):
    """No usable answer at this moment. The same call may work later, and may have worked."""

    code = "moodle_unavailable"


class MaintenanceError(TransientError):
    """Moodle is in maintenance, or being upgraded."""

    code = "moodle_maintenance"


class BusyError(TransientError):
    """Another call is writing at this moment, or Moodle asks us to slow down."""

    code = "moodle_busy"


class MalformedAnswerError(TransientError):
    """The answer is not the document it should be: something in between broke or replaced it."""

    code = "moodle_malformed"


class RestoredError(PluginError):
    """Moodle was restored from an older backup, and has not told of it yet.

    It answers, but what stands there is not what has become of what stood there.
    """

    code = "moodle_restored"


class DataError(PluginError):
    """What was sent is refused as a whole; sending it again changes nothing."""

    code = "moodle_refused"


class BatchTooLargeError(DataError):
    """More than the plugin takes at once: 1,000 documents, 8 MB, or what its server allows."""

    code = "moodle_batch_too_large"


class ContractRefusedError(DataError):
    """The plugin does not speak this version of the contract; nothing happened."""

    code = "moodle_contract_unsupported"


class AuthenticationError(PluginError):
    """Moodle takes nothing from us until a person has done something about it."""

    code = "moodle_not_allowed"


class TokenRefusedError(AuthenticationError):
    """The token is unknown, expired or revoked, or its user may not use it."""

    code = "moodle_token_refused"


class WebServicesOffError(AuthenticationError):
    """Web services or the REST protocol are switched off in Moodle."""

    code = "moodle_web_services_off"


# What Moodle's error codes mean to us.
_TOKEN = frozenset(
    {
        "invalidtoken",
        "invalidtimedtoken",
        "accessexception",
        "nopermissions",
        "servicerequireslogin",
        "requireloginerror",
        "passwordisexpired",
        "usernotconfirmed",
        "usernotfullysetup",
        "forcepasswordchangenotice",
        "sitepolicynotagreed",
    }
)
_MAINTENANCE = frozenset({"sitemaintenance", "upgraderunning", "maintenancemode"})
_BUSY = frozenset({"applybusy", "locktimeout", "ex_unabletolock"})
_DATA = frozenset(
    {
        "documentsnotjson",
        "unknownkind",
        "unknownread",
        "invalidparameter",
        "invalidresponse",
        "missingparam",
        "codingerror",
    }
)


def moodle_error(errorcode: str, message: str, *, host: str) -> PluginError:
    """The error for what Moodle says; ``message`` must hold no secret.

    What is not known is taken to pass: a wrong guess costs a retry, the other way round a document.
    """
    told = message.strip()[:_TEXT] or errorcode
    context: dict[str, Any] = {"host": host, "errorcode": errorcode[:100]}
    if errorcode in _TOKEN or errorcode.startswith("wsaccessuser"):
        return TokenRefusedError(
            f"{host} does not take the token: {told}",
            remedy="Open Naga SIS in Moodle's site administration: it tells what is wrong. If it "
            "stays, connect this Moodle again with a new code.",
            **context,
        )
    if errorcode in _MAINTENANCE:
        return MaintenanceError(
            f"{host} is in maintenance.", remedy="It is tried again by itself.", **context
        )
    if errorcode in _BUSY:
        return BusyError(f"{host} is busy: {told}", remedy="It is tried again.", **context)
    if errorcode == "contractunsupported":
        return ContractRefusedError(told, remedy="Update the older of the two.", **context)
    if errorcode == "documentstoolarge":
        return BatchTooLargeError(told, remedy="Send fewer documents at once.", **context)
    if errorcode in _DATA:
        return DataError(
            f"{host} refuses the call: {told}",
            remedy="Update the tool and the plugin to the same version.",
            **context,
        )
    return TransientError(
        f"{host} failed: {told}", remedy="It is tried again; Moodle's log tells more.", **context
    )


def http_error(status: int, *, host: str, retry_after: float | None) -> PluginError:
    """The error for an HTTP status that Moodle itself never gives, or only from before its code."""
    context: dict[str, Any] = {"host": host, "http_status": status}
    if status == 403:
        return WebServicesOffError(
            f"{host} refuses web services.",
            remedy="Switch on web services and the REST protocol in Moodle; if they are on, look "
            "whether a proxy before it refuses this tool.",
            **context,
        )
    if status == 401:
        return AuthenticationError(
            f"A server before {host} asks for a password.",
            remedy="Let this tool's address pass there.",
            **context,
        )
    if status == 413:
        return BatchTooLargeError(
            f"The server of {host} takes no requests of this size.",
            remedy="Raise client_max_body_size (nginx) and post_max_size (PHP) to 10 MB.",
            **context,
        )
    if 300 <= status < 400:
        return AuthenticationError(
            f"{host} sends us to another address.",
            remedy="Look whether Moodle has moved; if so, connect it again with a new code.",
            **context,
        )
    kind = BusyError if status in (408, 425, 429) else TransientError
    return kind(
        f"{host} answered with status {status}.",
        remedy="It is tried again by itself.",
        retry_after=retry_after,
        **context,
    )
