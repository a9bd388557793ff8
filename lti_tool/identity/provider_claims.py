"""What a school's provider says of a person in its claims, and what that is worth here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lti_tool.core.errors import NagaError
from lti_tool.identity.rights import ADMINISTRATION, rights_of, roles_in_sis
from lti_tool.identity.sign_in_errors import (
    ASK_ADMINISTRATOR,
    SignInClaimMissingError,
    SignInRightlessError,
    SignInStepUpError,
)
from lti_tool.sis.entities import PersonView

# A sign-in under way lives ten minutes, and clocks differ by one.
_PROVED_WITHIN = dt.timedelta(minutes=11)
_SKEW = dt.timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class ProviderClaims:
    """Which claims of the ID token say what.

    Args:
        person: the person's key in the SIS; administrators may lack it.
        roles: their roles; a dotted path into the claims.
        step_up_acr: what ``acr`` must be for acts that reach far; any of these. Empty: anything.
    """

    person: str
    roles: str
    step_up_acr: tuple[str, ...] = ()

    def named(self, claims: Mapping[str, Any]) -> list[Any]:
        """The roles as the provider names them, also those that mean nothing here."""
        found: Any = claims
        for name in self.roles.split("."):
            found = found.get(name) if isinstance(found, Mapping) else None
        return found if isinstance(found, list) else []

    def rightless(self, named: Sequence[Any], claimed: Sequence[str]) -> NagaError:
        """Why somebody with these roles may do nothing here."""
        if claimed:
            return SignInClaimMissingError(
                "Your school account does not say who you are in the school's system.",
                field=self.person,
                remedy=ASK_ADMINISTRATOR,
            )
        if named:
            return SignInRightlessError(
                "The roles of your account mean nothing here, and the school's system names you "
                "neither as a student nor as a teacher.",
                field=self.roles,
                remedy=ASK_ADMINISTRATOR,
                reason="unknown_roles",
            )
        return SignInRightlessError(
            "Your account has no role here, and the school's system names you neither as a student "
            "nor as a teacher.",
            remedy=ASK_ADMINISTRATOR,
        )

    def check_proof(self, claims: Mapping[str, Any], *, now: dt.datetime) -> None:
        """Refuse a sign-in that was to prove who they are, and did not, or not well enough."""
        if self.step_up_acr and claims.get("acr") not in self.step_up_acr:
            raise SignInStepUpError(
                "The school's sign-in did not ask you for as much proof as this needs. Nothing was "
                "done.",
                field="acr",
                remedy=ASK_ADMINISTRATOR,
                reason=f"acr is {claims.get('acr')!r}"[:100],
            )
        at = self.authenticated(claims, now=now, step_up=True)
        if at is None or now - at > _PROVED_WITHIN:
            raise SignInStepUpError(
                "The school's sign-in did not ask you who you are. Nothing was done.",
                field="auth_time",
                remedy=ASK_ADMINISTRATOR,
            )

    def authenticated(
        self, claims: Mapping[str, Any], *, now: dt.datetime, step_up: bool
    ) -> dt.datetime | None:
        """When they proved who they are. Of a provider that does not say so it is known only where
        it was asked to make them do so."""
        at = claims.get("auth_time")
        if isinstance(at, int) and not isinstance(at, bool):
            if 0 < at <= (now + _SKEW).timestamp():
                return min(dt.datetime.fromtimestamp(at, dt.UTC), now)
            return None
        return now if step_up else None


def roles_with_sis(claimed: Sequence[str], person: PersonView | None) -> list[str]:
    """What somebody is: by the provider's word, and by the SIS's, which decides who exists.

    Nobody is a student or a teacher without being somebody in the SIS.
    """
    if person is None:
        return [role for role in claimed if rights_of([role]) & ADMINISTRATION]
    return sorted({*claimed, *roles_in_sis(person)})
