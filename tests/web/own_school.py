"""A small school whose people sign in to the tool itself: students, teachers, two classes."""

from __future__ import annotations

from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.sis.entities import EnrollmentStatus, GradeStatus
from tests.sync.school import School

STUDENT, CLASSMATE, TEACHER, COLLEAGUE = "dara", "bopha", "sokha", "vannak"
MINE, OTHERS = "ENG-1", "LAW-9"


def own_school(database: Database, clock: Clock) -> School:
    """``MINE`` is taught by TEACHER; STUDENT and CLASSMATE are in it. ``OTHERS`` is COLLEAGUE's,
    with CLASSMATE alone. One who left is in ``MINE`` too."""
    school = School(database, clock)
    school.person(TEACHER, family_name="SOKHA", teacher=True)
    school.person(COLLEAGUE, family_name="VANNAK", teacher=True)
    school.class_(MINE, parts=("reading", "writing"), teacher=TEACHER)
    school.class_(OTHERS, teacher=COLLEAGUE)
    school.person(STUDENT, family_name="SOK", khmer_name="សុខ ដារា", student_id="0042")
    school.person(CLASSMATE, family_name="CHAN", personal_name="Bopha", student_id="0043")
    school.person("gone", family_name="LEFT", personal_name="Already")
    for person in (STUDENT, CLASSMATE):
        school.enrol(person, MINE)
    school.enrol("gone", MINE, EnrollmentStatus.DROPPED)
    school.enrol(CLASSMATE, OTHERS)
    school.grade(STUDENT, f"{MINE}/reading", "81.5")
    school.grade(STUDENT, f"{MINE}/writing", "13.25", GradeStatus.DRAFT)
    school.grade(CLASSMATE, f"{MINE}/reading", "67.75")
    school.grade(CLASSMATE, f"{OTHERS}/part", "59")
    return school
