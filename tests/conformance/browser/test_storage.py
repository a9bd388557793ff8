"""Cookies are refused in frames, and the platform keeps data for tools."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Route, expect

from lti_tool.lti.models import LaunchOutcome
from tests.conformance.browser.conftest import Cookies, Visit, Visitor
from tests.web.world import World

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("storage")]

_OTHER_WAY = "One more click"
# A storage frame that attacks one of the two questions, and answers the other one as it should.
# WAY says what is wrong with the forged answer; nothing else is. With LATE the right one follows.
_HOSTILE = """<!DOCTYPE html><title>Storage</title><script>
const [ASKED, WAY, LATE, ELSEWHERE] = %s;
const kept = new Map();
let heard = 0;
const tell = (answer) => parent.frames.contentframe.postMessage(answer, "*");
addEventListener("message", (event) => {
  const { subject, message_id, key, value } = event.data;
  if (subject === "lti.put_data") kept.set(key, value);
  const right = { subject: subject + ".response", message_id, key, value: kept.get(key) };
  if (subject !== ASKED) { tell(right); return; }
  const ways = {
    silence: () => {},
    no_id: () => { const { message_id, ...rest } = right; tell(rest); },
    wrong_id: () => {
      tell({ ...right, message_id: "another" });
      tell({ ...right, message_id: [message_id] });
      tell({ subject: right.subject, message_id: "another", error: { code: "unauthorized" } });
    },
    wrong_subject: () => {
      tell({ ...right, subject });
      tell({ ...right, subject: "lti.capabilities.response" });
      tell({ ...right, subject: "org.imsglobal." + right.subject });
      tell({ ...right, subject: "lti.capabilities.response", error: { code: "unauthorized" } });
    },
    wrong_shape: () => { [null, "", 5, [right], JSON.stringify(right)].forEach(tell); },
    // The platform's own page is the right origin, but not the frame that was asked.
    wrong_frame: () => parent.eval("(it) => frames.contentframe.postMessage(it, '*')")(right),
    // The frame that was asked goes elsewhere and answers from there.
    wrong_origin: () => { location = ELSEWHERE + "#" + encodeURIComponent(JSON.stringify(right)); },
    other_value: () => tell({ ...right, value: "x".repeat(43) }),
    no_value: () => tell({ ...right, value: null }),
    error: () => tell({ ...right, error: { code: "unauthorized", message: "No." } }),
    second_time: () => { if (++heard === 2) tell(right); },
    everything: () => {
      ["no_id", "wrong_id", "wrong_subject", "wrong_shape", "wrong_frame"].forEach((way) => {
        ways[way]();
      });
    },
  };
  ways[WAY]();
  if (LATE) tell(right);
});
</script>"""
_ELSEWHERE = """<!DOCTYPE html><title>Elsewhere</title><script>
parent.frames.contentframe.postMessage(JSON.parse(decodeURIComponent(location.hash.slice(1))), "*");
</script>"""
_PUT, _GET = "lti.put_data", "lti.get_data"


def _attack(visitor: Visitor, asked: str, way: str, *, late: bool = False) -> None:
    elsewhere = "http://127.0.0.1:9/elsewhere"
    arguments = f'["{asked}", "{way}", {str(late).lower()}, "{elsewhere}"]'

    def storage(route: Route) -> None:
        route.fulfill(content_type="text/html", body=_HOSTILE % arguments)

    def stranger(route: Route) -> None:
        route.fulfill(content_type="text/html", body=_ELSEWHERE)

    visitor.context.route(visitor.world.platform.url("/mod/lti/storage"), storage)
    visitor.context.route(elsewhere, stranger)


def _accepted(world: World) -> set[str]:
    return {
        each.reference for each in world.services.launches.recent(outcome=LaunchOutcome.ACCEPTED)
    }


@pytest.mark.parametrize("asked", [_PUT, _GET])
@pytest.mark.parametrize("way", ["everything", "wrong_origin"])
def test_p1_a_forged_answer_is_not_heard(visit: Visit, world: World, asked: str, way: str) -> None:
    before = _accepted(world)
    sent_on = world.platform.faults.calls["auth"]
    visitor = visit(Cookies.REFUSED)
    _attack(visitor, asked, way)
    visitor.open()
    visitor.heading(_OTHER_WAY)
    assert _accepted(world) == before
    if asked == _PUT:
        assert world.platform.faults.calls["auth"] == sent_on


@pytest.mark.parametrize("asked", [_PUT, _GET])
def test_p1_the_right_answer_is_heard_after_forged_ones(visit: Visit, asked: str) -> None:
    visitor = visit(Cookies.REFUSED)
    _attack(visitor, asked, "everything", late=True)
    visitor.open()
    visitor.heading("·")


@pytest.mark.parametrize("asked", [_PUT, _GET])
def test_p2_a_frame_that_is_slow_to_load_is_asked_again(visit: Visit, asked: str) -> None:
    visitor = visit(Cookies.REFUSED)
    _attack(visitor, asked, "second_time")
    visitor.open()
    visitor.heading("·")


@pytest.mark.parametrize("way", ["silence", "error"])
def test_p2_without_an_answer_a_window_opens(visit: Visit, way: str) -> None:
    visitor = visit(Cookies.REFUSED)
    _attack(visitor, _PUT, way)
    visitor.open()
    visitor.heading(_OTHER_WAY)
    with visitor.context.expect_page() as opened:
        visitor.frame.get_by_role("button", name="Open in a new window").click()
    opened.value.wait_for_url("**/l/**")
    expect(opened.value.locator("h1")).to_contain_text("·")


@pytest.mark.parametrize("way", ["silence", "error", "no_value"])
def test_p2_what_was_kept_does_not_come_back(visit: Visit, world: World, way: str) -> None:
    before = _accepted(world)
    visitor = visit(Cookies.REFUSED)
    _attack(visitor, _GET, way)
    visitor.open()
    visitor.heading(_OTHER_WAY)
    assert _accepted(world) == before


def test_p3_another_proof_than_the_one_that_was_kept(visit: Visit, world: World) -> None:
    visitor = visit(Cookies.REFUSED)
    _attack(visitor, _GET, "other_value")
    frame = visitor.open()
    shown = frame.locator("#reference").inner_text()
    (record,) = world.services.launches.recent(reference=shown)
    assert record.outcome is LaunchOutcome.REFUSED
    assert record.reason == "binding_mismatch"


def test_pages_go_on_without_any_cookie(visit: Visit, world: World) -> None:
    """The whole way of a teacher in one frame: read, search, preview, send, receipts."""
    world.empty_gradebook()
    visitor = visit(Cookies.REFUSED)
    complaints: list[str] = []
    visitor.page.on("pageerror", lambda error: complaints.append(str(error)))
    frame = visitor.open()
    visitor.heading("·")
    assert visitor.cookies_of_the_tool() == []

    frame.get_by_role("link", name="Roster").first.click()
    visitor.heading("Roster")
    expect(frame.locator("#roster table")).to_be_visible()
    frame.get_by_role("searchbox").fill("vanna")
    frame.get_by_role("searchbox").press("Enter")
    expect(frame.locator("#roster tbody tr")).to_have_count(1)

    frame.get_by_role("link", name="Gradebook").first.click()
    visitor.heading("Gradebook")
    frame.get_by_role("button", name="Preview what would change in Moodle").click()
    visitor.heading("What would change in Moodle")
    frame.get_by_role("button", name=re.compile(r"Send \d+ grades")).click()
    expect(frame.locator("progress")).to_be_visible()
    world.services.pushes.resume_abandoned()
    expect(frame.get_by_text(re.compile(r"\d+ grades sent"))).to_be_visible()

    frame.get_by_role("link", name="Gradebook").first.click()
    frame.get_by_role("button", name="Preview what would change in Moodle").click()
    expect(frame.get_by_text("There is nothing to send")).to_be_visible()
    assert visitor.cookies_of_the_tool() == []
    assert complaints == []


def test_a_confirmation_is_shown_without_any_cookie(visit: Visit, world: World) -> None:
    visitor = visit(Cookies.REFUSED)
    taught = world.services.sis.classes_taught_by(world.people["teacher"].idnumber)
    other = next(each for each in taught if each.class_key != world.class_.class_key)
    frame = visitor.open("teacher", "other")
    visitor.heading("Which class is this?")
    try:
        frame.locator(f"input[value='{other.class_key}']").check()
        frame.get_by_role("button", name="Show this class").click()
        frame.get_by_role("button", name="Yes, connect this course to it").click()
        visitor.heading("·")
        told = frame.get_by_text("The course is connected to its class.")
        expect(told).to_be_visible(timeout=3000)
        frame.get_by_role("link", name="Roster").first.click()
        visitor.heading("Roster")
        expect(told).to_have_count(0)
    finally:
        world.services.courses.unlink(
            world.registration.id, str(world.other_course.id), actor="tests"
        )
