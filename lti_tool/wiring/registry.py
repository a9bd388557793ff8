"""All services of one process, each built when it is first asked for."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from zoneinfo import ZoneInfo

from lti_tool.identity.admin_sessions import AdminSessions
from lti_tool.identity.assembly import ProviderSettings, SignInParts
from lti_tool.identity.assembly import assemble as assemble_sign_in
from lti_tool.identity.keycloak.directory import KeycloakDirectory
from lti_tool.identity.keycloak.realms import Realms
from lti_tool.identity.people import People
from lti_tool.lti.paired import PairedRegistrations
from lti_tool.moodle.checks import SiteChecks
from lti_tool.moodle.events import EventIntake
from lti_tool.moodle.models import System
from lti_tool.moodle.pairing import Pairing
from lti_tool.moodle.plugin import MoodlePlugin
from lti_tool.moodle.sign_in_clients import SignInClients
from lti_tool.moodle.signatures import SignedRequests
from lti_tool.moodle.sites import Sites
from lti_tool.moodle.unpaired import UnpairedSites
from lti_tool.sis.activity import Activity
from lti_tool.sis.extracts import Extracts
from lti_tool.sis.grading import Grading
from lti_tool.sync.activity import EVENTS as EVENTS_OF_ACTIVITY
from lti_tool.sync.activity import ActivitySync
from lti_tool.sync.broker import Broker
from lti_tool.sync.courses import Courses
from lti_tool.sync.gradebook import Gradebook
from lti_tool.sync.grades.assembly import GradeParts
from lti_tool.sync.grades.assembly import assemble as assemble_grades
from lti_tool.sync.grades.pull_queue import EVENTS as EVENTS_OF_GRADES
from lti_tool.sync.lifecycle import Lifecycle
from lti_tool.sync.orders import Orders
from lti_tool.sync.placements import Placements
from lti_tool.sync.provisioning.assembly import Limits, Provisioning, assemble
from lti_tool.sync.provisioning.journal import Journal
from lti_tool.sync.provisioning_views import ProvisioningViews
from lti_tool.sync.pushes import GradePushes
from lti_tool.sync.rosters import Rosters
from lti_tool.wiring.lti import LtiServices


@dataclass
class Services(LtiServices):
    """All services of one process. Each is built when it is first asked for, and kept."""

    @cached_property
    def people(self) -> People:
        """Which account is which person."""
        return People(self.database, self.clock, self.sis, self.audit)

    @cached_property
    def admin_sessions(self) -> AdminSessions:
        """Sign-in links, and sessions of the administration."""
        return AdminSessions(
            self.database,
            self.clock,
            self.audit,
            public_url=self.settings.public_url,
            idle=dt.timedelta(minutes=self.settings.session_idle_minutes),
        )

    @cached_property
    def signing_in(self) -> SignInParts | None:
        """How people sign in with their school account; ``None`` where no provider is set."""
        settings = self.settings
        if not settings.oidc_issuer:
            return None
        return assemble_sign_in(
            ProviderSettings(
                issuer=settings.oidc_issuer,
                client_id=settings.oidc_client_id,
                client_secret=settings.oidc_client_secret.get_secret_value(),
                client_auth=settings.oidc_client_auth,
                scopes=settings.oidc_scopes,
                person_claim=settings.oidc_person_claim,
                roles_claim=settings.oidc_roles_claim,
                step_up_acr=settings.oidc_step_up_acr,
                public_url=settings.public_url,
            ),
            self.database,
            self.clock,
            self.keyring,
            self.http,
            self.audit,
            self.sis,
            self.platform_keys,
            self.tool_keys.sign,
            self.people,
            self.launches,
            self.admin_sessions,
        )

    @cached_property
    def courses(self) -> Courses:
        """Which course is which class."""
        return Courses(self.database, self.clock, self.sis, self.audit)

    @cached_property
    def rosters(self) -> Rosters:
        """Members beside enrolments."""
        return Rosters(
            self.database, self.clock, self.sis, self.people, self.names_roles, self.keyring
        )

    @cached_property
    def gradebook(self) -> Gradebook:
        """What the teacher's gradebook shows."""
        return Gradebook(self.sis)

    @cached_property
    def broker(self) -> Broker:
        """Tells a worker that there is work."""
        return Broker(self.settings.broker_url, self.settings.broker_dir)

    @cached_property
    def paired_registrations(self) -> PairedRegistrations:
        """The registrations of connected Moodles."""
        return PairedRegistrations(self.registrations)

    @cached_property
    def sites(self) -> Sites:
        """The Moodles that are connected."""
        return Sites(self.database, self.clock, self.audit, self.keyring, self.paired_registrations)

    @cached_property
    def sign_in_clients(self) -> SignInClients:
        """By what people sign in to each Moodle."""
        return SignInClients(self.database, self.clock, self.audit, self.keyring)

    @cached_property
    def signed_requests(self) -> SignedRequests:
        """Requests that a Moodle has signed."""
        return SignedRequests(
            self.database, self.clock, self.paired_registrations, self.platform_keys
        )

    @cached_property
    def event_intake(self) -> EventIntake:
        """What happens in connected Moodles, stored once."""
        return EventIntake(
            self.database, self.clock, awaited=(*EVENTS_OF_ACTIVITY, *EVENTS_OF_GRADES)
        )

    @cached_property
    def pairing(self) -> Pairing:
        """Connecting a Moodle with one code."""
        return Pairing(
            self.database,
            self.clock,
            self.audit,
            self.paired_registrations,
            self.sites,
            self.signed_requests,
            public_url=self.settings.public_url,
            tool_name=self.settings.tool_name,
            allow_http=self.settings.outbound_allow_http,
        )

    @cached_property
    def unpaired_sites(self) -> UnpairedSites:
        """Connecting a Moodle by its address and a token."""
        return UnpairedSites(
            self.http, self.sites, self.paired_registrations, timeout=self.settings.moodle_timeout
        )

    @cached_property
    def moodle_plugin(self) -> MoodlePlugin:
        """Calls to the plugin in a Moodle."""
        return MoodlePlugin(self.http, self.sites, timeout=self.settings.moodle_timeout)

    @cached_property
    def site_checks(self) -> SiteChecks:
        """How the connections are."""
        return SiteChecks(
            self.database,
            self.clock,
            self.sites,
            self.paired_registrations,
            self.moodle_plugin,
            {System.KEYCLOAK: self.keycloak_directory},
        )

    @cached_property
    def keycloak_directory(self) -> KeycloakDirectory:
        """The accounts of realms."""
        return KeycloakDirectory(
            self.http,
            self.clock,
            self.tool_keys.sign,
            claim=self.settings.oidc_person_claim,
            concurrency=self.settings.keycloak_concurrency,
            required_actions=self.settings.keycloak_required_actions.split(),
        )

    @cached_property
    def realms(self) -> Realms:
        """Connecting realms."""
        return Realms(self.database, self.clock, self.audit, self.keycloak_directory)

    @cached_property
    def pushes(self) -> GradePushes:
        """Grades on their way to a platform."""
        return GradePushes(
            self.database,
            self.clock,
            self.sis,
            self.people,
            self.courses,
            self.assignment_grades,
            self.names_roles,
            self.audit,
            concurrency=self.settings.moodle_concurrency,
            batch_size=self.settings.moodle_batch_size,
        )

    @cached_property
    def sis_extracts(self) -> Extracts:
        """The SIS in bulk."""
        return Extracts(self.database)

    @cached_property
    def activity(self) -> Activity:
        """When people were last seen in Moodle."""
        return Activity(self.database)

    @cached_property
    def activity_sync(self) -> ActivitySync:
        """Brings that from Moodle."""
        return ActivitySync(self.database, self.clock, self.provisioning.client, self.activity)

    @cached_property
    def placements(self) -> Placements:
        """Where classes are taught, decided by administrators."""
        return Placements(self.database, self.clock, self.audit, self.sis_extracts)

    @cached_property
    def provisioning(self) -> Provisioning:
        """What keeps Moodle equal to the SIS."""
        settings = self.settings
        return assemble(
            self.database,
            self.clock,
            self.keyring,
            self.audit,
            self.sis_extracts,
            {System.MOODLE: self.moodle_plugin, System.KEYCLOAK: self.keycloak_directory},
            self.sites,
            Lifecycle(
                ZoneInfo(settings.timezone),
                open_days=settings.moodle_course_open_days,
                archive_days=settings.moodle_course_archive_days,
                archived=settings.moodle_course_archived,
            ),
            Limits(
                calls_per_minute=settings.moodle_rate_limit,
                attempts=settings.moodle_retry_attempts,
                guard_share=float(settings.moodle_guard_share),
                guard_count=settings.moodle_guard_count,
            ),
            grades_on_request=settings.moodle_grade_push == "on_request",
        )

    @cached_property
    def grading(self) -> Grading:
        """Entering grades in the SIS."""
        return Grading(self.database, self.clock)

    @cached_property
    def grades(self) -> GradeParts:
        """What takes grades to Moodle and brings them from there."""
        return assemble_grades(
            self.database,
            self.clock,
            self.audit,
            self.sis,
            self.sis_extracts,
            self.grading,
            self.provisioning,
        )

    @cached_property
    def orders(self) -> Orders:
        """What administrators ask of the engine."""
        return Orders(
            self.database,
            self.clock,
            self.keyring,
            self.audit,
            self.sites,
            self.provisioning,
        )

    @cached_property
    def provisioning_views(self) -> ProvisioningViews:
        """The engine's queue, runs and journal, as pages show them."""
        return ProvisioningViews(self.database, Journal(self.clock, self.keyring))
