"""What teachers see and decide of grades that changed in Moodle, and what students are told."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from decimal import Decimal

import pytest
import sqlalchemy as sa

from lti_tool.sis.entities import GradeStatus
from lti_tool.sis.grade_models import ClassPartGrade
from lti_tool.sis.models import ClassPart, Enrollment, Person
from lti_tool.sync.grades.conflict_views import ConflictView
from lti_tool.sync.grades.models import ConflictState, GradeConflict
from tests.web.graded import Graded, graded_world
from tests.web.world import EVIL, Page, Visit


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graded]:
    with graded_world(tmp_path_factory.mktemp("graded")) as built:
        yield built


@pytest.fixture(autouse=True)
def _emptied(graded: Graded) -> Iterator[None]:
    yield
    with graded.world.services.database.write() as session:
        session.execute(sa.delete(GradeConflict))


@pytest.fixture
def asked(graded: Graded) -> ConflictView:
    """An approved grade that was changed in Moodle, about which the registrar asks."""
    found = graded.locked(graded.world.people["student"].idnumber, graded.own_part(), "80", "90")
    graded.world.services.grades.conflicts.ask(
        found.id, actor="admin:dean", question=f"Which one? {EVIL}"
    )
    return found


@pytest.fixture
def withdrawn(graded: Graded) -> Iterator[ConflictView]:
    """A submitted grade that the teacher took away in Moodle."""
    person, part = graded.world.people["classmate"].idnumber, graded.own_part()
    _set_status(graded, person, GradeStatus.SUBMITTED)
    graded.enter(person, part, "70")
    graded.send()
    graded.pull()
    graded.grade(person, part, None)
    graded.pull()
    yield graded.conflict(person, part)
    _set_status(graded, person, GradeStatus.SUBMITTED)


@pytest.fixture
def divided(graded: Graded) -> Iterator[None]:
    """The part belongs to the colleague; another one stays the teacher's."""
    part = graded.own_part()
    database = graded.world.services.database
    chosen = sa.update(ClassPart).where(ClassPart.sourced_id == part.part_key)
    with database.write() as session:
        before = session.scalar(
            sa.select(ClassPart.teacher_id).where(ClassPart.sourced_id == part.part_key)
        )
        colleague = session.scalar(
            sa.select(Person.id).where(
                Person.sourced_id == graded.world.people["colleague"].idnumber
            )
        )
        session.execute(chosen.values(teacher_id=colleague))
    yield
    with database.write() as session:
        session.execute(chosen.values(teacher_id=before))


def _set_status(graded: Graded, person_key: str, status: GradeStatus) -> None:
    with graded.world.services.database.write() as session:
        found = session.scalars(
            sa.select(ClassPartGrade.id)
            .join(Enrollment, Enrollment.id == ClassPartGrade.enrollment_id)
            .join(Person, Person.id == Enrollment.person_id)
            .join(ClassPart, ClassPart.id == ClassPartGrade.part_id)
            .where(
                Person.sourced_id == person_key,
                ClassPart.sourced_id == graded.own_part().part_key,
            )
        ).all()
        session.execute(
            sa.update(ClassPartGrade).where(ClassPartGrade.id.in_(found)).values(status=status)
        )


def inbox(visit: Visit) -> str:
    answer = visit.get("/grades/questions")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def send(visit: Visit, path: str, **data: str) -> str:
    answer = visit.post(f"/grades/questions{path}", data, follow_redirects=True)
    return html.unescape(answer.get_data(as_text=True))


def seen(conflict: ConflictView) -> str:
    return ":".join("" if value is None else str(value) for value in conflict.shown)


def test_a_teacher_answers_what_was_asked(graded: Graded, asked: ConflictView) -> None:
    teacher = graded.world.launch("teacher")
    assert "The registrar asks you about 1 grade." in teacher.first.get_data(as_text=True)
    raw = inbox(teacher)
    assert EVIL not in raw
    assert "Which one?" in raw
    assert f'id="conflict-{asked.id}"' in raw
    path = f"/{asked.id}/answer"
    assert "Say why" in send(teacher, path, what="take")
    assert "Choose which grade" in send(teacher, path, words="It was late.")
    page = send(teacher, path, what="take", words="It was handed in late.")
    assert "the registrar sees your answer" in page
    found = graded.conflict(asked.person_key, graded.own_part())
    assert (found.state, found.proposes_take) == (ConflictState.OPEN, True)
    assert found.answer == "It was handed in late."
    assert "You answered: Take Moodle's grade." in html.unescape(inbox(teacher))
    # A proposal is no decision.
    grade = graded.sis(asked.person_key, graded.own_part())
    assert grade is not None
    assert grade.score == Decimal(80)
    assert "Nobody asks about this grade" in send(teacher, path, what="keep", words="No, keep.")
    administrator = graded.world.administrator()
    page = administrator.get(
        f"/admin/grades/conflicts/{asked.id}", base_url=graded.world.url
    ).get_data(as_text=True)
    assert "The teacher proposes: Take Moodle" in page
    assert "It was handed in late." in page


def test_an_approved_grade_is_not_the_teacher_s_to_decide(
    graded: Graded, asked: ConflictView
) -> None:
    teacher = graded.world.launch("teacher")
    for what in ("keep", "take"):
        page = send(teacher, f"/{asked.id}/decide", what=what, words="mine", seen=seen(asked))
        assert "not yours to decide" in page
    assert graded.conflict(asked.person_key, graded.own_part()).undecided


def test_a_teacher_keeps_what_was_taken_away(graded: Graded, withdrawn: ConflictView) -> None:
    teacher = graded.world.launch("teacher")
    assert "1 grade for you to decide" in inbox(teacher)
    page = send(teacher, f"/{withdrawn.id}/decide", what="keep", seen=seen(withdrawn))
    assert "The SIS's grade is kept." in page
    assert "There is no question about your grades." in page
    graded.send()
    assert graded.moodle(withdrawn.person_key, graded.own_part()) == Decimal(70)


def test_a_teacher_takes_a_grade_away_on_both_sides(
    graded: Graded, withdrawn: ConflictView
) -> None:
    teacher = graded.world.launch("teacher")
    path = f"/{withdrawn.id}/decide"
    assert "Say why" in send(teacher, path, what="take", seen=seen(withdrawn))
    assert "Load the page again" in send(teacher, path, what="take", words="x")
    assert "meanwhile" in send(teacher, path, what="take", words="x", seen="1:2")
    page = send(teacher, path, what="take", words="It was another student's.", seen=seen(withdrawn))
    assert "the SIS has the same now" in page
    grade = graded.sis(withdrawn.person_key, graded.own_part())
    assert grade is not None
    assert grade.score is None


def test_what_was_approved_meanwhile_is_no_more_the_teacher_s(
    graded: Graded, withdrawn: ConflictView
) -> None:
    teacher = graded.world.launch("teacher")
    assert "for you to decide" in inbox(teacher)
    _set_status(graded, withdrawn.person_key, GradeStatus.APPROVED)
    page = send(teacher, f"/{withdrawn.id}/decide", what="keep", seen=seen(withdrawn))
    assert "not yours to decide" in page


@pytest.mark.usefixtures("divided")
def test_nobody_sees_or_answers_for_the_parts_of_others(
    graded: Graded, asked: ConflictView
) -> None:
    teacher = graded.world.launch("teacher")
    assert "The registrar asks" not in teacher.first.get_data(as_text=True)
    page = inbox(teacher)
    assert "There is no question about your grades." in page
    assert asked.person_name not in page
    for act in ("answer", "decide"):
        answer = teacher.post(
            f"/grades/questions/{asked.id}/{act}",
            {"what": "take", "words": "mine", "seen": seen(asked)},
        )
        assert answer.status_code == 404, act
    colleague = graded.world.launch("colleague")
    assert "The registrar asks about 1 grade" in inbox(colleague)


def test_only_teachers_of_the_course_come_here(graded: Graded, asked: ConflictView) -> None:
    for who in ("student", "visitor", "unknown_teacher"):
        visit = graded.world.launch(who)
        assert visit.get("/grades/questions").status_code in (401, 403), who
    # Teaches in Moodle, but nothing of this class.
    assert asked.person_name not in inbox(graded.world.launch("colleague"))
    teacher = graded.world.launch("teacher")
    answer = teacher.client.post(
        f"/l/{teacher.reference}/grades/questions/{asked.id}/answer", base_url=graded.world.url
    )
    assert answer.status_code == 400
    assert teacher.post("/grades/questions/9999/answer").status_code == 404
    # In the other course, which the SIS does not keep, there is nothing of it.
    other = graded.world.launch("teacher", link="other")
    assert other.get("/grades/questions").status_code == 404


def test_a_student_is_told_when_and_that_something_is_open(
    graded: Graded, asked: ConflictView
) -> None:
    mine = html.unescape(graded.world.launch("student").first.get_data(as_text=True))
    assert "Grades of this course were last brought over from Moodle on" in mine
    assert mine.count("the school decides whether that counts") == 1
    # Moodle may hide the value from them.
    assert not re.search(r">\s*90(\.0+)?\s*<", mine)
    assert "Which one?" not in mine
    others = graded.world.launch("student2").first.get_data(as_text=True)
    assert "the school decides" not in others
    assert asked.person_name not in others


def test_the_page_is_whole(graded: Graded, asked: ConflictView, withdrawn: ConflictView) -> None:
    assert {asked.reason, withdrawn.reason} == {"locked", "withdrawn"}
    page = Page(inbox(graded.world.launch("teacher")))
    assert page.headings.count("h1") == 1
    assert page.unlabelled == []
    assert page.styled == []
    assert len(page.ids) == len(set(page.ids))
