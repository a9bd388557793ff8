"""Prepares a realm: compares what is there with what should be, and changes what differs.

Asked again it changes nothing. What others made in the realm is never touched, nor taken away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from keycloak import KeycloakAdmin

from lti_tool.core.errors import NotFoundError
from lti_tool.identity.keycloak import realm as desired
from lti_tool.identity.keycloak.errors import translated
from lti_tool.identity.keycloak.realm import RealmPlan

_MANAGEMENT = "realm-management"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing of the realm that is made (no ``field``), or one field that is changed."""

    thing: str
    field: str | None = None
    before: Any = None
    after: Any = None


class RealmSetup:
    """Prepares one realm through an administrator's connection to it."""

    def __init__(self, admin: KeycloakAdmin, plan: RealmPlan) -> None:
        self._admin = admin
        self._plan = plan
        self._changes: list[Change] = []
        self._apply = False

    def changes(self) -> list[Change]:
        """What :meth:`apply` would change."""
        return self._go(apply=False)

    def apply(self) -> list[Change]:
        """Change what differs, and return it. Broken off, it is simply asked for again.

        Raises:
            KeycloakError, OutboundError
        """
        return self._go(apply=True)

    def moodle_secret(self, client_id: str = desired.MOODLE) -> str:
        """The secret of a Moodle's client, as Keycloak made it."""
        with translated(f"read the secret of the client {client_id}"):
            return str(self._admin.get_client_secrets(self._client(client_id))["value"])

    def new_moodle_secret(self, client_id: str = desired.MOODLE) -> str:
        """Let Keycloak make another secret of a Moodle's client; the old one ends at once."""
        with translated(f"renew the secret of the client {client_id}"):
            return str(self._admin.generate_client_secrets(self._client(client_id))["value"])

    def _client(self, client_id: str) -> str:
        client = self._admin.get_client_id(client_id)
        if client is None:
            raise NotFoundError(
                f"The realm has no client {client_id}.", remedy="Run the setup first."
            )
        return client

    def _go(self, *, apply: bool) -> list[Change]:
        self._changes, self._apply = [], apply
        if self._realm():
            self._profile()
            ids = self._clients()
            tool = ids.get(desired.TOOL)
            self._roles(tool)
            self._groups(tool)
            self._rights(ids.get(desired.SERVICE), ids[_MANAGEMENT])
        return self._changes

    def _differs(self, change: Change, what: str, act: Callable[[], object]) -> None:
        self._changes.append(change)
        if self._apply:
            with translated(what):
                act()

    def _realm(self) -> bool:
        """Whether there is a realm to look into."""
        name = self._plan.realm
        with translated("read the realms"):
            there = any(each["realm"] == name for each in self._admin.get_realms())
        if there:
            return True
        self._differs(
            Change(f"realm {name}"),
            f"make the realm {name}",
            partial(self._admin.create_realm, desired.new_realm(self._plan)),
        )
        if self._apply:
            # The rights of a realm that is new are not in a token that is older.
            with translated("sign in again"):
                self._admin.connection.get_token()
            return True
        file = desired.realm_file(self._plan)
        self._changes += [Change(f"client {each['clientId']}") for each in file["clients"]]
        self._changes += [Change(f"role {name}") for name in desired.ROLES]
        self._changes += [Change(f"group {name}") for name in desired.GROUPS]
        self._changes += [
            Change(f"attribute {each['name']}") for each in desired.profile_attributes(self._plan)
        ]
        self._changes.append(Change(f"rights of {desired.SERVICE}"))
        return False

    def _profile(self) -> None:
        with translated("read the user profile"):
            profile: dict[str, Any] = self._admin.get_realm_users_profile()
        attributes = {each["name"]: each for each in profile.setdefault("attributes", [])}
        changes: list[Change] = []
        for wanted in desired.profile_attributes(self._plan):
            thing, asked = f"attribute {wanted['name']}", wanted["permissions"]
            found = attributes.get(wanted["name"])
            if found is None:
                profile["attributes"].append(wanted)
                changes.append(Change(thing))
            elif list(_differences(found.get("permissions") or {}, asked)):
                changes.append(Change(thing, "permissions", found.get("permissions"), asked))
                found["permissions"] = asked
        self._changes += changes
        if changes and self._apply:
            with translated("change the user profile"):
                self._admin.update_realm_users_profile(profile)

    def _clients(self) -> dict[str, str]:
        """Ids of the clients that are there in the end, by name."""
        with translated("read the clients"):
            there = {each["clientId"]: each for each in self._admin.get_clients()}
        ids = {name: str(each["id"]) for name, each in there.items()}
        for wanted in desired.clients(self._plan):
            name = wanted["clientId"]
            found = there.get(name)
            if found is None:
                self._changes.append(Change(f"client {name}"))
                if self._apply:
                    with translated(f"make the client {name}"):
                        ids[name] = self._admin.create_client(wanted)
                continue
            different = list(_differences(found, wanted))
            if different:
                self._changes += [Change(f"client {name}", *each) for each in different]
                if self._apply:
                    with translated(f"change the client {name}"):
                        self._admin.update_client(ids[name], _merged(found, wanted))
            self._mappers(found, wanted)
        return ids

    def _mappers(self, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
        there = {each["name"]: each for each in found.get("protocolMappers", [])}
        for mapper in wanted.get("protocolMappers", []):
            thing = f"mapper {mapper['name']} of client {wanted['clientId']}"
            one = there.get(mapper["name"])
            if one is None:
                self._differs(
                    Change(thing),
                    f"make the {thing}",
                    partial(self._admin.add_mapper_to_client, found["id"], mapper),
                )
            elif different := list(_differences(one, mapper)):
                self._changes += [Change(thing, *each) for each in different]
                if self._apply:
                    with translated(f"change the {thing}"):
                        self._admin.update_client_mapper(
                            found["id"], one["id"], _merged(one, mapper)
                        )

    def _roles(self, tool: str | None) -> None:
        there: set[str] = set()
        if tool is not None:
            with translated("read the tool's roles"):
                there = {each["name"] for each in self._admin.get_client_roles(tool)}
        for name, words in desired.ROLES.items():
            if name not in there:
                self._changes.append(Change(f"role {name}"))
                if self._apply and tool is not None:
                    with translated(f"make the role {name}"):
                        self._admin.create_client_role(
                            tool, {"name": name, "description": words, "clientRole": True}
                        )

    def _groups(self, tool: str | None) -> None:
        with translated("read the groups"):
            there = {each["name"]: str(each["id"]) for each in self._admin.get_groups()}
        for name, role in desired.GROUPS.items():
            group: str | None = there.get(name)
            if group is None:
                self._changes.append(Change(f"group {name}"))
                if self._apply:
                    with translated(f"make the group {name}"):
                        group = self._admin.create_group({"name": name})
            has: set[str] = set()
            if group is not None and tool is not None:
                with translated(f"read the roles of the group {name}"):
                    has = {each["name"] for each in self._admin.get_group_client_roles(group, tool)}
            if role in has:
                continue
            if name in there:
                self._changes.append(
                    Change(f"group {name}", "roles", sorted(has), sorted({*has, role}))
                )
            if self._apply and group is not None and tool is not None:
                with translated(f"give the group {name} its role"):
                    self._admin.assign_group_client_roles(
                        group, tool, [self._admin.get_client_role(tool, role)]
                    )

    def _rights(self, service: str | None, management: str) -> None:
        """Give the service account the rights that it lacks, and take away what is beyond them."""
        thing = f"rights of {desired.SERVICE}"
        if service is None:
            self._changes.append(Change(thing))
            return
        with translated(f"read the {thing}"):
            user = self._admin.get_client_service_account_user(service)["id"]
            has = {each["name"] for each in self._admin.get_client_roles_of_user(user, management)}
        if has == set(desired.SERVICE_RIGHTS):
            return
        self._changes.append(Change(thing, "roles", sorted(has), sorted(desired.SERVICE_RIGHTS)))
        if not self._apply:
            return
        with translated(f"change the {thing}"):
            roles = {each["name"]: each for each in self._admin.get_client_roles(management)}
            missing = [roles[name] for name in desired.SERVICE_RIGHTS if name not in has]
            if missing:
                self._admin.assign_client_role(user, management, missing)
            beyond = [roles[name] for name in has - set(desired.SERVICE_RIGHTS)]
            if beyond:
                self._admin.delete_client_roles_of_user(user, management, beyond)


def _differences(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> Any:
    """Fields of ``wanted`` that are otherwise: name, before, after. Lists compare as sets."""
    for name, value in wanted.items():
        if name == "protocolMappers":
            continue
        there = found.get(name)
        if isinstance(value, Mapping):
            there = there or {}
            for inner, deep in value.items():
                if there.get(inner) != deep:
                    yield f"{name}.{inner}", there.get(inner), deep
        elif isinstance(value, list):
            if sorted(there or []) != sorted(value):
                yield name, there, value
        elif there != value:
            yield name, there, value


def _merged(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """What is there, with our fields; of maps only our members are changed."""
    merged = {name: value for name, value in found.items() if name != "protocolMappers"}
    for name, value in wanted.items():
        if name == "protocolMappers":
            continue
        merged[name] = {**(found.get(name) or {}), **value} if isinstance(value, Mapping) else value
    return merged
