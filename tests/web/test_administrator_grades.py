"""The registrar's inbox: what waits, both sides of it, each decision, holds and the log."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from werkzeug.test import Client

from lti_tool.core.audit import AuditEvent
from lti_tool.identity.models import AdminSignIn
from lti_tool.identity.rights import Role
from lti_tool.sis.entities import GradeStatus
from lti_tool.sync.grades.conflict_views import ConflictView
from lti_tool.sync.grades.log import Moved
from lti_tool.sync.grades.models import (
    ConflictState,
    Direction,
    GradeConflict,
    MoodleGradeSyncLog,
    Movement,
)
from tests.web.graded import Graded, graded_world
from tests.web.world import EVIL, Page

POSTS = (
    "/conflicts/1/keep",
    "/conflicts/1/take",
    "/conflicts/1/ask",
    "/several",
    "/several/decide",
    "/hold",
    "/lift",
)


@dataclass
class Desk:
    """An administrator's browser, and a Moodle in which teachers grade."""

    graded: Graded
    client: Client
    address: str = ""

    def get(self, path: str = "", *, language: str = "en") -> str:
        answer = self.client.get(
            f"/admin/grades{path}",
            base_url=self.graded.world.url,
            headers={"Accept-Language": language},
        )
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return answer.get_data(as_text=True)

    def post(self, path: str, **data: str | list[str]) -> str:
        """Send a form and follow where it leads."""
        token = Page(self.get()).fields["csrf_token"]
        answer = self.client.post(
            f"/admin/grades{path}",
            base_url=self.graded.world.url,
            data={"csrf_token": token, **data},
            follow_redirects=True,
        )
        self.address = urlsplit(answer.request.url).path
        return html.unescape(answer.get_data(as_text=True))

    def actions(self) -> list[str]:
        """What the audit log says was done, the latest last."""
        with self.graded.world.services.database.read() as session:
            return list(session.scalars(sa.select(AuditEvent.action).order_by(AuditEvent.id)))


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graded]:
    with graded_world(tmp_path_factory.mktemp("graded")) as built:
        yield built


@pytest.fixture
def desk(graded: Graded) -> Iterator[Desk]:
    yield Desk(graded, graded.world.administrator())
    with graded.world.services.database.write() as session:
        session.execute(sa.delete(GradeConflict))


@pytest.fixture
def locked(desk: Desk) -> ConflictView:
    """80 was approved in the SIS, then the teacher gave 90 in Moodle."""
    graded = desk.graded
    return graded.locked(graded.students()[0], graded.own_part(), "80", "90")


def seen(conflict: ConflictView) -> str:
    return f"{conflict.id}:{conflict.sis_value or ''}:{conflict.moodle_value or ''}"


def test_strangers_and_administrators_of_a_moodle_see_and_do_nothing(
    desk: Desk, locked: ConflictView
) -> None:
    world = desk.graded.world
    for client in (world.app.test_client(), world.launch("admin").client):
        for path in ("", f"/conflicts/{locked.id}", "/student", "/log", "/log.csv"):
            answer = client.get(f"/admin/grades{path}", base_url=world.url)
            assert answer.status_code in (401, 403), path
        for path in POSTS:
            answer = client.post(f"/admin/grades{path}", base_url=world.url)
            assert answer.status_code in (400, 401, 403), path


def test_every_act_needs_the_token_of_a_form(desk: Desk) -> None:
    for path in POSTS:
        answer = desk.client.post(f"/admin/grades{path}", base_url=desk.graded.world.url)
        assert answer.status_code == 400, path


def test_what_waits_is_said_where_an_administrator_begins(desk: Desk, locked: ConflictView) -> None:
    world = desk.graded.world
    for path in ("/admin/registrations", "/admin/sites", f"/admin/sites/{locked.site_id}"):
        page = desk.client.get(path, base_url=world.url).get_data(as_text=True)
        assert "1 grade waits for a decision." in page, path
    desk.post(f"/conflicts/{locked.id}/keep", seen=seen(locked))
    page = desk.client.get("/admin/registrations", base_url=world.url).get_data(as_text=True)
    assert "waits for a decision." not in page


def test_both_values_authors_and_times_stand_on_the_page(desk: Desk, locked: ConflictView) -> None:
    teacher = desk.graded.world.services.sis.person(desk.graded.world.people["teacher"].idnumber)
    assert teacher is not None
    page = html.unescape(desk.get(f"/conflicts/{locked.id}"))
    assert ">80<" in page
    assert ">90<" in page
    assert page.count(teacher.full_name) >= 1
    assert page.count("GMT+07:00") >= 3
    assert "Approved" in page
    assert "Came from Moodle" not in page
    assert "Sent to Moodle" in page
    assert "The grade is approved in the SIS" in page


def test_the_sis_s_grade_is_kept_and_sent_again(desk: Desk, locked: ConflictView) -> None:
    graded, part = desk.graded, desk.graded.own_part()
    assert graded.moodle(locked.person_key, part) == Decimal(90)
    page = desk.post(f"/conflicts/{locked.id}/keep", seen=seen(locked), note="The paper says 80.")
    assert "The SIS's grade is kept." in page
    assert "No grade waits for a decision." in page
    graded.send()
    assert graded.moodle(locked.person_key, part) == Decimal(80)
    graded.pull()
    assert graded.conflicts() == []
    page = desk.get(f"/conflicts/{locked.id}")
    assert "The paper says 80." in page
    assert "Decided by Administrator tests" in page
    assert "Which grade is to stand?" not in page
    assert "decided already" in desk.post(f"/conflicts/{locked.id}/take", reason="x").lower()


def test_moodle_s_is_taken_with_a_reason_and_stays_approved(
    desk: Desk, locked: ConflictView
) -> None:
    graded, part = desk.graded, desk.graded.own_part()
    assert "Say why" in desk.post(f"/conflicts/{locked.id}/take", seen=seen(locked), reason=" ")
    desk.post(f"/conflicts/{locked.id}/take", seen=seen(locked), reason="A mistake in adding up.")
    grade = graded.sis(locked.person_key, part)
    assert grade is not None
    assert (grade.score, grade.status) == (Decimal(90), GradeStatus.APPROVED)
    assert any("grade" in action for action in desk.actions()[-3:])


def test_a_decision_is_about_the_grades_that_were_on_the_page(
    desk: Desk, locked: ConflictView
) -> None:
    old = seen(locked)
    desk.graded.grade(locked.person_key, desk.graded.own_part(), "95")
    desk.graded.pull()
    for path, data in (("keep", {}), ("take", {"reason": "x"})):
        page = desk.post(f"/conflicts/{locked.id}/{path}", seen=old, **data)
        assert "meanwhile" in page, page
    assert desk.graded.conflicts()[0].moodle_value == 9500
    assert "no grade of the list" in desk.post(f"/conflicts/{locked.id}/keep", seen="nonsense")


def test_a_question_waits_for_the_teacher(desk: Desk, locked: ConflictView) -> None:
    assert "Write what you want to know" in desk.post(f"/conflicts/{locked.id}/ask", question="")
    page = desk.post(f"/conflicts/{locked.id}/ask", question=f"Which one? {EVIL}")
    assert "There is no answer yet." in page
    raw = desk.get(f"/conflicts/{locked.id}")
    assert EVIL not in raw
    assert "The teacher was asked" in desk.get("?state=asked")
    assert "No grade like that" in desk.get("?state=open")


def test_several_are_looked_at_first_then_decided_alike(desk: Desk) -> None:
    graded, part = desk.graded, desk.graded.own_part()
    people = graded.students()[2:5]
    found = [graded.locked(person, part, "70", "75") for person in people]
    tickets = [seen(each) for each in found]
    assert "Tick at least one" in desk.post("/several", what="keep")
    assert "Choose which" in desk.post("/several", conflict=tickets)
    page = desk.post("/several", what="take", conflict=tickets)
    assert "Take Moodle's for 3 grades?" in page
    assert "Nothing is changed yet." in page
    assert len(graded.conflicts()) == 3
    assert "Say why" in desk.post("/several/decide", what="take", conflict=tickets)
    # One of them was decided by somebody else meanwhile: the others go on.
    graded.world.services.grades.conflicts.keep(found[0].id, actor="tests")
    page = desk.post("/several/decide", what="take", conflict=tickets, reason="Regraded.")
    assert "2 grades are decided." in page
    assert "1 grade could not be decided so:" in page
    assert graded.conflicts() == []
    grade = graded.sis(people[1], part)
    assert grade is not None
    assert grade.score == Decimal(75)


def test_a_grade_is_held_and_lifted_with_a_reason(desk: Desk) -> None:
    graded, part = desk.graded, desk.graded.own_part()
    person = graded.students()[6]
    chosen = {"person": person, "class": graded.class_.class_key, "part": part.part_key}
    assert "Say why" in desk.post("/hold", **chosen, score="66")
    assert "not a number" in desk.post("/hold", **chosen, score="six", reason="x")
    assert "no such part" in desk.post("/hold", **{**chosen, "part": "?"}, reason="x")
    page = desk.post("/hold", **chosen, score="66,5", reason="Decision of the board.")
    assert "The grade is held." in page
    assert "Held by Administrator tests." in page
    assert "Decision of the board." in page
    grade = graded.sis(person, part)
    assert grade is not None
    assert (grade.score, grade.held_by) == (Decimal("66.50"), "admin:tests")
    page = desk.post("/lift", **chosen, reason="The board is done.")
    assert "held no longer" in page
    assert "Held by" not in page
    assert "not held" in desk.post("/lift", **chosen, reason="again")


def test_a_student_and_a_class_are_found_by_words(desk: Desk, locked: ConflictView) -> None:
    assert locked.student_id is not None
    page = Page(desk.get(f"/student?q={locked.student_id}"))
    assert any(f"person={locked.person_key}" in link for link in page.links)
    page = Page(desk.get(f"/student?person={locked.person_key}"))
    assert any("class=" in link for link in page.links)
    assert "nobody like that" in desk.get("/student?q=zzzzzz")
    page = Page(desk.get(f"/student?class={locked.class_key}"))
    [log] = [link for link in page.links if "/grades/log?" in link]
    assert "Sent to Moodle" in desk.get(log.split("/admin/grades", 1)[1])
    page_text = desk.get(f"/student?person={locked.person_key}&class={locked.class_key}")
    assert "Waits for a decision" in page_text
    assert "Sent to Moodle" in page_text


def test_the_log_is_a_table_that_no_spreadsheet_runs(desk: Desk, locked: ConflictView) -> None:
    services = desk.graded.world.services
    with services.database.writing() as connection:
        services.grades.log.write(
            connection,
            [
                Moved(
                    locked.site_id, locked.course_key, locked.class_key, locked.person_key,
                    "=cmd()", Direction.TO_MOODLE, Movement.REFUSED, None, 5000, "@evil",
                    code="grade_locked",
                )
            ],
        )  # fmt: skip
    answer = desk.client.get(
        f"/admin/grades/log.csv?person={locked.person_key}&class={locked.class_key}",
        base_url=desk.graded.world.url,
    )
    raw = answer.get_data(as_text=True)
    assert answer.mimetype == "text/csv"
    assert raw.startswith("\ufeffNumber,")
    rows = list(csv.DictReader(io.StringIO(raw.removeprefix("\ufeff"))))
    assert rows[-1]["Item"] == "'=cmd()"
    assert rows[-1]["By"] == "'@evil"
    assert rows[-1]["After"] == "50.00"
    assert {row["Student number"] for row in rows} == {locked.student_id}
    assert "Waits for a decision" in {row["What became of it"] for row in rows}
    everything = desk.client.get("/admin/grades/log.csv", base_url=desk.graded.world.url)
    assert everything.get_data(as_text=True).count("\n") > len(rows)
    page = desk.get(f"/log?site={locked.site_id}&class={locked.course_key}")
    assert "This one grade is locked in Moodle." in page
    with services.database.write() as session:
        session.execute(
            sa.delete(MoodleGradeSyncLog).where(MoodleGradeSyncLog.item_key == "=cmd()")
        )


@pytest.fixture
def thousand(desk: Desk) -> None:
    """A thousand conflicts, of many people and classes."""
    sis = desk.graded.world.services.sis_extracts
    people, classes = sis.person_keys(), list(sis.classes(sis.class_keys()).values())
    pairs = [(person, part) for view in classes for part in view.parts for person in people]
    owner = {part.part_key: view.class_key for view in classes for part in view.parts}
    now = desk.graded.world.services.clock.now()
    with desk.graded.world.services.database.write() as session:
        session.execute(
            sa.insert(GradeConflict),
            [
                {
                    "site_id": desk.graded.site.id,
                    "course_key": owner[part.part_key],
                    "class_key": owner[part.part_key],
                    "person_key": person,
                    "item_key": part.part_key,
                    "reason": ("locked", "withdrawn")[number % 2],
                    "state": ConflictState.OPEN,
                    "sis_value": 8000,
                    "sis_status": "APPROVED",
                    "sis_by": people[number % 40],
                    "sis_at": now,
                    "moodle_value": 9000,
                    "moodle_by": "moodle:7",
                    "moodle_at": now,
                    "since": now,
                }
                for number, (person, part) in enumerate(pairs[:1000])
            ],
        )


@pytest.mark.usefixtures("thousand")
def test_a_thousand_conflicts_are_listed_in_few_statements(desk: Desk) -> None:
    assert "1,000" in desk.get()
    sent: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    engine = desk.graded.world.services.database.engine
    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        first = desk.get()
        flat = len(sent)
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
    assert flat <= 20, sent
    assert len(re.findall(r'name="conflict"', first)) == 50
    [following] = [link for link in Page(first).links if "after=" in link]
    second = desk.get(following.split("/admin/grades", 1)[1])
    assert set(re.findall(r'id="conflict-\d+"', first)).isdisjoint(
        re.findall(r'id="conflict-\d+"', second)
    )
    assert "To the beginning" in second
    assert "500" in desk.get("?reason=locked")
    assert "No grade like that" in desk.get("?c=zzzzzz")
    assert "Moodle account no. 7" in first


def test_the_pages_are_whole_and_speak_khmer(desk: Desk, locked: ConflictView) -> None:
    paths = (
        "",
        f"/conflicts/{locked.id}",
        f"/student?person={locked.person_key}&class={locked.class_key}",
        "/student?q=a&c=e",
        f"/log?site={locked.site_id}&class={locked.course_key}",
    )
    for path in paths:
        page = Page(desk.get(path))
        assert page.headings.count("h1") == 1, path
        assert page.unlabelled == [], path
        assert page.styled == [], path
        assert len(page.ids) == len(set(page.ids)), path
        khmer = desk.get(path, language="km")
        assert 'lang="km"' in khmer
        words = re.sub(r"<[^>]*>", " ", khmer)
        for english in ("Grades", "Decide", "Choose", "Keep", "moved", "Hold"):
            assert english not in words, (path, english)


def test_nonsense_is_refused_in_words(desk: Desk) -> None:
    for path in ("/conflicts/9999", "/log?site=9999&class=x"):
        answer = desk.client.get(f"/admin/grades{path}", base_url=desk.graded.world.url)
        assert answer.status_code == 404, path
    assert "no such" in desk.post("/conflicts/9999/keep")
    assert "no such student or class" in desk.post("/hold", person="?", reason="x")


def test_an_auditor_reads_and_decides_nothing(desk: Desk, locked: ConflictView) -> None:
    with desk.graded.world.services.database.write() as session:
        session.execute(sa.update(AdminSignIn).values(roles=[Role.AUDITOR]))
    student = f"/student?person={locked.person_key}&class={locked.class_key}"
    for path in ("", f"/conflicts/{locked.id}", student):
        page = desk.get(path)
        assert locked.person_name in page
        for words in ("Tick all", "Which grade is to stand?", "Hold this grade"):
            assert words not in page, path
    page = desk.post(f"/conflicts/{locked.id}/keep", seen=seen(locked))
    assert "Your role does not allow this." in page
    assert desk.graded.conflicts() != []
