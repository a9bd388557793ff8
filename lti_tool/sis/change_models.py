"""The table of what changed in the SIS and nobody has taken yet."""

from __future__ import annotations

import datetime as dt
import enum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.core.database import Base


class ChangeKind(enum.StrEnum):
    """What changed. ``ROSTER`` and ``GRADES`` are those of one class, by its key."""

    TERM = "term"
    PERSON = "person"
    CLASS = "class"
    ROSTER = "roster"
    GRADES = "grades"


class SisChange(Base):
    """One thing of the SIS that changed since it was last taken; ``at``: the latest change."""

    __tablename__ = "sis_change"

    kind: Mapped[ChangeKind] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(index=True)
