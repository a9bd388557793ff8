"""The embedded SIS behind its interface, on the smallest campus."""

from __future__ import annotations

from typing import Any

import pytest

from lti_tool.core.clock import FixedClock
from lti_tool.core.database import Database
from lti_tool.core.errors import NotFoundError
from lti_tool.sis.embedded import EmbeddedSis
from lti_tool.sis.enrolling import Enrolling
from lti_tool.sis.entities import ClassTotals, ClassView, EnrollmentStatus, GradeStatus, PersonView
from lti_tool.sis.interfaces import StudentInformationSystem


@pytest.fixture
def example(campus: EmbeddedSis) -> ClassView:
    found = campus.example_class()
    assert found is not None
    return found


def students(campus: EmbeddedSis, class_key: str) -> list[PersonView]:
    return [entry.person for part in campus.roster(class_key) for entry in part]


def test_it_is_a_student_information_system(campus: EmbeddedSis) -> None:
    behind: StudentInformationSystem = campus
    assert behind.person("nobody") is None


def test_unknown_keys_give_nothing(campus: EmbeddedSis) -> None:
    assert campus.people(["nobody"]) == {}
    assert campus.class_("nothing") is None
    assert campus.classes_taught_by("nobody") == []
    assert campus.enrollment("nobody", "nothing") is None
    assert list(campus.roster("nothing")) == []
    assert campus.part_grades("nothing", ["x"]) == []
    assert campus.student_grades("nobody", "nothing").final is None
    assert campus.find_people("  ") == []
    assert campus.find_classes("") == []


def test_example_class_shows_everything(campus: EmbeddedSis, example: ClassView) -> None:
    assert len(example.parts) >= 2
    assert any(part.teacher_key for part in example.parts)
    entries = [entry for part in campus.roster(example.class_key) for entry in part]
    assert sum(entry.status.attends for entry in entries) >= 10
    assert any(entry.status is EnrollmentStatus.DROPPED for entry in entries)
    grades = campus.part_grades(example.class_key, [part.part_key for part in example.parts])
    assert {GradeStatus.DRAFT, GradeStatus.SUBMITTED, GradeStatus.APPROVED} <= {
        grade.status for grade in grades
    }
    assert any(grade.score == 0 for grade in grades)
    assert any(grade.score is None for grade in grades)


def test_no_campus_has_no_example(sis: EmbeddedSis) -> None:
    assert sis.example_class() is None


def test_weights_sum_to_one(campus: EmbeddedSis, example: ClassView) -> None:
    for session in example.sessions:
        assert sum(part.weight for part in session.parts) == 1
    assert sum(session.weight for session in example.sessions) == 1


def test_empty_second_session_has_no_share(campus: EmbeddedSis) -> None:
    halves = [
        [(half.weight, len(half.parts)) for half in one.sessions]
        for one in campus.find_classes("ieap")
    ]
    assert any(parts == 0 and weight == 0 for half in halves for weight, parts in half)


def test_roster_comes_in_chunks_in_order(campus: EmbeddedSis, example: ClassView) -> None:
    whole = [person.person_key for person in students(campus, example.class_key)]
    parts = list(campus.roster(example.class_key, chunk=5))
    assert [entry.person.person_key for part in parts for entry in part] == whole
    assert max(len(part) for part in parts) == 5


@pytest.mark.parametrize("of", ["personal_name", "family_name", "khmer_name", "student_id"])
def test_people_are_found_by_any_name(campus: EmbeddedSis, example: ClassView, of: str) -> None:
    person = next(
        one
        for one in students(campus, example.class_key)
        if one.khmer_name and one.family_name and one.personal_name
    )
    text = str(getattr(person, of))
    for spelling in (
        text,
        text.lower(),
        text.swapcase(),
        f" {text} ",
        text.replace(" ", "\u200b "),
    ):
        assert person in campus.find_people(spelling, limit=100)


def test_words_are_found_in_any_order(campus: EmbeddedSis, example: ClassView) -> None:
    person = students(campus, example.class_key)[-1]
    text = f"{person.personal_name.split(' ')[0]} {person.person_key}"
    assert campus.find_people(text) == [person]


@pytest.mark.parametrize("text", ["%", "_", "\\", "' OR 1=1 --", "100%"])
def test_pattern_characters_are_only_characters(campus: EmbeddedSis, text: str) -> None:
    assert campus.find_people(text) == []
    assert campus.find_classes(text) == []


def test_classes_are_found_the_newest_first(campus: EmbeddedSis) -> None:
    found = campus.find_classes("ehss", limit=50)
    assert found
    assert [one.term_start for one in found] == sorted(
        (one.term_start for one in found), reverse=True
    )
    assert campus.find_classes(found[0].class_key.lower())[0] == found[0]
    both = campus.find_classes(f"{found[0].term_code} ehss-06")
    assert {one.course_code for one in both} == {"EHSS-06"}


def test_combined_classes_know_each_other(campus: EmbeddedSis) -> None:
    found = campus.find_classes("1e603", limit=3)
    keys = {one.class_key for one in found}
    assert len(keys) == 3
    for one in found:
        assert set(one.combined_with) == keys - {one.class_key}


def test_teacher_finds_own_classes(campus: EmbeddedSis, example: ClassView) -> None:
    teacher = next(part.teacher_key for part in example.parts if part.teacher_key)
    assert example in campus.classes_taught_by(teacher)


def test_student_sees_no_drafts(campus: EmbeddedSis, example: ClassView) -> None:
    for person in students(campus, example.class_key):
        own = campus.student_grades(person.person_key, example.class_key)
        assert all(grade.status is not GradeStatus.DRAFT for grade in own.parts)
        assert all(grade.person_key == person.person_key for grade in own.parts)


def test_statements_do_not_grow_with_rows(
    campus: EmbeddedSis, example: ClassView, statements: Any
) -> None:
    person = students(campus, example.class_key)[0].person_key
    teacher = next(part.teacher_key for part in example.parts if part.teacher_key) or ""
    parts = [part.part_key for part in example.parts]
    calls: list[tuple[int, Any]] = [
        (1, lambda: campus.person(person)),
        (1, lambda: campus.people([one.person_key for one in campus.find_people("s")][:0])),
        (1, lambda: campus.find_people("s", limit=50)),
        (4, lambda: campus.class_(example.class_key)),
        (4, lambda: campus.find_classes("e", limit=50)),
        (4, lambda: campus.classes_taught_by(teacher)),
        (1, lambda: campus.enrollment(person, example.class_key)),
        (1, lambda: list(campus.roster(example.class_key))),
        (1, lambda: campus.part_grades(example.class_key, parts)),
        (4, lambda: campus.student_grades(person, example.class_key)),
        (5, campus.example_class),
    ]
    for most, call in calls:
        with statements() as sent:
            call()
        assert len(sent) <= most


def test_who_drops_and_comes_back_keeps_the_row(
    campus: EmbeddedSis, example: ClassView, database: Database, clock: FixedClock
) -> None:
    enrolling = Enrolling(database, clock)
    person = next(
        entry.person.person_key
        for part in campus.roster(example.class_key)
        for entry in part
        if entry.status.attends and not entry.is_audit
    )
    grades = campus.student_grades(person, example.class_key)
    count = len(students(campus, example.class_key))
    clock.advance(days=1)
    enrolling.drop(person, example.class_key)
    entry = campus.enrollment(person, example.class_key)
    assert entry is not None
    assert (entry.status, entry.since) == (EnrollmentStatus.DROPPED, clock.now())
    clock.advance(days=1)
    enrolling.enroll(person, example.class_key)
    entry = campus.enrollment(person, example.class_key)
    assert entry is not None
    assert (entry.status, entry.since) == (EnrollmentStatus.ENROLLED, clock.now())
    assert len(students(campus, example.class_key)) == count
    assert campus.student_grades(person, example.class_key) == grades


def test_enrolling_the_unknown(database: Database, clock: FixedClock) -> None:
    with pytest.raises(NotFoundError):
        Enrolling(database, clock).enroll("nobody", "nothing")
    with pytest.raises(NotFoundError):
        Enrolling(database, clock).drop("nobody", "nothing")


def test_new_student_and_auditor(
    campus: EmbeddedSis, example: ClassView, database: Database, clock: FixedClock
) -> None:
    teacher = next(part.teacher_key for part in example.parts if part.teacher_key) or ""
    Enrolling(database, clock).enroll(teacher, example.class_key, audit=True)
    entry = campus.enrollment(teacher, example.class_key)
    assert entry is not None
    assert entry.is_audit
    Enrolling(database, clock).set_status(teacher, example.class_key, EnrollmentStatus.WITHDRAWN)
    entry = campus.enrollment(teacher, example.class_key)
    assert entry is not None
    assert entry.status is EnrollmentStatus.WITHDRAWN


def test_totals_of_a_class_are_those_of_each_student(
    campus: EmbeddedSis, example: ClassView, statements: Any
) -> None:
    people = [one.person_key for one in students(campus, example.class_key)]
    with statements() as sent:
        totals = campus.class_totals(example.class_key, people)
    assert len(sent) == 2
    with statements() as sent:
        of_many = campus.class_totals(example.class_key, [*people, *map(str, range(2000))])
    assert len(sent) == 2
    assert totals
    assert totals == of_many
    for person in people:
        own = campus.student_grades(person, example.class_key)
        found = totals.get(person, ClassTotals())
        assert (found.sessions, found.final) == (own.sessions, own.final)
    assert campus.class_totals("nothing", people) == {}
    assert campus.class_totals(example.class_key, []) == {}


def test_who_withdraws_gets_a_w_at_once(
    campus: EmbeddedSis, example: ClassView, database: Database, clock: FixedClock
) -> None:
    people = [one.person_key for one in students(campus, example.class_key)]
    graded = next(
        key
        for key, totals in campus.class_totals(example.class_key, people).items()
        if totals.final and totals.final.score
    )
    before = campus.student_grades(graded, example.class_key)
    Enrolling(database, clock).set_status(graded, example.class_key, EnrollmentStatus.WITHDRAWN)
    final = campus.student_grades(graded, example.class_key).final
    assert final is not None
    assert (final.letter, final.score) == ("W", None)
    Enrolling(database, clock).enroll(graded, example.class_key)
    assert campus.student_grades(graded, example.class_key) == before
