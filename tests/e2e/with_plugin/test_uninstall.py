"""Moodle's own uninstaller, with everything in place: the connection, the courses, the people."""

from __future__ import annotations

import pytest

from tests.e2e.with_plugin.campus import Campus

pytestmark = [pytest.mark.moodle, pytest.mark.browser, pytest.mark.timeout(900)]


def test_uninstalled_while_connected_nothing_is_left(campus: Campus) -> None:
    assert campus.plugins.connection()["tool"]
    # A tool in use stays, so that no course loses its activities.
    campus.plugins.act("unlink", course=campus.chosen.class_key)
    campus.plugins.uninstall()
    remains = campus.plugins.remains()
    assert remains["rows"] == {}
    assert remains["orphans"] == 0
    # People and courses are Moodle's own now; who was in a course only through us is no more.
    assert not campus.place(campus.chosen.students[0])["enrolled"]
    with campus.tool.services() as services:
        (site,) = services.sites.moodles()
        assert site.standing.value == "disconnected"
