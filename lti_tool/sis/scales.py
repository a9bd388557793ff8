"""Grade scales as configuration: shipped as data, kept in the database, read with it."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from importlib import resources
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from lti_tool.sis.grade_models import GradeConversion, GradeScale
from lti_tool.sis.rules import Conversion, Scale


def shipped_scales() -> tuple[Scale, ...]:
    """The scales of ``sis/data/grade_scales.json``."""
    source = resources.files("lti_tool.sis") / "data" / "grade_scales.json"
    return tuple(_parsed(item) for item in json.loads(source.read_text("utf-8")))


def install_scales(session: Session, *, now: dt.datetime) -> None:
    """Store the shipped scales that the database lacks; those that it has are the school's own."""
    present = set(session.scalars(sa.select(GradeScale.code)))
    for scale in shipped_scales():
        if scale.code not in present:
            session.add(
                GradeScale(
                    code=scale.code,
                    name=scale.name,
                    cycles=list(scale.cycles),
                    course_prefixes=list(scale.course_prefixes),
                    updated_at=now,
                    conversions=[
                        GradeConversion(
                            letter=row.letter,
                            minimum=row.minimum,
                            maximum=row.maximum,
                            points=row.points,
                            updated_at=now,
                        )
                        for row in scale.conversions
                    ],
                )
            )
    session.flush()


def stored_scales(session: Session) -> tuple[Scale, ...]:
    """The database's scales, or the shipped ones while it has none."""
    rows = session.scalars(
        sa.select(GradeScale).options(selectinload(GradeScale.conversions)).order_by(GradeScale.id)
    ).all()
    scales = tuple(
        Scale(
            code=row.code,
            name=row.name,
            cycles=tuple(row.cycles),
            course_prefixes=tuple(row.course_prefixes),
            conversions=tuple(
                Conversion(item.letter, item.minimum, item.maximum, item.points)
                for item in row.conversions
            ),
        )
        for row in rows
    )
    return scales or shipped_scales()


def _parsed(item: dict[str, Any]) -> Scale:
    return Scale(
        code=item["code"],
        name=item["name"],
        cycles=tuple(item["cycles"]),
        course_prefixes=tuple(item["course_prefixes"]),
        conversions=tuple(
            Conversion(
                row["letter"],
                Decimal(row["minimum"]),
                Decimal(row["maximum"]),
                Decimal(row["points"]),
            )
            for row in item["conversions"]
        ),
    )
