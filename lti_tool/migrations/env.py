"""Alembic's environment: migrations run on the connection of the tool's own database."""

from __future__ import annotations

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate.api import AutogenContext

from lti_tool.core import audit
from lti_tool.core.database import Base, Database, UtcDateTime
from lti_tool.identity import models as identity
from lti_tool.lti import models as lti
from lti_tool.moodle import models as moodle
from lti_tool.settings import load_settings
from lti_tool.sis import models as sis
from lti_tool.sync import models as sync

# Named so that every room's tables are in Base.metadata before it is compared.
ROOMS = (audit, identity, lti, moodle, sis, sync)


def _render(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    # Plain types: an old migration must not change with the code of today.
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, sa.Enum):
        return f"sa.String(length={item.length})"
    return False


def run() -> None:
    """Run the migrations asked for, in one transaction."""
    database = context.config.attributes.get("database")
    owned = database is None
    if database is None:
        database = Database(load_settings().database_url)
    assert isinstance(database, Database)  # noqa: S101 - narrows the type of Alembic's attribute
    with database.engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=database.is_sqlite,
            compare_type=True,
            render_item=_render,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()
    if owned:
        database.dispose()


run()
