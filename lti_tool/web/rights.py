"""Which right each page and act without a launch needs. What is not named is refused."""

from __future__ import annotations

import datetime as dt

from flask import request

from lti_tool.core.errors import ForbiddenError
from lti_tool.identity.admin_sessions import AdminSession
from lti_tool.identity.rights import ADMINISTRATION, OWN, STEP_UP, Right
from lti_tool.web.sessions import current_admin
from lti_tool.wiring import services

# Open to whoever comes: how one signs in, and out.
OPEN = frozenset({"sign_in", "redeem", "account", "begin", "sign_out"})

NEEDED: dict[str, Right] = {
    **dict.fromkeys(
        (
            "courses",
            "grades",
            "grades_conflict",
            "grades_log",
            "grades_log_csv",
            "grades_student",
            "index",
            "launch",
            "launches",
            "people",
            "registration",
            "registration_launches",
            "registrations",
            "site",
            "sites",
            "suggestions",
            "sync",
            "sync_order",
            "sync_order_body",
            "sync_refused",
            "sync_run",
            "sync_run_body",
            "sync_runs",
            "sync_state",
            "sync_things",
        ),
        Right.READ,
    ),
    **dict.fromkeys(
        (
            "grades_ask",
            "grades_decide_several",
            "grades_hold",
            "grades_keep",
            "grades_lift",
            "grades_several",
            "grades_take",
        ),
        Right.GRADES,
    ),
    **dict.fromkeys(
        ("confirm_people", "link_course", "link_person", "unlink_course", "unlink_person"),
        Right.PEOPLE,
    ),
    **dict.fromkeys(
        (
            "check_site",
            "sync_approve",
            "sync_ask",
            "sync_go_on",
            "sync_hold",
            "sync_place",
            "sync_resync",
            "sync_retry",
        ),
        Right.SYNC,
    ),
    **dict.fromkeys(
        (
            "awaited",
            "connect",
            "connect_realm",
            "create_registration",
            "disconnect_site",
            "invite",
            "look_at_realm",
            "new_realm",
            "new_registration",
            "pause_site",
            "rename",
            "resume_site",
            "set_deployment",
            "set_standing",
            "set_trust",
        ),
        Right.CONNECT,
    ),
}


# People's own pages: any of these rights opens one. Whose class it is, is the SIS's to say.
OWN_OPEN = frozenset({"own.sign_out"})
OWN_NEEDED: dict[str, frozenset[Right]] = {
    "own.index": OWN,
    "own.class_": frozenset({Right.LEARN}),
    "own.taught": frozenset({Right.TEACH}),
}


class StepUpError(ForbiddenError):
    """The act reaches far, and who asks for it proved who they are too long ago."""

    code = "step_up_required"
    title = "Please confirm that it is you"


def require(who: AdminSession) -> None:
    """Refuse this request unless these rights, and a recent proof where it is needed, allow it."""
    needed = needed_by(request.endpoint or "")
    if not needed & who.rights:
        raise ForbiddenError(
            "Your role does not allow this.",
            remedy="Ask an administrator of this tool to do it, or to give you the role.",
        )
    if request.method != "POST" or not needed & STEP_UP or not who.provider:
        return
    enough = services().settings.oidc_step_up_acr.split()
    if enough and who.acr not in enough:
        raise StepUpError(
            "This reaches far, and needs a better proof of who you are. Nothing was done.",
            remedy="Sign in once more, then ask for it again.",
        )
    limit = dt.timedelta(minutes=services().settings.step_up_minutes)
    if who.authenticated_at is None or services().clock.now() - who.authenticated_at > limit:
        raise StepUpError(
            "This reaches far, and it is a while since you proved who you are. Nothing was done.",
            remedy="Sign in once more, then ask for it again.",
        )


def needed_by(endpoint: str) -> frozenset[Right]:
    """The rights of which one opens an endpoint; none: nobody's."""
    if endpoint.startswith("admin."):
        right = NEEDED.get(endpoint.removeprefix("admin."))
        return frozenset() if right is None else frozenset({right})
    return OWN_NEEDED.get(endpoint, frozenset())


def may(endpoint: str) -> bool:
    """Whether this session may use a page or act of the administration: for what pages show."""
    needed = NEEDED.get(endpoint)
    return needed is not None and needed in current_admin().rights


def may_everything() -> bool:
    """Whether this session is an administrator's."""
    return current_admin().rights >= ADMINISTRATION
