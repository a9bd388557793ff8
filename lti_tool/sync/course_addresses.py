"""Where in the connected Moodles a class is taught: the addresses of its courses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import sqlalchemy as sa

from lti_tool.core.database import Database
from lti_tool.moodle.models import MoodleSite, SiteStanding
from lti_tool.sync.provisioning.models import MoodleCourseMapping

_sites = cast(sa.Table, MoodleSite.__table__)
_courses = cast(sa.Table, MoodleCourseMapping.__table__)


@dataclass(frozen=True, slots=True)
class CourseAddress:
    """A course in one Moodle, which is known to LTI by a registration."""

    site_name: str
    url: str
    registration_id: int


def course_addresses(database: Database, class_key: str) -> list[CourseAddress]:
    """The courses of this class (of several taught together, of the host): one statement."""
    query = (
        sa.select(_sites.c.name, _sites.c.url, _sites.c.registration_id, _courses.c.moodle_id)
        .join(_courses, _courses.c.site_id == _sites.c.id)
        .where(
            _sites.c.standing == SiteStanding.ACTIVE,
            _courses.c.kind == "course",
            _courses.c.key == class_key,
            _courses.c.moodle_id.is_not(None),
        )
        .order_by(_sites.c.id)
    )
    with database.reading() as connection:
        return [
            CourseAddress(name, f"{url}/course/view.php?id={moodle_id}", registration_id)
            for name, url, registration_id, moodle_id in connection.execute(query)
        ]
