"""The administrator's pages of a realm. Its server is in memory; all that calls it is real."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

from lti_tool.identity.keycloak.models import Realm
from lti_tool.moodle.models import SiteStanding
from lti_tool.sis import models as sis_models
from lti_tool.sis.entities import PersonStatus
from lti_tool.sync.provisioning.models import RunState
from lti_tool.web.account_reasons import REFUSALS
from lti_tool.web.rights import NEEDED
from tests.identity.keycloak.realm_in_memory import RealmInMemory
from tests.web.office import Office
from tests.web.world import EVIL, Page, World, build_world

SERVER = "https://login.example.edu"


@dataclass
class RealmOffice(Office):
    """The same, with the realm."""

    realm: RealmInMemory


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with build_world(tmp_path_factory.mktemp("realm")) as world:
        yield world


@pytest.fixture
def office(built: World) -> Iterator[RealmOffice]:
    realm = RealmInMemory()
    directory = built.services.keycloak_directory
    directory._open = realm.open_
    with _as_it_was(built):
        yield RealmOffice(built, built.administrator(), SERVER, realm)
    directory._realms.clear()


@contextmanager
def _as_it_was(built: World) -> Iterator[None]:
    with built.services.database.read() as session:
        people = {
            each.sourced_id: (each.status, each.family_name, each.school_email)
            for each in session.scalars(sa.select(sis_models.Person))
        }
    yield
    with built.services.database.write() as session:
        session.execute(sa.delete(Realm))
        for each in session.scalars(sa.select(sis_models.Person)):
            each.status, each.family_name, each.school_email = people[each.sourced_id]


def test_a_realm_is_looked_at_before_it_is_connected(office: RealmOffice) -> None:
    assert "No realm is connected" in office.get("/admin/sites")
    office.realm.make("somebody")
    # As it is copied out of Keycloak: the issuer.
    page, _ = office.post("/admin/sites/realms/look", server=f"{SERVER}/realms/school", realm="")
    number = len(office.world.services.provisioning.rendering.all_keys("account"))
    assert "What connecting would mean" in page
    assert f"<dt>Have none: one would be made</dt><dd>{number}</dd>" in page
    assert "<dt>Nobody's of the SIS, left alone</dt><dd>1</dd>" in page
    assert office.realm.written == []
    assert "No realm is connected" in office.get("/admin/sites")
    page, path = office.post("/admin/sites/realms", server=SERVER, realm="school", hold="yes")
    assert "/orders/" in path
    assert office.realm.written == []
    office.world.services.orders.resume()
    found = office.get(path)
    assert "Nothing has been changed yet" in found
    assert "Accounts" in found
    assert "Moodle" not in found
    [site] = [each for each in office.world.services.sites.list() if isinstance(each, Realm)]
    assert office.world.services.provisioning.engine.run(site) is None
    assert office.realm.written == []
    office.post(f"/admin/sites/{site.id}/sync/go-on")
    office.world.services.provisioning.engine.run(site)
    assert len(office.realm.people()) == number
    assert f'href="/admin/sites/{site.id}">Keycloak: school</a>' in office.get("/admin/sites")
    assert {"realm.connected", "sync.held", "sync.resumed"} <= {*office.actions()}


@pytest.mark.parametrize(
    ("broken", "said"),
    [("away", "Keycloak did not answer"), ("closed", "at /lti/keys")],
)
def test_what_cannot_be_connected_is_told_and_not_stored(
    office: RealmOffice, broken: str, said: str
) -> None:
    setattr(office.realm, broken, True)
    for path in ("/admin/sites/realms/look", "/admin/sites/realms"):
        page, _ = office.post(path, 422, server=SERVER, realm="school")
        assert said in page
        assert 'value="https://login.example.edu"' in page
    page, _ = office.post("/admin/sites/realms", 422, server=SERVER, realm="master")
    assert "not “master”" in page
    assert "No realm is connected" in office.get("/admin/sites")


def test_the_page_says_right_by_right_what_the_tool_may_do_and_calls_nobody(
    office: RealmOffice,
) -> None:
    site = office.connect()
    office.realm.rights = ["manage-users", "view-users", "query-users", "manage-realm"]
    page, _ = office.post(f"/admin/sites/{site.id}/check")
    asked = office.realm.calls
    page = office.get(f"/admin/sites/{site.id}")
    assert office.realm.calls == asked
    for right, state in {
        "manage-users": "Given",
        "view-users": "Given",
        "query-users": "Given",
        "query-groups": "Lacking",
        "manage-realm": "More than needed",
    }.items():
        row = page.partition(f"<code>{right}</code>")[2].partition("</tr>")[0]
        assert state in row, right
    assert "To find the groups of students and teachers." in page
    assert "The service account lacks rights." in page
    assert "Choose a password of their own" in page
    for language in ("en", "km"):
        whole = Page(office.get(f"/admin/sites/{site.id}", language=language))
        assert whole.lang == language
        assert whole.headings[0] == "h1"
        assert whole.unlabelled == []
        assert len(whole.ids) == len({*whole.ids})


def test_it_is_paused_resumed_and_let_go_on_purpose_only(office: RealmOffice) -> None:
    site = office.settled()
    page, _ = office.post(f"/admin/sites/{site.id}/pause")
    assert "does not call this realm" in page
    page, _ = office.post(f"/admin/sites/{site.id}/resume")
    assert "Everything works." in page
    office.post(f"/admin/sites/{site.id}/disconnect", 400)
    assert office.world.services.sites.get(site.id).standing is SiteStanding.ACTIVE
    before = {key: dict(each) for key, each in office.realm.users.items()}
    page, _ = office.post(f"/admin/sites/{site.id}/disconnect", meant="yes")
    assert "its accounts stay as they are" in page
    assert office.realm.users == before
    assert "nothing is sent to it" in office.get(f"/admin/sites/{site.id}/sync")
    assert office.actions()[-1] == "site.disconnected"
    page, _ = office.post(f"/admin/sites/{site.id}/check")
    assert "It was not asked" in page
    # The same realm again is the same site, and what waits there waits for the yes.
    assert office.connect(hold="yes").id == site.id
    assert office.world.services.provisioning.runs.held(site.id)
    assert office.realm.users == before


def test_no_page_of_a_realm_speaks_of_moodle_or_courses(office: RealmOffice) -> None:
    site = office.settled()
    [key] = office.people(1)
    base = f"/admin/sites/{site.id}"
    run = office.world.services.provisioning.runs.recent(site.id, limit=1)[0]
    for path in (
        base,
        *(
            f"{base}/sync{each}"
            for each in ("", "/state", "/refused", "/runs", f"/runs/{run.id}", "/things")
        ),
        f"{base}/sync/things?person={key}",
    ):
        page = office.get(path)
        main = page.partition("<main")[2] or page
        assert "Moodle" not in main, path
        assert "course" not in main.lower(), path


def test_a_mass_disabling_is_approved_on_its_page(office: RealmOffice) -> None:
    site = office.settled()
    people = office.people(9)
    office.change(*people, status=PersonStatus.DROPPED)
    page = office.ask(site, "apply", scope="changes")
    assert "A mass change waits for a yes" in page
    run = office.world.services.provisioning.runs.waiting(site.id)
    assert run is not None
    page = office.get(f"/admin/sites/{site.id}/sync/runs/{run.id}")
    assert "9 (accounts)" in page
    assert all(office.realm.of(key)["enabled"] for key in people)
    office.post(f"/admin/sites/{site.id}/sync/runs/{run.id}/approve", meant="yes", suspended="9")
    office.world.services.provisioning.engine.run(site)
    assert not any(office.realm.of(key)["enabled"] for key in people)


def test_a_run_is_undone_and_drift_repaired_by_pages(office: RealmOffice) -> None:
    site = office.settled()
    [key] = office.people(1)
    before = office.realm.of(key)
    office.change(key, family_name="Married")
    office.ask(site, "apply", scope="changes")
    assert office.realm.of(key)["lastName"] == "Married"
    run = office.world.services.provisioning.runs.recent(site.id, limit=1)[0]
    page = office.ask(site, "undo_preview", run=str(run.id))
    assert "Married" in page
    assert "accounts that the run made are disabled" in page
    assert office.realm.of(key)["lastName"] == "Married"
    office.ask(site, "undo", run=str(run.id), meant="yes")
    assert office.realm.of(key) == before
    office.change(key, family_name=before["lastName"])
    office.post(f"/admin/sites/{site.id}/sync/go-on")
    office.world.services.provisioning.engine.run(site)

    office.realm.users[before["id"]]["lastName"] = EVIL
    office.realm.make("former", person="NOT-IN-THE-SIS")
    page = office.ask(site, "compare")
    assert "Different in Keycloak" in page
    assert "NOT-IN-THE-SIS" in page
    office.ask(site, "repair")
    assert office.realm.of(key)["lastName"] == before["lastName"]
    assert "Keycloak is equal to the SIS" in office.ask(site, "compare")
    raw = office.client.get(
        f"/admin/sites/{site.id}/sync/things?person={key}", base_url=office.world.url
    )
    assert EVIL not in raw.get_data(as_text=True)


def test_what_is_refused_has_words_of_accounts_and_is_tried_again(office: RealmOffice) -> None:
    site = office.connect()
    [key] = office.people(1)
    parts = office.world.services.provisioning
    document: Any = parts.rendering.render(
        "account", [key], now=office.world.services.clock.now(), site_id=0
    )[key]
    held = office.realm.make(document.username)
    parts.engine.run(site)
    page = office.get(f"/admin/sites/{site.id}/sync/refused?code=username_taken")
    assert "Another account of the realm has this user name." in page
    assert f"put the key {key}" in page
    steps = office.get(f"/admin/sites/{site.id}/sync/things?person={key}")
    assert "Keycloak refused the account" in steps
    assert "Here it ends" in steps
    office.realm.users.pop(held)
    office.post(f"/admin/sites/{site.id}/sync/retry", kind="account", key=key)
    parts.engine.run(site)
    page = office.get(f"/admin/sites/{site.id}/sync/refused")
    assert "Another account of the realm" not in page
    assert "Several people of the SIS have this e-mail address" in page


def test_a_shared_address_is_in_the_journal_beside_the_account(office: RealmOffice) -> None:
    site = office.settled()
    one, other = office.people(2)
    office.change(one, other, school_email="both@school.example")
    office.world.services.provisioning.engine.run(site)
    run = office.world.services.provisioning.runs.recent(site.id, limit=1)[0]
    page = office.get(f"/admin/sites/{site.id}/sync/runs/{run.id}")
    assert "E-mail addresses of accounts" in page
    assert "give each their own in the SIS" in page
    assert "email: " in page
    assert run.state is RunState.DONE


def test_why_somebody_cannot_sign_in_and_resync(office: RealmOffice) -> None:
    site = office.settled()
    [key] = office.people(1)
    base = f"/admin/sites/{site.id}/sync"
    asked = office.realm.calls
    page = office.get(f"{base}/things?person={key}")
    assert "Keycloak was made equal to this." in page
    assert "Here it ends" not in page
    office.change(key, status=PersonStatus.FROZEN)
    page = office.get(f"{base}/things?person={key}")
    assert "closes the account" in page
    assert "Here it ends" in page
    assert office.realm.calls == asked
    office.realm.written.clear()
    office.change(key, status=PersonStatus.ACTIVE)
    office.post(f"{base}/resync", what="person", person=key)
    assert office.world.services.provisioning.marks.waiting(site.id, "account", [key]) == {key}
    class_key = office.world.class_.class_key
    office.post(f"{base}/resync", 400, what="course", **{"class": class_key})
    office.post(f"{base}/orders", 400, act="compare", course=class_key)
    assert set(office.world.services.provisioning.marks.counts(site.id)) == {"account"}


def test_each_act_of_a_realm_needs_the_right_to_connect() -> None:
    for name in ("new_realm", "look_at_realm", "connect_realm", "pause_site", "disconnect_site"):
        assert NEEDED[name].value == "connect"


def test_strangers_and_forged_forms_get_nothing(office: RealmOffice) -> None:
    site = office.connect()
    paths = ("/realms/look", "/realms", f"/{site.id}/pause", f"/{site.id}/disconnect")
    stranger = office.world.app.test_client()
    assert stranger.get("/admin/sites/realms/new", base_url=office.world.url).status_code == 401
    for path in paths:
        answer = office.client.post(f"/admin/sites{path}", base_url=office.world.url)
        assert answer.status_code == 400, path
    assert office.world.services.sites.get(site.id).standing is SiteStanding.ACTIVE


def test_every_refusal_of_an_account_says_what_to_do() -> None:
    assert {"username_taken", "email_taken", "email_shared", "account_twice"} <= {*REFUSALS}
    assert all(str(why) and str(remedy) for why, remedy in REFUSALS.values())
