"""Alembic migrations, and the few calls that the rest of the tool makes of them."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from lti_tool.core.database import Database


def configuration(database: Database | None = None) -> Config:
    """Alembic's configuration for ``database``."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["database"] = database
    return config


@cache
def heads() -> tuple[str, ...]:
    """The revisions that this version of the tool needs."""
    return tuple(ScriptDirectory.from_config(configuration()).get_heads())


def upgrade(database: Database, revision: str = "head") -> None:
    """Bring the tables up to ``revision``."""
    command.upgrade(configuration(database), revision)


def downgrade(database: Database, revision: str) -> None:
    """Bring the tables back to ``revision``."""
    command.downgrade(configuration(database), revision)


def draft(message: str) -> None:
    """Write a new revision from the difference between the tables and the models; read it over.

    Works on a database of its own, so that nobody's data are touched.
    """
    with tempfile.TemporaryDirectory() as directory:
        database = Database(f"sqlite:///{directory}/draft.db")
        upgrade(database)
        command.revision(configuration(database), message, autogenerate=True)
        database.dispose()
