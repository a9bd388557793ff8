"""Migrations run forward, backward and forward again, and end in what the models say."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from lti_tool import migrations
from lti_tool.core.database import Base, Database


@pytest.fixture
def empty(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.dispose()


def _differences(database: Database) -> list[object]:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, Base.metadata))


def _tables(database: Database) -> set[str]:
    return set(sa.inspect(database.engine).get_table_names()) - {"alembic_version"}


def test_forward_matches_the_models(empty: Database) -> None:
    migrations.upgrade(empty)
    assert _differences(empty) == []
    assert _tables(empty) == set(Base.metadata.tables)


def test_backward_leaves_nothing_and_forward_works_again(empty: Database) -> None:
    migrations.upgrade(empty)
    migrations.downgrade(empty, "base")
    assert _tables(empty) == set()
    migrations.upgrade(empty)
    assert _differences(empty) == []


def test_one_head() -> None:
    assert len(migrations.heads()) == 1
