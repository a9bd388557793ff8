"""Makes one account after the other equal to its document, and says what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from lti_tool.identity.keycloak.accounts import (
    NAMES,
    Refusal,
    Standing,
    differences,
    fields,
    first,
    refusals,
    representation,
)
from lti_tool.identity.keycloak.errors import KeycloakError, translated
from lti_tool.identity.keycloak.realm_people import RealmPeople
from lti_tool.moodle.documents import Account, Change, MemberResult, Result


class AccountKeeper:
    """Keeps accounts of one realm; nothing is ever deleted, and none becomes another's.

    Thread-safe. ``dryrun``: says what would become of them.
    """

    def __init__(
        self, people: RealmPeople, claim: str, required_actions: Sequence[str], *, dryrun: bool
    ) -> None:
        self._people = people
        self._admin = people.admin
        self._claim = claim
        self._required_actions = required_actions
        self._dryrun = dryrun

    def keep(self, document: Account, there: Sequence[Standing]) -> Result:
        """Make the account as the document says; ``there`` are those with the person's key.

        Raises:
            KeycloakError, OutboundError: the call failed, whatever the document.
        """
        unknown = set(document.groups) - set(self._people.groups())
        if unknown:
            message = f"The tool puts nobody into the group {min(unknown)}."
            return _refused(document, Refusal("group_unknown", "groups", message))
        if len(there) > 1:
            return self._twice(document, there)
        if there:
            return self._update(document, there[0])
        return self._create(document)

    def _create(self, document: Account) -> Result:
        made = _result(document, "created", first(document))
        if self._dryrun:
            taken = self._taken(document, {"username", "email"}, None)
            return _refused(document, taken) if taken else made
        try:
            with translated("make an account"):
                told = representation(document, self._claim, self._required_actions)
                self._admin.create_user(told)
        except KeycloakError as error:
            found = refusals(error.answered, error.answer)
            if not found:
                raise
            if error.answered == 409 and (there := self._people.find(document.person)):
                # Another worker has just made it, or somebody has put the key into it.
                return self.keep(document, there)
            return _refused(document, self._told(document, found[0]))
        return made

    def _update(self, document: Account, there: Standing) -> Result:
        changes = differences(document, there)
        if self._dryrun:
            changed = {each.field for each in changes}
            taken = self._taken(document, changed, there.id)
            if taken:
                kept = [each for each in changes if each.field != taken.field]
                return _refused(document, taken, kept)
            return _result(document, "updated" if changes else "unchanged", changes)
        refused, written = self._write(there.id, fields(changes))
        changes = [each for each in changes if NAMES.get(each.field, each.field) in written]
        self._move(document, there)
        if not document.enabled:
            self._close_doors(there)
        if refused:
            told = self._told(document, refused[0])
            if there.enabled and not document.enabled and "enabled" not in written:
                told = replace(told, message=f"{told.message} Until then the account stays open.")
            return _refused(document, told, changes)
        return _result(document, "updated" if changes else "unchanged", changes)

    def _write(self, account: str, told: dict[str, Any]) -> tuple[list[Refusal], set[str]]:
        """Write these fields; what Keycloak refuses is left out, so that the others arrive.

        Above all where an account is disabled: nothing may stand in its way. Returns what was
        refused, and the names of what is written; groups are, by their own calls.
        """
        refused: list[Refusal] = []
        while told:
            try:
                with translated("change an account"):
                    self._admin.update_user(account, told)
                break
            except KeycloakError as error:
                found = refusals(error.answered, error.answer)
                if not found:
                    raise
                refused += found
                told = _without(told, {NAMES[each.field] for each in found if each.field})
        return refused, {*told, "groups"}

    def _move(self, document: Account, there: Standing) -> None:
        groups = self._people.groups()
        for name in sorted({*document.groups} - {*there.groups}):
            with translated(f"put somebody into the group {name}"):
                self._admin.group_user_add(there.id, groups[name])
        for name in sorted({*there.groups} - {*document.groups}):
            with translated(f"take somebody out of the group {name}"):
                self._admin.group_user_remove(there.id, groups[name])

    def _close_doors(self, there: Standing) -> None:
        """End the sessions of who may not be in; also those that a broken call left open."""
        if not there.enabled:
            with translated("read the sessions of an account"):
                if not self._admin.get_sessions(there.id):
                    return
        with translated("end the sessions of an account"):
            self._admin.user_logout(there.id)

    def _twice(self, document: Account, there: Sequence[Standing]) -> Result:
        ids = ", ".join(sorted(each.id for each in there))
        message = (
            f"{len(there)} accounts have this person's key: {ids}. Take it out of the attribute "
            f"“{self._claim}” of all but the right one, and try again."
        )
        return _refused(document, Refusal("account_twice", "person", message))

    def _taken(self, document: Account, asked: set[str], own: str | None) -> Refusal | None:
        """What stands in the way of these fields, before anything is written."""
        for name in ("email", "username"):
            value = getattr(document, name)
            if name in asked and value:
                holder = self._people.holder(**{name: value})
                if holder is not None and holder["id"] != own:
                    return self._told(document, Refusal(f"{name}_taken", name, ""))
        return None

    def _told(self, document: Account, refusal: Refusal) -> Refusal:
        """The refusal with what to do, by whose account is in the way."""
        if refusal.field is None or refusal.code not in ("username_taken", "email_taken"):
            return refusal
        value = getattr(document, refusal.field)
        holder = self._people.holder(**{refusal.field: value}) if value else None
        person = self._people.person_of(holder) if holder else None
        what = "user name" if refusal.field == "username" else "e-mail address"
        if person is not None:
            message = (
                f"The person with the key {person} has this {what} in Keycloak. Correct the {what} "
                "of one of the two in the SIS; if they have just exchanged it, try again."
            )
        else:
            message = (
                f"An account that is nobody's of the SIS has this {what}. If it is this person's, "
                f"put the key {document.person} into its attribute “{self._claim}” in Keycloak "
                f"and try again; if not, change the {what} of one of the two."
            )
        return Refusal(refusal.code, refusal.field, message)


def _without(told: dict[str, Any], refused: set[str]) -> dict[str, Any]:
    left = {name: value for name, value in told.items() if name not in refused}
    if "email" not in left:
        left.pop("emailVerified", None)
    if len(left) < len(told):
        return left
    # It is none of these fields: the doors alone are tried once more.
    return {"enabled": told["enabled"]} if "enabled" in told and len(told) > 1 else {}


def _result(document: Account, outcome: Any, changes: list[Change]) -> Result:
    return Result(
        kind="account",
        key=document.person,
        result=outcome,
        changes=changes,
        members=_shared(document),
    )


def _refused(document: Account, refusal: Refusal, changes: Sequence[Change] = ()) -> Result:
    """A refused document; ``changes`` were made all the same."""
    return Result(
        kind="account",
        key=document.person,
        result="refused",
        changes=list(changes),
        code=refusal.code,
        field=f"/{refusal.field}" if refusal.field else None,
        message=refusal.message,
        members=_shared(document),
    )


def _shared(document: Account) -> list[MemberResult]:
    if not document.email_shared:
        return []
    return [
        MemberResult(
            user=document.person,
            result="refused",
            code="email_shared",
            field="/email",
            message="Several people have this e-mail address, so that the account has a "
            "placeholder: give each their own in the SIS. The account is sent again by itself.",
        )
    ]
