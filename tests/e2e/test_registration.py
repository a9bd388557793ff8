"""Two administrators connect Moodle and the tool, without anybody's help."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenBrowser
from tests.e2e.environment import ToolAddress
from tests.e2e.moodle.site import Moodle
from tests.e2e.platform import Platform
from tests.e2e.tool import NAME
from tests.e2e.tool_pages import sign_in_to_tool

pytestmark = [pytest.mark.moodle, pytest.mark.browser, pytest.mark.timeout(600)]

ACTIVE = 1


def test_moodles_administrator_is_told_what_comes_next(platform: Platform, moodle: Moodle) -> None:
    assert "approve" in platform.seen["registered"]
    assert moodle.url in platform.seen["registered"]


def test_the_registration_waits_in_both(platform: Platform) -> None:
    assert platform.seen["moodle card"] == "Pending"
    assert "Waiting" in platform.seen["registrations"]


def test_a_launch_before_approval_is_parked_and_says_so(platform: Platform) -> None:
    text = platform.seen["before approval"]
    assert "approv" in text
    assert "reference" in text


def test_the_launch_is_found_by_the_number_on_the_page(
    platform: Platform, open_browser: OpenBrowser
) -> None:
    page = open_browser().new_page()
    sign_in_to_tool(page, platform.tool)
    page.goto(f"{platform.tool.url}/admin/launches")
    page.get_by_label("Reference number").fill(platform.seen["reference"])
    page.get_by_role("button", name="Find").click()
    row = page.locator("main tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text(platform.seen["reference"])
    expect(row).to_contain_text("approv")


def test_moodle_got_what_the_tool_needs(
    platform: Platform, moodle: Moodle, address: ToolAddress
) -> None:
    (type_,) = moodle.call("types", tool_domain=address.domain)
    config = type_["config"]
    assert type_["name"] == NAME
    assert type_["state"] == ACTIVE
    assert config["contentitem"] == "1"
    assert config["ltiservice_memberships"] == "1"
    # Columns may be made, not only read and written to.
    assert config["ltiservice_gradesynchronization"] == "2"
    assert config["publickeyset"] == f"{address.url}/lti/keys"
