"""People: user accounts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from demo.model import Person
from demo.provisioning.documents import UserDocument
from demo.provisioning.plan import Plan, Site, differences
from demo.provisioning.refusal import RefusedError

# What a Moodle without further plugins has.
WAYS_TO_SIGN_IN = frozenset(
    {"cas", "db", "email", "ldap", "lti", "manual", "mnet", "nologin", "none", "oauth2"}
    | {"shibboleth", "webservice"}
)
_USERNAME = re.compile(r"[-.@_a-z0-9]+")
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = re.compile(rf"(?=.{{1,64}}@){_ATOM}(\.{_ATOM})*@({_LABEL}\.)+(?!\d+$){_LABEL}")


def is_protected(person: Person) -> bool:
    """Whether the account is an administrator's, the guest's or the service's."""
    return person.site_admin or person.account != "person"


def plan_user(site: Site, document: UserDocument) -> Plan:
    """Plan one account."""
    held = site.person(document.idnumber, "/idnumber")
    changes = differences(_compare(document, held)) if held else []
    if held is not None and not changes:
        return Plan("unchanged", lambda: held.id)
    if held is not None and is_protected(held):
        raise RefusedError(
            "protected_user", "/idnumber", f"{held.username!r} is not the school's to change."
        )
    changed = {change["field"] for change in changes}
    # What is wrong in itself comes before what somebody else has, which may pass.
    if held is None or "username" in changed:
        _check_username(document)
    if held is None or "email" in changed:
        _check_email(document)
    if held is None and document.auth not in WAYS_TO_SIGN_IN:
        raise RefusedError(
            "auth_missing", "/auth", f"Nobody can sign in by {document.auth!r} here."
        )
    if held is None or "username" in changed:
        _check_username_free(site, document, held)
    if (held is None or "email" in changed) and not site.state.share_emails:
        _check_email_free(site, document, held)

    def make() -> int:
        made = held or Person(site.next_id(), "", "", "", auth=document.auth)
        made.idnumber, made.username = document.idnumber, document.username
        made.given_name, made.family_name = document.firstname, document.lastname
        made.email, made.alternatename = document.email, document.alternatename
        made.suspended = document.suspended
        site.state.people[made.id] = made
        return made.id

    if held is None:
        return Plan("created", make)
    only_suspends = changed == {"suspended"} and document.suspended
    return Plan("suspended" if only_suspends else "updated", make, changes)


def _compare(document: UserDocument, held: Person) -> Iterator[tuple[str, Any, Any]]:
    yield "username", held.username, document.username
    yield "firstname", held.given_name, document.firstname
    yield "lastname", held.family_name, document.lastname
    yield "email", held.email, document.email
    yield "alternatename", held.alternatename, document.alternatename
    yield "suspended", held.suspended, document.suspended


def _check_username(document: UserDocument) -> None:
    if not _USERNAME.fullmatch(document.username):
        raise RefusedError(
            "username_invalid",
            "/username",
            f"{document.username!r}: a username has small letters, digits, '-', '.', '@' and '_'.",
        )


def _check_username_free(site: Site, document: UserDocument, held: Person | None) -> None:
    for person in site.state.people.values():
        if person is not held and person.username == document.username:
            raise RefusedError(
                "username_taken", "/username", f"{_named(person)} has this username."
            )


def _check_email(document: UserDocument) -> None:
    if not _EMAIL.fullmatch(document.email):
        raise RefusedError("email_invalid", "/email", f"{document.email!r} is no address.")


def _check_email_free(site: Site, document: UserDocument, held: Person | None) -> None:
    for person in site.state.people.values():
        if person is not held and person.email.casefold() == document.email.casefold():
            raise RefusedError("email_taken", "/email", f"{_named(person)} has this address.")


def _named(person: Person) -> str:
    known = f" (idnumber {person.idnumber!r})" if person.idnumber else ""
    return f"The account {person.username!r}{known}"
