"""The plan before the yes: what would change, down to one field of one person."""

from __future__ import annotations

from lti_tool.sis.models import Person
from tests.sync.provisioning.conftest import Campus


def test_a_first_plan_is_the_whole_campus_and_changes_nothing(campus: Campus) -> None:
    before = repr(campus.platform.state)
    steps: list[tuple[int, int]] = []
    preview = campus.parts.previews.preview(
        campus.site, progress=lambda done, total: steps.append((done, total))
    )
    assert repr(campus.platform.state) == before
    run = campus.run()
    assert run is not None
    for kind in ("category", "user", "course", "roster"):
        assert preview.counts[kind]["created"] == run.counts[kind]["created"]
    assert preview.counts["roster"]["people_created"] == run.counts["roster"]["people_created"]
    assert steps[-1][0] == steps[-1][1] == sum(map(len, map(campus.desired, preview.counts)))  # type: ignore[arg-type]
    assert campus.count("moodle_integration_record") > 0


def test_one_field_of_one_person(campus: Campus) -> None:
    campus.run()
    key = campus.extracts.person_keys()[0]
    former = campus.extracts.people([key])[key].family_name
    campus.change(Person, key, family_name="NEW")
    preview = campus.parts.previews.preview(campus.site)
    [result] = preview.results
    assert (result.kind, result.key, result.result) == ("user", key, "updated")
    assert [(each.field, each.before, each.after) for each in result.changes] == [
        ("lastname", former, "NEW")
    ]
    assert campus.marks_left()["user"] == 1, "it is still to be done"


def test_what_fits_no_document_is_in_the_plan(campus: Campus) -> None:
    campus.run()
    key = campus.extracts.person_keys()[0]
    campus.change(Person, key, school_email="x" * 200 + "@school.edu")
    [result] = campus.parts.previews.preview(campus.site).results
    assert (result.result, result.code, result.field) == ("refused", "unfit", "/email")


def test_everything_finds_what_nobody_knows_of(campus: Campus) -> None:
    campus.run()
    assert campus.parts.previews.preview(campus.site, everything=True).empty
    with campus.platform.change():
        account = next(p for p in campus.platform.state.people.values() if p.idnumber)
        account.family_name = "BY HAND"
    assert campus.parts.previews.preview(campus.site).empty
    [result] = campus.parts.previews.preview(campus.site, everything=True).results
    assert (result.key, result.changes[0].before) == (account.idnumber, "BY HAND")
