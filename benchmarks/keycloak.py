"""1,000 people into a Keycloak: by the directory, against python-keycloak called one by one.

A real Keycloak is started, and realms are prepared for the tool. In turns, so that a warm server
favours nobody, the same people are put into an empty realm: with python-keycloak as its
documentation shows it, over one connection (``get_users`` by the person's key, ``create_user``,
``group_user_add``; the group's id is asked for once), and by the directory. Both sign in as the
tool's service account, and what stands there in the end must be the same. Then the directory's
people once more, unchanged: compared by their digest, and applied again; Keycloak's own log of
what administrators change counts the writes. In the end the sync does the same from a SIS with a
campus. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from keycloak import KeycloakAdmin

from benchmarks.moodle_site import figure
from lti_tool.core.clock import SystemClock
from lti_tool.core.database import Base
from lti_tool.core.http import HttpClient
from lti_tool.identity.keycloak.connection import as_administrator, as_service
from lti_tool.identity.keycloak.models import Realm
from lti_tool.identity.keycloak.realm import SERVICE, RealmPlan
from lti_tool.identity.keycloak.setup import RealmSetup
from lti_tool.moodle.contract import fingerprint
from lti_tool.moodle.documents import Account
from lti_tool.settings import Settings
from lti_tool.sis.campus.generate import generate_campus
from lti_tool.sync.provisioning.models import RunTrigger
from lti_tool.wiring import Services, build_services
from tests.e2e.keycloak import (
    ADMIN,
    ADMIN_PASSWORD,
    CLAIM,
    Keycloak,
    find_keycloak,
    run_keycloak,
)
from tests.e2e.realm_people import STUDENTS, Desk, account, open_desk
from tests.lti.outbound_world import Stub, TestSigner, as_json

PEOPLE = 1000
WARMING = 100
TURNS = 3
# As many as the engine sends in one call.
BATCH = 500
FASTER, SECONDS = 3, 5
FIRST_SIGN_IN = ["UPDATE_PASSWORD"]


def people(count: int) -> list[Account]:
    """The documents about so many people."""
    return [account(f"person-{number:04}", firstname=f"Dara {number}") for number in range(count)]


def one_by_one(admin: KeycloakAdmin, documents: list[Account]) -> float:
    """Seconds to put these people into the realm with python-keycloak, one after the other."""
    began = time.perf_counter()
    group = admin.get_group_by_path(f"/{STUDENTS}")["id"]
    for each in documents:
        if admin.get_users({"q": f'{CLAIM}:"{each.person}"'}):
            raise SystemExit("The realm is not empty.")
        user = admin.create_user(
            {
                "username": each.username,
                "email": each.email,
                "firstName": each.firstname,
                "lastName": each.lastname,
                "enabled": each.enabled,
                "attributes": {CLAIM: [each.person]},
                "requiredActions": FIRST_SIGN_IN,
            }
        )
        admin.group_user_add(user, group)
    return time.perf_counter() - began


def by_directory(desk: Desk, documents: list[Account], expected: str) -> float:
    """Seconds to apply the documents; every result must be ``expected``."""
    began = time.perf_counter()
    for start in range(0, len(documents), BATCH):
        for result in desk.apply(*documents[start : start + BATCH]):
            if result.result != expected:
                raise SystemExit(f"not {expected}: {result}")
    return time.perf_counter() - began


def different(desk: Desk, documents: list[Account]) -> int:
    """How many accounts are not as they should be, by their digest."""
    there = {each.key: each.fingerprint for each in desk.directory.digests(desk.site, "account")}
    return sum(there.get(each.person) != fingerprint(each) for each in documents)


def seen(admin: KeycloakAdmin) -> list[Any]:
    """What stands in a realm, without ids and times."""
    group = admin.get_group_by_path(f"/{STUDENTS}")["id"]
    members = {each["id"] for each in admin.get_group_members(group)}
    return [
        {name: value for name, value in each.items() if name not in ("id", "createdTimestamp")}
        | {"member": each["id"] in members}
        for each in admin.get_users({"briefRepresentation": False})
    ]


def written(admin: KeycloakAdmin) -> int:
    """What administrators have changed since :func:`listen`, by Keycloak's own log."""
    return len(admin.get_admin_events({"max": 100_000}))


def listen(admin: KeycloakAdmin) -> None:
    """Let Keycloak write down what administrators change. That is off in the races."""
    admin.update_realm(admin.connection.realm_name or "", {"adminEventsEnabled": True})
    # The change is one itself.
    admin.connection.raw_delete(f"/admin/realms/{admin.connection.realm_name}/admin-events")


def race(keycloak: Keycloak) -> tuple[list[float], list[float], float, int]:
    """Seconds of each turn, one by one and by the directory; then seconds and writes unchanged."""
    documents = people(PEOPLE)
    loops: list[float] = []
    ours: list[float] = []
    signed = HttpClient(allow_private=True, allow_http=True), SystemClock(), TestSigner().sign
    for name, some, turns in (("warming", people(WARMING), 1), ("race", documents, TURNS)):
        for turn in range(turns):
            with open_desk(keycloak, f"{name}-loop-{turn}") as desk:
                service = as_service(
                    *signed, keycloak.url, realm=desk.plan.realm, client_id=SERVICE
                )
                loop = one_by_one(service, some)
                by_hand = seen(desk.admin)
            with open_desk(keycloak, f"{name}-directory-{turn}") as desk:
                took = by_directory(desk, some, "created")
                if seen(desk.admin) != by_hand:
                    raise SystemExit("What stands there is not the same.")
                if name == "warming":
                    continue
                loops.append(loop)
                ours.append(took)
                print(f"one by one {loop:.2f} s, directory {took:.2f} s", flush=True)
                if turn < turns - 1:
                    continue
                listen(desk.admin)
                began = time.perf_counter()
                if different(desk, documents):
                    raise SystemExit("The digest says that something differs.")
                compared = time.perf_counter() - began
                again = by_directory(desk, documents, "unchanged")
                writes = written(desk.admin)
                print(
                    f"unchanged: digest {compared:.2f} s, applied again {again:.2f} s", flush=True
                )
    return loops, ours, compared, writes


@contextmanager
def tool(keycloak: Keycloak) -> Iterator[tuple[Services, Realm, KeycloakAdmin]]:
    """The tool with a campus in its SIS, and an empty realm connected to it."""
    stub = Stub()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "keys").mkdir()
        services = build_services(
            Settings(
                public_url=stub.url,
                database_url=f"sqlite:///{folder}/naga.db",
                keys_dir=Path(folder) / "keys",
                log_level="ERROR",
                outbound_allow_private=True,
                outbound_allow_http=True,
            )
        )
        try:
            Base.metadata.create_all(services.database.engine)
            services.tool_keys.ensure()
            stub.on("GET", "/lti/keys", as_json(services.tool_keys.public_keyset()))
            generate_campus(services.database, services.clock, size=PEOPLE)
            who = {"username": ADMIN, "password": ADMIN_PASSWORD}
            plan = RealmPlan(realm="campus", tool_url=stub.url)
            admin = as_administrator(services.http, keycloak.url, realm=plan.realm, **who)
            RealmSetup(admin, plan).apply()
            site = services.realms.connect(
                keycloak.url, plan.realm, public_url=stub.url, actor="benchmark"
            )
            admin = as_administrator(services.http, keycloak.url, realm=plan.realm, **who)
            yield services, site, admin
        finally:
            services.database.dispose()
            stub.close()


def sync(keycloak: Keycloak) -> tuple[float, float, int]:
    """Seconds for the sync to put a campus into a realm, to find it unchanged; writes then."""
    with tool(keycloak) as (services, site, admin):
        provisioning = services.provisioning
        count = provisioning.marks.mark_all(site)
        began = time.perf_counter()
        run = provisioning.engine.run(site, trigger=RunTrigger.MANUAL)
        first = time.perf_counter() - began
        counts = run.counts.get("account", {}) if run else {}
        # Who has left is made too, and may not sign in.
        if counts.get("created", 0) + counts.get("suspended", 0) != count:
            raise SystemExit(f"The sync did not make {count} accounts: {counts}")
        if admin.users_count() != count:
            raise SystemExit(f"There are {admin.users_count()} accounts, not {count}.")
        listen(admin)
        began = time.perf_counter()
        found = services.provisioning.reconciler.reconcile(site)
        again = time.perf_counter() - began
        if found.drift or found.checked != {"account": count}:
            raise SystemExit(f"Reconciled: {found}")
        writes = written(admin)
        print(f"the sync: {count} people {first:.2f} s, unchanged {again:.2f} s", flush=True)
    return first, again, writes


def main() -> None:
    """Start Keycloak, measure, compare."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    home = find_keycloak()
    if isinstance(home, str):
        sys.exit(f"{home}.")
    with tempfile.TemporaryDirectory() as folder, run_keycloak(home, Path(folder)) as keycloak:
        loops, ours, compared, writes = race(keycloak)
        _, unchanged, more = sync(keycloak)
    figures = [
        figure("times as fast as one by one", sum(loops) / sum(ours), FASTER, at_least=True),
        figure(f"seconds for {PEOPLE} people unchanged", compared, SECONDS, at_least=False),
        figure("seconds for a campus unchanged, by the sync", unchanged, SECONDS, at_least=False),
        figure("writes unchanged", writes + more, 0, at_least=False),
    ]
    print(json.dumps({"name": "keycloak", "figures": figures}))


if __name__ == "__main__":
    main()
