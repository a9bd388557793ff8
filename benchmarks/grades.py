"""Grades between the SIS and a real Moodle, both ways.

To Moodle: the totals of 1,000 students over 20 courses by the plugin, and the same by the tool's
own client of LTI's grade service, four at a time as its pushes are; what is written the second time
is counted by Moodle's database, less what Moodle itself writes for any call. From Moodle: a teacher
gives 1,000 grades, with Moodle's cron every minute, until each stands in the SIS; then the same
grades are compared once more, all at once. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from benchmarks import grades_campus
from benchmarks.cron import Cron
from benchmarks.grades_campus import COURSES, PREFIX, STUDENTS
from benchmarks.grades_page import figures as page_figures
from benchmarks.kept import Kept, kept
from benchmarks.moodle_site import MoodleFailedError, Site, figure, find_site
from lti_tool.lti.assignment_grades import Score
from lti_tool.lti.models import Registration
from lti_tool.moodle.documents import (
    TOTAL,
    Applied,
    Document,
    Grade,
    Gradebook,
    Grades,
)
from lti_tool.sis.entities import ClassStatus, GradeSource, GradeStatus
from lti_tool.sis.grade_models import ClassPartGrade
from lti_tool.sis.models import ClassHeader, ClassPart, Enrollment, Person
from lti_tool.sync.grades.models import GradePull, GradeReceipt, MoodleGradeSyncLog

AT_ONCE = 4
IN_TIME = 150
FASTER, SECONDS, COMPARED = 10, 30, 1000


@dataclass(frozen=True)
class Class:
    """A course and its students: idnumbers, and Moodle's ids."""

    course: str
    students: list[str]
    course_id: int
    student_ids: list[int]


def _applied(campus: Kept, documents: Sequence[Document]) -> Iterator[Applied]:
    for start in range(0, len(documents), 500):
        applied = campus.services.moodle_plugin.apply(campus.site, documents[start : start + 500])
        yield applied
        for result in applied.results:
            outcomes = [result.result, *(each.result for each in result.members)]
            if "refused" in outcomes:
                raise MoodleFailedError(str(result)[:2000])


def _classes(campus: Kept) -> list[Class]:
    """Make people, courses and gradebooks; returns them with Moodle's ids."""
    list(_applied(campus, grades_campus.campus()))
    names = [f"{PREFIX}c{number:02}" for number in range(COURSES)]
    ids: dict[str, int] = {}
    for applied in _applied(campus, [grades_campus.gradebook(name) for name in names]):
        ids |= {result.key: result.id or 0 for result in applied.results}
    people: dict[str, list[tuple[str, int]]] = {}
    for page in campus.services.moodle_plugin.pages(campus.site, "roster", {"courses": names}):
        for each in page:
            people.setdefault(each["course"], []).append((each["user"], each["id"]))
    return [
        Class(name, [key for key, _ in people[name]], ids[name], [one for _, one in people[name]])
        for name in names
    ]


def _totals(classes: Sequence[Class], add: int) -> list[Document]:
    return [
        Grades(
            course=each.course,
            grades=[
                Grade(
                    user=student,
                    item=TOTAL,
                    value=(7 * number + add) % 10_001,
                    note="Naga SIS, approved by the benchmark",
                )
                for number, student in enumerate(each.students)
            ],
        )
        for each in classes
    ]


def _by_plugin(campus: Kept, documents: Sequence[Document], expected: str) -> float:
    began = time.perf_counter()
    applied = list(_applied(campus, documents))
    took = time.perf_counter() - began
    members = [each for part in applied for result in part.results for each in result.members]
    wrong = [each for each in members if each.result != expected]
    if wrong or sum(len(part.results) for part in applied) != len(documents):
        raise MoodleFailedError(f"not {expected}: {wrong[:1]}")
    return took


def _by_service(campus: Kept, classes: Sequence[Class]) -> float:
    """The same number of grades by LTI's service, each in its course's own column; seconds."""
    services = campus.services
    registration = services.registrations.get(campus.site.registration_id)
    columns = [_column(campus, registration, each) for each in classes]
    now = services.clock.now()
    scores = [
        (column, Score(str(student), Decimal(number % 101), Decimal(100), now))
        for column, each in zip(columns, classes, strict=True)
        for number, student in enumerate(each.student_ids)
    ]

    def post(given: tuple[str, Score]) -> bool:
        return bool(services.assignment_grades.post_score(registration, *given))

    began = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        sent = sum(pool.map(post, scores))
    if sent != len(scores):
        raise MoodleFailedError(f"{len(scores) - sent} scores were not taken")
    return time.perf_counter() - began


def _column(campus: Kept, registration: Registration, class_: Class) -> str:
    (deployment,) = registration.deployments
    url = f"{campus.site.url}/mod/lti/services.php/{class_.course_id}/lineitems"
    ags = {
        "lineitems": f"{url}?type_id={deployment.deployment_id}",
        "scope": [
            "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem",
            "https://purl.imsglobal.org/spec/lti-ags/scope/score",
        ],
    }
    return campus.services.assignment_grades.ensure_line_item(
        registration,
        ags,
        label="Total",
        maximum=Decimal(100),
        resource_id="bench",
        tag="",
    ).url


def _require_there(campus: Kept, documents: Sequence[Document]) -> None:
    """Every total stands in Moodle as it was sent."""
    there: dict[tuple[str, str], int | None] = {}
    names = [document.course for document in documents if isinstance(document, Grades)]
    scope = {"courses": names, "keyed": True}
    for page in campus.services.moodle_plugin.pages(campus.site, "grades", scope):
        there |= {
            (each["course"], each["user"]): each["percent"]
            for each in page
            if each["key"] == TOTAL and each["overridden"]
        }
    wanted = {
        (document.course, grade.user): grade.value
        for document in documents
        if isinstance(document, Grades)
        for grade in document.grades
    }
    wrong = [cell for cell, value in wanted.items() if there.get(cell) != value]
    if wrong:
        raise MoodleFailedError(f"{len(wrong)} totals are not as they were sent: {wrong[:3]}")


def _written(site: Site, work: Callable[[], Any]) -> dict[str, int]:
    # The database's counters are about a second behind.
    time.sleep(1.5)
    before = {name: int(count) for name, count in (site.run("writes") or {}).items()}
    work()
    time.sleep(1.5)
    after = {name: int(count) for name, count in (site.run("writes") or {}).items()}
    return {name: count - before.get(name, 0) for name, count in after.items()}


def _to_moodle(campus: Kept) -> list[dict[str, Any]]:
    classes = _classes(campus)
    # What is loaded the first time is paid by neither.
    _by_plugin(campus, _totals(classes[:1], 1), "updated")
    _by_service(
        campus, [Class(classes[0].course, [], classes[0].course_id, classes[0].student_ids[:2])]
    )
    documents = _totals(classes, 3)
    ours = _by_plugin(campus, documents, "updated")
    _require_there(campus, documents)
    theirs = _by_service(campus, classes[1:]) * COURSES / (COURSES - 1)
    # Moodle notes a token's use once a minute.
    campus.services.moodle_plugin.status(campus.site)
    again: list[float] = []
    rows = _written(campus.moodle, lambda: again.append(_by_plugin(campus, documents, "unchanged")))
    upkeep = _written(campus.moodle, lambda: campus.services.moodle_plugin.status(campus.site))
    ours_again = {
        name: count - upkeep.get(name, 0)
        for name, count in rows.items()
        if count > upkeep.get(name, 0)
    }
    print(
        f"{STUDENTS} totals: by the plugin {ours:.2f} s, again {again[0]:.2f} s, by the service"
        f" {theirs:.2f} s; rows written again {ours_again}",
        flush=True,
    )
    return [
        figure("times as fast as the grade service", theirs / ours, FASTER, at_least=True),
        figure("rows written unchanged", sum(ours_again.values()), 0, at_least=False),
    ]


def _cells(campus: Kept) -> list[tuple[str, str, str]]:
    """(course, person, part) of grades of classes under way that are not approved."""
    found: list[tuple[str, str, str]] = []
    rosters, books = campus.documents("roster"), campus.documents("gradebook")
    classes = campus.services.sis_extracts.classes(books)
    for course, book in books.items():
        assert isinstance(book, Gradebook)
        # Of classes that are taught together not everybody is in each.
        if classes[course].status is not ClassStatus.ACTIVE or classes[course].combined_with:
            continue
        members = getattr(rosters[course], "members", [])
        students = [m.user for m in members if (m.role, m.status) == ("student", "active")]
        found += [
            (course, person, item.key)
            for item in book.items
            for person in students
            if not item.key.startswith("#")
        ]
    with campus.services.database.read() as session:
        rows = session.execute(
            sa.select(Person.sourced_id, ClassPart.sourced_id)
            .join(Enrollment, Enrollment.person_id == Person.id)
            .join(ClassPartGrade, ClassPartGrade.enrollment_id == Enrollment.id)
            .join(ClassPart, ClassPart.id == ClassPartGrade.part_id)
            .where(ClassPartGrade.status != GradeStatus.SUBMITTED)
        )
        there = {(person, part) for person, part in rows}
        auditing = session.execute(
            sa.select(Person.sourced_id, ClassHeader.sourced_id)
            .join(Enrollment, Enrollment.person_id == Person.id)
            .join(ClassHeader, ClassHeader.id == Enrollment.header_id)
            .where(Enrollment.is_audit)
        )
        # They get no grades.
        audits = {(course, person) for person, course in auditing}
    return [cell for cell in found if (cell[1], cell[2]) not in there and cell[:2] not in audits]


def _imported(campus: Kept) -> dict[tuple[str, str], float]:
    """When each grade from Moodle came to stand in the SIS: seconds since 1970."""
    with campus.services.database.read() as session:
        rows = session.execute(
            sa.select(Person.sourced_id, ClassPart.sourced_id, ClassPartGrade.updated_at)
            .join(Enrollment, Enrollment.person_id == Person.id)
            .join(ClassPartGrade, ClassPartGrade.enrollment_id == Enrollment.id)
            .join(ClassPart, ClassPart.id == ClassPartGrade.part_id)
            .where(ClassPartGrade.source == GradeSource.MOODLE_IMPORT)
        )
        return {(person, part): at.timestamp() for person, part, at in rows}


def _from_moodle(campus: Kept) -> list[dict[str, Any]]:
    campus.tool.cli("sync", "apply", "--all")
    cells = _cells(campus)[:STUDENTS]
    if len(cells) < STUDENTS:
        raise SystemExit(f"The campus has only {len(cells)} grades to give.")
    campus.tool.start_worker()
    with Cron(campus.moodle) as cron:
        cron.settle()
        given = campus.moodle.run(
            "grade",
            grades=[
                {"course": course, "user": person, "key": key} for course, person, key in cells
            ],
            seconds=IN_TIME,
        )
        deadline = time.monotonic() + 90
        while len(_imported(campus)) < STUDENTS and time.monotonic() < deadline:
            time.sleep(1)
    campus.tool.stop("worker")
    arrived = _imported(campus)
    acts = {(person, part): at for (_, person, part), at in zip(cells, given, strict=True)}
    missing = set(acts) - set(arrived)
    if missing:
        _explain(campus, missing)
        raise SystemExit(f"{len(missing)} of {STUDENTS} grades did not arrive: {min(missing)}")
    delays = sorted(arrived[cell] - at for cell, at in acts.items())
    p95 = statistics.quantiles(delays, n=20)[-1]
    print(
        f"from Moodle: median {statistics.median(delays):.1f} s, 95% {p95:.1f} s, all"
        f" {delays[-1]:.1f} s",
        flush=True,
    )
    compared, seconds = _reconciled(campus)
    print(f"{compared} grades compared in {seconds:.2f} s", flush=True)
    return [
        figure("seconds until a grade is in the SIS, 95%", p95, SECONDS, at_least=False),
        figure("grades compared a second", compared / seconds, COMPARED, at_least=True),
    ]


def _explain(campus: Kept, missing: Collection[tuple[str, str]]) -> None:
    with campus.services.database.read() as session:
        codes = session.execute(
            sa.select(
                MoodleGradeSyncLog.direction,
                MoodleGradeSyncLog.movement,
                MoodleGradeSyncLog.code,
                sa.func.count(),
            ).group_by(
                MoodleGradeSyncLog.direction, MoodleGradeSyncLog.movement, MoodleGradeSyncLog.code
            )
        ).all()
        pulls = session.scalar(sa.select(sa.func.count()).select_from(GradePull))
    print(f"{len(missing)} missing, {pulls} pulls left, movements {codes}", flush=True)


def _reconciled(campus: Kept) -> tuple[int, float]:
    """Compare everything once more; what was compared and in how many seconds."""
    pulls = campus.services.grades.pulls
    pulls.run(campus.site)
    began = time.perf_counter()
    pulls.request_all(campus.site)
    compared = pulls.run(campus.site)
    took = time.perf_counter() - began
    with campus.services.database.read() as session:
        left = session.scalar(sa.select(sa.func.count()).select_from(GradePull))
        receipts = session.scalar(sa.select(sa.func.count()).select_from(GradeReceipt))
    print(f"{receipts} receipts, {left} pulls left", flush=True)
    return compared, took


def main() -> None:
    """Measure, then take everything back."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    figures = page_figures()
    site = find_site()
    print(site.run("about"), flush=True)
    with kept(site) as campus:
        try:
            figures += _to_moodle(campus)
        finally:
            site.run("remove", prefix=PREFIX)
        figures += _from_moodle(campus)
    print(json.dumps({"name": "grades", "figures": figures}))


if __name__ == "__main__":
    main()
