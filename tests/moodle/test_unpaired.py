"""A Moodle kept by its address and a token: called, checked, taken over by a later pairing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from lti_tool.core.audit import AuditLog
from lti_tool.core.clock import FixedClock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Database
from lti_tool.core.errors import ConflictError, InvalidInputError
from lti_tool.core.http import HttpClient
from lti_tool.lti.models import Standing
from lti_tool.lti.paired import PairedRegistrations
from lti_tool.lti.registrations import Registrations
from lti_tool.moodle.errors import ContractUnsupportedError
from lti_tool.moodle.messages import PairingRequest
from lti_tool.moodle.models import MoodleSite, SiteStanding
from lti_tool.moodle.plugin_errors import TokenRefusedError
from lti_tool.moodle.sites import Sites
from lti_tool.moodle.unpaired import UnpairedSites, lacking
from tests.moodle.moodle_site import MoodleServer, encoded, served


@pytest.fixture
def moodle(clock: FixedClock) -> Iterator[MoodleServer]:
    with served(clock) as found:
        yield found


@pytest.fixture
def registrations(database: Database, clock: FixedClock) -> Registrations:
    return Registrations(database, clock, AuditLog(clock), allow_http=True)


@pytest.fixture
def sites(
    database: Database, clock: FixedClock, keyring: Keyring, registrations: Registrations
) -> Sites:
    return Sites(database, clock, AuditLog(clock), keyring, PairedRegistrations(registrations))


@pytest.fixture
def unpaired(http: HttpClient, sites: Sites, registrations: Registrations) -> UnpairedSites:
    return UnpairedSites(http, sites, PairedRegistrations(registrations))


def test_it_is_called_and_kept_with_a_sealed_token(
    moodle: MoodleServer, unpaired: UnpairedSites, sites: Sites, database: Database
) -> None:
    moodle.status = {"kinds": ["category", "user", "course", "roster"]}
    site, status = unpaired.add(moodle.url, moodle.token, actor="admin:a")
    assert (site.name, site.standing, site.epoch) == ("Campus Moodle", SiteStanding.ACTIVE, None)
    assert sites.token(site) == moodle.token
    assert site.takes("roster")
    assert not site.takes("grades")
    assert lacking(status) == ["gradebook", "grades"]
    with database.read() as session:
        for table in ("moodle_site", "audit_event", "lti_registration"):
            rows = session.execute(sa.text(f"SELECT * FROM {table}")).all()  # noqa: S608
            assert rows
            assert moodle.token not in repr(rows)


def test_adding_it_again_takes_the_next_token(
    moodle: MoodleServer, unpaired: UnpairedSites, sites: Sites
) -> None:
    first, _ = unpaired.add(moodle.url, moodle.token, actor="admin:a")
    moodle.token = "f" * 32
    again, _ = unpaired.add(moodle.url + "/", moodle.token, actor="admin:a")
    assert again.id == first.id
    assert sites.token(again) == "f" * 32


def test_nobody_opens_the_tool_from_there(
    moodle: MoodleServer, unpaired: UnpairedSites, registrations: Registrations
) -> None:
    site, _ = unpaired.add(moodle.url, moodle.token, actor="admin:a")
    assert registrations.get(site.registration_id).standing is Standing.DISABLED


def test_a_later_pairing_takes_over_the_same_site(
    moodle: MoodleServer, unpaired: UnpairedSites, sites: Sites, registrations: Registrations
) -> None:
    site, _ = unpaired.add(moodle.url, moodle.token, actor="admin:a")
    request = PairingRequest.model_validate_json(encoded(moodle.pairing("s" * 32)))
    registration = PairedRegistrations(registrations).ensure(
        request.lti, name=request.name, former=site.registration_id, actor="tests"
    )
    assert registration.id == site.registration_id
    assert (registration.active, registration.client_id) == (True, moodle.client_id)
    paired = sites.keep(request, registration_id=registration.id, contract=1, actor="tests")
    assert (paired.id, paired.epoch) == (site.id, request.epoch)
    assert len(sites.moodles()) == 1
    with pytest.raises(ConflictError):
        unpaired.add(moodle.url, moodle.token, actor="admin:a")


def test_what_does_not_fit_keeps_nothing(
    moodle: MoodleServer, unpaired: UnpairedSites, database: Database
) -> None:
    with pytest.raises(InvalidInputError):
        unpaired.add("", moodle.token, actor="admin:a")
    with pytest.raises(TokenRefusedError) as refused:
        unpaired.add(moodle.url, "0" * 32, actor="admin:a")
    assert "0" * 32 not in str(refused.value)
    moodle.status = {"url": "https://other.example.edu"}
    with pytest.raises(InvalidInputError):
        unpaired.add(moodle.url, moodle.token, actor="admin:a")
    moodle.status = {"contracts": [99]}
    with pytest.raises(ContractUnsupportedError):
        unpaired.add(moodle.url, moodle.token, actor="admin:a")
    moodle.status = {"kinds": ["category"]}
    with pytest.raises(InvalidInputError):
        unpaired.add(moodle.url, moodle.token, actor="admin:a")
    with database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(MoodleSite)) == 0
