"""Accounts of a realm beside the documents about them: what is the SIS's own, and what differs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lti_tool.moodle.documents import Account, Change

# Fields of a document that are Keycloak's, under another name; it holds user names and addresses
# in small letters.
NAMES = {
    "username": "username",
    "firstname": "firstName",
    "lastname": "lastName",
    "email": "email",
    "enabled": "enabled",
}
_SMALL = ("username", "email")
# Keycloak names a client's own account so; it is no person's.
_SERVICE = "service-account-"


@dataclass(frozen=True, slots=True)
class Standing:
    """An account as it stands in a realm; ``groups`` are those of ours that it is in."""

    id: str
    person: str
    username: str
    firstname: str
    lastname: str
    email: str
    enabled: bool
    groups: tuple[str, ...] = ()


def person_of(representation: Mapping[str, Any], claim: str) -> str | None:
    """Whose account it is; ``None`` for one that is nobody's of the SIS, or a client's own."""
    values = (representation.get("attributes") or {}).get(claim) or []
    if len(values) != 1 or str(representation.get("username", "")).startswith(_SERVICE):
        return None
    return str(values[0])


def standing(
    representation: Mapping[str, Any], person: str, groups: Collection[str] = ()
) -> Standing:
    """The account of ``person`` as Keycloak represents it."""
    return Standing(
        id=str(representation["id"]),
        person=person,
        username=str(representation.get("username") or ""),
        firstname=str(representation.get("firstName") or ""),
        lastname=str(representation.get("lastName") or ""),
        email=str(representation.get("email") or ""),
        enabled=bool(representation.get("enabled")),
        groups=tuple(sorted(groups)),
    )


def as_document(there: Standing) -> Account:
    """The document that would leave it as it is; it need not be one that the SIS could write."""
    return Account.model_construct(
        kind="account",
        person=there.person,
        username=there.username,
        firstname=there.firstname,
        lastname=there.lastname,
        email=there.email,
        groups=list(there.groups),
        enabled=there.enabled,
    )


def representation(
    document: Account, claim: str, required_actions: Sequence[str]
) -> dict[str, Any]:
    """What Keycloak is told to make an account.

    The address is not called verified: the SIS has it from the registrar, and nobody has proved it
    by a mail. A realm that wants that asks the person at their first sign-in.
    """
    return {
        **{theirs: getattr(document, ours) for ours, theirs in NAMES.items()},
        "emailVerified": False,
        "attributes": {claim: [document.person]},
        "groups": [f"/{name}" for name in sorted(document.groups)],
        "requiredActions": list(required_actions),
    }


def first(document: Account) -> list[Change]:
    """What an account that is made begins with."""
    wanted = {name: getattr(document, name) for name in NAMES} | {"groups": sorted(document.groups)}
    return [Change(field=name, after=value) for name, value in wanted.items() if value != ""]


def differences(document: Account, there: Standing) -> list[Change]:
    """What the account must become, of that which is the SIS's own."""
    found = []
    for name in NAMES:
        before, after = getattr(there, name), getattr(document, name)
        if before != (after.lower() if name in _SMALL else after):
            found.append(Change(field=name, before=before, after=after))
    if set(there.groups) != set(document.groups):
        groups = sorted(document.groups)
        found.append(Change(field="groups", before=list(there.groups), after=groups))
    return found


def fields(changes: Sequence[Change]) -> dict[str, Any]:
    """What Keycloak is told of them: it leaves alone whatever is not named.

    An address that is new is nobody's proven one, even if the one before was.
    """
    told = {NAMES[each.field]: each.after for each in changes if each.field in NAMES}
    return told | ({"emailVerified": False} if "email" in told else {})


@dataclass(frozen=True, slots=True)
class Refusal:
    """A field that Keycloak refuses (``None``: the account), by our name, and why."""

    code: str
    field: str | None
    message: str


def refusals(answered: int | None, answer: Mapping[str, Any]) -> list[Refusal]:
    """What Keycloak refuses of an account, by its answer: nothing, if it is no such answer."""
    if answered == 409:
        # It names one of the two, though both may be taken.
        field = "email" if "email" in str(answer.get("errorMessage")) else "username"
        return [Refusal(f"{field}_taken", field, "")]
    if answered != 400:
        return []
    errors = answer.get("errors")
    found = [_refusal(each) for each in (errors if isinstance(errors, list) else [answer])]
    return found or [Refusal("account_refused", None, "")]


def _refusal(error: Any) -> Refusal:
    error = error if isinstance(error, Mapping) else {}
    ours = {theirs: name for name, theirs in NAMES.items()}
    field = ours.get(str(error.get("field")))
    said = str(error.get("errorMessage") or error.get("error_description") or error.get("error"))
    if field == "username" and said == "error-user-attribute-read-only":
        return Refusal(
            "username_fixed",
            field,
            "This realm lets no user name be changed: switch on “Edit username” in its login "
            "settings and try again, or change the name back in the SIS.",
        )
    # The first is the field once more.
    params = (error.get("params") or [])[1:]
    shown = ", ".join(str(each) for each in params if each is not None)
    what = f"{said} ({shown})" if shown else said
    named = field or error.get("field")
    return Refusal(
        "account_refused",
        field,
        f"Keycloak refuses {f'“{named}”' if named else 'the account'}: {what[:300]}. Correct it in "
        "the SIS, or the rules of the realm's user profile, and try again.",
    )
