"""The tool's signing key is rotated while people work, and nobody notices."""

from __future__ import annotations

from decimal import Decimal

import pytest
import sqlalchemy as sa

from lti_tool.lti.models import AccessToken
from tests.e2e import oneroster, school
from tests.e2e.conftest import OpenBrowser
from tests.e2e.course import GRADEBOOK, ROSTER, SPEAKING, Links, add_link, come_in
from tests.e2e.grading import column, enter, name, preview, send
from tests.e2e.moodle.site import Moodle
from tests.e2e.platform import Platform
from tests.e2e.tool import Tool
from tests.e2e.tool_pages import arrived

pytestmark = [pytest.mark.moodle, pytest.mark.browser, pytest.mark.timeout(900)]


def test_a_rotation_between_launches_links_and_pushes(
    trusted: Links, platform: Platform, moodle: Moodle, open_browser: OpenBrowser
) -> None:
    student = school.student(13)
    page = come_in(open_browser(), platform, school.TEACHER)
    signing = _signing_key(platform.tool)
    for score in (Decimal("51.5"), Decimal("52.5")):
        arrived(trusted.open(page, ROSTER), ROSTER)
        assert add_link(page, platform, school.SECOND_COURSE, "gradebook") == GRADEBOOK
        enter(platform.tool, {student: score}, oneroster.SPEAKING)
        frame = trusted.open(page, SPEAKING)
        arrived(frame, SPEAKING)
        preview(frame)
        receipts = send(frame)
        assert receipts["Sent"] >= 1, name(student)
        assert column(moodle, SPEAKING).scores[student] == float(score)
        platform.tool.cli("keys", "rotate", "--now")
        _forget_tokens(platform.tool)
    assert _signing_key(platform.tool) != signing


def _signing_key(tool: Tool) -> str:
    """Which key signs now."""
    with tool.services() as services:
        return services.tool_keys.sign({"e2e": True}).split(".", 1)[0]


def _forget_tokens(tool: Tool) -> None:
    """Make the next call ask Moodle for a token, signed with the new key."""
    with tool.services() as services, services.database.write() as session:
        session.execute(sa.delete(AccessToken))
