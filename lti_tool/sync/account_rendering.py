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


def address_of(person: PersonView, shared: Collection[str], domain: str) -> str:
    """A person's address, their own alone: who has none, or one of those that several have
    (``shared``, in lower case), gets one of ``domain``, which no mail reaches."""
    email = (person.school_email or "").strip()
    if email and email.lower() not in shared:
        return email
    return f"{username_of(person).replace('@', '-')}@{domain}"


def account(person: PersonView | None, shared: Collection[str], domain: str) -> Rendered:
    """The account of a person, with the address that they have in Moodle: Moodle lets nobody in of
    whom the identity provider knows none."""
    if person is None:
        return Nothing("unknown")
    roles = {"teacher": person.is_teacher, "student": person.is_student}
    return fit(
        Account,
        person=person.person_key,
        username=username_of(person),
        firstname=_name(person.personal_name),
        lastname=_name(person.family_name),
        # Keycloak keeps addresses in lower case.
        email=address_of(person, shared, domain).lower(),
        email_shared=(person.school_email or "").strip().lower() in shared,
        groups=sorted(name for name, role in GROUPS.items() if roles[role]),
        enabled=not account_suspended(person.status),
    )


def _name(name: str) -> str:
    plain = " ".join(_NOT_IN_NAMES.sub(" ", name).split())
    return short(plain, PERSON_NAME_LENGTH) or NAMELESS
