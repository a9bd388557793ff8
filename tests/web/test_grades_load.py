"""The gradebook of a large course costs a flat number of statements."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from tests.web.large_course import PARTS, STUDENTS, open_large_course
from tests.web.world import Visit, World, build_world


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Visit]]:
    with build_world(tmp_path_factory.mktemp("large")) as world:
        yield world, open_large_course(world)


@pytest.mark.parametrize("query", ["", "?show=200", "?state=different", "?q=dara&show=200"])
def test_200_students_and_8_items_in_20_statements(large: tuple[World, Visit], query: str) -> None:
    world, visit = large
    visit.get("/grades")
    sent: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith("BEGIN"):
            sent.append(statement)

    engine = world.services.database.engine
    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        page = visit.get(f"/grades{query}")
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
    assert page.status_code == 200
    if "show" in query:
        assert page.text.count('name="person"') == STUDENTS
        assert page.text.count('<td data-label="Part') == STUDENTS * PARTS
    assert len(sent) <= 20, "\n".join(sent)
