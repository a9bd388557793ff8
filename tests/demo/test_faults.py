"""Failures on demand, over a real connection."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from demo.assignment_grades import SCORE_TYPE
from demo.faults import Fault
from demo.model import MEMBERSHIPS, SCORE, LineItem
from demo.server import PlatformServer
from demo.state import PlatformConfig


@pytest.fixture
def server() -> Iterator[PlatformServer]:
    with PlatformServer(PlatformConfig()) as running:
        yield running


def _certs(server: PlatformServer, **options: Any) -> requests.Response:
    return requests.get(f"{server.url}/mod/lti/certs.php", timeout=20, **options)


def test_status_headers_and_count(server: PlatformServer) -> None:
    fault = Fault("certs", status=503, times=2, headers={"Retry-After": "1"})
    server.platform.faults.add(fault)
    answers = [_certs(server) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert answers[0].headers["Retry-After"] == "1"
    assert server.platform.faults.calls["certs"] == 3


def test_html(server: PlatformServer) -> None:
    server.platform.faults.add(Fault("certs", html=True))
    answer = _certs(server)
    assert answer.headers["Content-Type"].startswith("text/html")


def test_connection_breaks_in_the_middle(server: PlatformServer) -> None:
    server.platform.faults.add(Fault("certs", half=True))
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        _ = _certs(server).content


def test_half_a_page_as_if_it_were_all(server: PlatformServer) -> None:
    whole = _certs(server).content
    server.platform.faults.add(Fault("certs", short=True))
    assert _certs(server).content == whole[: len(whole) // 2]


def test_hang_lets_go_when_cleared(server: PlatformServer) -> None:
    server.platform.faults.add(Fault("certs", hang=60))
    answers: list[int] = []
    thread = threading.Thread(target=lambda: answers.append(_certs(server).status_code))
    thread.start()
    while not server.platform.faults.calls["certs"]:
        thread.join(0.01)
    assert not answers
    server.platform.faults.clear()
    thread.join(10)
    assert answers == [200]


def test_large_keys(server: PlatformServer) -> None:
    server.platform.faults.add(Fault("certs", size=100_000_000))
    with _certs(server, stream=True) as answer:
        read = 0
        for part in answer.iter_content(65536):
            read += len(part)
            if read > 1_000_000:
                break
    assert read > 1_000_000


def test_redirect_and_content_type(server: PlatformServer) -> None:
    server.platform.faults.add(Fault("certs", redirect="http://10.0.0.1/keys"))
    server.platform.faults.add(Fault("certs", content_type="text/plain"))
    moved = _certs(server, allow_redirects=False)
    assert (moved.status_code, moved.headers["Location"]) == (302, "http://10.0.0.1/keys")
    assert _certs(server).headers["Content-Type"] == "text/plain"


def _tool(server: PlatformServer) -> tuple[Any, Any]:
    tool = server.platform.add_tool(
        name="T", login_uri="", redirect_uris=[], jwks_uri="", target_link_uri=""
    )
    return tool, next(iter(server.platform.state.courses.values()))


def test_next_link_to_another_host(server: PlatformServer) -> None:
    tool, course = _tool(server)
    server.platform.faults.add(Fault("memberships", next_link="http://evil.test/more"))
    token = server.platform.issue_token(tool, [MEMBERSHIPS])
    path = f"/mod/lti/services.php/CourseSection/{course.id}/bindings/{tool.id}/memberships"
    answer = requests.get(
        server.url + path, headers={"Authorization": f"Bearer {token}"}, timeout=20
    )
    assert answer.status_code == 200
    assert answer.links["next"]["url"] == "http://evil.test/more"


def test_failure_after_the_work_was_done(server: PlatformServer) -> None:
    tool, course = _tool(server)
    item = LineItem(900, course.id, tool.id, "Part", 100)
    server.platform.state.line_items[item.id] = item
    student = next(m.user_id for m in course.members.values() if m.role == "student")
    server.platform.faults.add(Fault("scores", status=502, after=True))
    answer = requests.post(
        f"{server.url}/mod/lti/services.php/{course.id}/lineitems/900/lineitem/scores",
        headers={
            "Authorization": f"Bearer {server.platform.issue_token(tool, [SCORE])}",
            "Content-Type": SCORE_TYPE,
        },
        json={
            "userId": str(student),
            "timestamp": "2026-03-02T10:00:00Z",
            "activityProgress": "Completed",
            "gradingProgress": "FullyGraded",
            "scoreGiven": 7,
            "scoreMaximum": 10,
        },
        timeout=20,
    )
    assert answer.status_code == 502
    grade = server.platform.grade(900, student)
    assert grade is not None
    assert grade.final == 70


def test_unknown_endpoint() -> None:
    with pytest.raises(ValueError, match="Unknown endpoint"):
        Fault("nothing")


def test_control_over_http(server: PlatformServer) -> None:
    control = f"{server.url}/-/faults"
    armed = requests.post(control, json={"endpoint": "certs", "status": 500}, timeout=20)
    assert armed.status_code == 200
    assert _certs(server).status_code == 500
    assert requests.get(control, timeout=20).json()["calls"] == {"certs": 1}
    wrong = requests.post(control, json={"endpoint": "certs", "x": 1}, timeout=20)
    assert wrong.status_code == 400
    assert requests.delete(control, timeout=20).status_code == 200


def test_people_cannot_inject_failures() -> None:
    with PlatformServer(PlatformConfig(demo=True)) as running:
        answer = requests.post(f"{running.url}/-/faults", json={"endpoint": "certs"}, timeout=20)
        assert answer.status_code == 404
