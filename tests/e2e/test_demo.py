"""`make demo` as somebody meets it who has just cloned the repository: one command, one address."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import FrameLocator, Page, Playwright, expect

from tests.e2e.browser import find_chromium
from tests.ports import free_port

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

_ROOT = Path(__file__).parents[2]
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_PATIENCE = 30_000


def _descendants(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found += [child, *_descendants(child)]
    return found


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    # Ended, and waiting for somebody to ask how.
    return state != "Z"


@dataclass
class Demo:
    """The demonstration in a directory; it can be started, stopped and started again."""

    directory: Path
    ports: tuple[int, int]
    process: subprocess.Popen[str] | None = None
    said: list[str] = field(default_factory=list)

    def start(self) -> str:
        """Start it and return the address that it prints."""
        # Below a shell that started the tests in the background, Ctrl-C would be ignored.
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        self.said = []
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "demo",
                f"--directory={self.directory}",
                f"--port={self.ports[0]}",
                f"--platform-port={self.ports[1]}",
            ],
            cwd=_ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line.strip())
            if "Ctrl-C" in line:
                break
        address = re.search(r"Open (http://\S+)", "\n".join(self.said))
        assert address, "\n".join([*self.said, *self.logs()])
        return address[1]

    def interrupt(self) -> list[int]:
        """Press Ctrl-C and wait for the end; returns what ran below it."""
        assert self.process is not None
        below = _descendants(self.process.pid)
        self.process.send_signal(signal.SIGINT)
        rest, _ = self.process.communicate(timeout=60)
        self.said += rest.split("\n")
        return below

    def logs(self) -> list[str]:
        """What its processes wrote."""
        return [path.read_text() for path in sorted(self.directory.rglob("*.log"))]

    def sign_in_link(self) -> str:
        """The link to the tool's own administration."""
        return next(line for line in self.said if "/admin/sign-in/" in line)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    demo = Demo(tmp_path / "demo", (free_port(), free_port()))
    yield demo
    if demo.process is not None and demo.process.poll() is None:
        demo.interrupt()


@dataclass
class Guest:
    """Somebody at the platform's pages."""

    page: Page
    address: str

    @property
    def frame(self) -> FrameLocator:
        """The tool."""
        return self.page.frame_locator("iframe[name=contentframe]")

    def course(self) -> None:
        """Go to the course with the activities: the first, for the campus's others come after."""
        self.page.goto(self.address)
        self.page.locator("ul.cards a").first.click()

    def campus(self) -> None:
        """See that the SIS's courses have come by themselves."""
        self.page.goto(self.address)
        courses = self.page.locator("ul.cards a")
        for _ in range(60):
            if courses.count() > 10:
                break
            self.page.wait_for_timeout(500)
            self.page.reload()
        assert courses.count() > 10

    def open_as(self, role: str) -> FrameLocator:
        """Open the activity in the course."""
        self.course()
        self.page.get_by_role("button", name=f"Open as {role}", exact=True).click()
        return self.frame

    def heading(self, text: str | re.Pattern[str]) -> None:
        """Wait for the tool's page with this heading."""
        expect(self.frame.locator("h1")).to_contain_text(text)

    def gradebook(self) -> FrameLocator:
        """The tool's gradebook, as a teacher."""
        self.open_as("teacher").get_by_role("link", name="Gradebook").first.click()
        self.heading("Gradebook")
        return self.frame

    def nothing_to_send(self) -> None:
        """The SIS's grades come to the platform by themselves: the preview says so."""
        nothing = self.frame.get_by_text("There is nothing to send")
        for _ in range(60):
            self.gradebook().get_by_role("button", name="Preview what would change").click()
            self.heading("What would change in Moodle")
            if nothing.is_visible():
                break
            self.page.wait_for_timeout(1000)
        expect(nothing).to_be_visible()

    def type_grade(self, grade: str) -> None:
        """As the teacher who opened something last, type a grade where there is none yet."""
        self.course()
        self.page.get_by_role("link", name="Grades", exact=True).click()
        self.page.get_by_role("link", name="Edit grades").click()
        self.page.locator("input.grade[value='']").first.fill(grade)
        self.page.get_by_role("button", name="Save changes").click()

    def sees_in_sis(self, grade: re.Pattern[str]) -> None:
        """It comes to the SIS by itself, and stands in the tool's gradebook."""
        cell = self.frame.locator("table.grades td").filter(has_text=grade)
        for _ in range(60):
            self.gradebook()
            if cell.count():
                break
            self.page.wait_for_timeout(1000)
        expect(cell.first).to_contain_text("Submitted")

    def platform_grades(self) -> list[str]:
        """The platform's own gradebook, cell by cell; whoever opened something last sees it."""
        self.page.get_by_role("link", name="Grades", exact=True).click()
        expect(self.page.get_by_role("heading", name="Grader report")).to_be_visible()
        return self.page.locator("table.grades td").all_inner_texts()


def _first_visit(guest: Guest) -> list[str]:
    """Everybody's first visit; returns the platform's gradebook."""
    frame = guest.open_as("teacher")
    guest.heading("·")
    frame.get_by_role("link", name="Roster").first.click()
    guest.heading("Roster")
    expect(frame.locator("#roster tbody tr").first).to_be_visible()
    # The demonstration has its share of the world's disorder, with what to do about it.
    expect(frame.locator("ul.chips a")).not_to_have_count(2)

    guest.nothing_to_send()
    guest.course()
    assert [cell for cell in guest.platform_grades() if re.match(r"\d", cell)]
    guest.gradebook()
    guest.type_grade("61.25")
    guest.sees_in_sis(re.compile(r"61\.25"))

    _student_sees_own_grades(guest)
    guest.open_as("administrator")
    guest.heading("Demonstration Moodle")
    guest.campus()
    guest.gradebook()
    guest.course()
    return guest.platform_grades()


def _student_sees_own_grades(guest: Guest) -> None:
    guest.course()
    names = guest.page.get_by_label("student: who").locator("option").all_inner_texts()
    assert len(names) > 2
    frame = guest.open_as("student")
    guest.heading("·")
    expect(frame.get_by_role("link", name=re.compile("Roster|Gradebook"))).to_have_count(0)
    expect(frame.locator("main")).to_contain_text(re.compile(r"\d"))
    shown = frame.locator("body").inner_text()
    assert [name for name in names[1:] if name != names[0] and name in shown] == []


def _administers_the_tool(page: Page, link: str) -> None:
    page.goto(link)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Registrations")
    expect(page.get_by_role("link", name="Demonstration Moodle")).to_be_visible()


def _second_visit(guest: Guest) -> list[str]:
    """After another start nothing is lost; returns the platform's gradebook."""
    guest.nothing_to_send()
    guest.sees_in_sis(re.compile(r"61\.25"))
    guest.course()
    return guest.platform_grades()


def test_everything_that_the_demonstration_promises(demo: Demo, playwright_: Playwright) -> None:
    chromium = find_chromium()
    if isinstance(chromium, str):
        pytest.skip(chromium)

    def browse(address: str, *, first: bool) -> list[str]:
        browser = playwright_.chromium.launch(executable_path=chromium, args=_ARGUMENTS)
        try:
            context = browser.new_context(locale="en-GB")
            context.set_default_timeout(_PATIENCE)
            expect.set_options(timeout=_PATIENCE)
            guest = Guest(context.new_page(), address)
            if not first:
                return _second_visit(guest)
            _administers_the_tool(context.new_page(), demo.sign_in_link())
            return _first_visit(guest)
        finally:
            browser.close()

    first = browse(demo.start(), first=True)

    ran = demo.interrupt()
    assert len(ran) >= 3
    assert [pid for pid in ran if _lives(pid)] == []
    assert demo.process is not None
    assert demo.process.returncode == 0
    assert "Stopped." in demo.said

    second = browse(demo.start(), first=False)
    assert second == first
