"""Reading the SIS in bulk: few statements, and the same as one at a time."""

from __future__ import annotations

import sqlalchemy as sa

from lti_tool.core.database import Database
from lti_tool.sis.embedded import EmbeddedSis
from lti_tool.sis.entities import ClassStatus, PersonStatus
from lti_tool.sis.extracts import Extracts
from lti_tool.sis.models import ClassHeader, Person
from tests.sis.conftest import Counting


def test_people_and_classes_are_those_that_one_sees_alone(
    campus: EmbeddedSis, database: Database
) -> None:
    extracts = Extracts(database)
    people = extracts.people(extracts.person_keys())
    assert len(people) > 50
    for key in list(people)[:5]:
        assert people[key] == campus.person(key)
    classes = extracts.classes(extracts.class_keys())
    for key in classes:
        assert classes[key] == campus.class_(key)
    terms = extracts.terms(extracts.term_keys())
    assert {view.term_key for view in classes.values()} <= set(terms)


def test_memberships_are_the_rosters(campus: EmbeddedSis, database: Database) -> None:
    extracts = Extracts(database)
    memberships = extracts.memberships(extracts.class_keys())
    assert memberships
    for class_key, found in memberships.items():
        roster = [entry for some in campus.roster(class_key) for entry in some]
        assert [(each.person_key, each.status) for each in found] == sorted(
            (entry.person.person_key, entry.status) for entry in roster
        )


def test_unknown_keys_are_absent(campus: EmbeddedSis, database: Database) -> None:
    extracts = Extracts(database)
    assert extracts.people(["nobody"]) == {}
    assert extracts.terms(["no term"]) == {}
    assert extracts.classes(["no class"]) == {}
    assert extracts.memberships(["no class"]) == {}
    assert extracts.named_teachers(["no class"]) == {}
    assert extracts.classes_of_people(["nobody"]) == set()
    assert extracts.classes_of_terms(["no term"]) == set()
    assert extracts.shared_emails([]) == set()


def test_what_the_source_took_back_is_inactive(campus: EmbeddedSis, database: Database) -> None:
    extracts = Extracts(database)
    class_key = next(iter(extracts.memberships(extracts.class_keys())))
    person_key = extracts.memberships([class_key])[class_key][0].person_key
    with database.write() as session:
        session.execute(
            sa.update(Person).where(Person.sourced_id == person_key).values(active=False)
        )
        session.execute(
            sa.update(ClassHeader).where(ClassHeader.sourced_id == class_key).values(active=False)
        )
    assert extracts.people([person_key])[person_key].status is PersonStatus.INACTIVE
    assert extracts.classes([class_key])[class_key].status is ClassStatus.CANCELLED
    [member] = [
        each
        for each in extracts.memberships([class_key])[class_key]
        if each.person_key == person_key
    ]
    assert member.person_status is PersonStatus.INACTIVE


def test_an_address_of_two_is_shared_whatever_its_case(
    campus: EmbeddedSis, database: Database
) -> None:
    extracts = Extracts(database)
    first, second, third = extracts.person_keys()[:3]
    with database.write() as session:
        for key, email in ((first, "a@x.edu"), (second, "A@X.edu"), (third, "b@x.edu")):
            session.execute(
                sa.update(Person).where(Person.sourced_id == key).values(school_email=email)
            )
    assert extracts.shared_emails(["a@x.edu", "b@x.edu", "c@x.edu"]) == {"a@x.edu"}


def test_statements_do_not_grow_with_what_is_read(
    campus: EmbeddedSis, database: Database, statements: Counting
) -> None:
    extracts = Extracts(database)
    people, classes = extracts.person_keys(), extracts.class_keys()
    with statements() as one:
        extracts.people(people[:1])
        extracts.classes(classes[:1])
        extracts.memberships(classes[:1])
        extracts.named_teachers(classes[:1])
        extracts.classes_of_people(people[:1])
    with statements() as all_:
        extracts.people(people)
        extracts.classes(classes)
        extracts.memberships(classes)
        extracts.named_teachers(classes)
        extracts.classes_of_people(people)
    assert len(all_) <= len(one) + 1, "what is combined is looked up once more"


def test_grades_are_those_that_one_sees_class_by_class(
    campus: EmbeddedSis, database: Database
) -> None:
    extracts = Extracts(database)
    found = extracts.grades(extracts.class_keys())
    assert set(found) == set(extracts.class_keys())
    assert sum(len(each.parts) for each in found.values()) > 50
    for class_key, grades in found.items():
        view = campus.class_(class_key)
        assert view is not None
        assert list(grades.parts) == campus.part_grades(
            class_key, [part.part_key for part in view.parts]
        )
        people = [member.person_key for member in extracts.memberships([class_key])[class_key]]
        assert grades.totals == campus.class_totals(class_key, people)


def test_letters_are_those_of_the_class_s_scale(campus: EmbeddedSis, database: Database) -> None:
    extracts = Extracts(database)
    letters = extracts.letters(extracts.class_keys())
    assert set(letters) == set(extracts.class_keys())
    for found in letters.values():
        assert found[-1].minimum == 0
        assert len({each.letter for each in found}) == len(found)
    assert extracts.letters(["no class"]) == {}


def test_grades_of_many_classes_are_few_statements(
    campus: EmbeddedSis, database: Database, statements: Counting
) -> None:
    extracts = Extracts(database)
    keys = extracts.class_keys()
    with statements() as sent:
        extracts.grades(keys)
        extracts.letters(keys)
    assert len(sent) <= 6
