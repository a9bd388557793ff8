"""How the connection with a Moodle is: tried by a real call, and told as a checklist.

Our own findings come first; what the plugin finds on its side follows under its own names.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any, Literal, Protocol

import sqlalchemy as sa
import structlog

from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.core.errors import NagaError
from lti_tool.moodle.contract import SUPPORTED
from lti_tool.moodle.documents import MOODLE_KINDS
from lti_tool.moodle.messages import Problem, SiteStatus
from lti_tool.moodle.models import MoodleSite, Site, SiteStanding, System
from lti_tool.moodle.registrar import Registrar, RegistrationView
from lti_tool.moodle.sites import Sites

log = structlog.get_logger(__name__)

Status = Literal["ok", "warning", "error", "unknown"]

# LTI messages and signed requests are refused at a minute.
SKEW_WARNING = 10.0
SKEW_ERROR = 45.0
# The plugin renews its token ten days before the end.
TOKEN_WARNING = dt.timedelta(days=8)
SILENCE = dt.timedelta(hours=1)
WAITING = dt.timedelta(minutes=15)
_WIDTH = 1000
# The column is an ordinary integer.
_LARGEST = 2**31 - 1
_MOST = 50
# What the plugin says too; where it is well, once is enough.
_SAID = ("connection", "token", "versions")

# What each finding says, by its name and how it is; pages translate these very words.
WORDS: dict[str, dict[str, str]] = {
    "moodle_answers": {
        "ok": "The tool reaches Moodle, and its token works.",
        "error": "The tool does not get an answer from Moodle.",
        "unknown": "Moodle was not asked: the connection is paused or ended.",
    },
    "moodle_asks": {
        "ok": "Moodle reaches the tool.",
        "warning": "Moodle has not been heard of for more than an hour. Look whether its cron runs "
        "each minute.",
        "unknown": "Moodle has not been heard of yet.",
    },
    "versions": {
        "ok": "Tool and plugin speak the same version of their contract.",
        "warning": "The plugin is older than the tool: what it does not know yet waits. Update it.",
        "error": "Tool and plugin speak no common version of their contract. Update the older one.",
    },
    "clock": {
        "ok": "Both clocks agree.",
        "warning": "The clocks differ. Set both servers by NTP before launches are refused.",
        "error": "The clocks differ so much that launches and events are refused. Set both "
        "servers by NTP.",
    },
    "token": {
        "ok": "The token is valid, and Moodle renews it in time.",
        "warning": "The token should have been renewed by now. Look whether Moodle's cron runs.",
        "error": "The token has expired. Connect this Moodle again with a new code.",
    },
    "pairing": {
        "warning": "This Moodle was added by its address and a token: no events come from there, "
        "nobody opens the tool from there, and nobody renews the token. Pairing ends that.",
    },
    "launches": {
        "ok": "People can open the tool from Moodle.",
        "error": "The registration, or its deployment, is switched off: nobody can open the tool "
        "from Moodle.",
    },
    "id_numbers": {
        "ok": "ID numbers are trusted: people are recognised at their first visit.",
        "warning": "ID numbers are not trusted: an administrator connects each account.",
    },
    "events": {
        "ok": "What happens in Moodle reaches the tool.",
        "warning": "Events wait in Moodle, or are paused there, or could not be taken.",
    },
    "reconciling": {
        "ok": "No event was missed.",
        "warning": "Events may have been missed: Moodle or the tool was restored, or the "
        "connection was down. The next reconciliation repairs it.",
    },
}


class StatusCall(Protocol):
    """Asks a site how it is."""

    def status(self, site: MoodleSite) -> SiteStatus:
        """Call the plugin's ``local_nagasis_status``; raises a NagaError."""
        ...


class OtherChecks(Protocol):
    """Checks a site that is no Moodle."""

    def check(self, site: Any) -> list[Problem]:
        """Whatever is wrong is a line of the list."""
        ...


class SiteChecks:
    """Checks sites and stores what it found with them.

    Args:
        others: who checks what is no Moodle.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        sites: Sites,
        registrar: Registrar,
        plugin: StatusCall,
        others: Mapping[System, OtherChecks],
    ) -> None:
        self._database = database
        self._clock = clock
        self._sites = sites
        self._registrar = registrar
        self._plugin = plugin
        self._others = others

    def check(self, site_id: int) -> list[Problem]:
        """Ask a site how it is; store and return the checklist.

        Whatever is wrong is a line of the list: this raises only NotFoundError.
        """
        site = self._sites.get(site_id)
        if not isinstance(site, MoodleSite):
            return self._check_other(site)
        registration = self._registrar.view(site.registration_id)
        asked = self._clock.now()
        status: SiteStatus | None = None
        failure: NagaError | None = None
        if site.standing is SiteStanding.ACTIVE:
            try:
                status = self._plugin.status(site)
            except NagaError as error:
                failure = error
                log.warning("site.check_failed", site_id=site_id, code=error.code)
        now = self._clock.now()
        # The answer was written somewhere between question and receipt.
        skew = status.now - (asked + (now - asked) / 2).timestamp() if status else None
        found = [
            _answers(status, failure),
            _asks(site, now) if site.epoch else _line("pairing", "warning"),
            *(_versions(status) if status else ()),
            *(_clock(skew) if skew is not None else ()),
            *_token(site, now),
            *(_registration(registration) if site.epoch else ()),
            *(_events(status, now) if status else ()),
            _line("reconciling", "warning" if site.reconcile_since else "ok"),
            *(_of_plugin(status) if status else ()),
        ]
        self._store(site_id, found, status, skew, now)
        return found

    def _check_other(self, site: Site) -> list[Problem]:
        # A paused one too: what it was paused for is among the lines, and when that is mended.
        if site.standing is SiteStanding.DISCONNECTED:
            return []
        found = self._others[System(site.system)].check(site)
        self._store(site.id, found, None, None, self._clock.now())
        return found

    def check_all(self) -> None:
        """Check every site that is not disconnected; the worker does so."""
        for site in self._sites.list():
            if site.standing is not SiteStanding.DISCONNECTED:
                self.check(site.id)

    def _store(
        self,
        site_id: int,
        found: list[Problem],
        status: SiteStatus | None,
        skew: float | None,
        now: dt.datetime,
    ) -> None:
        with self._database.write() as session:
            site = session.scalar(
                sa.select(Site).where(
                    Site.id == site_id, Site.standing != SiteStanding.DISCONNECTED
                )
            )
            if site is None:
                return
            site.checklist = [each.model_dump() for each in found]
            site.checked_at = now
            if status is not None:
                site.clock_skew = skew
                site.backlog = min(max(0, status.backlog), _LARGEST)
                site.versions = {
                    **status.versions,
                    "contracts": status.contracts,
                    "kinds": status.kinds,
                }
                site.contract = max({*status.contracts} & {*SUPPORTED}, default=site.contract)


def worst(checklist: list[Problem]) -> Status:
    """The worst standing on a checklist; ``unknown`` for an empty one."""
    ranks: tuple[Status, ...] = ("error", "warning", "ok")
    standings = {each.status for each in checklist}
    return next((each for each in ranks if each in standings), "unknown")


def _line(name: str, status: Status, details: str = "") -> Problem:
    return Problem(name=name, status=status, summary=WORDS[name][status], details=details[:_WIDTH])


def _answers(status: SiteStatus | None, failure: NagaError | None) -> Problem:
    if status is not None:
        return _line("moodle_answers", "ok")
    if failure is None:
        return _line("moodle_answers", "unknown")
    told = failure.detail.rstrip()
    if failure.remedy:
        told += ("" if told.endswith((".", "!", "?")) else ".") + " " + failure.remedy
    return _line("moodle_answers", "error", told)


def _asks(site: MoodleSite, now: dt.datetime) -> Problem:
    if site.heard_at is None:
        return _line("moodle_asks", "unknown")
    return _line("moodle_asks", "warning" if now - site.heard_at > SILENCE else "ok")


def _versions(status: SiteStatus) -> Iterator[Problem]:
    spoken = f"Tool: {_numbers(SUPPORTED)}. Plugin: {_numbers(status.contracts)}."
    if not set(status.contracts) & set(SUPPORTED):
        yield _line("versions", "error", spoken)
        return
    unknown = [kind for kind in MOODLE_KINDS if status.kinds and kind not in status.kinds]
    spoken = ", ".join(unknown) or spoken
    yield _line("versions", "warning" if unknown else "ok", spoken)


def _clock(skew: float) -> Iterator[Problem]:
    size = abs(skew)
    state: Status = "error" if size >= SKEW_ERROR else "warning" if size >= SKEW_WARNING else "ok"
    side = "ahead" if skew > 0 else "behind"
    # Moodle tells whole seconds.
    yield _line("clock", state, f"Moodle is {size:.0f} s {side}." if size >= 2 else "")


def _token(site: MoodleSite, now: dt.datetime) -> Iterator[Problem]:
    if site.token_expires_at is None:
        return
    left = site.token_expires_at - now
    state: Status = "ok"
    if left <= dt.timedelta(0):
        state = "error"
    elif left < TOKEN_WARNING:
        state = "warning"
    yield _line("token", state, f"{site.token_expires_at:%Y-%m-%d %H:%M} UTC")


def _registration(registration: RegistrationView) -> Iterator[Problem]:
    yield _line("launches", "ok" if registration.active else "error")
    yield _line("id_numbers", "ok" if registration.sourcedid_trusted else "warning")


def _events(status: SiteStatus, now: dt.datetime) -> Iterator[Problem]:
    oldest = dt.datetime.fromtimestamp(status.oldest, dt.UTC) if status.oldest else None
    late = oldest is not None and now - oldest > WAITING
    facts = []
    if status.paused:
        facts.append("Sending is paused in Moodle.")
    if status.backlog:
        facts.append(f"Waiting: {status.backlog}.")
    if oldest is not None and late:
        facts.append(f"The oldest waits since {oldest:%Y-%m-%d %H:%M} UTC.")
    if status.set_aside:
        facts.append(f"Set aside: {status.set_aside}.")
    troubled = status.paused or late or status.set_aside > 0
    yield _line("events", "warning" if troubled else "ok", " ".join(facts))


def _of_plugin(status: SiteStatus) -> Iterator[Problem]:
    for each in status.checks[:_MOST]:
        if each.status == "ok" and each.name in _SAID:
            continue
        yield Problem(
            name=f"moodle:{each.name}"[:100],
            status=each.status,
            summary=each.summary[:_WIDTH],
            details=each.details[:_WIDTH],
        )


def _numbers(versions: tuple[int, ...] | list[int]) -> str:
    return ", ".join(map(str, versions))
