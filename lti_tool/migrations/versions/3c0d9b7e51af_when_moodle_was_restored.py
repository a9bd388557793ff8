"""when Moodle was restored

Revision ID: 3c0d9b7e51af
Revises: b1f6c2a94e37
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "3c0d9b7e51af"
down_revision = "b1f6c2a94e37"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    with op.batch_alter_table("moodle_site", schema=None) as batch_op:
        batch_op.add_column(sa.Column("restored_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Take the change back."""
    with op.batch_alter_table("moodle_site", schema=None) as batch_op:
        batch_op.drop_column("restored_at")
