"""The administrator's pages of synchronisation, with a platform that keeps rosters."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from lti_tool.moodle.models import MoodleSite, SiteStanding
from lti_tool.sis import models as sis_models
from lti_tool.sis.enrolling import Enrolling
from lti_tool.sis.entities import EnrollmentStatus
from lti_tool.sync.order_models import OrderState, SyncOrder
from lti_tool.sync.provisioning.models import RunState
from tests.web.synced import Desk, synced_world
from tests.web.world import EVIL, Page, World


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with synced_world(tmp_path_factory.mktemp("synced")) as world:
        yield world


@pytest.fixture
def desk(synced: World) -> Iterator[Desk]:
    [site] = synced.services.sites.moodles()
    yield Desk(synced, synced.administrator(), site)
    # Whatever a test held, dropped or left waiting is as it was.
    services = synced.services
    services.provisioning.runs.go_on(site.id, actor="tests")
    with services.database.write() as session:
        session.execute(sa.update(MoodleSite).values(standing=SiteStanding.ACTIVE))


@pytest.fixture
def dropped(desk: Desk) -> Iterator[tuple[str, str]]:
    """A student who left a class; comes back afterwards."""
    person, class_key = desk.enrolled()[0]
    enrolling = Enrolling(desk.world.services.database, desk.world.services.clock)
    enrolling.drop(person, class_key)
    yield person, class_key
    enrolling.set_status(person, class_key, EnrollmentStatus.ENROLLED)
    desk.world.services.provisioning.runs.go_on(desk.site.id, actor="tests")
    desk.world.services.provisioning.engine.run(desk.site)


def test_strangers_and_administrators_of_a_moodle_see_nothing(desk: Desk) -> None:
    paths = ("", "/state", "/refused", "/runs", "/runs/1", "/orders/1", "/things")
    base = f"/admin/sites/{desk.site.id}/sync"
    stranger = desk.world.app.test_client()
    of_moodle = desk.world.launch("admin").client
    for client in (stranger, of_moodle):
        for path in paths:
            answer = client.get(base + path, base_url=desk.world.url)
            assert answer.status_code in (401, 403), path
        for path in ("/orders", "/hold", "/go-on", "/retry", "/resync", "/runs/1/approve"):
            answer = client.post(base + path, base_url=desk.world.url)
            assert answer.status_code in (400, 401, 403), path
    assert "/admin/sites" not in desk.world.launch("admin").get("/registration").text


def test_every_act_needs_the_token_of_a_form(desk: Desk) -> None:
    for path in ("/orders", "/hold", "/go-on", "/retry", "/resync", "/runs/1/approve"):
        answer = desk.client.post(
            f"/admin/sites/{desk.site.id}/sync{path}", base_url=desk.world.url
        )
        assert answer.status_code == 400, path


def test_a_preview_down_to_one_person_then_applied(desk: Desk, dropped: tuple[str, str]) -> None:
    assert "not been looked at yet." in desk.get()
    page = desk.ask("preview", scope="changes")
    assert "Nothing has been changed yet" in page
    assert "active" in page
    assert "suspended" in page
    assert dropped[0] in page
    assert "Waiting to be sent" in desk.get("/state")
    page = desk.ask("apply", scope="changes")
    assert f"Run {desk.run().id} with its journal" in page
    assert "sync.apply_asked" in desk.actions()
    assert desk.run().actor.startswith("admin:")
    journal = html.unescape(desk.get(f"/runs/{desk.run().id}"))
    assert "Suspended" in journal
    assert dropped[0] in journal
    assert f"Run {desk.run().id}" in desk.get("/runs")
    assert "Nothing would change" in desk.ask("preview", scope="everything")


def test_what_waits_for_the_worker_asks_again_by_itself(desk: Desk) -> None:
    page = desk.post("/orders", act="preview", scope="changes")
    assert "You may close this page" in page
    assert 'hx-trigger="every 1s"' in page
    body = desk.get(desk.address.split("/sync", 1)[1] + "/body")
    assert "<html" not in body
    desk.work()
    assert "hx-get" not in desk.shown().split('id="order"')[1]


def test_an_undo_is_looked_at_first_and_needs_a_tick(desk: Desk, dropped: tuple[str, str]) -> None:
    desk.ask("apply", scope="changes")
    run = desk.run()
    assert "Preview the undo" in desk.get(f"/runs/{run.id}")
    page = desk.ask("undo_preview", run=str(run.id))
    assert f"Bring back what run {run.id} changed." in page
    assert dropped[0] in page
    assert "Tick the box first" in desk.post("/orders", act="undo", run=str(run.id))
    page = desk.ask("undo", run=str(run.id), meant="yes")
    assert "Changes are stopped now" in page
    assert "Changes are stopped" in desk.get()
    assert "Let changes go on" in desk.get()
    assert "come by themselves again" in desk.post("/go-on")


def test_a_mass_change_waits_for_a_yes_to_its_numbers(desk: Desk) -> None:
    services = desk.world.services
    enrolling = Enrolling(services.database, services.clock)
    people = desk.enrolled(30)
    for person, class_key in people:
        enrolling.drop(person, class_key)
    page = desk.ask("apply", scope="changes")
    run = desk.run()
    assert run.state is RunState.WAITING
    assert "A mass change waits for a yes" in page
    number = str(run.guard["suspended"])
    assert "A mass change waits for a yes" in desk.get()
    assert f"Yes, {number} people may be suspended." in html.unescape(desk.get(f"/runs/{run.id}"))
    approve = f"/runs/{run.id}/approve"
    assert "Tick the box first" in desk.post(approve, suspended=number)
    assert "another one meanwhile" in desk.post(approve, suspended="1", meant="yes")
    assert services.provisioning.marks.counts(desk.site.id)
    assert "Approved." in desk.post(approve, suspended=number, meant="yes")
    desk.work()
    assert services.provisioning.marks.counts(desk.site.id) == {}
    assert "sync.mass_change_approved" in desk.actions()
    for person, class_key in people:
        enrolling.set_status(person, class_key, EnrollmentStatus.ENROLLED)
    desk.ask("apply", scope="changes")


def test_what_differs_in_moodle_is_named_and_repaired(desk: Desk) -> None:
    person, _ = desk.enrolled()[0]
    with desk.world.platform.change() as state:
        account = next(each for each in state.people.values() if each.idnumber == person)
        account.given_name = "Somebody else"
    page = desk.ask("compare")
    assert "1 thing differs" in page
    assert "Different in Moodle" in page
    desk.ask("repair")
    assert "Moodle is equal to the SIS" in desk.ask("compare")


def test_a_refusal_says_why_and_what_to_do_and_is_tried_again(desk: Desk) -> None:
    services = desk.world.services
    person, class_key = desk.enrolled()[0]
    with desk.world.platform.change() as state:
        own = next(each for each in state.people.values() if each.idnumber == person)
        other = desk.world.platform.add_person("other", EVIL, "Other", idnumber="X")
        state.people[other.id].idnumber = person
    services.orders.resync_person(desk.site.id, person, actor="tests")
    desk.ask("apply", scope="changes")
    raw = desk.get("/refused")
    page = html.unescape(raw)
    assert EVIL not in raw
    assert "Two things in Moodle have this ID number." in page
    assert "Take the ID number from the wrong one" in page
    assert "Nothing: Moodle took whatever was sent." not in page
    assert "Two things" in desk.get("/refused?code=ambiguous_idnumber")
    assert "Nothing is refused for this reason" in desk.get("/refused?code=failed")
    assert "Two things" in desk.get(f"/refused?q={person}")
    assert "Nothing like that is refused" in desk.get("/refused?q=nobody-at-all")
    assert "Moodle refused" in desk.get(f"/things?person={person}&class={class_key}")
    with desk.world.platform.change() as state:
        state.people[other.id].idnumber = "X"
        assert state.people[own.id].idnumber == person
    assert "tried again" in desk.post("/retry", kind="user", key=person)
    assert "Say which thing" in desk.post("/retry", kind="user")
    desk.post("/retry")
    desk.ask("apply", scope="changes")
    assert "Nothing: Moodle took whatever was sent." in desk.get("/refused")
    assert "sync.retried" in desk.actions()


def test_why_a_student_is_or_is_not_in_the_course(desk: Desk, dropped: tuple[str, str]) -> None:
    person, class_key = dropped
    found = desk.world.services.sis.person(person)
    assert found is not None
    page = Page(desk.get(f"/things?q={found.student_id}"))
    assert any(f"person={person}" in link for link in page.links)
    page = Page(desk.get(f"/things?person={person}"))
    assert any("class=" in link for link in page.links)
    page_text = html.unescape(desk.get(f"/things?person={person}&class={class_key}"))
    assert "DROPPED" in page_text
    assert "Enrol the person again in the SIS" in page_text
    page_text = html.unescape(desk.get(f"/things?person={person}&class={class_key}", language="km"))
    assert "ការចុះឈ្មោះបានចប់" in page_text
    assert "The SIS has nobody like that." in desk.get("/things?q=zzzzzz&c=zzzzzz")


def test_one_person_or_course_is_sent_again(desk: Desk) -> None:
    person, class_key = desk.enrolled()[0]
    marks = desk.world.services.provisioning.marks
    assert "Marked to be sent again." in desk.post("/resync", what="person", person=person)
    assert marks.counts(desk.site.id)["user"] == 1
    desk.post("/resync", what="course", **{"class": class_key})
    assert marks.counts(desk.site.id)["course"] == 1
    assert "Choose a person or a class first." in desk.post("/resync", what="person", person="?")
    assert "sync.resynced" in desk.actions()
    assert "Tick the box first" in desk.post("/orders", act="apply", scope="again")
    desk.ask("apply", scope="again", meant="yes")
    assert marks.counts(desk.site.id) == {}


def test_changes_are_stopped_with_a_reason_and_go_on(desk: Desk) -> None:
    assert "no longer come by themselves" in desk.post("/hold", reason=f"Exams {EVIL}")
    raw = desk.get()
    assert "Exams" in raw
    assert EVIL not in raw
    desk.post("/go-on")
    assert "Let changes go on" not in desk.get()
    assert desk.actions()[-2:] == ["sync.held", "sync.resumed"]


def test_a_moodle_that_does_not_answer_is_said_in_plain_words(desk: Desk) -> None:
    gates = desk.world.services.provisioning.gates
    for _ in range(3):
        gates.failed(desk.site.id, "connection refused")
    page = desk.get("/state")
    assert "Does not answer" in page
    assert "Nothing is lost meanwhile." in page
    gates.succeeded(desk.site.id)
    assert "Answers" in desk.get("/state")


def test_what_moodle_says_of_a_failure_is_text(desk: Desk) -> None:
    desk.post("/orders", act="preview", scope="changes")
    path = desk.address.split("/sync", 1)[1]
    desk.work()
    with desk.world.services.database.write() as session:
        session.execute(
            sa.update(SyncOrder)
            .where(SyncOrder.id == int(path.rsplit("/", 1)[1]))
            .values(state=OrderState.FAILED, error=EVIL)
        )
    page = desk.get(path)
    assert "It could not be done" in page
    assert EVIL not in page
    assert html.escape(EVIL) in page


def test_a_paused_or_ended_connection_is_said(desk: Desk) -> None:
    services = desk.world.services
    services.sites.pause(desk.site.id, reason="tests", actor="tests")
    page = desk.get()
    assert "does not call this Moodle at the moment" in page
    assert "Preview changes" not in page
    assert "not called at the moment" in desk.post("/orders", act="apply")


def test_nonsense_is_refused_in_words(desk: Desk) -> None:
    assert "This cannot be asked for." in desk.post("/orders", act="destroy")
    assert "This cannot be asked for." in desk.post("/orders", act="preview", scope="again")
    assert "Say which run." in desk.post("/orders", act="undo_preview")
    for path in ("/runs/9999", "/orders/9999"):
        answer = desk.client.get(f"/admin/sites/{desk.site.id}/sync{path}", base_url=desk.world.url)
        assert answer.status_code == 404


def test_the_pages_are_whole_and_speak_khmer(desk: Desk) -> None:
    desk.ask("preview", scope="everything")
    person, class_key = desk.enrolled()[0]
    paths = (
        "",
        "/refused",
        "/runs",
        f"/runs/{desk.run().id}",
        desk.address.split("/sync", 1)[1],
        f"/things?person={person}&class={class_key}",
        "/things?q=a&c=e",
    )
    for path in paths:
        text = desk.get(path)
        page = Page(text)
        assert page.headings.count("h1") == 1, path
        assert page.unlabelled == [], path
        assert page.styled == [], path
        assert len(page.ids) == len(set(page.ids)), path
        khmer = desk.get(path, language="km")
        assert 'lang="km"' in khmer
        words = re.sub(r"<[^>]*>", " ", khmer)
        for english in ("Synchronisation", "Refused", "Choose", "Run ", "State"):
            assert english not in words, (path, english)


def test_no_name_of_a_person_in_runs_and_addresses(desk: Desk, dropped: tuple[str, str]) -> None:
    desk.ask("apply", scope="changes")
    with desk.world.services.database.read() as session:
        family = session.scalar(
            sa.select(sis_models.Person.family_name).where(
                sis_models.Person.sourced_id == dropped[0]
            )
        )
    assert family
    assert family not in desk.get(f"/runs/{desk.run().id}")
