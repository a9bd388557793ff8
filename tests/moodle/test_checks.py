"""How a connection is, found by a real call and told line by line."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from lti_tool.core.audit import AuditLog
from lti_tool.core.clock import FixedClock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Database
from lti_tool.core.errors import NotFoundError
from lti_tool.core.http import HttpClient
from lti_tool.lti.models import Standing
from lti_tool.lti.paired import PairedRegistrations
from lti_tool.lti.registrations import Registrations
from lti_tool.moodle.checks import WORDS, SiteChecks, worst
from lti_tool.moodle.messages import PairingRequest, Problem
from lti_tool.moodle.models import MoodleSite, SiteStanding
from lti_tool.moodle.plugin import MoodlePlugin
from lti_tool.moodle.sites import Sites
from tests.moodle.moodle_site import MoodleServer, encoded, served

LANGUAGES = Path(__file__).parents[2] / "moodle_plugin/local_nagasis/lang"


@dataclass
class World:
    """A connected Moodle and the tool's checks of it."""

    database: Database
    registrations: Registrations
    sites: Sites
    checks: SiteChecks
    moodle: MoodleServer
    site_id: int

    def lines(self) -> dict[str, Problem]:
        """Check now; the checklist by name."""
        return {each.name: each for each in self.checks.check(self.site_id)}

    def set(self, **values: object) -> None:
        """Change what is stored of the site."""
        with self.database.write() as session:
            session.execute(sa.update(MoodleSite).values(**values))


@pytest.fixture
def world(
    database: Database, clock: FixedClock, audit: AuditLog, keyring: Keyring, http: HttpClient
) -> Iterator[World]:
    registrations = Registrations(database, clock, audit, allow_http=True)
    paired = PairedRegistrations(registrations)
    sites = Sites(database, clock, audit, keyring, paired)
    checks = SiteChecks(database, clock, sites, paired, MoodlePlugin(http, sites), {})
    with served(clock) as moodle:
        request = PairingRequest.model_validate_json(encoded(moodle.pairing("s" * 32)))
        registration = paired.ensure(request.lti, name="M", former=None, actor="tests")
        site = sites.keep(request, registration_id=registration.id, contract=1, actor="tests")
        yield World(database, registrations, sites, checks, moodle, site.id)


def test_where_all_is_well_every_line_says_so(world: World, clock: FixedClock) -> None:
    lines = world.lines()
    all_of_paired = WORDS.keys() - {"pairing"}
    assert {name: line.status for name, line in lines.items()} == dict.fromkeys(all_of_paired, "ok")
    stored = world.sites.moodle(world.site_id)
    assert [each["name"] for each in stored.checklist] == list(lines)
    assert stored.checked_at == clock.now()
    assert stored.versions["php"] == "8.2"
    assert world.moodle.seen == [world.moodle.token]


def test_a_moodle_that_is_away_or_refuses_the_token_is_told(world: World) -> None:
    world.moodle.token = "another" * 5
    line = world.lines()["moodle_answers"]
    assert line.status == "error"
    assert "a" * 32 not in line.summary + line.details
    world.set(url="http://127.0.0.1:1")
    lines = world.lines()
    assert lines["moodle_answers"].status == "error"
    assert "could not be reached" in lines["moodle_answers"].details
    assert worst(list(lines.values())) == "error"


@pytest.mark.parametrize(
    ("seconds", "status", "details"),
    [(1, "ok", ""), (20, "warning", "20 s ahead"), (-60, "error", "60 s behind")],
)
def test_clocks_that_differ(world: World, seconds: int, status: str, details: str) -> None:
    world.moodle.status = {"now": world.moodle.now() + seconds}
    line = world.lines()["clock"]
    assert line.status == status
    assert details in line.details
    assert world.sites.moodle(world.site_id).clock_skew == seconds


@pytest.mark.parametrize(("days", "status"), [(21, "ok"), (23, "warning"), (31, "error")])
def test_the_token_ends(world: World, clock: FixedClock, days: int, status: str) -> None:
    clock.advance(days=days)
    assert world.lines()["token"].status == status


def test_a_moodle_that_is_silent(world: World, clock: FixedClock) -> None:
    clock.advance(hours=2)
    assert world.lines()["moodle_asks"].status == "warning"
    world.set(heard_at=None)
    assert world.lines()["moodle_asks"].status == "unknown"


@pytest.mark.parametrize(
    ("said", "details"),
    [
        ({"paused": True}, "paused"),
        ({"set_aside": 3}, "Set aside: 3."),
        ({"backlog": 7, "oldest": 1}, "Waiting: 7."),
    ],
)
def test_events_that_do_not_come(world: World, said: dict[str, object], details: str) -> None:
    world.moodle.status = said
    line = world.lines()["events"]
    assert line.status == "warning"
    assert details in line.details


def test_events_on_their_way_are_nothing_to_worry_about(world: World) -> None:
    world.moodle.status = {"backlog": 2**40, "oldest": world.moodle.now() - 30}
    assert world.lines()["events"].status == "ok"
    assert world.sites.moodle(world.site_id).backlog == 2**31 - 1


def test_a_plugin_of_another_time(world: World) -> None:
    world.moodle.status = {"contracts": [7, 8]}
    line = world.lines()["versions"]
    assert line.status == "error"
    assert line.details == "Tool: 1. Plugin: 7, 8."
    assert world.sites.moodle(world.site_id).contract == 1
    world.moodle.status = {"kinds": ["category", "user", "course", "roster"]}
    line = world.lines()["versions"]
    assert (line.status, line.details) == ("warning", "gradebook, grades")
    site = world.sites.moodle(world.site_id)
    assert site.takes("roster")
    assert not site.takes("grades")


def test_what_stands_in_the_tool(world: World, clock: FixedClock) -> None:
    registration_id = world.sites.moodle(world.site_id).registration_id
    world.registrations.update(registration_id, actor="tests", sourcedid_trusted=False)
    world.registrations.set_standing(registration_id, Standing.DISABLED, actor="tests")
    world.set(reconcile_since=clock.now() - dt.timedelta(days=1))
    lines = world.lines()
    assert lines["id_numbers"].status == "warning"
    assert lines["launches"].status == "error"
    assert lines["reconciling"].status == "warning"


def test_what_moodle_finds_follows_under_its_own_names(world: World) -> None:
    world.moodle.status = {
        "checks": [{"name": "cron", "status": "warning", "summary": "Cron is late"}]
    }
    assert world.lines()["moodle:cron"].summary == "Cron is late"


def test_what_both_find_well_is_said_once(world: World) -> None:
    line = {"name": "token", "status": "ok", "summary": "The token is valid"}
    world.moodle.status = {"checks": [line]}
    assert "moodle:token" not in world.lines()
    world.moodle.status = {"checks": [line | {"status": "warning"}]}
    assert world.lines()["moodle:token"].status == "warning"


def test_a_paused_moodle_is_not_called(world: World) -> None:
    world.sites.pause(world.site_id, reason="tests", actor="tests")
    assert world.lines()["moodle_answers"].status == "unknown"
    assert world.moodle.seen == []
    world.sites.resume(world.site_id, actor="tests")
    assert world.lines()["moodle_answers"].status == "ok"


def test_a_connection_that_is_ended_is_left_alone(world: World) -> None:
    world.sites.disconnect(world.site_id, actor="tests")
    world.checks.check_all()
    stored = world.sites.moodle(world.site_id)
    assert (stored.standing, stored.checklist) == (SiteStanding.DISCONNECTED, [])
    world.lines()
    assert world.sites.moodle(world.site_id).checklist == []
    with pytest.raises(NotFoundError):
        world.checks.check(99)


@pytest.mark.parametrize("language", ["en", "km"])
def test_the_plugin_has_words_for_every_finding(language: str) -> None:
    strings = (LANGUAGES / language / "local_nagasis.php").read_text()
    there = set(re.findall(r"\$string\['found_(\w+)'\]", strings))
    assert there == {f"{name}_{status}" for name, words in WORDS.items() for status in words}
