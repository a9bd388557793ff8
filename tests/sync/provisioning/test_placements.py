"""An administrator decides where a class is taught, and every part of the tool agrees."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from lti_tool.core.audit import AuditLog
from lti_tool.core.errors import ConflictError, InvalidInputError, NotFoundError
from lti_tool.sis.models import ClassHeader, CombinedClass, Term
from lti_tool.sync.placements import Placements
from tests.sync.provisioning.conftest import Campus

ADMIN = "admin:a"


@pytest.fixture
def placements(campus: Campus) -> Placements:
    return Placements(campus.database, campus.clock, AuditLog(campus.clock), campus.extracts)


def _alone(campus: Campus, count: int) -> list[str]:
    """Classes of a group's term, which the SIS has together with nobody from now on."""
    group = _group(campus)
    views = campus.extracts.classes(campus.extracts.class_keys())
    term = views[group[0]].term_key
    found = sorted(key for key in views.keys() - set(group) if views[key].term_key == term)
    for key in found[:count]:
        campus.change(ClassHeader, key, combined_class_id=None)
    assert len(found) >= count
    return found[:count]


def _group(campus: Campus) -> list[str]:
    views = campus.extracts.classes(campus.extracts.class_keys())
    first = next(view for _, view in sorted(views.items()) if view.combined_with)
    return sorted([first.class_key, *first.combined_with])


def _place(campus: Campus, key: str) -> tuple[str, tuple[str, ...]]:
    view = campus.extracts.classes([key])[key]
    return view.host_key, view.combined_with


def _active(campus: Campus, key: str) -> set[str]:
    course = next(c for c in campus.platform.state.courses.values() if c.idnumber == key)
    people = campus.platform.state.people
    return {
        people[member.user_id].idnumber
        for member in (course.roster or {}).values()
        if member.status == "active"
    }


def _students(campus: Campus, key: str) -> set[str]:
    return {
        each.person_key
        for each in campus.extracts.memberships([key]).get(key, [])
        if each.status.attends
    }


def test_a_class_is_taught_in_anothers_course_and_alone_again(
    campus: Campus, placements: Placements
) -> None:
    guest, host = _alone(campus, 2)
    campus.run()
    placements.place_with(guest, host, actor=ADMIN)
    assert _place(campus, guest) == (host, (host,))
    assert _place(campus, host) == (host, (guest,)), "whoever has the first key: the host is host"
    campus.settle()
    assert _students(campus, guest) <= _active(campus, host)
    assert campus.equal()
    placements.as_sis(guest, actor=ADMIN)
    assert _place(campus, guest) == (guest, ())
    campus.settle()
    assert _students(campus, guest) <= _active(campus, guest)
    course = next(c for c in campus.platform.state.courses.values() if c.idnumber == host)
    kept = {m.user_id for m in (course.roster or {}).values()}
    assert len(kept) >= len(_students(campus, guest) | _students(campus, host)), "nobody is lost"
    assert not _active(campus, host) & (_students(campus, guest) - _students(campus, host))
    assert campus.equal()


def test_a_class_joins_the_course_of_a_group(campus: Campus, placements: Placements) -> None:
    group = _group(campus)
    [guest] = _alone(campus, 1)
    placements.place_with(guest, group[-1], actor=ADMIN)
    for key in (*group, guest):
        assert _place(campus, key)[0] == group[0]
        assert {key, *_place(campus, key)[1]} == {*group, guest}


def test_a_class_leaves_its_group_and_another_becomes_host(
    campus: Campus, placements: Placements
) -> None:
    first, *others = _group(campus)
    campus.run()
    placements.make_host(others[-1], actor=ADMIN)
    assert {_place(campus, key)[0] for key in (first, *others)} == {others[-1]}
    campus.settle()
    assert _students(campus, first) <= _active(campus, others[-1])
    assert campus.equal()
    placements.place_alone(first, actor=ADMIN)
    assert _place(campus, first) == (first, ())
    assert all(first not in _place(campus, key)[1] for key in others)
    campus.settle()
    assert _students(campus, first) <= _active(campus, first)
    assert campus.equal()
    with campus.database.read() as session:
        assert session.scalar(sa.text("SELECT COUNT(*) FROM sis_class_placement")) == 2


def test_what_makes_no_sense_is_refused(campus: Campus, placements: Placements) -> None:
    one, two, three = _alone(campus, 3)
    with pytest.raises(NotFoundError):
        placements.place_with("no class", one, actor=ADMIN)
    with pytest.raises(NotFoundError):
        placements.place_with(one, "no class", actor=ADMIN)
    with pytest.raises(InvalidInputError):
        placements.place_with(one, one, actor=ADMIN)
    with pytest.raises(InvalidInputError):
        placements.make_host(one, actor=ADMIN)
    with pytest.raises(NotFoundError):
        placements.as_sis(one, actor=ADMIN)
    placements.place_with(one, two, actor=ADMIN)
    with pytest.raises(ConflictError):
        placements.place_with(three, one, actor=ADMIN)
    with pytest.raises(ConflictError):
        placements.place_with(two, three, actor=ADMIN)
    with pytest.raises(ConflictError):
        placements.make_host(one, actor=ADMIN)
    with campus.database.write() as session:
        other = session.scalars(
            sa.select(Term.id).where(
                Term.id.not_in(
                    sa.select(ClassHeader.term_id).where(ClassHeader.sourced_id == three)
                )
            )
        ).first()
        session.execute(
            sa.update(ClassHeader).where(ClassHeader.sourced_id == three).values(term_id=other)
        )
    with pytest.raises(InvalidInputError):
        placements.place_with(three, two, actor=ADMIN)


def test_a_host_that_is_gone_takes_nobody_with_it(campus: Campus, placements: Placements) -> None:
    guest, host = _alone(campus, 2)
    placements.place_with(guest, host, actor=ADMIN)
    with campus.database.write() as session:
        session.execute(
            sa.update(ClassHeader).where(ClassHeader.sourced_id == host).values(active=False)
        )
    assert _place(campus, guest) == (guest, ())


def test_the_same_again_changes_nothing_and_each_change_is_audited(
    campus: Campus, placements: Placements
) -> None:
    guest, host = _alone(campus, 2)
    for _ in range(2):
        placements.place_with(guest, host, actor=ADMIN)
    placements.as_sis(guest, actor=ADMIN)
    with campus.database.read() as session:
        query = sa.text("SELECT COUNT(*) FROM audit_event WHERE action = 'class.placed'")
        assert session.scalar(query) == 2
    assert placements.list() == []


def test_what_the_sis_has_together_is_as_before(campus: Campus) -> None:
    with campus.database.read() as session:
        groups = session.scalar(sa.select(sa.func.count()).select_from(CombinedClass))
    assert groups
    group = _group(campus)
    assert [_place(campus, key) for key in group] == [
        (group[0], tuple(other for other in group if other != key)) for key in group
    ]
