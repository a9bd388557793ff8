"""A world whose platform is connected, and has been made equal to the SIS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from demo.connect import pair
from lti_tool.sync.order_models import Act
from tests.web.world import World, build_world


@contextmanager
def synced_world(folder: Path) -> Iterator[World]:
    """A world of its own: making a platform equal to the SIS changes everything in it."""
    with build_world(folder) as world:
        services = world.services
        assert pair(world.platform.base_url, lambda: services.pairing.code(actor="tests").text)
        [site] = services.sites.list()
        services.orders.ask(site.id, Act.APPLY, actor="tests", arguments={"scope": "everything"})
        services.orders.resume()
        assert services.provisioning.marks.counts(site.id) == {}
        yield world
