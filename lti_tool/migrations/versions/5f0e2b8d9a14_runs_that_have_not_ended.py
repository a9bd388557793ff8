"""runs that have not ended

Revision ID: 5f0e2b8d9a14
Revises: 9e41d7c05b62
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "5f0e2b8d9a14"
down_revision = "9e41d7c05b62"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    with op.batch_alter_table("sync_run") as batch:
        batch.create_index(
            "ix_sync_run_unfinished",
            ["site_id"],
            sqlite_where=sa.text("finished_at IS NULL"),
            postgresql_where=sa.text("finished_at IS NULL"),
        )


def downgrade() -> None:
    """Take the change back."""
    with op.batch_alter_table("sync_run") as batch:
        batch.drop_index("ix_sync_run_unfinished")
