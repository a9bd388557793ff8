from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa

from lti_tool.core.audit import AuditEvent
from lti_tool.core.database import Database
from lti_tool.core.errors import InvalidInputError, NotFoundError
from lti_tool.identity.models import PersonLink
from lti_tool.identity.people import LinkConflict, People, PersonLinkConflictError
from lti_tool.identity.suggestions import SuggestionReason, canonical_student_id
from lti_tool.lti.models import Registration
from lti_tool.lti.names_roles import Member
from tests.sync.school import School


def _actions(database: Database) -> list[str]:
    with database.read() as session:
        return list(
            session.scalars(
                sa.select(AuditEvent.action)
                .where(AuditEvent.action.startswith("person."))
                .order_by(AuditEvent.id)
            )
        )


@pytest.mark.parametrize(
    ("registration_trusts", "launch_trusts", "linked"),
    [(True, True, True), (True, False, False), (False, True, False), (False, False, False)],
)
def test_an_identifier_links_only_where_both_say_it_is_locked(
    people: People,
    school: School,
    registration: Registration,
    registration_trusts: bool,
    launch_trusts: bool,
    linked: bool,
) -> None:
    school.person("p1")
    registration.sourcedid_trusted = registration_trusts
    found = people.recognise(
        registration, subject="7", sourced_id="p1", sourcedid_trusted=launch_trusts
    )
    assert (found is not None) is linked
    again = people.recognise(registration, subject="7", sourced_id=None, sourcedid_trusted=False)
    assert (again is not None) is linked


def test_an_unknown_or_empty_identifier_links_nobody(
    people: People, registration: Registration
) -> None:
    registration.sourcedid_trusted = True
    for sourced_id in ("nobody", "", None):
        assert (
            people.recognise(
                registration, subject="7", sourced_id=sourced_id, sourcedid_trusted=True
            )
            is None
        )


def test_the_link_wins_over_what_the_platform_says_later(
    people: People, school: School, registration: Registration
) -> None:
    registration.sourcedid_trusted = True
    for key in ("p1", "p2"):
        school.person(key)
    people.link(registration.id, "7", "p1", method="administrator", actor="admin")
    found = people.recognise(registration, subject="7", sourced_id="p2", sourcedid_trusted=True)
    assert found is not None
    assert found.person_key == "p1"


def test_links_are_unique_both_ways_and_a_conflict_names_both(
    people: People, school: School, registration: Registration, database: Database
) -> None:
    for key in ("p1", "p2"):
        school.person(key)
    people.link(registration.id, "7", "p1", method="administrator", actor="admin")
    people.link(registration.id, "7", "p1", method="administrator", actor="admin")
    assert _actions(database) == ["person.linked"]
    for subject, person_key in (("7", "p2"), ("8", "p1")):
        with pytest.raises(PersonLinkConflictError) as caught:
            people.link(registration.id, subject, person_key, method="administrator", actor="a")
        assert caught.value.status == 409
        assert caught.value.context == {
            "subject": subject,
            "person_key": person_key,
            "linked_subject": "7",
            "linked_person_key": "p1",
        }
    registration.sourcedid_trusted = True
    with pytest.raises(PersonLinkConflictError):
        people.recognise(registration, subject="9", sourced_id="p1", sourcedid_trusted=True)


def test_of_two_first_launches_at_once_both_find_the_person(
    people: People, school: School, registration: Registration
) -> None:
    school.person("p1")
    registration.sourcedid_trusted = True
    start, found = threading.Barrier(2), []

    def launch() -> None:
        start.wait()
        found.append(
            people.recognise(registration, subject="7", sourced_id="p1", sourcedid_trusted=True)
        )

    threads = [threading.Thread(target=launch) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [person.person_key for person in found if person] == ["p1", "p1"]


def test_bad_links_are_refused(people: People, school: School, registration: Registration) -> None:
    school.person("p1")
    with pytest.raises(NotFoundError):
        people.link(registration.id, "7", "nobody", method="administrator", actor="admin")
    for subject, method in (("", "administrator"), ("7", "guess"), ("x" * 256, "administrator")):
        with pytest.raises(InvalidInputError):
            people.link(registration.id, subject, "p1", method=method, actor="admin")
    with pytest.raises(InvalidInputError):
        people.confirm(registration.id, [("7", "p1")], actor="admin", method="guess")


def test_unlinking_is_audited_and_frees_both(
    people: People, school: School, registration: Registration, database: Database
) -> None:
    school.person("p1")
    people.link(registration.id, "7", "p1", method="sign_in", actor="p1")
    assert [
        (row.subject, view and view.person_key) for row, view in people.linked(registration.id)
    ] == [("7", "p1")]
    people.unlink(registration.id, "7", actor="admin")
    assert _actions(database) == ["person.linked", "person.unlinked"]
    with pytest.raises(NotFoundError):
        people.unlink(registration.id, "7", actor="admin")
    people.link(registration.id, "8", "p1", method="administrator", actor="admin")


def test_bulk_look_ups_are_one_statement(
    people: People, school: School, registration: Registration, database: Database
) -> None:
    for number in range(5):
        school.person(f"p{number}")
        people.link(registration.id, f"{number}", f"p{number}", method="sign_in", actor="test")
    with database.read() as session:
        assert people.links(session, registration.id, ["1", "3", "x"]) == {"1": "p1", "3": "p3"}
        assert people.by_person(session, registration.id, ["p0", "x"]) == {"p0": "0"}
        assert people.links(session, registration.id, []) == {}
        assert people.by_person(session, registration.id, []) == {}
        assert people.links(session, registration.id + 1, ["1"]) == {}


def test_confirming_in_bulk_reports_what_could_not_be(
    people: People, school: School, registration: Registration, database: Database
) -> None:
    for number in range(4):
        school.person(f"p{number}")
    people.link(registration.id, "0", "p0", method="administrator", actor="admin")
    done = people.confirm(
        registration.id,
        [("0", "p0"), ("1", "p1"), ("0", "p2"), ("9", "p0"), ("3", "p3"), ("5", "nobody")],
        actor="admin",
    )
    assert done.linked == 2
    assert done.unchanged == 1
    assert set(done.conflicts) == {
        LinkConflict("0", "p2", "0", "p0"),
        LinkConflict("9", "p0", "0", "p0"),
    }
    assert done.unknown == ("nobody",)
    assert _actions(database) == ["person.linked", "person.links_confirmed"]


def test_confirming_many_takes_a_statement_for_five_hundred(
    people: People, school: School, registration: Registration, database: Database
) -> None:
    for number in range(20):
        school.person(f"p{number}")
    inserts: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("INSERT INTO person_link"):
            inserts.append(statement)

    sa.event.listen(database.engine, "before_cursor_execute", note)
    pairs = [(f"{number}", f"p{number}") for number in range(20)]
    assert people.confirm(registration.id, pairs, actor="admin").linked == 20
    assert len(inserts) == 1
    with database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(PersonLink)) == 20


def test_suggestions_come_with_their_reason_and_link_nobody(
    people: People, school: School, registration: Registration, database: Database
) -> None:
    school.person("teacher", teacher=True, school_email="kim@school.test")
    school.class_("C", teacher="teacher")
    school.person("p1", student_id="00017", school_email="one@school.test")
    school.person("p2", student_id="00018", school_email="Two@School.test")
    school.person("p3", student_id="00019", school_email="three@school.test")
    school.person("shared1", school_email="family@school.test")
    school.person("shared2", school_email="family@school.test")
    school.person("linked", school_email="linked@school.test")
    for key in ("p1", "p2", "p3", "shared1", "shared2", "linked"):
        school.enrol(key, "C")
    people.link(registration.id, "100", "linked", method="administrator", actor="admin")
    pages = [
        [
            Member("1", sourced_id="p1", email="two@school.test"),
            Member("2", sourced_id="18"),
            Member("3", email="THREE@school.test"),
            Member("100", sourced_id="p1"),
        ],
        [
            Member("4", email="kim@school.test "),
            Member("5", email="family@school.test"),
            Member("6", email="linked@school.test"),
            Member("7", sourced_id="", email=None),
            Member("8", sourced_id="unknown", email="unknown@school.test"),
        ],
    ]
    found = people.suggestions(registration.id, pages, class_keys=["C"])
    assert {item.subject: (item.person.person_key, item.reason) for item in found} == {
        "1": ("p1", SuggestionReason.SOURCED_ID),
        "2": ("p2", SuggestionReason.STUDENT_ID),
        "3": ("p3", SuggestionReason.SCHOOL_EMAIL),
        "4": ("teacher", SuggestionReason.SCHOOL_EMAIL),
    }
    assert all(item.reason.text for item in found)
    with database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(PersonLink)) == 1

    confirmed = people.confirm(
        registration.id, [(item.subject, item.person.person_key) for item in found], actor="admin"
    )
    assert confirmed.linked == 4
    assert people.suggestions(registration.id, pages, class_keys=["C"]) == ()


def test_two_accounts_of_one_person_are_both_left_out(
    people: People, school: School, registration: Registration
) -> None:
    school.person("p1")
    pages = [[Member("1", sourced_id="p1")], [Member("2", sourced_id="p1")]]
    assert people.suggestions(registration.id, pages) == ()
    twice = [[Member("1", sourced_id="p1")], [Member("1", sourced_id="p1")]]
    assert [item.subject for item in people.suggestions(registration.id, twice)] == ["1"]


@pytest.mark.parametrize(
    ("value", "canonical"),
    [("00005", "5"), ("5", "5"), ("000", "0"), ("MS2010001", "ms2010001"), (" 7 ", "7")],
)
def test_student_ids_compare_without_their_padding(value: str, canonical: str) -> None:
    assert canonical_student_id(value) == canonical
