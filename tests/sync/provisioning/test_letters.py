"""Dead letters: replaced by what came last, sealed, found by code."""

from __future__ import annotations

import sqlalchemy as sa

from lti_tool.sync.provisioning.letters import Letter
from lti_tool.sync.provisioning.models import DeadLetter, RunTrigger
from tests.sync.provisioning.conftest import Campus


def test_of_what_was_answered_only_the_new_letters_stay(campus: Campus) -> None:
    letters, site = campus.parts.letters, campus.site.id
    run = campus.parts.runs.begin(site, trigger=RunTrigger.CHANGES, actor="sync", total=0)
    first = [
        Letter("R1", "S1", "user_missing", "/members/0/user", "Sok Dara is not there."),
        Letter("R1", "S2", "user_missing", None, "Nobody."),
        Letter("R2", "", "course_gone", None, "No course."),
        # Two accounts without an idnumber.
        Letter("R2", "", "protected_user", None, "An administrator."),
    ]
    with campus.database.writing() as connection:
        letters.replace(connection, run, "roster", ["R1", "R2"], first)
    assert letters.counts(site) == {"user_missing": 2, "protected_user": 1}
    with campus.database.read() as session:
        sealed = session.scalars(sa.select(DeadLetter.message_sealed)).all()
    assert not any(b"Dara" in each for each in sealed)
    campus.clock.advance(hours=1)
    with campus.database.writing() as connection:
        letters.replace(connection, run, "roster", ["R1"], first[:1])
        assert letters.keys(connection, site) == {"roster": {"R1", "R2"}}
        assert letters.keys(connection, site, codes=["user_missing"]) == {"roster": {"R1"}}
        assert letters.keys(connection, site, kind="user") == {}
        assert letters.rosters(connection, site, ["S1", "S2"]) == {"R1"}
        assert letters.standing(connection, site, "roster", ["R1"]) == {("R1", "S1")}
    [letter] = letters.list(site, kind="roster", key="R1")
    assert (letter.item, letter.field) == ("S1", "/members/0/user")
    assert letter.message == "Sok Dara is not there."
    assert letter.last_at > letter.since
    assert len(letters.list(site, limit=1)) == 1
