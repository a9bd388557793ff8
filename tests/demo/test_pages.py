"""The pages: what is shown, to whom, and what a form may do."""

from __future__ import annotations

from typing import Any

import pytest

from demo.client import parse_forms

BASE = "http://platform.test"


def _page(lab: Any, path: str) -> Any:
    return lab.client.get(path, base_url=BASE)


def test_courses_and_course(lab: Any) -> None:
    assert b"English 7" in _page(lab, "/").data
    page = _page(lab, f"/course/{lab.course.id}").text
    for label in ("Open as teacher", "Open as student", "Open as administrator", "New window"):
        assert label in page
    assert "Out Sider" not in page
    assert "http://" not in page.replace(BASE, "")


def test_as_signs_in_and_keeps_the_rest(lab: Any) -> None:
    student = lab.person("dara").id
    response = _page(lab, f"/link/{lab.link.id}?as={student}")
    assert (response.status_code, response.headers["Location"]) == (303, f"/link/{lab.link.id}")
    page = _page(lab, f"/link/{lab.link.id}").text
    assert "ដារា" in page
    assert f'src="/mod/lti/launch.php?id={lab.link.id}"' in page
    response = _page(lab, f"/mod/lti/launch.php?as={student}&id={lab.link.id}")
    assert response.headers["Location"] == f"/mod/lti/launch.php?id={lab.link.id}"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/course/999", 404),
        ("/link/999", 404),
        ("/course/2?as=999", 404),
        ("/course/2?as=x", 404),
        ("/admin/tools", 403),
        ("/nothing", 404),
    ],
)
def test_what_is_not_there(lab: Any, path: str, status: int) -> None:
    assert _page(lab, path).status_code == status


def test_participants(lab: Any) -> None:
    page = _page(lab, f"/course/{lab.course.id}/participants").text
    assert "5 enrolled" in page
    assert "Non-editing teacher" in page
    assert "Suspended" in page


def test_teacher_adds_an_activity(lab: Any) -> None:
    path = f"/course/{lab.course.id}"
    lab.browser.sign_in(lab.person("teacher").id)
    form = next(f for f in parse_forms(_page(lab, path).text) if f.action == f"{path}/links")
    saved = lab.browser.submit(BASE + path, form, {"name": "Second"})
    assert "Second" in saved.text
    lab.browser.sign_in(lab.person("dara").id)
    assert "Only a teacher" in _page(lab, path).text
    refused = lab.client.post(f"{path}/links", base_url=BASE, data=form.fields)
    assert refused.status_code == 403


def test_forms_need_their_key(lab: Any) -> None:
    lab.browser.sign_in(lab.person("admin").id)
    data = {"tool": lab.tool.id}
    for action in ("activate", "delete"):
        path = f"/admin/tools/{action}"
        assert lab.client.post(path, base_url=BASE, data=data).status_code == 403
    sesskey = lab.browser.sign_in(lab.person("admin").id)
    lab.client.post("/admin/tools/delete", base_url=BASE, data={**data, "sesskey": sesskey})
    assert not lab.platform.state.tools
    assert not lab.platform.state.links


def test_sign_in_for_programs_stays_on_this_site(lab: Any) -> None:
    for target, expected in (("/admin/tools", "/admin/tools"), ("//evil.test", "/")):
        response = _page(lab, f"/signin?user=admin&next={target}")
        assert response.headers["Location"] == expected
    assert b"Add LTI Advantage" in _page(lab, "/admin/tools").data
    lab.client.post("/signout", base_url=BASE)
    assert _page(lab, "/admin/tools").status_code == 403


def test_names_are_escaped(lab: Any) -> None:
    lab.person("dara").given_name = "<script>alert(1)</script>"
    lab.link.title = '"><img src=x>'
    for path in ("", "/participants", "/grades"):
        page = _page(lab, f"/course/{lab.course.id}{path}").text
        assert "<script>alert" not in page
        assert "<img" not in page


def test_new_window_is_told_to_the_tool(lab: Any) -> None:
    lab.launch("teacher", query="&target=window")
    claims = lab.platform.signing.verify(lab.stub.received[-1]["id_token"])
    presentation = claims["https://purl.imsglobal.org/spec/lti/claim/launch_presentation"]
    assert presentation["document_target"] == "window"
