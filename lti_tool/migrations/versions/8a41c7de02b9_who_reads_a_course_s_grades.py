"""who reads a course's grades, and what a teacher proposes

Revision ID: 8a41c7de02b9
Revises: d6e569ebf7e5
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "8a41c7de02b9"
down_revision = "d6e569ebf7e5"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    with op.batch_alter_table("grade_pull", schema=None) as batch_op:
        batch_op.add_column(sa.Column("taken_by", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("taken_until", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("grade_conflict", schema=None) as batch_op:
        batch_op.add_column(sa.Column("proposes_take", sa.Boolean(), nullable=True))


def downgrade() -> None:
    """Take the change back."""
    with op.batch_alter_table("grade_conflict", schema=None) as batch_op:
        batch_op.drop_column("proposes_take")
    with op.batch_alter_table("grade_pull", schema=None) as batch_op:
        batch_op.drop_column("taken_until")
        batch_op.drop_column("taken_by")
