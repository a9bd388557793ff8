"""How the connection with a realm is, told as a checklist; seen with the service account's rights.

Whether people's own pages let them in is not seen from here: clients are not among its rights.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from lti_tool.identity.keycloak import realm as desired
from lti_tool.identity.keycloak.connection import claims_of
from lti_tool.identity.keycloak.errors import KeycloakForbiddenError, translated
from lti_tool.identity.keycloak.realm_people import RealmPeople
from lti_tool.moodle.messages import Problem
from lti_tool.moodle.plugin_errors import PluginError

Status = Literal["ok", "warning", "error", "unknown"]
# Proofs of the key are good for a minute.
_SKEW_WARNING, _SKEW_ERROR = 10.0, 45.0
_MANAGEMENT = "realm-management"
_WIDTH = 1000

# What each finding says, by its name and how it is; pages translate these very words.
WORDS: dict[str, dict[str, str]] = {
    "keycloak_answers": {
        "ok": "The tool reaches Keycloak, and its certificate is trusted.",
        "error": "The tool does not get an answer from Keycloak.",
    },
    "keycloak_signs_in": {
        "ok": "The service account signs in by the tool's key.",
        "error": "Keycloak does not let the service account in.",
    },
    "keycloak_clock": {
        "ok": "Both clocks agree.",
        "warning": "The clocks differ. Set both servers by NTP before signing in fails.",
        "error": "The clocks differ so much that signing in fails. Set both servers by NTP.",
    },
    "keycloak_rights": {
        "ok": "The service account has the rights that it needs, and no others.",
        "warning": "The service account has more rights than it needs. Run “nagasis keycloak "
        "setup”: it takes them away.",
        "error": "The service account lacks rights. Run “nagasis keycloak setup”: it gives them.",
        "unknown": "The realm does not show which rights the service account has.",
    },
    "keycloak_groups": {
        "ok": "The groups are there, and carry their roles.",
        "error": "A group is missing, or lacks its role. Run “nagasis keycloak setup”.",
        "unknown": "The groups could not be looked at.",
    },
    "keycloak_attribute": {
        "ok": "People's keys have their attribute, which only administrators edit.",
        "error": "The attribute of people's keys is missing, or people may edit it themselves: "
        "then anybody could sign in as somebody else. Run “nagasis keycloak setup”.",
        "unknown": "The user profile could not be looked at.",
    },
    "keycloak_profile": {
        "ok": "Names and addresses are the SIS's: people see them, and do not edit them.",
        "warning": "People may edit what the SIS owns, and lose it again at the next comparison. "
        "Run “nagasis keycloak setup”.",
        "unknown": "The user profile could not be looked at.",
    },
    "keycloak_usernames": {
        "ok": "User names are the SIS's own.",
        "error": "This realm makes the e-mail address the user name, so that no account stays as "
        "the SIS has it. Switch off “Email as username” in its login settings.",
        "unknown": "The realm's login settings could not be looked at.",
    },
}


# What the service account needs each of its rights for; pages translate these very words.
NEEDED_FOR: dict[str, str] = {
    "manage-users": "To make accounts, to change and disable them, to put them into the two "
    "groups, and to end the sessions of whoever may not be in.",
    "view-users": "To find accounts by their key, and to see what differs from the SIS.",
    "query-users": "To count accounts, and to find who has a user name or an address already.",
    "query-groups": "To find the groups of students and teachers.",
}


class RightsFound(Problem):
    """The line about the rights, with all that the account has; ``None`` where that is not seen."""

    has: list[str] | None = None


@dataclass(frozen=True, slots=True)
class Rights:
    """What the service account may do in its realm, beside what it needs.

    ``has`` is ``None`` where the realm's tokens do not say it.
    """

    has: tuple[str, ...] | None
    needs: tuple[str, ...] = tuple(sorted(desired.SERVICE_RIGHTS))

    @property
    def lacking(self) -> tuple[str, ...]:
        """What it needs and does not have."""
        return tuple(sorted({*self.needs} - {*self.has})) if self.has is not None else ()

    @property
    def beyond(self) -> tuple[str, ...]:
        """What it has and does not need."""
        return tuple(sorted({*self.has} - {*self.needs})) if self.has is not None else ()


def rights_of(claims: Mapping[str, Any]) -> Rights:
    """The rights in an access token; a token says all that holds for it."""
    if not claims:
        return Rights(None)
    access = claims.get("resource_access")
    management = access.get(_MANAGEMENT) if isinstance(access, Mapping) else None
    roles = management.get("roles") if isinstance(management, Mapping) else None
    return Rights(tuple(sorted(str(each) for each in roles)) if isinstance(roles, list) else ())


def findings(
    people: RealmPeople | None,
    now: dt.datetime,
    *,
    claim: str,
    failure: PluginError | None = None,
) -> list[Problem]:
    """The checklist; ``failure`` says why there is no connection to look through."""
    if people is None:
        told = f"{failure.detail} {failure.remedy or ''}".strip() if failure else ""
        if isinstance(failure, KeycloakForbiddenError):
            return [_line("keycloak_answers", "ok"), _line("keycloak_signs_in", "error", told)]
        return [_line("keycloak_answers", "error", told)]
    claims = claims_of(people.admin)
    return [
        _line("keycloak_answers", "ok"),
        _line("keycloak_signs_in", "ok"),
        *_clock(claims, now),
        _rights(rights_of(claims)),
        _looked_at("keycloak_groups", lambda: _groups(people)),
        _looked_at("keycloak_attribute", lambda: _attribute(people, claim)),
        _looked_at("keycloak_profile", lambda: _edited(people), wrong="warning"),
        _looked_at("keycloak_usernames", lambda: _usernames(people)),
    ]


def _looked_at(name: str, look: Any, *, wrong: Status = "error") -> Problem:
    try:
        details = list(look())
    except PluginError as error:
        return _line(name, "unknown", error.detail)
    return _line(name, wrong if details else "ok", " ".join(details))


def _clock(claims: Mapping[str, Any], now: dt.datetime) -> Iterator[Problem]:
    issued = claims.get("iat")
    if not isinstance(issued, int):
        return
    skew = issued - now.timestamp()
    size = abs(skew)
    state: Status = "error" if size >= _SKEW_ERROR else "warning" if size >= _SKEW_WARNING else "ok"
    side = "ahead" if skew > 0 else "behind"
    yield _line("keycloak_clock", state, f"Keycloak is {size:.0f} s {side}." if size >= 2 else "")


def _rights(rights: Rights) -> RightsFound:
    status: Status = "unknown"
    if rights.has is not None:
        status = "error" if rights.lacking else "warning" if rights.beyond else "ok"
    line = _line("keycloak_rights", status, ", ".join(rights.lacking or rights.beyond))
    return RightsFound(**line.model_dump(), has=None if rights.has is None else [*rights.has])


def _groups(people: RealmPeople) -> Iterator[str]:
    for name, role in desired.GROUPS.items():
        group = people.group(name)
        if group is None:
            yield f"{name} is missing."
        elif role not in (group.get("clientRoles") or {}).get(desired.TOOL, []):
            yield f"{name} lacks the role {role} of {desired.TOOL}."


def _attribute(people: RealmPeople, claim: str) -> Iterator[str]:
    found = _permissions(people).get(claim)
    if found is None:
        yield f"{claim} is missing."
    elif "user" in found.get("edit", []):
        yield f"People may edit {claim}."


def _edited(people: RealmPeople) -> Iterator[str]:
    found = _permissions(people)
    for name in desired.OWNED:
        if "user" in found.get(name, {}).get("edit", []):
            yield f"People may edit {name}."


def _permissions(people: RealmPeople) -> dict[str, dict[str, list[str]]]:
    """Who may do what with each attribute of the user profile."""
    with translated("read the user profile"):
        profile = people.admin.get_realm_users_profile()
    return {each["name"]: each.get("permissions") or {} for each in profile.get("attributes", [])}


def _usernames(people: RealmPeople) -> Iterator[str]:
    with translated("read the realm"):
        realm = people.admin.get_realm(people.admin.connection.realm_name or "")
    if realm.get("registrationEmailAsUsername"):
        yield "Email as username is on."


def _line(name: str, status: Status, details: str = "") -> Problem:
    return Problem(name=name, status=status, summary=WORDS[name][status], details=details[:_WIDTH])
