"""What Moodle does that the specification does not ask for, each as a switch."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass


@dataclass(frozen=True)
class Quirks:
    """Switches, all on by default: ``Quirks()`` is Moodle, :meth:`spec` is the specification.

    ``storage_frame`` is the one switch that adds what Moodle lacks (post-message storage), so it
    is off in both unless asked for.
    """

    # Messages
    one_shot_launch: bool = True
    """A launch id in ``lti_message_hint`` answers once; a reload ends on an error page."""
    early_errors_as_page: bool = True
    """A request without nonce, scope… ends on an error page instead of an OIDC error."""
    repost_without_session: bool = True
    """Without a session cookie /auth posts itself again, from its own site."""
    short_id_token: bool = True
    """``exp`` is ``iat`` + 60 s (else an hour)."""
    short_context_type: bool = True
    """``context.type`` is ``["CourseSection"]`` and not the URI."""
    always_sends_sourcedid: bool = True
    """``lis.person_sourcedid`` is sent whatever the privacy settings say, also empty."""
    lowercases_custom_keys: bool = True
    """Custom parameters are also sent under a lower-cased key with ``_`` for other characters."""
    nrps_claim_needs_link: bool = True
    """No Names and Roles claim until the course has a link of the tool."""
    # Deep linking
    deep_link_unchecked: bool = True
    """``aud``, ``deployment_id`` and ``data`` of a response are not checked; none is sent."""
    deep_link_ignores_label: bool = True
    """``lineItem.label`` is ignored: the column is called as the activity is."""
    deep_link_single_needs_save: bool = True
    """One item only fills a form; the teacher still presses Save."""
    # Tokens
    assertion_unchecked: bool = True
    """``aud``, ``iss`` and ``jti`` of a client assertion are not checked."""
    jwks_failure_is_html: bool = True
    """When the tool's keys cannot be fetched the answer is an HTML 404."""
    pending_tools_work: bool = True
    """A tool that is not activated may launch and call services all the same."""
    missing_scope_is_401: bool = True
    """A token without the scope gets 401 (else 403)."""
    # Registration
    registration_lists_lineitem: bool = True
    """The response lists the line-item scope even when it was not granted."""
    registration_expired_is_html: bool = True
    """An expired or broken registration token gets an HTML 404 instead of JSON."""
    # Names and Roles
    nrps_one_page: bool = True
    """Everybody in one page unless ``limit`` is given (else 50)."""
    nrps_next_drops_role: bool = True
    """The next link forgets the ``role`` filter."""
    nrps_short_roles: bool = True
    """Roles of members are ``Learner`` and ``Instructor``."""
    nrps_strict_accept: bool = True
    """``Accept: application/json`` gets 400."""
    nrps_active_only: bool = True
    """Suspended enrolments are left out; the status is always ``Active``."""
    nrps_assistant_is_learner: bool = True
    """A non-editing teacher launches as Instructor and is listed as Learner."""
    # Assignment and Grade Services
    ags_type_id: bool = True
    """Every URL carries ``?type_id=``."""
    ags_strict_accept: bool = True
    """``Accept: */*`` gets 400 on the line items."""
    ags_curly_links: bool = True
    """Link headers have typographic quotes and ``&amp;`` in their URLs."""
    ags_results_limit_crash: bool = True
    """``limit`` with ``type_id`` on results is a fatal error."""
    ags_progress_wipes_grade: bool = True
    """A score that is not FullyGraded clears the grade."""
    ags_whole_seconds: bool = True
    """Timestamps are compared in whole seconds."""
    ags_clips: bool = True
    """A score over its maximum is silently clipped."""
    ags_put_drops_link: bool = True
    """PUT without ``resourceLinkId`` removes the link of the line item."""
    ags_ungradable_is_400: bool = True
    """A score for a teacher or a person outside of the course is 400 (else 403)."""
    ags_code_zero: bool = True
    """A user id that is no number gets a status line with code 0."""

    storage_frame: bool = False
    """Offer ``lti_storage_target`` and answer it (Moodle does not)."""

    @classmethod
    def spec(cls, **changes: bool) -> Quirks:
        """Return a platform that follows the specification, with ``changes`` on top."""
        switches = {field.name: False for field in dataclasses.fields(cls)}
        return cls(**(switches | changes))

    def but(self, **changes: bool) -> Quirks:
        """Return a copy with some switches changed."""
        return dataclasses.replace(self, **changes)
