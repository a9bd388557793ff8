"""What a Moodle is told when its request cannot be taken; all but the signature's own errors."""

from __future__ import annotations

from lti_tool.core.errors import ConflictError, NagaError
from lti_tool.moodle.contract import SUPPORTED


class ContractUnsupportedError(NagaError):
    """The plugin speaks a version of the contract that this tool does not; nothing happened."""

    code = "contract_unsupported"
    status = 400
    title = "The tool and the plugin are of different times"

    def __init__(self, contract: object) -> None:
        newer = isinstance(contract, int) and contract > max(SUPPORTED)
        super().__init__(
            f"This tool does not speak version {contract} of the contract.",
            field="contract",
            remedy="Update this tool." if newer else "Update the plugin local_nagasis in Moodle.",
            supported=[*SUPPORTED],
        )


class SiteUnknownError(NagaError):
    """No Moodle is connected under this address and client id."""

    code = "site_unknown"
    status = 401
    title = "This Moodle is not connected"


class SiteDisconnectedError(NagaError):
    """The administrator of the tool has ended the connection."""

    code = "site_disconnected"
    status = 410
    title = "This Moodle is no longer connected"


class SiteElsewhereError(ConflictError):
    """What the request names belongs to another connected Moodle."""

    code = "site_elsewhere"
    title = "This belongs to another Moodle"


class PairingCodeUnknownError(NagaError):
    """There is no such code."""

    code = "pairing_code_unknown"
    status = 400
    title = "This code is not known"


class PairingCodeExpiredError(NagaError):
    """The code's minutes are over."""

    code = "pairing_code_expired"
    status = 400
    title = "This code has expired"


class PairingCodeUsedError(NagaError):
    """Another Moodle has used the code, or is using it at this moment."""

    code = "pairing_code_used"
    status = 400
    title = "This code was used already"


class PairingRefusedError(NagaError):
    """What the Moodle says of itself does not fit together."""

    code = "pairing_refused"
    status = 400
    title = "This Moodle cannot be connected"
