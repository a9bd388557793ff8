from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from demo.faults import Fault
from demo.quirks import Quirks
from lti_tool.core.clock import FixedClock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Database
from lti_tool.core.errors import InvalidInputError, NotFoundError
from lti_tool.lti.names_roles import Member, NrpsError
from lti_tool.sis.entities import EnrollmentStatus, PersonStatus
from lti_tool.sis.models import Enrollment, Person
from lti_tool.sync import roster_staging
from lti_tool.sync.models import RosterComparison, RosterRow, RosterState
from tests.sync.world import World, open_world


@pytest.fixture
def world(world: World) -> World:
    world.school.class_("C")
    return world


def _compare(world: World, *class_keys: str) -> RosterComparison:
    return world.rosters.compare(
        world.registration,
        context_id=world.context_id,
        nrps=world.nrps,
        class_keys=class_keys or ["C"],
    )


def _codes(world: World, comparison: RosterComparison) -> dict[str, tuple[str, str]]:
    return {
        line.row.person_key or line.name: (line.row.state.value, line.code)
        for line in world.rosters.rows(comparison.id, limit=500)
    }


def test_everybody_has_a_state_a_reason_and_where_it_helps_a_remedy(world: World) -> None:
    school = world.school
    world.students("both", "audits", "completed", "dropped", "withdrawn", "noshow", "frozen")
    school.enrol("audits", "C", audit=True)
    school.enrol("completed", "C", EnrollmentStatus.COMPLETED)
    school.enrol("dropped", "C", EnrollmentStatus.DROPPED)
    school.enrol("withdrawn", "C", EnrollmentStatus.WITHDRAWN)
    school.enrol("noshow", "C", EnrollmentStatus.NO_SHOW_LANGUAGE)
    school.person("suspended", status=PersonStatus.SUSPENDED)
    school.enrol("suspended", "C")
    world.account("suspended")
    school.student("elsewhere", "C")
    world.account("elsewhere", enrolled=False)
    school.student("stranger", "C")
    school.student("left", "C")
    school.enrol("left", "C", EnrollmentStatus.DROPPED)
    school.person("guest")
    world.account("guest")
    school.person("teaches", teacher=True)
    world.account("teaches", role="editingteacher")
    school.student("both-roles", "C")
    world.account("both-roles", role="editingteacher")
    world.account("nobody", linked=False)
    world.account("newteacher", linked=False, role="editingteacher")

    comparison = _compare(world)

    assert _codes(world, comparison) == {
        "both": ("present", "present"),
        "frozen": ("present", "present"),
        "audits": ("present", "audit"),
        "completed": ("present", "ended"),
        "dropped": ("left", "left"),
        "withdrawn": ("left", "left"),
        "noshow": ("left", "left"),
        "suspended": ("suspended", "person_inactive"),
        "elsewhere": ("missing", "not_in_course"),
        "stranger": ("missing_account", "no_account"),
        "guest": ("not_in_sis", "not_enrolled"),
        "teaches": ("teacher", "teacher"),
        "both-roles": ("teacher", "teacher_and_student"),
        "Nobody Account": ("unlinked", "unlinked"),
        "Newteacher Account": ("teacher", "teacher_unlinked"),
    }
    assert comparison.members == 13
    counts = world.rosters.counts(comparison.id)
    assert sum(counts.values()) == 15
    assert counts[RosterState.LEFT] == 3
    for line in world.rosters.rows(comparison.id, limit=500):
        assert line.reason
        assert line.remedy or line.row.state in (RosterState.PRESENT, RosterState.TEACHER)
    dropped = next(
        line
        for line in world.rosters.rows(comparison.id, state=RosterState.LEFT)
        if line.row.person_key == "dropped"
    )
    assert "dropped the class (since 2026-03-02)" in dropped.reason


def test_an_inactive_member_is_shown_as_such(
    database: Database, clock: FixedClock, keyring: Keyring
) -> None:
    with open_world(database, clock, keyring, Quirks.spec()) as world:
        world.school.class_("C")
        world.school.student("a", "C")
        world.account("a", status="suspended")
        comparison = _compare(world)
        assert _codes(world, comparison) == {"a": ("suspended", "account_inactive")}


def test_of_combined_classes_the_one_that_is_attended_counts(world: World) -> None:
    world.school.class_("D")
    world.students("a", "b")
    for key, first, second in (
        ("a", EnrollmentStatus.DROPPED, EnrollmentStatus.ENROLLED),
        ("b", EnrollmentStatus.ENROLLED, EnrollmentStatus.DROPPED),
    ):
        world.school.enrol(key, "C", first)
        world.school.enrol(key, "D", second)
    rows = {
        line.row.person_key: line.row for line in world.rosters.rows(_compare(world, "C", "D").id)
    }
    assert {key: (row.state, row.class_key) for key, row in rows.items()} == {
        "a": (RosterState.PRESENT, "D"),
        "b": (RosterState.PRESENT, "C"),
    }


def test_a_trusted_identifier_matches_and_a_shared_one_matches_nobody(world: World) -> None:
    for key in ("a", "shared", "taken"):
        world.school.student(key, "C")
    world.account("a", linked=False, idnumber="a")
    world.account("one", linked=False, idnumber="shared")
    world.account("two", linked=False, idnumber="shared")
    world.account("taken")
    world.account("thief", linked=False, idnumber="taken")
    assert _codes(world, _compare(world))["a"] == ("missing_account", "no_account")

    world.registration.sourcedid_trusted = True
    codes = _codes(world, _compare(world))

    assert codes["a"] == ("present", "present")
    assert codes["taken"] == ("present", "present")
    assert codes["shared"] == ("missing_account", "no_account")
    assert codes["One Account"] == codes["Two Account"] == ("unlinked", "unlinked")
    assert codes["Thief Account"] == ("unlinked", "unlinked")


def test_a_second_account_of_a_person_in_a_later_chunk_is_not_believed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roster_staging, "CHUNK", 1)
    world.school.student("shared", "C")
    world.account("one", linked=False, idnumber="shared")
    world.account("two", linked=False, idnumber="shared")
    world.registration.sourcedid_trusted = True
    states = sorted(state for state, _ in _codes(world, _compare(world)).values())
    assert states == ["present", "unlinked"]


def test_only_names_that_the_sis_does_not_know_are_kept_and_sealed(world: World) -> None:
    world.students("a")
    world.account("nobody", linked=False)
    comparison = _compare(world)
    with world.database.read() as session:
        rows = session.scalars(sa.select(RosterRow)).all()
    sealed = {row.person_key: row.name_sealed for row in rows}
    assert sealed["a"] is None
    assert sealed[None] is not None
    assert b"Nobody" not in (sealed[None] or b"")
    assert [line.name for line in world.rosters.rows(comparison.id)] == [
        "A Dara",
        "Nobody Account",
    ]


def test_rows_are_found_by_names_ids_and_pages(world: World) -> None:
    world.school.person("p1", family_name="SOK", khmer_name="សុខ ដារា", student_id="00017")
    world.school.person("p2", family_name="100%_SURE")
    for key in ("p1", "p2"):
        world.school.enrol(key, "C")
    user_id = world.account("nobody", linked=False, idnumber="X-9")
    comparison = _compare(world)

    def found(text: str) -> list[str | None]:
        return [line.row.person_key for line in world.rosters.rows(comparison.id, text=text)]

    assert found("sok") == found("ដារា") == found("00017") == ["p1"]
    assert found("100%_") == ["p2"]
    assert found("%") == ["p2"]
    assert found("nobody") == found("x-9") == found(f" {user_id} ") == [None]
    assert found("nothing") == []
    assert len(found("  ")) == 3
    pages = [world.rosters.rows(comparison.id, offset=i, limit=1)[0].name for i in range(3)]
    assert pages == ["100%_SURE Dara", "SOK Dara", "Nobody Account"]


def test_a_person_who_left_the_sis_is_said_so(world: World) -> None:
    world.students("a")
    with world.database.write() as session:
        session.execute(sa.delete(Enrollment))
        session.execute(sa.delete(Person))
    assert _codes(world, _compare(world)) == {"a": ("not_in_sis", "person_gone")}


def test_a_failure_on_any_page_leaves_the_former_comparison(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roster_staging, "CHUNK", 2)
    monkeypatch.setattr("lti_tool.lti.platforms.moodle.Moodle.members_page_size", 2)
    world.students("a", "b", "c", "d", "e")
    former = _compare(world)
    world.students("f")
    world.platform.faults.add(Fault("memberships", short=True))
    with pytest.raises(NrpsError):
        _compare(world)

    real = world.names_roles.members

    def breaks(*_args: object) -> Iterator[list[Member]]:
        for number, page in enumerate(real(world.registration, world.nrps)):
            if number == 2:
                raise NrpsError("broken off")
            yield page

    monkeypatch.setattr(world.names_roles, "members", breaks)
    with pytest.raises(NrpsError):
        _compare(world)

    latest = world.rosters.latest(world.registration.id, world.context_id)
    assert latest is not None
    assert latest.id == former.id
    assert sum(world.rosters.counts(former.id).values()) == 5
    with world.database.read() as session:
        assert session.scalar(sa.select(sa.func.count(RosterComparison.id))) == 1


def test_old_comparisons_go_and_the_one_before_stays(world: World) -> None:
    world.students("a")
    first, second, third = _compare(world), _compare(world), _compare(world)
    with pytest.raises(NotFoundError):
        world.rosters.rows(first.id)
    assert world.rosters.rows(second.id)
    assert world.rosters.rows(third.id)
    with world.database.write() as session:
        session.add(
            RosterComparison(
                registration_id=world.registration.id,
                context_id="dead",
                started_at=world.clock.now(),
            )
        )
    assert world.rosters.purge(older_than_days=30) == 0
    world.clock.advance(hours=2)
    assert world.rosters.purge(older_than_days=30) == 1
    world.clock.advance(days=31)
    assert world.rosters.purge(older_than_days=30) == 2
    assert world.rosters.latest(world.registration.id, world.context_id) is None


def test_without_a_class_there_is_nothing_to_compare(world: World) -> None:
    with pytest.raises(InvalidInputError):
        world.rosters.compare(world.registration, context_id="x", nrps=world.nrps, class_keys=[])


def test_without_names_and_roles_there_is_an_error_and_no_comparison(world: World) -> None:
    with pytest.raises(NrpsError):
        world.rosters.compare(
            world.registration, context_id=world.context_id, nrps={}, class_keys=["C"]
        )
    assert world.rosters.latest(world.registration.id, world.context_id) is None


def test_statements_grow_with_chunks_not_with_members(
    world: World, statements: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four chunks, as 10,000 members make, in at most 40 statements."""
    monkeypatch.setattr(roster_staging, "CHUNK", 25)
    monkeypatch.setattr("lti_tool.sync.rosters.CHUNK", 25)
    keys = [f"s{number:03}" for number in range(99)]
    world.students(*keys)
    world.school.person("t", teacher=True)
    world.account("t", role="editingteacher")
    statements.clear()
    comparison = _compare(world)
    # The token for the service is read and kept once; it is not the comparison's.
    own = [statement for statement in statements if "lti_" not in statement]
    assert len(own) <= 40
    assert world.rosters.counts(comparison.id)[RosterState.PRESENT] == 99
    world.registration.sourcedid_trusted = True
    statements.clear()
    _compare(world)
    assert len([statement for statement in statements if "lti_" not in statement]) <= 40


def test_a_member_that_is_deleted_is_no_member() -> None:
    page = [Member("1"), Member("2", status="Deleted")]
    assert list(roster_staging.chunks([page, [], [Member("3")]])) == [[*page, Member("3")]]


def test_a_comparison_takes_its_time_from_the_clock(world: World) -> None:
    comparison = _compare(world)
    assert comparison.completed_at == dt.datetime(2026, 3, 2, 3, 0, tzinfo=dt.UTC)
