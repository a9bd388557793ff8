from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa

from lti_tool.core.audit import AuditEvent
from lti_tool.core.clock import FixedClock
from lti_tool.core.database import Database
from lti_tool.core.errors import InvalidInputError
from lti_tool.identity.admin_sessions import AdminSessions, SignInLinkError
from lti_tool.identity.models import AdminSignIn


def _token(link: str) -> str:
    assert link.startswith("https://tool.test/admin/sign-in/")
    return link.rsplit("/", 1)[-1]


def test_a_link_signs_in_once_for_eight_hours(
    admin_sessions: AdminSessions, clock: FixedClock, database: Database
) -> None:
    token = _token(admin_sessions.sign_in_link("root"))
    # Showing the page any number of times does not use it up.
    assert admin_sessions.usable(token)
    assert admin_sessions.usable(token)
    secret, expires_at = admin_sessions.redeem(token)
    assert (expires_at - clock.now()).total_seconds() == 8 * 3600
    assert not admin_sessions.usable(token)
    with pytest.raises(SignInLinkError):
        admin_sessions.redeem(token)
    found = admin_sessions.session(secret)
    assert found is not None
    assert found.name == "root"
    clock.advance(hours=8)
    assert admin_sessions.session(secret) is None
    with database.read() as session:
        actions = session.scalars(sa.select(AuditEvent.action).order_by(AuditEvent.id)).all()
    assert actions == ["admin.link_made", "admin.signed_in"]


def test_a_link_expires_after_fifteen_minutes(
    admin_sessions: AdminSessions, clock: FixedClock
) -> None:
    token = _token(admin_sessions.sign_in_link("root"))
    clock.advance(minutes=15)
    assert not admin_sessions.usable(token)
    with pytest.raises(SignInLinkError):
        admin_sessions.redeem(token)


def test_nothing_that_is_stored_signs_in(admin_sessions: AdminSessions, database: Database) -> None:
    token = _token(admin_sessions.sign_in_link("root"))
    secret, _ = admin_sessions.redeem(token)
    with database.read() as session:
        row = session.scalars(sa.select(AdminSignIn)).one()
    stored = f"{row.token_hash} {row.secret_hash}"
    assert token not in stored
    assert secret not in stored
    assert admin_sessions.session(row.secret_hash or "") is None
    assert admin_sessions.session("") is None
    for wrong in ("", "nothing", row.token_hash):
        with pytest.raises(SignInLinkError):
            admin_sessions.redeem(wrong)


def test_of_two_who_redeem_at_once_one_wins(admin_sessions: AdminSessions) -> None:
    token = _token(admin_sessions.sign_in_link("root"))
    start, outcomes = threading.Barrier(4), []

    def redeem() -> None:
        start.wait()
        try:
            admin_sessions.redeem(token)
            outcomes.append("in")
        except SignInLinkError:
            outcomes.append("out")

    threads = [threading.Thread(target=redeem) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["in", "out", "out", "out"]


def test_ending_a_session_ends_it(admin_sessions: AdminSessions, database: Database) -> None:
    secret, _ = admin_sessions.redeem(_token(admin_sessions.sign_in_link("root")))
    admin_sessions.end(secret)
    admin_sessions.end(secret)
    assert admin_sessions.session(secret) is None
    with database.read() as session:
        actions = session.scalars(sa.select(AuditEvent.action).order_by(AuditEvent.id)).all()
    assert actions[-1] == "admin.signed_out"
    assert len(actions) == 3


def test_what_can_no_longer_be_used_is_purged(
    admin_sessions: AdminSessions, clock: FixedClock
) -> None:
    admin_sessions.sign_in_link("unused")
    secret, _ = admin_sessions.redeem(_token(admin_sessions.sign_in_link("root")))
    assert admin_sessions.purge() == 0
    clock.advance(minutes=20)
    assert admin_sessions.purge() == 1
    assert admin_sessions.session(secret) is not None
    clock.advance(hours=8)
    assert admin_sessions.purge() == 1


@pytest.mark.parametrize(("name", "minutes"), [("", 15), (" ", 15), ("x" * 201, 15), ("a", 0)])
def test_a_link_needs_a_name_and_a_time(
    admin_sessions: AdminSessions, name: str, minutes: int
) -> None:
    with pytest.raises(InvalidInputError):
        admin_sessions.sign_in_link(name, minutes=minutes)
