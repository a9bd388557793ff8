"""A place in a course goes before all that waits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from lti_tool.moodle.documents import Applied, Document
from lti_tool.moodle.models import MoodleSite
from lti_tool.sis.change_models import ChangeKind
from lti_tool.sis.changes import record
from lti_tool.sis.models import Person
from tests.sync.provisioning.conftest import Campus


def _while_people_travel(campus: Campus, monkeypatch: pytest.MonkeyPatch, act: Any) -> list[str]:
    """Rename somebody, and act while that is under way; returns what travelled in one run."""
    apply = campus.parts.client.apply
    travelled: list[str] = []

    def applied(site: MoodleSite, documents: Sequence[Document], **more: Any) -> Applied:
        travelled.extend(document.kind for document in documents)
        if len(travelled) == 1:
            campus.clock.advance(seconds=1)
            act()
            campus.clock.advance(seconds=1)
        return apply(site, documents, **more)

    _, person = campus.place()
    campus.change(Person, person, personal_name="Anew")
    monkeypatch.setattr(campus.parts.client, "apply", applied)
    campus.run()
    return travelled


def test_who_leaves_while_others_travel_has_left_in_the_same_run(
    campus: Campus, monkeypatch: pytest.MonkeyPatch
) -> None:
    campus.settle()
    course, person = campus.place()
    travelled = _while_people_travel(
        campus, monkeypatch, lambda: campus.enrolling.drop(person, course)
    )
    assert travelled == ["user", "roster"], "whose grades are only gone travel no more"
    assert campus.equal()


def test_who_has_no_account_yet_waits_for_it(
    campus: Campus, monkeypatch: pytest.MonkeyPatch
) -> None:
    campus.settle()
    course, _ = campus.place()

    def arrive() -> None:
        with campus.database.write() as session:
            session.add(
                Person(
                    sourced_id="new",
                    student_id="new",
                    personal_name="New",
                    updated_at=campus.clock.now(),
                )
            )
            record(session, ChangeKind.PERSON, ["new"], at=campus.clock.now())
        campus.enrolling.enroll("new", course)

    assert _while_people_travel(campus, monkeypatch, arrive) == ["user"]
    campus.run()
    assert campus.equal()
    assert campus.parts.letters.list(campus.site.id) == []
