"""Table of what administrators decided about where classes are taught."""

from __future__ import annotations

import datetime as dt
import enum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.core.database import Base


class Placing(enum.StrEnum):
    """What was decided. ``HOST``: the classes that the SIS has together with it are taught in its
    course, and not in that of the class with the first key."""

    WITH = "with"
    ALONE = "alone"
    HOST = "host"


class ClassPlacement(Base):
    """Where a class is taught, whatever the SIS says; ``with_key`` if with another one."""

    __tablename__ = "sis_class_placement"

    class_key: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    placing: Mapped[Placing]
    with_key: Mapped[str | None] = mapped_column(sa.String(255), index=True)
    decided_by: Mapped[str] = mapped_column(sa.String(200))
    decided_at: Mapped[dt.datetime]
