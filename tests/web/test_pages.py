"""Every page: one heading, a language, labels, no inline code; safe headers; names escaped."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.web.world import EVIL, Page, Visit, World

PAGES = {
    "student": ["/"],
    "teacher": ["/", "/roster", "/grades"],
    "colleague": ["/grades"],
    "visitor": ["/"],
    "admin": [
        "/registration",
        "/registration/launches",
        "/registration/people",
        "/registration/courses",
    ],
}
ADMINISTRATION = [
    "/admin/registrations",
    "/admin/registrations/new",
    "/admin/registrations/1",
    "/admin/registrations/1/people?q=a&subject=5",
    "/admin/registrations/1/courses?course=9&q=E",
    "/admin/launches",
    "/admin/sites",
]


def visited(world: World) -> Iterator[tuple[str, str]]:
    for who, paths in PAGES.items():
        visit = world.launch(who)
        for path in paths:
            yield f"{who} {path}", visit.get(path).get_data(as_text=True)
    client = world.administrator()
    for path in ADMINISTRATION:
        yield path, client.get(path, base_url=world.url).get_data(as_text=True)
    yield "picker", world.select_content("teacher").first.get_data(as_text=True)
    yield "chooser", world.launch("teacher", "other").first.get_data(as_text=True)
    yield "404", client.get("/nowhere", base_url=world.url).get_data(as_text=True)


def test_every_page_is_whole(world: World) -> None:
    for name, text in visited(world):
        page = Page(text)
        assert page.lang == "en", name
        assert page.headings.count("h1") == 1, name
        assert page.headings[0] == "h1", name
        assert {"main", "header"} <= page.landmarks, name
        assert page.unlabelled == [], name
        assert page.styled == [], (name, "the policy blocks inline styles and handlers")
        assert len(page.ids) == len(set(page.ids)), (name, page.ids)
        assert "#main" in page.links, name
        assert EVIL not in text, name


def in_khmer(claims: dict[str, object], _header: dict[str, object]) -> None:
    presentation = claims["https://purl.imsglobal.org/spec/lti/claim/launch_presentation"]
    assert isinstance(presentation, dict)
    presentation["locale"] = "km"


def test_every_page_speaks_khmer(world: World) -> None:
    world.platform.mutate_id_token = in_khmer
    try:
        headings = {
            "student": "ផ្នែក និងពិន្ទុ",
            "teacher": "បញ្ជីឈ្មោះ",
            "visitor": "គណនីរបស់អ្នកមិនទាន់ភ្ជាប់ទេ",
            "admin": "ការដាក់ប្រើ",
        }
        for who, heading in headings.items():
            text = world.launch(who).first.get_data(as_text=True)
            assert Page(text).lang == "km", who
            assert heading in text, who
    finally:
        world.platform.mutate_id_token = None


def test_the_browser_decides_where_there_is_no_launch(world: World) -> None:
    client = world.app.test_client()
    answers = {
        "km-KH,en;q=0.5": ("km", "រកមិនឃើញទំព័រ"),
        "fr,de;q=0.8": ("en", "Page not found"),
    }
    for accepted, (language, title) in answers.items():
        response = client.get("/nowhere", headers={"Accept-Language": accepted})
        text = response.get_data(as_text=True)
        assert Page(text).lang == language
        assert title in text


def test_the_headers_of_a_page(world: World) -> None:
    headers = world.launch("teacher").get("/grades").headers
    policy = dict(
        part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert "unsafe-inline" not in headers["Content-Security-Policy"]
    platforms = world.services.registrations.launch_url_origin_list()
    assert world.platform.base_url in platforms
    assert policy["frame-ancestors"].split() == ["'self'", *sorted(platforms)]
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "X-Frame-Options" not in headers


def test_nobody_frames_the_administration(world: World) -> None:
    response = world.administrator().get("/admin/registrations", base_url=world.url)
    assert response.headers["Content-Security-Policy"].endswith("frame-ancestors 'self'")


def test_static_files_are_ours_and_kept(world: World) -> None:
    page = world.launch("student").first.get_data(as_text=True)
    assert "//" not in page.replace("://127.0.0.1", "").split("<body>", 1)[0]
    client = world.app.test_client()
    for file in ("app.css", "app.js", "vendor/htmx-2.0.11/htmx.min.js"):
        response = client.get(f"/static/{file}")
        assert response.status_code == 200
        assert "max-age=31536000" in response.headers["Cache-Control"]
        response.close()


def posts(visit: Visit) -> list[str]:
    return [
        f"/l/{visit.reference}{path}"
        for path in ("/roster/read", "/grades/preview", "/class", "/registration/rename")
    ]


@pytest.mark.parametrize("token", [None, "", "forged"])
def test_no_form_is_taken_without_its_token(world: World, token: str | None) -> None:
    visit = world.launch("teacher")
    for path in [*posts(visit), "/admin/registrations/invite", "/admin/registrations/1/standing"]:
        data = {} if token is None else {"csrf_token": token}
        response = visit.client.post(path, base_url=world.url, data=data)
        assert response.status_code == 400, path
        assert "out of date" in response.get_data(as_text=True)


def test_a_token_of_another_session_is_refused(world: World) -> None:
    token = world.launch("teacher").token()
    other = world.launch("teacher")
    response = other.client.post(
        f"/l/{other.reference}/grades/preview", base_url=world.url, data={"csrf_token": token}
    )
    assert response.status_code == 400
