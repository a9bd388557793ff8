"""realms beside Moodles

Revision ID: 57afd8e1dc78
Revises: 7dbfbd0b7d72
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "57afd8e1dc78"
down_revision = "7dbfbd0b7d72"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Whatever stands there is a Moodle."""
    with op.batch_alter_table("moodle_site", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("system", sa.String(length=20), nullable=False, server_default="moodle")
        )
        batch_op.alter_column("registration_id", existing_type=sa.INTEGER(), nullable=True)
    with op.batch_alter_table("moodle_site", schema=None) as batch_op:
        batch_op.alter_column("system", server_default=None)


def downgrade() -> None:
    """Realms have no registration: they are forgotten, and nothing of theirs is changed."""
    op.execute("DELETE FROM moodle_site WHERE system <> 'moodle'")
    with op.batch_alter_table("moodle_site", schema=None) as batch_op:
        batch_op.alter_column("registration_id", existing_type=sa.INTEGER(), nullable=False)
        batch_op.drop_column("system")
