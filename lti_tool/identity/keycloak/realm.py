"""What a school's realm should hold: said once, as Keycloak's own representations.

Only what is named here is ours; everything else of a realm is its administrator's.
"""

from __future__ import annotations

import json
import string
from dataclasses import dataclass
from typing import Any

from lti_tool.core.errors import InvalidInputError

TOOL = "naga-tool"
SERVICE = "naga-service"
MOODLE = "moodle"
# What a person may do in the tool; client roles of its client.
ROLES = {
    "administrator": "Connects Moodles, watches and repairs the sync",
    "registrar": "Decides about grades and people",
    "teacher": "Teaches classes",
    "student": "Takes classes",
    "auditor": "Reads everything, changes nothing",
}
# People are put into these by the SIS; the roles come with them.
GROUPS = {"naga-teachers": "teacher", "naga-students": "student"}
# Of the client realm-management: enough to make, change and disable people, and to put them into
# groups; neither realms, clients, roles nor keys.
SERVICE_RIGHTS = ("manage-users", "view-users", "query-users", "query-groups")
# Attributes of Keycloak's own that are the SIS's.
OWNED = ("username", "email", "firstName", "lastName")
_NAME = frozenset(string.ascii_letters + string.digits + "-_")


@dataclass(frozen=True, slots=True)
class RealmPlan:
    """What a realm is prepared for.

    Args:
        realm: its name.
        tool_url: the tool's public address.
        moodle_urls: addresses of the Moodles that sign in by it.
        claim: the attribute, and claim, that holds a person's key in the SIS.
    """

    realm: str
    tool_url: str
    moodle_urls: tuple[str, ...] = ()
    claim: str = "person_uuid"

    def __post_init__(self) -> None:
        if not self.realm or self.realm == "master" or not set(self.realm) <= _NAME:
            raise InvalidInputError(
                "The realm's name must be of letters, digits and hyphens, and not “master”.",
                field="realm",
            )


def new_realm(plan: RealmPlan) -> dict[str, Any]:
    """The settings of a realm that is made; those of one that exists are left alone."""
    return {
        "realm": plan.realm,
        "enabled": True,
        "sslRequired": "external",
        "registrationAllowed": False,
        "editUsernameAllowed": False,
        "duplicateEmailsAllowed": False,
        "bruteForceProtected": True,
        # A day at most, and half an hour without a sign: computers are shared.
        "ssoSessionIdleTimeout": 1800,
        "ssoSessionMaxLifespan": 36000,
    }


def person_attribute(plan: RealmPlan) -> dict[str, Any]:
    """The attribute with the person's key: administrators alone see and edit it."""
    return {
        "name": plan.claim,
        "displayName": "Key in the SIS",
        "multivalued": False,
        "permissions": {"view": ["admin"], "edit": ["admin"]},
    }


def profile_attributes(plan: RealmPlan) -> list[dict[str, Any]]:
    """What the user profile says of what the SIS owns: people see their names and their address,
    and the SIS alone changes them. Else what they change, or are asked for at a sign-in because it
    is missing, would be lost again at the next comparison."""
    return [
        *(
            {"name": name, "permissions": {"view": ["admin", "user"], "edit": ["admin"]}}
            for name in OWNED
        ),
        person_attribute(plan),
    ]


def clients(plan: RealmPlan) -> list[dict[str, Any]]:
    """The clients, with their mappers by name."""
    found = [_tool(plan), _service(plan)]
    found += [_moodle(plan, url, number) for number, url in enumerate(plan.moodle_urls)]
    return found


def _tool(plan: RealmPlan) -> dict[str, Any]:
    url = plan.tool_url.rstrip("/")
    return _client(
        TOOL,
        name="Naga SIS",
        baseUrl=url,
        redirectUris=[f"{url}/sign-in/callback"],
        standardFlowEnabled=True,
        clientAuthenticatorType="client-jwt",
        attributes=_keys(url)
        | {
            "pkce.code.challenge.method": "S256",
            "backchannel.logout.url": f"{url}/sign-in/logout",
            "backchannel.logout.session.required": "true",
            "post.logout.redirect.uris": f"{url}/admin/sign-in##{url}/sign-in",
        },
        protocolMappers=[
            _person_mapper(plan),
            {
                "name": "naga roles",
                "protocol": "openid-connect",
                "protocolMapper": "oidc-usermodel-client-role-mapper",
                "config": {
                    "usermodel.clientRoleMapping.clientId": TOOL,
                    "claim.name": "naga_roles",
                    "jsonType.label": "String",
                    "multivalued": "true",
                    "id.token.claim": "true",
                    "access.token.claim": "false",
                    "userinfo.token.claim": "false",
                },
            },
        ],
    )


def _service(plan: RealmPlan) -> dict[str, Any]:
    return _client(
        SERVICE,
        name="Naga SIS: people",
        standardFlowEnabled=False,
        serviceAccountsEnabled=True,
        # Its token holds its rights; they are all that it has.
        fullScopeAllowed=True,
        clientAuthenticatorType="client-jwt",
        attributes=_keys(plan.tool_url.rstrip("/")),
    )


def _moodle(plan: RealmPlan, url: str, number: int) -> dict[str, Any]:
    url = url.rstrip("/")
    return _client(
        moodle_client(number),
        name="Moodle",
        baseUrl=url,
        redirectUris=[f"{url}/admin/oauth2callback.php"],
        standardFlowEnabled=True,
        # Moodle's client knows secrets alone.
        clientAuthenticatorType="client-secret",
        # Moodle maps one claim to one field alone, and knows people by the first.
        protocolMappers=[_person_mapper(plan), _person_mapper(plan, "idnumber")],
    )


def moodle_client(number: int) -> str:
    """The client of the Moodle that stands at this place of a plan's addresses."""
    return MOODLE if number == 0 else f"{MOODLE}-{number + 1}"


def _client(client_id: str, **values: Any) -> dict[str, Any]:
    return {
        "clientId": client_id,
        "enabled": True,
        "protocol": "openid-connect",
        "publicClient": False,
        "implicitFlowEnabled": False,
        "directAccessGrantsEnabled": False,
        "serviceAccountsEnabled": False,
        # A token says no more than this client's own roles.
        "fullScopeAllowed": False,
        **values,
    }


def _keys(url: str) -> dict[str, str]:
    """It proves itself by the tool's published keys; there is no secret to keep or to change."""
    return {
        "use.jwks.url": "true",
        "jwks.url": f"{url}/lti/keys",
        "token.endpoint.auth.signing.alg": "RS256",
    }


def _person_mapper(plan: RealmPlan, claim: str | None = None) -> dict[str, Any]:
    return {
        "name": claim or plan.claim,
        "protocol": "openid-connect",
        "protocolMapper": "oidc-usermodel-attribute-mapper",
        "config": {
            "user.attribute": plan.claim,
            "claim.name": claim or plan.claim,
            "jsonType.label": "String",
            "id.token.claim": "true",
            "access.token.claim": "false",
            "userinfo.token.claim": "true",
        },
    }


def realm_file(plan: RealmPlan) -> dict[str, Any]:
    """The whole realm as a file that Keycloak imports (``kc.sh import``, or the console)."""
    profile = {"attributes": profile_attributes(plan)}
    return new_realm(plan) | {
        "clients": clients(plan),
        "roles": {
            "client": {
                TOOL: [
                    {"name": name, "description": words, "clientRole": True}
                    for name, words in ROLES.items()
                ]
            }
        },
        "groups": [{"name": name, "clientRoles": {TOOL: [role]}} for name, role in GROUPS.items()],
        "users": [
            {
                "username": f"service-account-{SERVICE}",
                "enabled": True,
                "serviceAccountClientId": SERVICE,
                "clientRoles": {"realm-management": list(SERVICE_RIGHTS)},
            }
        ],
        "components": {
            "org.keycloak.userprofile.UserProfileProvider": [
                {
                    "providerId": "declarative-user-profile",
                    "config": {"kc.user.profile.config": [json.dumps(profile)]},
                }
            ]
        },
    }
