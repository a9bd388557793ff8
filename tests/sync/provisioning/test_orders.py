"""What administrators ask of the engine: asked once, done by a worker, found again, audited."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from lti_tool.core.audit import AuditEvent, AuditLog
from lti_tool.core.crypto import Keyring
from lti_tool.core.errors import ConflictError, NotFoundError
from lti_tool.moodle.models import MoodleSite, SiteStanding
from lti_tool.sis.entities import EnrollmentStatus
from lti_tool.sync.order_models import Act, OrderState, SyncOrder
from lti_tool.sync.orders import Orders
from lti_tool.sync.provisioning.gate import LEASE
from lti_tool.sync.provisioning.journal import Journal
from lti_tool.sync.provisioning_views import ProvisioningViews
from tests.sync.provisioning.conftest import Campus


class _Sites:
    """The one site, as it stands now."""

    def __init__(self, campus: Campus) -> None:
        self._campus = campus

    def get(self, site_id: int) -> MoodleSite:
        with self._campus.database.read() as session:
            return session.get_one(MoodleSite, site_id)


Ask = Callable[..., SyncOrder]


@pytest.fixture
def orders(campus: Campus, keyring: Keyring) -> Orders:
    return Orders(
        campus.database,
        campus.clock,
        keyring,
        AuditLog(campus.clock),
        _Sites(campus),  # type: ignore[arg-type]
        campus.parts,
    )


@pytest.fixture
def done(campus: Campus, orders: Orders) -> Ask:
    """Ask for something, and have a worker do it."""

    def ask(act: Act, **arguments: object) -> SyncOrder:
        order = orders.ask(campus.site.id, act, actor="admin:a", arguments=arguments)
        orders.run(order.id)
        return orders.get(campus.site.id, order.id)

    return ask


def test_a_preview_changes_nothing_and_an_apply_does_it(
    campus: Campus, orders: Orders, done: Ask
) -> None:
    preview = done(Act.PREVIEW, scope="changes")
    assert preview.state is OrderState.DONE, preview.error
    found = orders.found(preview)
    assert found["counts"]["user"]["created"] > 50
    assert found["lines"]
    assert preview.done == preview.total > 0
    assert campus.fingerprints("user") == {}
    applied = done(Act.APPLY, scope="changes")
    assert applied.state is OrderState.DONE
    assert applied.run_id is not None
    assert campus.parts.runs.get(applied.run_id).actor == "admin:a"
    assert campus.equal()
    assert orders.found(done(Act.PREVIEW, scope="everything"))["lines"] == []
    assert done(Act.APPLY, scope="changes").run_id is None


def test_the_same_is_not_asked_for_twice(campus: Campus, orders: Orders) -> None:
    first = orders.ask(campus.site.id, Act.PREVIEW, actor="admin:a", arguments={"scope": "x"})
    again = orders.ask(campus.site.id, Act.PREVIEW, actor="admin:b", arguments={"scope": "x"})
    other = orders.ask(campus.site.id, Act.PREVIEW, actor="admin:a", arguments={"scope": "y"})
    assert (again.id == first.id, other.id == first.id) == (True, False)
    with campus.database.read() as session:
        acts = session.scalars(sa.select(AuditEvent.action)).all()
    assert list(acts).count("sync.preview_asked") == 2


def test_an_order_whose_message_or_worker_was_lost_is_done_later(
    campus: Campus, orders: Orders
) -> None:
    order = orders.ask(campus.site.id, Act.APPLY, actor="admin:a")
    with campus.database.write() as session:
        session.execute(
            sa.update(SyncOrder).values(state=OrderState.RUNNING, heartbeat_at=campus.clock.now())
        )
    orders.resume()
    assert orders.get(campus.site.id, order.id).state is OrderState.RUNNING
    campus.clock.advance(seconds=120)
    orders.resume()
    assert orders.get(campus.site.id, order.id).state is OrderState.DONE
    assert campus.equal()


def test_an_order_waits_for_the_run_that_is_under_way(campus: Campus, orders: Orders) -> None:
    holder = campus.parts.gates.take(campus.site.id)
    assert holder is not None
    order = orders.ask(campus.site.id, Act.APPLY, actor="admin:a", arguments={"scope": "again"})
    orders.run(order.id)
    assert orders.get(campus.site.id, order.id).state is OrderState.QUEUED
    campus.clock.advance(seconds=LEASE / dt.timedelta(seconds=1) + 1)
    orders.resume()
    assert orders.get(campus.site.id, order.id).state is OrderState.DONE


def test_an_undo_is_seen_before_it_is_done(campus: Campus, orders: Orders, done: Ask) -> None:
    done(Act.APPLY)
    person, class_key = _enrolled(campus)
    campus.clock.advance(seconds=1)
    campus.enrolling.drop(person, class_key)
    run = done(Act.APPLY).run_id
    found = orders.found(done(Act.UNDO_PREVIEW, run=run))
    assert [(line["kind"], line["person"]) for line in found["lines"]] == [("roster", person)]
    assert not campus.parts.runs.held(campus.site.id)
    undone = done(Act.UNDO, run=run)
    assert undone.run_id not in (None, run)
    assert campus.parts.runs.held(campus.site.id)
    with pytest.raises(NotFoundError):
        orders.ask(campus.site.id, Act.UNDO, actor="admin:a", arguments={"run": 999})


def test_a_comparison_names_what_differs_and_a_repair_mends_it(
    campus: Campus, orders: Orders, done: Ask
) -> None:
    done(Act.APPLY)
    person, _ = _enrolled(campus)
    with campus.platform.change() as state:
        user = next(each for each in state.people.values() if each.idnumber == person)
        user.given_name = "Somebody else"
    found = orders.found(done(Act.COMPARE))
    assert [(line["key"], line["outcome"]) for line in found["lines"]] == [(person, "different")]
    assert not campus.equal()
    assert done(Act.REPAIR).run_id is not None
    assert campus.equal()


def test_one_person_one_course_and_refused_things_travel_again(
    campus: Campus, orders: Orders, done: Ask, keyring: Keyring
) -> None:
    done(Act.APPLY)
    person, class_key = _enrolled(campus)
    orders.resync_person(campus.site.id, person, actor="admin:a")
    waiting = campus.marks_left()
    assert waiting["user"] == 1
    assert waiting["roster"] >= 1
    orders.resync_course(campus.site.id, class_key, actor="admin:a")
    assert campus.marks_left()["course"] == 1
    views = ProvisioningViews(campus.database, Journal(campus.clock, keyring))
    assert {line.kind: line.number for line in views.queue(campus.site.id)} == campus.marks_left()
    assert orders.retry(campus.site.id, kind=None, key=None, actor="admin:a") == 0
    run = campus.parts.engine.run(campus.site)
    assert run is not None
    assert campus.marks_left() == {}


def test_nothing_is_asked_of_a_moodle_that_is_not_called(campus: Campus, orders: Orders) -> None:
    with campus.database.write() as session:
        session.execute(sa.update(MoodleSite).values(standing=SiteStanding.PAUSED))
    with pytest.raises(ConflictError):
        orders.ask(campus.site.id, Act.APPLY, actor="admin:a")


def test_what_fails_says_why(campus: Campus, orders: Orders) -> None:
    order = orders.ask(campus.site.id, Act.PREVIEW, actor="admin:a")
    campus.platform.state.connection.token = "another" * 8
    orders.run(order.id)
    failed = orders.get(campus.site.id, order.id)
    assert failed.state is OrderState.FAILED
    assert failed.error


def test_old_orders_are_forgotten(campus: Campus, orders: Orders, done: Ask) -> None:
    done(Act.PREVIEW)
    campus.clock.advance(seconds=31 * 86400)
    assert orders.purge(older_than_days=30) == 1
    assert orders.recent(campus.site.id) == []


def _enrolled(campus: Campus) -> tuple[str, str]:
    members = campus.extracts.memberships(campus.extracts.class_keys())
    return next(
        (each.person_key, key)
        for key, found in sorted(members.items())
        if campus.parts.rendering.hosts([key]) == [key]
        for each in found
        if each.status is EnrollmentStatus.ENROLLED
    )
