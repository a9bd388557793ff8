"""A Moodle that is kept by its address and a token from the settings, without pairing.

The tool can call it, and make it equal to the SIS. It cannot call the tool: no events come, nobody
opens the tool from there, and nobody renews the token. A pairing of the same address takes over
the same site, with all that is known of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from lti_tool.core.errors import ConflictError, InvalidInputError
from lti_tool.core.http import HttpClient
from lti_tool.moodle.contract import SUPPORTED
from lti_tool.moodle.documents import MOODLE_KINDS
from lti_tool.moodle.errors import ContractUnsupportedError
from lti_tool.moodle.messages import SiteStatus
from lti_tool.moodle.models import MoodleSite, Site, SiteStanding
from lti_tool.moodle.plugin import MoodlePlugin
from lti_tool.moodle.registrar import Registrar
from lti_tool.moodle.sites import Sites

# What a Moodle must take for anything to be worth while.
_NEEDED = ("category", "user", "course", "roster")

WITHOUT_PAIRING = (
    (
        "Without pairing no events come from this Moodle: what people do there is seen when it is "
        "compared, once a night."
    ),
    "Nobody can open the tool from there.",
    (
        "Nobody renews the token: before it ends, put a new one into MOODLE_API_TOKEN and add the "
        "Moodle again."
    ),
)


@dataclass(frozen=True, slots=True)
class _Token:
    value: str

    def token(self, site: Site) -> str:
        return self.value


class UnpairedSites:
    """Connects Moodles by address and token."""

    def __init__(
        self, http: HttpClient, sites: Sites, registrar: Registrar, *, timeout: float | None = None
    ) -> None:
        self._http = http
        self._sites = sites
        self._registrar = registrar
        self._timeout = timeout

    def add(self, url: str, token: str, *, actor: str) -> tuple[MoodleSite, SiteStatus]:
        """Call the Moodle, see that both sides understand each other, and keep it; the same again
        takes another token. The token is kept sealed.

        Raises:
            InvalidInputError: address or token is missing, or the Moodle has another address.
            ConflictError: it is connected by pairing.
            ContractUnsupportedError: no version of the contract is common.
            PluginError: it does not answer, or refuses the token.
        """
        url = url.rstrip("/")
        if not url or not token:
            raise InvalidInputError(
                "Set MOODLE_BASE_URL and MOODLE_API_TOKEN first.", field="moodle_base_url"
            )
        known = self._sites.at(url)
        if known is not None and known.epoch and known.standing is not SiteStanding.DISCONNECTED:
            raise ConflictError(
                "This Moodle is connected by pairing, which renews its token by itself.",
                remedy="Remove MOODLE_API_TOKEN, or disconnect the Moodle first.",
                site=known.id,
            )
        status = self._asked(url, token)
        contract = max({*status.contracts} & {*SUPPORTED}, default=None)
        if contract is None:
            raise ContractUnsupportedError(max(status.contracts, default=0))
        if status.url.rstrip("/") != url:
            raise InvalidInputError(
                f"The Moodle that answers there calls itself {status.url}.",
                field="moodle_base_url",
                remedy="Set MOODLE_BASE_URL to the wwwroot of Moodle's config.php.",
            )
        missing = [kind for kind in _NEEDED if kind not in status.kinds]
        if missing:
            raise InvalidInputError(
                f"The plugin of this Moodle does not take {', '.join(missing)}.",
                field="moodle_base_url",
                remedy="Update local_nagasis there.",
            )
        registration = self._registrar.stand_in(url, name=status.name, actor=actor)
        site = self._sites.keep_unpaired(
            url,
            status,
            token=token,
            registration_id=registration.id,
            contract=contract,
            actor=actor,
        )
        return site, status

    def _asked(self, url: str, token: str) -> SiteStatus:
        plugin = MoodlePlugin(self._http, _Token(token), timeout=self._timeout)
        return plugin.status(MoodleSite(id=0, url=url, contract=max(SUPPORTED)))


def lacking(status: SiteStatus) -> list[str]:
    """Kinds of documents that this Moodle does not take yet."""
    return [kind for kind in MOODLE_KINDS if kind not in status.kinds]
