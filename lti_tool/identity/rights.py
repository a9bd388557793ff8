"""Who may do what without a launch: roles, as the identity provider names them, and rights.

Deny by default: a role that nobody knows gives nothing. A right opens pages; which classes somebody
finds on them is the SIS's to say, at each page.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable

from lti_tool.sis.entities import PersonView


class Right(enum.StrEnum):
    """What a page or an act needs: of the administration, or (the last two) of one's own pages."""

    READ = "read"
    GRADES = "grades"
    PEOPLE = "people"
    SYNC = "sync"
    CONNECT = "connect"
    LEARN = "learn"
    TEACH = "teach"


class Role(enum.StrEnum):
    """What somebody is; names of Keycloak's roles."""

    ADMINISTRATOR = "administrator"
    REGISTRAR = "registrar"
    TEACHER = "teacher"
    STUDENT = "student"
    AUDITOR = "auditor"


# What opens one's own pages, and nothing of the administration.
OWN = frozenset({Right.LEARN, Right.TEACH})
ADMINISTRATION = frozenset(Right) - OWN

_RIGHTS: dict[Role, frozenset[Right]] = {
    # Who administers the tool is not thereby anybody's teacher.
    Role.ADMINISTRATOR: ADMINISTRATION,
    Role.REGISTRAR: frozenset({Right.READ, Right.GRADES, Right.PEOPLE}),
    Role.AUDITOR: frozenset({Right.READ}),
    Role.TEACHER: frozenset({Right.TEACH}),
    Role.STUDENT: frozenset({Right.LEARN}),
}
# Acts that reach far: whoever does them has proved who they are a moment ago.
STEP_UP = frozenset({Right.CONNECT, Right.SYNC})


def roles_in_sis(person: PersonView) -> list[str]:
    """The roles that somebody has by what the SIS says of them, whatever the provider says."""
    if not person.status.may_sign_in:
        return []
    found = {Role.STUDENT: person.is_student, Role.TEACHER: person.is_teacher}
    return sorted(role.value for role, has in found.items() if has)


def roles_of(names: Iterable[object]) -> list[str]:
    """Those of these names that are roles, sorted; what nobody knows is left out."""
    known = {role.value for role in Role}
    return sorted({name for name in names if isinstance(name, str) and name in known})


def rights_of(roles: Iterable[str]) -> frozenset[Right]:
    """Everything that these roles allow."""
    known = {role.value: rights for role, rights in _RIGHTS.items()}
    return frozenset().union(*(known.get(role, frozenset()) for role in roles))
