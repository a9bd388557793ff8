"""One campus for all tests of the pages: building it costs more than any of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.web.world import World, build_world


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A campus, the tool and a platform. Tests leave it as they found it."""
    with build_world(tmp_path_factory.mktemp("world")) as built:
        yield built
