"""A person as an account: by what name they sign in, and what the identity provider knows."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

from lti_tool.identity.keycloak.realm import GROUPS
from lti_tool.moodle.documents import PERSON_NAME_LENGTH, Account
from lti_tool.sis.entities import PersonView
from lti_tool.sync.lifecycle import account_suspended
from lti_tool.sync.rendered import Nothing, Rendered, fit, short

# What Moodle's usernames hold; anything else of an identifier becomes a hyphen.
_NOT_IN_USERNAMES = re.compile(r"[^a-z0-9._@-]+")
# What Keycloak lets no name hold: nobody is kept out for a bracket.
_NOT_IN_NAMES = re.compile(r"[<>&\"$%!#?§,;:*~/\\|^=\[\]{}()\x00-\x1f\x7f]+")
# Who has half a name would be sent to their profile, which they may not edit.
NAMELESS = "-"


def username_of(person: PersonView) -> str:
    """The name to sign in with: the student's number, or the person's key."""
    source = person.student_id or person.person_key
    folded = unicodedata.normalize("NFKD", source).encode("ascii", "ignore").decode().lower()
    return _NOT_IN_USERNAMES.sub("-", folded).strip("-") or person.person_key.lower()


def account(person: PersonView | None, shared: Collection[str]) -> Rendered:
    """The account of a person. ``shared``: addresses, in lower case, of more than one person: an
    account is found by its address, so nobody gets one of these."""
    if person is None:
        return Nothing("unknown")
    # Keycloak keeps addresses in lower case.
    email = (person.school_email or "").strip().lower()
    is_shared = email in shared
    roles = {"teacher": person.is_teacher, "student": person.is_student}
    return fit(
        Account,
        person=person.person_key,
        username=username_of(person),
        firstname=_name(person.personal_name),
        lastname=_name(person.family_name),
        email="" if is_shared else email,
        email_shared=is_shared,
        groups=sorted(name for name, role in GROUPS.items() if roles[role]),
        enabled=not account_suspended(person.status),
    )


def _name(name: str) -> str:
    plain = " ".join(_NOT_IN_NAMES.sub(" ", name).split())
    return short(plain, PERSON_NAME_LENGTH) or NAMELESS
