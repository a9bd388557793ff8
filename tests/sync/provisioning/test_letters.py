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


def test_they_are_read_page_by_page_and_found_by_key_and_code(campus: Campus) -> None:
    letters, site = campus.parts.letters, campus.site.id
    run = campus.parts.runs.begin(site, trigger=RunTrigger.CHANGES, actor="sync", total=0)
    many = [
        Letter(f"R{number:03}", f"S_{number}", "one" if number % 2 else "two", "/x", "Words.")
        for number in range(250)
    ]
    with campus.database.writing() as connection:
        letters.replace(connection, run, "roster", [each.key for each in many], many)
    pages = [
        [letter.key for letter in letters.list(site, code="one", offset=offset, limit=50)]
        for offset in (0, 50, 100, 150)
    ]
    assert [len(page) for page in pages] == [50, 50, 25, 0]
    assert len({key for page in pages for key in page}) == letters.count(site, code="one") == 125
    assert [each.key for each in letters.list(site, search="r007 s_7")] == ["R007"]
    assert letters.count(site, search="S_24") == 11
    assert letters.count(site, search="S%") == 0, "a percent sign is one"
    assert letters.count(site, search="Sok", people=["S_7", "S_8"]) == 2
    assert letters.count(site, search="words") == 0, "what is sealed is not read"
