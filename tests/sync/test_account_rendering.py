"""A person as an account: what the identity provider is told, for every person that may come."""

from __future__ import annotations

import dataclasses
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.moodle.documents import Account
from lti_tool.sis.entities import PersonStatus, PersonView
from lti_tool.sync.account_rendering import account, username_of
from lti_tool.sync.rendered import Nothing, Unfit

_PROHIBITED = re.compile(r"[<>&\"$%!#?§,;:*~/\\|^=\[\]{}()\x00-\x1f\x7f]")
DOMAIN = "no-address.invalid"
_USERNAME = re.compile(r"[a-z0-9._@-]+")


def _person(**values: object) -> PersonView:
    person = PersonView(
        person_key="P-1",
        student_id="100001",
        family_name="SOK",
        personal_name="Dara",
        khmer_name="",
        school_email="Dara@School.example",
        status=PersonStatus.ACTIVE,
        is_student=True,
        is_teacher=False,
    )
    return dataclasses.replace(person, **values)  # type: ignore[arg-type]


def _account(person: PersonView, *shared: str) -> Account:
    found = account(person, shared, DOMAIN)
    assert isinstance(found, Account), found
    return found


def test_a_student() -> None:
    assert _account(_person()) == Account(
        person="P-1",
        username="100001",
        firstname="Dara",
        lastname="SOK",
        email="dara@school.example",
        groups=["naga-students"],
        enabled=True,
    )


@pytest.mark.parametrize(
    ("is_student", "is_teacher", "groups"),
    [
        (True, False, ["naga-students"]),
        (False, True, ["naga-teachers"]),
        (True, True, ["naga-students", "naga-teachers"]),
        (False, False, []),
    ],
)
def test_groups_are_what_somebody_is(is_student: bool, is_teacher: bool, groups: list[str]) -> None:
    assert _account(_person(is_student=is_student, is_teacher=is_teacher)).groups == groups


@pytest.mark.parametrize("status", list(PersonStatus))
def test_every_status_opens_or_closes(status: PersonStatus) -> None:
    closed = {"INACTIVE", "DROPPED", "SUSPENDED", "TRANSFERRED", "FROZEN", "DECEASED"}
    assert _account(_person(status=status)).enabled is (status.value not in closed)


def test_an_address_that_several_have_is_nobodys() -> None:
    found = _account(_person(), "dara@school.example")
    assert (found.email, found.email_shared) == ("100001@no-address.invalid", True)
    without = _account(_person(school_email=None), "dara@school.example")
    assert (without.email, without.email_shared) == ("100001@no-address.invalid", False)
    own = _account(_person(), "other@school.example")
    assert (own.email, own.email_shared) == ("dara@school.example", False)


@pytest.mark.parametrize(
    ("personal", "family", "shown"),
    [
        ("", "SOK", ("-", "SOK")),
        ("Madonna", "", ("Madonna", "-")),
        ("<script>", "[]", ("script", "-")),
        ("Da:ra  (the 2nd)", "O'NEIL-SOK", ("Da ra the 2nd", "O'NEIL-SOK")),
        ("ដារ៉ា", "សុខ", ("ដារ៉ា", "សុខ")),
    ],
)
def test_names_are_such_as_keycloak_takes(
    personal: str, family: str, shown: tuple[str, str]
) -> None:
    found = _account(_person(personal_name=personal, family_name=family))
    assert (found.firstname, found.lastname) == shown


@pytest.mark.parametrize(
    ("student_id", "key", "username"),
    [
        ("100001", "P-1", "100001"),
        (None, "Teacher.One", "teacher.one"),
        ("É 12/3", "P-1", "e-12-3"),
        ("ខ្មែរ", "P-1", "p-1"),
    ],
)
def test_user_names_are_those_of_moodle(student_id: str | None, key: str, username: str) -> None:
    assert username_of(_person(student_id=student_id, person_key=key)) == username


def test_nobody_and_nothing_fitting() -> None:
    assert isinstance(account(None, (), DOMAIN), Nothing)
    assert isinstance(account(_person(person_key="k" * 101, student_id="1"), (), DOMAIN), Unfit)


@given(personal=st.text(max_size=300), family=st.text(max_size=300))
def test_whatever_the_names_are_they_travel(personal: str, family: str) -> None:
    found = account(_person(personal_name=personal, family_name=family), (), DOMAIN)
    if isinstance(found, Unfit):
        # Half of a character, which no document can hold.
        assert re.search(r"[\ud800-\udfff]", personal + family)
        return
    assert isinstance(found, Account)
    for name in (found.firstname, found.lastname):
        assert name
        assert name == name.strip()
        assert len(name) <= 100
        assert not _PROHIBITED.search(name)


@given(student_id=st.text(max_size=100))
def test_whatever_the_number_is_a_user_name_comes_of_it(student_id: str) -> None:
    assert _USERNAME.fullmatch(username_of(_person(student_id=student_id)))
