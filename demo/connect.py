"""Connecting a tool to a platform that runs in another process, as an administrator would.

For a launcher: paste the registration address, activate the tool, add an activity to each course.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import requests

from demo.client import Form, parse_forms

_SECONDS = 30
_CONNECTED = "Connected with"


class ConnectError(Exception):
    """The tool could not be connected; the message says at which step."""


@dataclass(frozen=True)
class Connected:
    """What was made: the client id and the courses that got an activity."""

    client_id: str
    course_ids: tuple[int, ...]


def connect(
    platform_url: str, registration_url: str, *, activity: str = "Class and grades"
) -> Connected:
    """Register the tool behind ``registration_url``, activate it, add ``activity`` everywhere.

    Raises:
        ConnectError: a step failed; what was done before it stays.
    """
    base = platform_url.rstrip("/")
    with requests.Session() as session:
        session.trust_env = False
        try:
            return _connect(session, base, registration_url, activity)
        except requests.RequestException as error:
            raise ConnectError(f"No answer from {base} or the tool: {error}") from error


def pair(platform_url: str, make_code: Callable[[], str]) -> bool:
    """Paste a code into the platform's page and confirm; ``False`` if it is connected already.

    Raises:
        ConnectError: the platform or the tool refused; the message is what the page says.
    """
    base = platform_url.rstrip("/")
    with requests.Session() as session:
        session.trust_env = False
        try:
            page = session.get(f"{base}/admin/sis", timeout=_SECONDS)
            choice = re.search(r"/admin/sis\?as=\d+", page.text)
            if page.status_code == 403 and choice is not None:
                session.get(base + choice[0], timeout=_SECONDS)
                page = session.get(f"{base}/admin/sis", timeout=_SECONDS)
            if _CONNECTED in page.text:
                return False
            for form in _forms(page.text, "/admin/sis/preview"):
                page = session.post(
                    base + form.action, data={**form.fields, "code": make_code()}, timeout=_SECONDS
                )
            for form in _forms(page.text, "/admin/sis/pair"):
                page = session.post(base + form.action, data=form.fields, timeout=_SECONDS)
        except requests.RequestException as error:
            raise ConnectError(f"No answer from {base}: {error}") from error
        if _CONNECTED not in page.text:
            said = re.search(r"<main.*?</main>", page.text, re.DOTALL)
            words = re.sub(r"<[^>]+>|\s+", " ", said[0] if said else page.text)
            raise ConnectError(f"The platform was not connected: {words.strip()}")
        return True


def _connect(
    session: requests.Session, base: str, registration_url: str, activity: str
) -> Connected:
    before = set(_clients(_admin_page(session, base)))
    # The key of the session stands in the address of the frame in which the tool registers.
    page = session.get(
        f"{base}/admin/tools", params={"url": registration_url}, timeout=_SECONDS
    ).text
    key = re.search(r"sesskey=([0-9a-f]+)", page)
    if key is None:
        raise ConnectError("The platform's administration page could not be read.")
    answer = session.get(
        f"{base}/mod/lti/startltiadvregistration.php",
        params={"url": registration_url, "sesskey": key[1], "type": "-1"},
        timeout=_SECONDS,
    )
    made = [client for client in _clients(_admin_page(session, base)) if client not in before]
    if len(made) != 1:
        raise ConnectError(f"The tool did not register itself (it answered {answer.status_code}).")
    for form in _forms(_admin_page(session, base), "/admin/tools/activate"):
        _send(session, base, form, {})
    return Connected(made[0], tuple(_add_activities(session, base, activity)))


def _admin_page(session: requests.Session, base: str) -> str:
    page = session.get(f"{base}/admin/tools", timeout=_SECONDS)
    choice = re.search(r"/admin/tools\?as=\d+", page.text)
    if page.status_code == 403 and choice is not None:
        page = session.get(base + choice[0], timeout=_SECONDS)
    return page.text


def _clients(page: str) -> list[str]:
    return re.findall(r"<dt>Client ID</dt><dd>([^<]+)</dd>", page)


def _forms(page: str, action: str) -> list[Form]:
    return [form for form in parse_forms(page) if form.action == action]


def _send(session: requests.Session, base: str, form: Form, changes: dict[str, str]) -> None:
    answer = session.post(base + form.action, data={**form.fields, **changes}, timeout=_SECONDS)
    if not answer.ok:
        raise ConnectError(f"The platform refused {form.action} ({answer.status_code}).")


def _add_activities(session: requests.Session, base: str, activity: str) -> list[int]:
    home = session.get(f"{base}/", timeout=_SECONDS).text
    course_ids = [int(found) for found in re.findall(r'href="/course/(\d+)"', home)]
    for course_id in course_ids:
        page = session.get(f"{base}/course/{course_id}", timeout=_SECONDS).text
        for form in _forms(page, f"/course/{course_id}/links")[-1:]:
            _send(session, base, form, {"name": activity})
    return course_ids
