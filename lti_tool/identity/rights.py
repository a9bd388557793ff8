"""Who may do what in the administration: roles, as the identity provider names them, and rights.

Deny by default: a role that nobody knows gives nothing.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable


class Right(enum.StrEnum):
    """What an act of the administration needs."""

    READ = "read"
    GRADES = "grades"
    PEOPLE = "people"
    SYNC = "sync"
    CONNECT = "connect"


class Role(enum.StrEnum):
    """What somebody is; names of Keycloak's roles."""

    ADMINISTRATOR = "administrator"
    REGISTRAR = "registrar"
    TEACHER = "teacher"
    STUDENT = "student"
    AUDITOR = "auditor"


# Teachers and students come by their courses; here they have nothing.
_RIGHTS: dict[Role, frozenset[Right]] = {
    Role.ADMINISTRATOR: frozenset(Right),
    Role.REGISTRAR: frozenset({Right.READ, Right.GRADES, Right.PEOPLE}),
    Role.AUDITOR: frozenset({Right.READ}),
    Role.TEACHER: frozenset(),
    Role.STUDENT: frozenset(),
}
# Acts that reach far: whoever does them has proved who they are a moment ago.
STEP_UP = frozenset({Right.CONNECT, Right.SYNC})


def roles_of(names: Iterable[object]) -> list[str]:
    """Those of these names that are roles, sorted; what nobody knows is left out."""
    known = {role.value for role in Role}
    return sorted({name for name in names if isinstance(name, str) and name in known})


def rights_of(roles: Iterable[str]) -> frozenset[Right]:
    """Everything that these roles allow."""
    known = {role.value: rights for role, rights in _RIGHTS.items()}
    return frozenset().union(*(known.get(role, frozenset()) for role in roles))
