"""A whole university's enrolments: the number of statements does not grow with the rows."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from lti_tool.core.database import Database
from lti_tool.sis.models import Enrollment
from lti_tool.sis.oneroster.importer import OneRosterImporter


def test_sixteen_thousand_enrolments_in_a_flat_number_of_statements(
    package: Any, importer: OneRosterImporter, statements: Any, database: Database
) -> None:
    template, class_ = package["users"][0], package["classes"][0]
    package.files["users"] = [
        template | {"sourcedId": f"P{n}", "identifier": f"{n:05d}"} for n in range(4000)
    ]
    package.files["roles"] = package["roles"][:1]
    package.files["classes"] = [
        class_ | {"sourcedId": f"K{n}", "classCode": str(n)} for n in range(400)
    ]
    package.files["enrollments"] = [
        {
            "sourcedId": f"E{n}-{place}",
            "classSourcedId": f"K{(n + place) % 400}",
            "userSourcedId": f"P{n}",
            "role": "student",
        }
        for n in range(4000)
        for place in range(4)
    ]
    path = package.write()
    with statements() as first:
        assert importer.run(path).errors == []
    with statements() as second:
        assert importer.run(path).files["enrollments"].unchanged == 16000
    with database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Enrollment)) == 16000
    assert len(first) <= 90
    assert len(second) <= 90
