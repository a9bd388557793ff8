"""what nobody waits for is dealt with

Revision ID: 9e41d7c05b62
Revises: 3c0d9b7e51af
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "9e41d7c05b62"
down_revision = "3c0d9b7e51af"
branch_labels = None
depends_on = None

# Of this revision's time.
_AWAITED = (
    "assign.graded",
    "course.deleted",
    "course.restored",
    "grade.changed",
    "grade.deleted",
    "grade_item.created",
    "grade_item.deleted",
    "grade_item.updated",
    "quiz.graded",
    "user.loggedin",
)


def upgrade() -> None:
    """Apply the change: other events were never deleted, and stood in the way of those."""
    events = sa.table(
        "moodle_event", sa.column("type"), sa.column("taken_at"), sa.column("received_at")
    )
    op.execute(
        sa.update(events)
        .where(events.c.taken_at.is_(None), events.c.type.not_in(_AWAITED))
        .values(taken_at=events.c.received_at)
    )


def downgrade() -> None:
    """Nothing to take back: the older version looks at no other events either."""
