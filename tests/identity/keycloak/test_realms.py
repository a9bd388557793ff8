"""Connecting a realm, and what a check of it finds; its server is in memory."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from lti_tool.core.audit import AuditEvent, AuditLog
from lti_tool.core.clock import FixedClock
from lti_tool.core.database import Database
from lti_tool.core.errors import InvalidInputError
from lti_tool.identity.keycloak.models import Realm
from lti_tool.identity.keycloak.realm import SERVICE_RIGHTS
from lti_tool.identity.keycloak.realm_checks import NEEDED_FOR, Rights, RightsFound
from lti_tool.identity.keycloak.realms import Realms
from lti_tool.moodle.models import Site, SiteStanding
from lti_tool.moodle.plugin_errors import AuthenticationError, TransientError
from tests.identity.keycloak.realm_in_memory import RealmInMemory

SERVER, TOOL = "https://login.example.edu/auth", "https://sis.example.edu"


@pytest.fixture
def realm() -> RealmInMemory:
    return RealmInMemory()


@pytest.fixture
def realms(database: Database, clock: FixedClock, realm: RealmInMemory) -> Realms:
    return Realms(database, clock, AuditLog(clock), realm.directory(clock))


def connect(realms: Realms, actor: str = "admin:a") -> Realm:
    return realms.connect(f"{SERVER}/", "school", public_url=TOOL, actor=actor)


def count(database: Database) -> int:
    with database.read() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(Site)) or 0


def test_a_realm_is_stored_once_and_active_again(database: Database, realms: Realms) -> None:
    assert realms.known(SERVER, "school") is None
    first = connect(realms)
    assert (first.url, first.server, first.realm) == (f"{SERVER}/realms/school", SERVER, "school")
    assert first.takes("account")
    assert not first.takes("user")
    assert first.product == "Keycloak"
    with database.write() as session:
        session.execute(sa.update(Site).values(standing=SiteStanding.DISCONNECTED))
    again = connect(realms, "cli:b")
    assert (again.id, again.standing, again.paired_by) == (first.id, SiteStanding.ACTIVE, "cli:b")
    known = realms.known(f"{SERVER}/", "school")
    assert known is not None
    assert known.id == first.id
    assert count(database) == 1
    with database.read() as session:
        noted = session.execute(
            sa.select(AuditEvent.actor, AuditEvent.action).order_by(AuditEvent.id)
        ).all()
    assert [tuple(each) for each in noted] == [
        ("admin:a", "realm.connected"),
        ("cli:b", "realm.connected"),
    ]


def test_to_look_at_one_stores_nothing(database: Database, realms: Realms) -> None:
    found = realms.unconnected(SERVER, "school", public_url=TOOL)
    assert found.url == f"{SERVER}/realms/school"
    assert sa.inspect(found).transient
    assert count(database) == 0


@pytest.mark.parametrize("name", ["", "master", "a/b", "a b", "école"])
def test_names_that_are_no_realm(database: Database, realms: Realms, name: str) -> None:
    for act in (realms.unconnected, realms.connect):
        more = {"actor": "admin:a"} if act == realms.connect else {}
        with pytest.raises(InvalidInputError) as raised:
            act(SERVER, name, public_url=TOOL, **more)
        assert raised.value.field == "realm"
    assert count(database) == 0


def test_what_does_not_answer_or_let_in_is_not_stored(
    database: Database, realms: Realms, realm: RealmInMemory
) -> None:
    realm.away = True
    with pytest.raises(TransientError):
        connect(realms)
    realm.away, realm.closed = False, True
    with pytest.raises(AuthenticationError):
        connect(realms)
    assert count(database) == 0


def test_a_check_keeps_all_rights_that_the_token_says(
    realms: Realms, realm: RealmInMemory, clock: FixedClock
) -> None:
    site, directory = connect(realms), realm.directory(clock)
    realm.rights = ["manage-realm", "view-users"]
    [line] = [each for each in directory.check(site) if isinstance(each, RightsFound)]
    assert line.status == "error"
    # What is stored holds them too.
    rights = Rights(tuple(line.model_dump()["has"]))
    assert rights == directory.rights(site)
    assert rights.beyond == ("manage-realm",)
    assert rights.lacking == ("manage-users", "query-groups", "query-users")


def test_each_right_says_what_it_is_needed_for() -> None:
    assert {*NEEDED_FOR} == {*SERVICE_RIGHTS}
