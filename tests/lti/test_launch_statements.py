"""What a launch costs once everything is warm: few statements, and nobody is asked."""

from __future__ import annotations

from tests.conformance.conftest import KeyServer, World
from tests.conformance.conftest import key_server as key_server
from tests.conformance.conftest import statements as statements
from tests.conformance.conftest import world as world


def test_a_warm_launch_is_judged_and_recorded_in_six_statements(
    world: World, key_server: KeyServer, statements: list[str]
) -> None:
    world.launch()
    asked = key_server.fetches
    statements.clear()
    accepted = world.launch()
    # The login's two, and the launch's: consumed, its platform, its deployment, its record.
    assert len(statements) <= 6, statements
    assert key_server.fetches == asked
    statements.clear()
    assert world.launches.session(accepted.launch.reference, accepted.secret) is not None
    assert len(statements) == 1


def test_a_refused_launch_costs_no_more(world: World, statements: list[str]) -> None:
    world.launch()
    statements.clear()
    world.refused(nonce="other")
    # The last one is this test's own, reading the record.
    assert len([each for each in statements if "INSERT INTO lti_launch" in each]) == 1
    assert len(statements) <= 8, statements
