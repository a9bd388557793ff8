"""A course of 200 students and 8 items, whose grades are in Moodle: as large as it gets."""

from __future__ import annotations

from decimal import Decimal

import sqlalchemy as sa

from lti_tool.lti.models import Registration
from lti_tool.moodle.documents import TOTAL
from lti_tool.moodle.models import MoodleSite
from lti_tool.sis.grading import GradeEntry
from lti_tool.sis.models import ClassHeader, Enrollment, Person
from lti_tool.sync.grades.models import GradeReceipt
from lti_tool.sync.provisioning.models import SyncedDocument
from tests.sync.school import School
from tests.web.world import Visit, World

STUDENTS = 200
PARTS = 8
KEY = "LARGE"


def open_large_course(world: World) -> Visit:
    """The gradebook of that course, opened by its teacher."""
    teacher = world.people["teacher"]
    school = School(world.services.database, world.services.clock)
    school.class_(KEY, parts=[f"part{number}" for number in range(PARTS)], teacher=teacher.idnumber)
    people = [f"large{number:03}" for number in range(STUDENTS)]
    _enrol(world, people)
    entries = [
        GradeEntry(person, f"{KEY}/part{part}", Decimal((7 * n + part) % 101))
        for n, person in enumerate(people)
        for part in range(PARTS)
    ]
    world.services.grading.enter(entries, actor=teacher.idnumber, submitted=True)
    course = world.platform.add_course(KEY, "A large course", idnumber=KEY)
    world.platform.enrol(course, teacher, "editingteacher")
    tool = world.platform.state.tools[world.tool_id]
    world.links["large"] = world.platform.add_link(course, tool, "Large")
    _sent(world, course.id, entries)
    return world.launch("teacher", "large")


def _enrol(world: World, people: list[str]) -> None:
    now = world.services.clock.now()
    with world.services.database.write() as session:
        header_id = session.scalars(sa.select(ClassHeader.id).filter_by(sourced_id=KEY)).one()
        for number, key in enumerate(people):
            person = Person(
                sourced_id=key,
                student_id=f"9{number:05}",
                family_name=f"LARGE {number}",
                personal_name="Dara",
                khmer_name="ដារ៉ា",
                is_student=True,
                updated_at=now,
            )
            session.add(person)
            session.flush()
            session.add(
                Enrollment(
                    sourced_id=f"{key}@{KEY}",
                    person_id=person.id,
                    header_id=header_id,
                    status_since=now,
                    updated_at=now,
                )
            )


def _sent(world: World, course_id: int, entries: list[GradeEntry]) -> None:
    """As if the engine had sent everything; every seventh grade is another in Moodle."""
    now = world.services.clock.now()
    with world.services.database.write() as session:
        registration_id = session.scalars(sa.select(Registration.id)).one()
        site = session.scalar(sa.select(MoodleSite)) or MoodleSite(
            registration_id=registration_id,
            url=world.platform.base_url,
            name="Campus",
            paired_by="tests",
            paired_at=now,
            updated_at=now,
        )
        session.add(site)
        session.flush()
        session.execute(
            sa.insert(SyncedDocument),
            {
                "site_id": site.id,
                "kind": "course",
                "key": KEY,
                "moodle_id": course_id,
                "outcome": "created",
                "active": 0,
                "created_at": now,
                "created_by": "tests",
                "updated_at": now,
                "updated_by": "tests",
            },
        )
        items = [
            (entry.person_key, entry.part_key, int((entry.score or 0) * 100)) for entry in entries
        ]
        items += [
            (person, key, 5000)
            for person in sorted({entry.person_key for entry in entries})
            for key in (f"{KEY}#1", TOTAL)
        ]
        session.execute(
            sa.insert(GradeReceipt),
            [
                {
                    "site_id": site.id,
                    "course_key": KEY,
                    "class_key": KEY,
                    "person_key": person,
                    "item_key": item,
                    "base": value,
                    "seen": 1 if number % 7 == 0 else value,
                    "seen_at": now,
                    "agreed_at": now,
                    "sent": value,
                    "sent_text": "",
                    "sent_at": now,
                    "sent_by": "worker",
                    "asked_text": "",
                }
                for number, (person, item, value) in enumerate(items)
            ],
        )
