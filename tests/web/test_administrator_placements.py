"""Where a class is taught: decided on its page, taken back, refused in words."""

from __future__ import annotations

import html
from collections.abc import Iterator

import pytest

from tests.web.synced import Desk, synced_world
from tests.web.world import Page, World


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with synced_world(tmp_path_factory.mktemp("synced")) as world:
        yield world


@pytest.fixture
def desk(synced: World) -> Desk:
    [site] = synced.services.sites.moodles()
    return Desk(synced, synced.administrator(), site)


@pytest.fixture
def group(desk: Desk) -> list[str]:
    """Classes that the SIS has together, sorted."""
    sis = desk.world.services.sis_extracts
    views = sis.classes(sis.class_keys())
    first = next(view for _, view in sorted(views.items()) if view.combined_with)
    return sorted([first.class_key, *first.combined_with])


def test_a_class_gets_its_own_course_and_goes_back(desk: Desk, group: list[str]) -> None:
    key = group[-1]
    page = html.unescape(desk.get(f"/things?class={key}"))
    assert "In the course of" in page
    assert "As the SIS says" not in page
    page = desk.post("/place", **{"class": key, "how": "alone"})
    assert "Decided." in page
    assert "In its own course." in page
    assert "As the SIS says" in page
    desk.ask("apply", scope="changes")
    page = desk.post("/place", **{"class": key, "how": "sis"})
    assert "In the course of" in page
    assert desk.actions().count("class.placed") == 2
    page = desk.post("/place", **{"class": key, "how": "host"})
    assert "In its own course." in page
    desk.post("/place", **{"class": key, "how": "sis"})


def test_a_class_is_placed_with_another_of_its_term(desk: Desk, group: list[str]) -> None:
    sis = desk.world.services.sis_extracts
    views = sis.classes(sis.class_keys())
    other = next(
        key
        for key in sorted(views)
        if key not in group and views[key].term_key == views[group[0]].term_key
    )
    page = desk.post("/place", **{"class": group[0], "how": "with", "host": other})
    assert views[other].label in page
    assert sis.classes([group[0]])[group[0]].host_key == sis.classes([other])[other].host_key
    desk.post("/place", **{"class": group[0], "how": "sis"})


def test_what_makes_no_sense_is_said(desk: Desk, group: list[str]) -> None:
    assert "Choose the other class" in desk.post("/place", **{"class": group[0], "how": "with"})
    assert "cannot be decided" in desk.post("/place", **{"class": group[0], "how": "x"})
    assert "no class" in desk.post("/place", **{"class": "nothing", "how": "alone"})
    stranger = desk.world.app.test_client()
    answer = stranger.post(f"/admin/sites/{desk.site.id}/sync/place", base_url=desk.world.url)
    assert answer.status_code in (302, 400, 401, 403)


def test_the_page_is_readable_in_both_languages(desk: Desk, group: list[str]) -> None:
    text = desk.get(f"/things?class={group[0]}")
    page = Page(text)
    assert page.unlabelled == []
    assert len(page.ids) == len(set(page.ids))
    khmer = desk.get(f"/things?class={group[0]}", language="km")
    for english in ("Where it is taught", "Decide otherwise", "Place it there"):
        assert english in text
        assert english not in khmer
