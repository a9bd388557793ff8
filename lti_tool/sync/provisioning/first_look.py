"""What connecting a realm would mean, before anything is stored or changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from lti_tool.moodle.contract import fingerprint
from lti_tool.moodle.documents import Account, Kind
from lti_tool.moodle.messages import SiteStatus
from lti_tool.moodle.pages import DigestItem
from lti_tool.sync.rendering import Rendering


class Directory(Protocol):
    """What a realm is asked by."""

    def status(self, site: Any) -> SiteStatus:
        """How the realm is."""
        ...

    def count(self, site: Any) -> int:
        """How many accounts it holds, whosever they are."""
        ...

    def digests(self, site: Any, kind: Kind) -> Iterator[DigestItem]:
        """Fingerprints of the accounts that have a person's key."""
        ...


@dataclass(frozen=True, slots=True)
class FirstLook:
    """Numbers. ``accounts``: in the realm, ``foreign`` of them nobody's of the SIS. ``people``: in
    the SIS; of their accounts ``created`` would be made, ``changed`` changed, ``unchanged`` are as
    they should be. ``closed``: those of the people whose account is to be disabled, not made open.
    ``unfit``: people who fit no account.
    """

    accounts: int
    foreign: int
    people: int
    created: int
    changed: int
    unchanged: int
    closed: int
    unfit: int


def first_look(
    site: Any, directory: Directory, rendering: Rendering, now: dt.datetime
) -> FirstLook:
    """Sign in at a realm that need not be connected, and compare it with the SIS.

    What the realm would refuse (a name that somebody has) only a dry run says.

    Raises:
        PluginError: the realm is away, not prepared, or does not let the service account in.
    """
    directory.status(site)
    accounts = directory.count(site)
    there = {item.key: item.fingerprint for item in directory.digests(site, "account")}
    keys = rendering.all_keys("account")
    found = rendering.render("account", keys, now=now, site_id=0)
    documents = {key: each for key, each in found.items() if isinstance(each, Account)}
    created = sum(key not in there for key in documents)
    unchanged = sum(there.get(key) == fingerprint(each) for key, each in documents.items())
    return FirstLook(
        accounts=accounts,
        foreign=max(0, accounts - len(there.keys() & documents.keys())),
        people=len(keys),
        created=created,
        changed=len(documents) - created - unchanged,
        unchanged=unchanged,
        closed=sum(not each.enabled for each in documents.values()),
        unfit=len(keys) - len(documents),
    )
