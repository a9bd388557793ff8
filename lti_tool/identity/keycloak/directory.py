"""Keeps the accounts of a realm equal to the SIS: what the plugin is in a Moodle."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import structlog
from keycloak import KeycloakAdmin

from lti_tool.core.clock import Clock
from lti_tool.core.http import HostRefusedError, HttpClient
from lti_tool.identity.keycloak import realm as desired
from lti_tool.identity.keycloak.accounts import as_document
from lti_tool.identity.keycloak.at_once import at_once
from lti_tool.identity.keycloak.connection import Sign, as_service, claims_of, keep_signed_in
from lti_tool.identity.keycloak.errors import (
    KeycloakError,
    KeycloakForbiddenError,
    KeycloakUnavailableError,
)
from lti_tool.identity.keycloak.keeping import AccountKeeper
from lti_tool.identity.keycloak.models import Realm
from lti_tool.identity.keycloak.realm_checks import Rights, findings, rights_of
from lti_tool.identity.keycloak.realm_people import RealmPeople
from lti_tool.moodle.contract import VERSION, fingerprint
from lti_tool.moodle.documents import Account, Applied, Kind, Result
from lti_tool.moodle.messages import Problem, SiteStatus
from lti_tool.moodle.pages import MAX_PAGE, DigestItem, DigestPage, ReadPage, all_pages
from lti_tool.moodle.plugin_errors import BatchTooLargeError, DataError, PluginError

log = structlog.get_logger(__name__)

MAX_ACCOUNTS = 1000
# No document has it: whose key stands twice is looked at, and refused with words.
_TWICE = "twice"
_TAKEN = ("username_taken", "email_taken")


class KeycloakDirectory:
    """Puts people into realms and keeps them there. Thread-safe; one connection a realm.

    Each call is made once: trying again is the caller's. Every method raises
    :class:`~lti_tool.moodle.plugin_errors.PluginError`; the family says what helps:
    ``TransientError`` time, ``AuthenticationError`` a person. A batch that broke off may be sent
    again: what was done is found so.

    Args:
        sign: signs claims with the tool's key, which the realm fetches.
        claim: the attribute with a person's key.
        client_id: whose service account does it.
        concurrency: accounts that are written at once.
        required_actions: what a person must do at their first sign-in.
        open_: connects to a realm; for counting what is asked.
    """

    def __init__(
        self,
        http: HttpClient,
        clock: Clock,
        sign: Sign,
        *,
        claim: str = "person_uuid",
        client_id: str = desired.SERVICE,
        concurrency: int = 8,
        required_actions: Sequence[str] = ("UPDATE_PASSWORD",),
        open_: Callable[..., KeycloakAdmin] = as_service,
    ) -> None:
        self._http = http
        self._clock = clock
        self._sign = sign
        self._claim = claim
        self._client_id = client_id
        self._concurrency = concurrency
        self._required_actions = tuple(required_actions)
        self._open = open_
        self._realms: dict[str, RealmPeople] = {}
        self._opening = threading.Lock()

    def status(self, site: Realm) -> SiteStatus:
        """How the realm is: that it lets the service account in, and read people."""
        with self._connected(site) as people:
            people.count()
            issued = claims_of(people.admin).get("iat")
        now = issued if isinstance(issued, int) else int(self._clock.now().timestamp())
        return SiteStatus(
            contract=VERSION,
            contracts=[VERSION],
            url=site.url,
            name=site.realm,
            now=now,
            kinds=["account"],
        )

    def apply(self, site: Realm, documents: Sequence[Account], *, dryrun: bool = False) -> Applied:
        """Make the accounts equal to the documents; one result per document, in their order.

        Raises:
            BatchTooLargeError: more than a thousand; nothing was done.
        """
        if len(documents) > MAX_ACCOUNTS:
            raise BatchTooLargeError(
                f"A call takes {MAX_ACCOUNTS} accounts.", remedy="Send them in several calls."
            )
        with self._connected(site) as people:
            people.groups()
            there = people.of([document.person for document in documents])
            keeper = AccountKeeper(people, self._claim, self._required_actions, dryrun=dryrun)
            results = at_once(
                lambda document: keeper.keep(document, there.get(document.person, [])),
                documents,
                concurrency=self._concurrency,
            )
            if not dryrun:
                self._look_again(people, keeper, documents, results)
        return Applied(contract=VERSION, dryrun=dryrun, results=results)

    def _look_again(
        self,
        people: RealmPeople,
        keeper: AccountKeeper,
        documents: Sequence[Account],
        results: list[Result],
    ) -> None:
        """What somebody else had may be free now: they let go of it in this very batch. As long as
        anybody gets on by that."""
        moved = any(each.changes for each in results)
        while moved and (taken := [n for n, each in enumerate(results) if each.code in _TAKEN]):
            there = people.of([documents[n].person for n in taken])
            again = at_once(
                lambda n, there=there: keeper.keep(  # type: ignore[misc]
                    documents[n], there.get(documents[n].person, [])
                ),
                taken,
                concurrency=self._concurrency,
            )
            moved = any(each.result != "refused" for each in again)
            for n, result in zip(taken, again, strict=True):
                changes = [*results[n].changes, *result.changes]
                outcome = "updated" if changes and result.result == "unchanged" else result.result
                results[n] = result.model_copy(update={"changes": changes, "result": outcome})

    def digest(
        self,
        site: Realm,
        kind: Kind,
        keys: Sequence[str] = (),
        *,
        after: str | int | None = None,
        limit: int = MAX_PAGE,
    ) -> DigestPage:
        """One page of the fingerprints of people's accounts; of these ``keys`` alone, if any.

        A page may hold fewer than ``limit``: accounts that are nobody's of the SIS are left out.
        """
        if not 1 <= limit <= MAX_PAGE:
            raise ValueError(f"limit must be from 1 to {MAX_PAGE}")
        if kind != "account":
            return DigestPage(items=[])
        following: int | None = None
        with self._connected(site) as people:
            people.groups()
            if keys:
                found = [each for some in people.of(keys).values() for each in some]
            else:
                found, following = people.page(int(after or 0), limit)
        times = Counter(each.person for each in found)
        # Keycloak's own ids are no numbers.
        items = {
            each.person: DigestItem(
                key=each.person,
                id=0,
                fingerprint=_TWICE if times[each.person] > 1 else fingerprint(as_document(each)),
            )
            for each in found
        }
        return DigestPage(items=list(items.values()), next=following)

    def digests(
        self, site: Realm, kind: Kind, keys: Sequence[str] = (), *, limit: int = MAX_PAGE
    ) -> Iterator[DigestItem]:
        """All fingerprints, page by page."""
        for page in all_pages(
            lambda after: self.digest(site, kind, keys, after=after, limit=limit), url=site.url
        ):
            yield from page.items

    def read(
        self,
        site: Realm,
        what: str,
        scope: Mapping[str, Any] | None = None,
        *,
        after: str | int | None = None,
        limit: int = MAX_PAGE,
    ) -> ReadPage:
        """A realm holds nothing that is read for the SIS.

        Raises:
            DataError: always.
        """
        raise DataError("A realm has no such thing to read.")

    def count(self, site: Realm) -> int:
        """How many accounts the realm holds, whosever they are; without those of clients."""
        with self._connected(site) as people:
            return people.count()

    def rights(self, site: Realm) -> Rights:
        """What the service account may really do, and what it should."""
        with self._connected(site, anew=True) as people:
            return rights_of(claims_of(people.admin))

    def check(self, site: Realm) -> list[Problem]:
        """Look how the connection with the realm is. Whatever is wrong is a line of the list."""
        try:
            with self._connected(site, anew=True) as people:
                return findings(people, self._clock.now(), claim=self._claim)
        except PluginError as error:
            log.warning("realm.check_failed", site_id=site.id, code=error.code)
            return findings(None, self._clock.now(), claim=self._claim, failure=error)

    @contextmanager
    def _connected(self, site: Realm, *, anew: bool = False) -> Iterator[RealmPeople]:
        """The connection to the realm; where it fails, the next call makes another one."""
        try:
            people = self._people(site, anew=anew)
            keep_signed_in(people.admin)
            yield people
        except HostRefusedError as error:
            raise KeycloakForbiddenError(
                error.detail, remedy=error.remedy, host=urlsplit(site.url).hostname
            ) from error
        except PluginError as error:
            with self._opening:
                held = self._realms.pop(site.url, None)
            if isinstance(error, KeycloakForbiddenError) and held is not None:
                raise _forbidden(error, rights_of(claims_of(held.admin))) from error
            raise

    def _people(self, site: Realm, *, anew: bool) -> RealmPeople:
        with self._opening:
            found = None if anew else self._realms.get(site.url)
            if found is None:
                found = self._realms[site.url] = RealmPeople(
                    self._signed_in(site),
                    self._clock,
                    claim=self._claim,
                    ours=desired.GROUPS,
                    concurrency=self._concurrency,
                )
        return found

    def _signed_in(self, site: Realm) -> KeycloakAdmin:
        try:
            return self._open(
                self._http,
                self._clock,
                self._sign,
                site.server,
                realm=site.realm,
                client_id=self._client_id,
            )
        except KeycloakUnavailableError:
            raise
        except KeycloakError as error:
            raise KeycloakForbiddenError(
                error.detail,
                remedy="Keycloak must reach the tool's keys at /lti/keys, and both clocks must "
                "agree; “nagasis keycloak setup” makes the client naga-service.",
                host=urlsplit(site.url).hostname,
            ) from error


def _forbidden(error: KeycloakForbiddenError, rights: Rights) -> KeycloakForbiddenError:
    if not rights.lacking:
        return error
    return KeycloakForbiddenError(
        f"{error.detail} The service account lacks {', '.join(rights.lacking)}.",
        remedy="Run “nagasis keycloak setup” for this realm: it gives the rights.",
    )
