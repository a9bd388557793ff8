"""What a site was last made equal to."""

from __future__ import annotations

from lti_tool.sync.provisioning.mappings import Mappings
from tests.sync.provisioning.conftest import Campus


def test_what_is_forgotten_keeps_its_number(campus: Campus) -> None:
    campus.run()
    mappings, site = Mappings(campus.database), campus.site.id
    keys = campus.parts.rendering.all_keys("roster")
    before = mappings.known(site, "roster", keys)
    assert mappings.keys(site, "roster") == set(keys) == set(before)
    assert mappings.total_active(site, "roster") == sum(each.active for each in before.values()) > 0
    with campus.database.writing() as connection:
        mappings.forget(connection, site, "roster", keys[:1])
    after = mappings.known(site, "roster", keys)
    assert after[keys[0]].fingerprint is None
    assert after[keys[0]].moodle_id == before[keys[0]].moodle_id
    assert after[keys[1]] == before[keys[1]]
    assert mappings.known(site, "roster", ["no such key"]) == {}
    assert mappings.known(site + 1, "roster", keys) == {}


def test_companions_are_those_of_the_same_course(campus: Campus) -> None:
    mappings, site = Mappings(campus.database), campus.site.id
    with campus.database.writing() as connection:
        mappings.put_together(connection, site, {"A": ["A", "B"], "X": ["X", "Y"], "Z": []})
    assert mappings.companions(["B"]) == {"A", "B"}
    assert mappings.companions(["B", "X"]) == {"A", "B", "X", "Y"}
    assert mappings.companions(["Z", "unknown"]) == set()
    with campus.database.writing() as connection:
        # B has moved to X: it is at one place only.
        mappings.put_together(connection, site, {"X": ["B", "X", "Y"]})
        mappings.put_together(connection, site, {"A": []})
    assert mappings.companions(["B"]) == {"B", "X", "Y"}
    assert mappings.companions(["A"]) == set()
