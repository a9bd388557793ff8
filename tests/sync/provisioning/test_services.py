"""The plan's services: one person, one course, one roster."""

from __future__ import annotations

import pytest

from lti_tool.core.errors import NotFoundError
from lti_tool.sis.models import Person
from lti_tool.sync.provisioning.services import SyncService
from tests.sync.provisioning.conftest import Campus


def test_one_person_is_sent_again_with_their_places(campus: Campus) -> None:
    campus.run()
    host, person = campus.place()
    account = next(p for p in campus.platform.state.people.values() if p.idnumber == person)
    with campus.platform.change():
        account.family_name = "BY HAND"
    service = campus.parts.user_sync
    [planned] = [each for each in service.dry_run(campus.site, person) if each.kind == "user"]
    assert [change.before for change in planned.changes] == ["BY HAND"]
    assert not service.status(campus.site, person).waits
    things = service.resync(campus.site, person)
    assert host in things["roster"]
    assert service.status(campus.site, person).waits
    campus.run()
    assert campus.equal()
    status = service.status(campus.site, person)
    assert status.known is not None
    assert (status.known.moodle_id, status.waits, status.letters) == (account.id, False, [])


def test_one_course_is_sent_again_with_its_term(campus: Campus) -> None:
    campus.run()
    host, _ = campus.place()
    with campus.platform.change():
        for course in campus.platform.state.courses.values():
            if course.idnumber == host:
                course.fullname = "BY HAND"
    things = campus.parts.course_sync.resync(campus.site, host)
    assert set(things) == {"category", "course", "roster"}
    campus.run()
    assert campus.equal()


def test_rosters_and_everything(campus: Campus) -> None:
    campus.run()
    host, person = campus.place()
    service = campus.parts.enrollment_sync
    assert service.explain(campus.site, person, host)[-1].code == "equal"
    assert service.resync(campus.site, host) == {"roster": [host]}
    assert service.resync_all(campus.site) == len(campus.parts.rendering.all_keys("roster"))
    campus.run()
    assert campus.marks_left() == {}


def test_what_the_sis_does_not_know_is_refused(campus: Campus) -> None:
    services: list[SyncService] = [
        campus.parts.user_sync,
        campus.parts.course_sync,
        campus.parts.enrollment_sync,
    ]
    for service in services:
        with pytest.raises(NotFoundError):
            service.resync(campus.site, "no such key")
    assert campus.marks_left() == {}


def test_what_fits_no_document_says_so(campus: Campus) -> None:
    _, person = campus.place()
    campus.change(Person, person, school_email="x" * 200 + "@school.edu")
    unfit = campus.parts.user_sync.dry_run(campus.site, person)[0]
    assert (unfit.code, unfit.field) == ("unfit", "/email")
