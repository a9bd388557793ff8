"""The services that speak LTI, and what all rooms stand on, each built when it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from lti_tool.core.audit import AuditLog
from lti_tool.core.clock import Clock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Database
from lti_tool.core.http import HttpClient
from lti_tool.core.rate_limit import RateLimiter
from lti_tool.lti.access_tokens import AccessTokens
from lti_tool.lti.assignment_grades import AssignmentGrades
from lti_tool.lti.deep_linking import DeepLinking
from lti_tool.lti.dynamic_registration import DynamicRegistration
from lti_tool.lti.keys import ToolKeys
from lti_tool.lti.launch import Launches
from lti_tool.lti.login import Logins
from lti_tool.lti.names_roles import NamesRoles
from lti_tool.lti.platform_keys import PlatformKeys
from lti_tool.lti.registrations import Registrations
from lti_tool.lti.service_client import ServiceClient
from lti_tool.settings import Settings
from lti_tool.sis.embedded import EmbeddedSis


@dataclass
class LtiServices:
    """What speaks LTI, and what all rooms stand on."""

    settings: Settings
    clock: Clock
    database: Database
    keyring: Keyring
    http: HttpClient
    rate_limiter: RateLimiter

    @cached_property
    def audit(self) -> AuditLog:
        """The append-only log of privileged acts."""
        return AuditLog(self.clock)

    @cached_property
    def sis(self) -> EmbeddedSis:
        """The SIS; the embedded one."""
        return EmbeddedSis(self.database, self.clock)

    @cached_property
    def registrations(self) -> Registrations:
        """Platforms that may launch this tool."""
        return Registrations(
            self.database, self.clock, self.audit, allow_http=self.settings.outbound_allow_http
        )

    @cached_property
    def tool_keys(self) -> ToolKeys:
        """Our signing keys."""
        return ToolKeys(self.database, self.clock, self.keyring, self.audit)

    @cached_property
    def platform_keys(self) -> PlatformKeys:
        """The platforms' keys, cached."""
        return PlatformKeys(self.database, self.clock, self.http)

    @cached_property
    def logins(self) -> Logins:
        """Logins under way."""
        return Logins(
            self.database, self.clock, self.registrations, public_url=self.settings.public_url
        )

    @cached_property
    def launches(self) -> Launches:
        """Launches: acceptance, records, sessions."""
        return Launches(
            self.database,
            self.clock,
            self.registrations,
            self.logins,
            self.platform_keys,
            public_url=self.settings.public_url,
            session_hours=self.settings.session_hours,
        )

    @cached_property
    def access_tokens(self) -> AccessTokens:
        """Tokens for the platforms' services."""
        return AccessTokens(self.database, self.clock, self.keyring, self.http, self.tool_keys)

    @cached_property
    def service_client(self) -> ServiceClient:
        """Authorised calls to the platforms' services."""
        return ServiceClient(
            self.http,
            self.access_tokens,
            attempts=self.settings.moodle_retry_attempts,
            timeout=self.settings.moodle_timeout,
        )

    @cached_property
    def names_roles(self) -> NamesRoles:
        """Names and Roles Provisioning Services."""
        return NamesRoles(self.service_client)

    @cached_property
    def assignment_grades(self) -> AssignmentGrades:
        """Assignment and Grade Services."""
        return AssignmentGrades(self.service_client)

    @cached_property
    def deep_linking(self) -> DeepLinking:
        """Deep Linking responses."""
        return DeepLinking(
            self.tool_keys,
            self.clock,
            public_url=self.settings.public_url,
            allow_http=self.settings.outbound_allow_http,
        )

    @cached_property
    def dynamic_registration(self) -> DynamicRegistration:
        """Dynamic Registration."""
        return DynamicRegistration(
            self.database,
            self.clock,
            self.http,
            self.registrations,
            self.audit,
            public_url=self.settings.public_url,
            tool_name=self.settings.tool_name,
        )
