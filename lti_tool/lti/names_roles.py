"""Names and Roles Provisioning Services: who is in a course, page by page, without a cap."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lti_tool.core.http import HttpResponse
from lti_tool.lti import roles as lti_roles
from lti_tool.lti.links import find_link, same_origin, with_query
from lti_tool.lti.models import Registration
from lti_tool.lti.platforms import platform_for
from lti_tool.lti.platforms.base import MEMBERS_READ
from lti_tool.lti.service_client import ServiceClient, malformed
from lti_tool.lti.service_errors import (
    NRPS,
    NrpsError,
    NrpsForeignNextLinkError,
    NrpsGoneError,
    NrpsMalformedError,
    NrpsNextLinkLoopError,
    NrpsNotOfferedError,
    NrpsRefusedError,
    NrpsUnavailableError,
)

__all__ = [
    "Member",
    "Members",
    "NamesRoles",
    "NrpsError",
    "NrpsForeignNextLinkError",
    "NrpsGoneError",
    "NrpsMalformedError",
    "NrpsNextLinkLoopError",
    "NrpsNotOfferedError",
    "NrpsRefusedError",
    "NrpsUnavailableError",
]

_CONTAINER = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
_STATUSES = {"active": "Active", "inactive": "Inactive", "deleted": "Deleted"}
_LONGEST_ID = 255
_LONGEST_TEXT = 300
# Pages without one new member before the reading is called a circle.
_BARREN_PAGES = 100


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a course. ``roles`` are full URIs; ``status`` Active, Inactive or Deleted."""

    user_id: str
    status: str = "Active"
    roles: tuple[str, ...] = ()
    sourced_id: str | None = None
    name: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    email: str | None = None


class Members(Iterator[list[Member]]):
    """The pages of a reading. An error from it means that nothing may be concluded.

    Attributes:
        differences: where the changes since this reading can be had later, if the platform
            offers that; complete after the last page.
        skipped: how many members could not be used, by the field at fault.
        duplicates: how many members had come on an earlier page.
    """

    def __init__(self) -> None:
        self.differences: str | None = None
        self.skipped: Counter[str] = Counter()
        self.duplicates = 0
        self._pages: Generator[list[Member]] | None = None

    def __next__(self) -> list[Member]:
        """Read the next page."""
        if self._pages is None:
            raise StopIteration
        return next(self._pages)


class NamesRoles:
    """Reads members. Holds one page at a time, and the ids seen."""

    def __init__(self, service_client: ServiceClient) -> None:
        self._client = service_client

    def members(
        self,
        registration: Registration,
        nrps: Mapping[str, Any],
        *,
        role: str | None = None,
        rlid: str | None = None,
        limit: int | None = None,
        differences: str | None = None,
    ) -> Members:
        """Read the members of a course, page by page.

        Args:
            nrps: the launch's ``namesroleservice`` claim.
            role: only members with this role; a full URI or a short form.
            rlid: only members with access to this resource link, with its messages.
            limit: members per page, as a wish; what suits the platform by default.
            differences: an address that an earlier reading gave: only changes since then. When
                it has expired the error is ``nrps_gone``: read all.

        Raises:
            NrpsError: at once if the launch offers no such service; from the iterator otherwise.
        """
        url = nrps.get("context_memberships_url")
        if not isinstance(url, str) or not url:
            raise NrpsNotOfferedError(
                "The platform does not let this tool read the course's members.",
                remedy="Switch on Names and Roles in the platform's settings of this tool.",
            )
        platform = platform_for(registration.platform_family)
        if differences is not None:
            if not same_origin(differences, url):
                raise NrpsForeignNextLinkError(
                    "The address of the changes is on another host.", remedy="Read all members."
                )
            start = differences
        else:
            wishes = {"role": role, "rlid": rlid, "limit": str(limit or platform.members_page_size)}
            start = with_query(url, {name: value for name, value in wishes.items() if value})
        reading = Members()
        reading._pages = self._read(registration, start, reading, role=role)
        return reading

    def _read(
        self, registration: Registration, url: str, reading: Members, *, role: str | None
    ) -> Generator[list[Member]]:
        platform = platform_for(registration.platform_family)
        wanted = lti_roles.expand([role])[0] if role else None
        seen: set[str] = set()
        barren = 0

        def following(response: HttpResponse, _document: Any) -> str | None:
            return platform.next_members(response, role=role)

        for response, document in self._client.pages(
            registration,
            url,
            scope=MEMBERS_READ,
            errors=NRPS,
            accept=_CONTAINER,
            following=following,
        ):
            entries = document.get("members") if isinstance(document, dict) else None
            if not isinstance(entries, list):
                raise malformed(response, NRPS)
            found = find_link(response.link_headers, "differences", base=response.url)
            if found is not None and same_origin(found, url):
                reading.differences = found
            page: list[Member] = []
            before = len(seen)
            for entry in entries:
                member = read_member(entry, reading.skipped)
                if member is None:
                    continue
                if member.user_id in seen:
                    reading.duplicates += 1
                    continue
                seen.add(member.user_id)
                # Some platforms know only some role filters and ignore the rest.
                if wanted is None or _has_role(member, wanted):
                    page.append(member)
            barren = barren + 1 if len(seen) == before else 0
            if barren >= _BARREN_PAGES:
                raise NrpsNextLinkLoopError("The platform's pages bring nothing new.")
            yield page


def _has_role(member: Member, wanted: str) -> bool:
    # A sub-role (…/membership/Instructor#TeachingAssistant) is asked for by its principal role.
    principal = wanted.replace("#", "/", 1) + "#" if "#" in wanted else wanted
    return any(role == wanted or role.startswith(principal) for role in member.roles)


def read_member(entry: Any, skipped: Counter[str]) -> Member | None:
    """Read one member; one that cannot be used is counted by the field at fault."""
    if not isinstance(entry, dict):
        skipped["member"] += 1
        return None
    user_id = entry.get("user_id")
    if isinstance(user_id, int) and not isinstance(user_id, bool):
        user_id = str(user_id)
    if not isinstance(user_id, str) or not _is_id(user_id):
        skipped["user_id"] += 1
        return None
    roles = entry.get("roles")
    if roles is None:
        roles = []
    elif isinstance(roles, str):
        roles = [roles]
    if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
        skipped["roles"] += 1
        return None
    status = entry.get("status")
    return Member(
        user_id=user_id,
        # The specification's default; a status that nobody defined grants nothing.
        status="Active" if status is None else _STATUSES.get(str(status).lower(), "Inactive"),
        roles=lti_roles.expand(role for role in roles if role.isprintable()),
        sourced_id=_identifier(entry, "lis_person_sourcedid"),
        name=_text(entry, "name"),
        given_name=_text(entry, "given_name"),
        family_name=_text(entry, "family_name"),
        email=_identifier(entry, "email"),
    )


def _is_id(text: str) -> bool:
    return 0 < len(text) <= _LONGEST_ID and text.isprintable()


def _identifier(entry: dict[str, Any], name: str) -> str | None:
    """An identifier as it is, or none: one that was cut or cleaned would be another's."""
    value = entry.get(name)
    value = value.strip() if isinstance(value, str) else ""
    return value if _is_id(value) else None


def _text(entry: dict[str, Any], name: str) -> str | None:
    """A text to show, without control characters; Khmer needs its zero-width ones."""
    value = entry.get(name)
    if not isinstance(value, str):
        return None
    if not value.isprintable():
        value = "".join(c for c in value if c.isprintable() or c in "\u200b\u200c\u200d")
    return value.strip()[:_LONGEST_TEXT] or None
