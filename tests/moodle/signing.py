"""A connected Moodle of which tests choose each claim, and what stands in the tool's database."""

from __future__ import annotations

import base64
import gzip
import hashlib
import itertools
import json
import uuid
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from joserfc import jws
from joserfc.jwk import RSAKey

from lti_tool.core.audit import AuditLog
from lti_tool.core.clock import FixedClock
from lti_tool.core.database import Database
from lti_tool.core.http import HttpClient
from lti_tool.lti.paired import PairedRegistrations
from lti_tool.lti.platform_keys import PlatformKeys
from lti_tool.lti.registrations import Registrations
from lti_tool.moodle.events import EventIntake, Held, read_batch
from lti_tool.moodle.models import MoodleEvent, MoodleSite, SiteStanding
from lti_tool.moodle.signatures import SignedRequests
from tests.moodle.moodle_site import EPOCH, MoodleServer

TOOL = "https://sis.example.edu"
EVENTS = f"{TOOL}/api/v1/moodle/events"
_numbers = itertools.count(1)


def claims_of(moodle: MoodleServer, body: bytes, url: str = EVENTS) -> dict[str, Any]:
    """The claims of a right signature."""
    return {
        "iss": moodle.url,
        "sub": moodle.client_id,
        "aud": url,
        "iat": moodle.now(),
        "exp": moodle.now() + 60,
        "jti": str(uuid.uuid4()),
        "bh": base64.urlsafe_b64encode(hashlib.sha256(body).digest()).rstrip(b"=").decode(),
    }


def signature(claims: dict[str, Any], key: RSAKey, **header: Any) -> str:
    """The header that carries these claims."""
    # Escaped, so that what no encoder takes can be claimed too.
    content = json.dumps(claims).encode()
    return "Bearer " + jws.serialize_compact(
        {"alg": "RS256", "kid": key.kid} | header, content, key
    )


def registrations(database: Database, clock: FixedClock) -> Registrations:
    """The tool's registrations, in a lab that allows http."""
    return Registrations(database, clock, AuditLog(clock), allow_http=True)


def signed_requests(database: Database, clock: FixedClock, http: HttpClient) -> SignedRequests:
    """The service under test, with the real keys and registrations behind it."""
    return SignedRequests(
        database,
        clock,
        PairedRegistrations(registrations(database, clock)),
        PlatformKeys(database, clock, http),
    )


def connect(
    database: Database, clock: FixedClock, moodle: MoodleServer | None = None, **values: Any
) -> MoodleSite:
    """Store a connected site as pairing would; without a ``moodle`` one that nobody asks."""
    url = moodle.url if moodle else f"https://moodle-{next(_numbers)}.example"
    registration = registrations(database, clock).create(
        actor="tests",
        name="Moodle",
        issuer=url,
        client_id=moodle.client_id if moodle else "client-1",
        auth_url=f"{url}/mod/lti/auth.php",
        token_url=f"{url}/mod/lti/token.php",
        jwks_url=f"{url}/mod/lti/certs.php",
        platform_family="moodle",
        deployment_ids=("1",),
    )
    site = MoodleSite(
        registration_id=registration.id,
        url=url,
        name="Moodle",
        **(
            {
                "standing": SiteStanding.ACTIVE,
                "contract": 1,
                "versions": {},
                "epoch": EPOCH,
                "held": 0,
                "backlog": 0,
                "checklist": [],
                "paired_by": "tests",
                "paired_at": clock.now(),
                "updated_at": clock.now(),
            }
            | values
        ),
    )
    with database.write() as session:
        session.add(site)
    return site


def reload(database: Database, site: MoodleSite) -> MoodleSite:
    """The site as it stands now."""
    with database.read() as session:
        found = session.get(MoodleSite, site.id)
    assert found is not None
    return found


def stored(database: Database, site: MoodleSite, epoch: str | None = None) -> list[Any]:
    """The events of a site in order; of one epoch, if it is named."""
    query = sa.select(MoodleEvent).where(MoodleEvent.site_id == site.id)
    if epoch is not None:
        query = query.where(MoodleEvent.epoch == epoch)
    with database.read() as session:
        return [*session.scalars(query.order_by(MoodleEvent.epoch, MoodleEvent.seq))]


def event(seq: int, **fields: Any) -> dict[str, Any]:
    """An event as the plugin sends it; its id tells its number unless another is given."""
    return {
        "seq": seq,
        "id": str(uuid.UUID(int=seq)),
        "type": "grade.changed",
        "at": 1772420400 + seq,
        "actor": 2,
        "user": 100 + seq,
        "course": 7,
        "object": 1000 + seq,
        "data": {"item": 5, "final": 87.5, "overridden": False},
    } | fields


def batch(first: int, count: int, **changes: Any) -> dict[str, Any]:
    """A batch of events from ``first`` on, as the plugin sends it."""
    return {
        "contract": 1,
        "epoch": EPOCH,
        "first": first,
        "next": first + count,
        "after": str(uuid.UUID(int=first - 1)) if first > 1 else None,
        "backlog": 0,
        "sent_at": 1772420400,
        "events": [event(seq) for seq in range(first, first + count)],
    } | changes


def ids(seqs: range) -> list[str]:
    """The ids that events of these numbers have unless others are given."""
    return [str(uuid.UUID(int=seq)) for seq in seqs]


def send(intake: EventIntake, site: MoodleSite, message: dict[str, Any]) -> Held:
    """Send a batch through the same reading that a request takes."""
    return intake.accept(site.id, read_batch(json.dumps(message).encode()))


@dataclass(frozen=True)
class Packed:
    """A message as it goes over the wire."""

    body: bytes
    headers: dict[str, str]


def packed(moodle: MoodleServer, message: Any, url: str = EVENTS, **claims: Any) -> Packed:
    """A message packed and signed as the plugin does it."""
    body = gzip.compress(json.dumps(message).encode(), compresslevel=6)
    return Packed(
        body,
        {
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
            "Authorization": signature(claims_of(moodle, body, url) | claims, moodle.key),
        },
    )
