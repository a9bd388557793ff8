"""where who signs in goes, and how well they proved who they are

Revision ID: b1f6c2a94e37
Revises: 57afd8e1dc78
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "b1f6c2a94e37"
down_revision = "57afd8e1dc78"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    with op.batch_alter_table("admin_sign_in", schema=None) as batch_op:
        batch_op.add_column(sa.Column("acr", sa.String(length=255), nullable=True))
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.add_column(sa.Column("onward", sa.String(length=500), nullable=True))
        batch_op.add_column(
            # Those under way were begun before anybody was asked for more.
            sa.Column("step_up", sa.Boolean(), nullable=False, server_default=sa.false())
        )


def downgrade() -> None:
    """Take the change back."""
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.drop_column("step_up")
        batch_op.drop_column("onward")
    with op.batch_alter_table("admin_sign_in", schema=None) as batch_op:
        batch_op.drop_column("acr")
