"""What the plugin's observer adds to an event in a real Moodle: time and queries.

Events are triggered in turns with the observer and without it, inside a transaction that is rolled
back in the end, and once more without a transaction: there the row in the outbox is a transaction
by itself, and waits for the disk as any write of Moodle does. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json

from benchmarks.moodle_site import figure, find_site

EVENTS = 50
ALONE = "login, outside of a transaction"


def main() -> None:
    """Measure and compare."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    site = find_site()
    print(site.run("about"))
    found = site.run("capture", events=EVENTS)
    kinds, rounds = found["kinds"], found["rounds"]
    for kind, seen in kinds.items():
        print(
            f"{kind}: {seen['median']:.3f} ms added (worst of {rounds} rounds"
            f" {seen['worst']:.3f} ms), {seen['queries']:g} queries, {seen['rows']} rows"
        )
        # Without a row for each event it was not measured.
        if seen["rows"] != rounds * EVENTS:
            raise SystemExit(f"{kind}: {seen['rows']} rows in the outbox, not {rounds * EVENTS}.")
    print(f"a commit of this database takes {found['commit']:.3f} ms")
    queries = max(seen["queries"] for seen in kinds.values())
    alone = kinds.pop(ALONE)["median"]
    slowest = max(seen["median"] for seen in kinds.values())
    what = "added milliseconds of an event"
    figures = [
        figure(f"{what} in a transaction, slowest kind", slowest, 1, at_least=False),
        figure(
            f"{what} outside of one, beyond the commit", alone - found["commit"], 1, at_least=False
        ),
        figure("added queries of an event", queries, 1, at_least=False),
    ]
    print(json.dumps({"name": "capture", "figures": figures}))


if __name__ == "__main__":
    main()
