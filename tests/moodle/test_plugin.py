"""Calls to a plugin over HTTP: what is sent, what is understood, and what each failure is."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask, Response, jsonify, request
from werkzeug.serving import make_server

from lti_tool.core.http import HttpClient
from lti_tool.moodle import plugin_errors as errors
from lti_tool.moodle.documents import Category, Document, Member, Roster, User
from lti_tool.moodle.models import MoodleSite, Site
from lti_tool.moodle.plugin import MoodlePlugin

TOKEN = "0123456789abcdef" * 2
Answer = Callable[[dict[str, str]], Any]


@dataclass
class FakeMoodle:
    """A web-service endpoint whose answer each test chooses; ``calls`` are the forms it got.

    ``limit``: bytes of a form that its PHP takes.
    """

    url: str = ""
    answer: Answer = lambda form: jsonify(json.dumps({}))
    limit: int | None = None
    calls: list[dict[str, str]] = field(default_factory=list)
    queries: list[dict[str, str]] = field(default_factory=list)

    def serve(self) -> Any:
        """Answer one request."""
        assert request.path == "/webservice/rest/server.php"
        self.queries.append(request.args.to_dict())
        length = request.content_length or 0
        # PHP drops a form that is too large, and goes on without it.
        form = request.form.to_dict() if self.limit is None or length <= self.limit else {}
        self.calls.append(form)
        return self.answer(form)


class Tokens:
    """The one token."""

    def token(self, site: Site) -> str:
        """The token."""
        return TOKEN


@pytest.fixture
def moodle() -> Iterator[FakeMoodle]:
    app = Flask("moodle")
    app.config["MAX_FORM_MEMORY_SIZE"] = None
    fake = FakeMoodle()
    app.add_url_rule("/<path:_>", "rest", lambda _: fake.serve(), methods=["POST", "GET"])
    server = make_server("127.0.0.1", 0, app, threaded=True)
    fake.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield fake
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def site(moodle: FakeMoodle) -> MoodleSite:
    return MoodleSite(id=1, url=moodle.url, contract=1)


@pytest.fixture
def plugin(http: HttpClient) -> MoodlePlugin:
    return MoodlePlugin(http, Tokens())


def text(document: Any) -> Any:
    """An answer as Moodle gives it: JSON as text, in JSON."""
    return jsonify(json.dumps(document))


def refusal(code: str, message: str = "Told by Moodle") -> Any:
    """An error as Moodle gives it, with 200."""
    return jsonify(exception="core\\exception\\moodle_exception", errorcode=code, message=message)


def test_status(moodle: FakeMoodle, plugin: MoodlePlugin, site: MoodleSite) -> None:
    told = {
        "contract": 1,
        "contracts": [1],
        "url": moodle.url,
        "name": "Campus",
        "now": 1772420400,
        "backlog": 3,
        "of a younger plugin": True,
    }
    moodle.answer = lambda form: text(told)
    assert plugin.status(site).backlog == 3
    assert moodle.calls == [{"wstoken": TOKEN, "contract": "1"}]
    # The token is in no address: addresses are logged.
    assert moodle.queries == [{"wsfunction": "local_nagasis_status", "moodlewsrestformat": "json"}]


TERM = Category(idnumber="T1", name="វគ្គ ២០២៦")
PERSON = User(
    idnumber="S1", username="s1", firstname="Dara", lastname="Sok", email="s1@example.edu"
)


def applied(form: dict[str, str]) -> dict[str, Any]:
    """What the plugin answers to documents that all are there already."""
    documents = json.loads(form["documents"])
    return {
        "contract": 1,
        "dryrun": form["dryrun"] == "1",
        "results": [
            {"kind": each["kind"], "key": each["idnumber"], "result": "unchanged", "id": 7}
            for each in documents
        ],
    }


@pytest.mark.parametrize("dryrun", [True, False])
def test_apply(moodle: FakeMoodle, plugin: MoodlePlugin, site: MoodleSite, dryrun: bool) -> None:
    moodle.answer = lambda form: text(applied(form))
    found = plugin.apply(site, [TERM, PERSON], dryrun=dryrun)
    assert [each.key for each in found.results] == ["T1", "S1"]
    assert found.dryrun is dryrun
    assert json.loads(moodle.calls[0]["documents"])[0] == {
        "kind": "category",
        "idnumber": "T1",
        "name": "វគ្គ ២០២៦",
        "parent": None,
        "visible": True,
    }


@pytest.mark.parametrize(
    "change",
    [
        lambda answer: answer["results"].pop(),
        lambda answer: answer["results"].reverse(),
        lambda answer: answer.update(dryrun=True),
        lambda answer: answer["results"][0].update(key="T2"),
        lambda answer: answer["results"][0].update(result="perhaps"),
        lambda answer: answer.pop("results"),
    ],
)
def test_results_that_are_not_those_of_the_documents(
    moodle: FakeMoodle, plugin: MoodlePlugin, site: MoodleSite, change: Callable[[Any], Any]
) -> None:
    def answer(form: dict[str, str]) -> Any:
        document = applied(form)
        change(document)
        return text(document)

    moodle.answer = answer
    with pytest.raises(errors.MalformedAnswerError):
        plugin.apply(site, [TERM, PERSON])


def test_batches_beyond_the_contract_are_not_sent(
    moodle: FakeMoodle, plugin: MoodlePlugin, site: MoodleSite
) -> None:
    member = Member(user="S" * 100, groups=["G" * 100])
    roster = Roster(course="C1", count=20_000, members=[member] * 20_000)
    too_many: list[Document] = [TERM] * 1001
    too_large: list[Document] = [roster] * 2
    for documents in (too_many, too_large):
        with pytest.raises(errors.BatchTooLargeError) as caught:
            plugin.apply(site, documents)
        assert caught.value.context["documents"] == len(documents)
    assert moodle.calls == []


def test_a_form_that_php_drops_for_its_size(
    moodle: FakeMoodle, plugin: MoodlePlugin, site: MoodleSite
) -> None:
    moodle.limit = 1024 * 1024
    status = {"contract": 1, "contracts": [1], "url": moodle.url, "name": "", "now": 1}

    def answer(form: dict[str, str]) -> Any:
        if form.get("wstoken") != TOKEN:
            return refusal("invalidtoken")
        return text(applied(form) if "documents" in form else status)

    moodle.answer = answer
    documents: list[Document] = [
        User(
            idnumber=f"S{number}",
            username=f"s{number}",
            firstname="ក" * 100,
            lastname="ខ" * 100,
            email="a@example.edu",
            alternatename="គ" * 100,
        )
        for number in range(1000)
    ]
    # Not the token's fault, though Moodle says so: the site would be paused for it.
    plugin.apply(site, documents[:500])
    with pytest.raises(errors.BatchTooLargeError) as caught:
        plugin.apply(site, documents)
    assert "post_max_size" in (caught.value.remedy or "")


def test_digests_page_by_page(moodle: FakeMoodle, plugin: MoodlePlugin, site: MoodleSite) -> None:
    keys = ["S1", "S2", "S3"]

    def answer(form: dict[str, str]) -> Any:
        start = keys.index(form["after"]) + 1 if form["after"] else 0
        page = keys[start : start + int(form["limit"])]
        return text(
            {
                "items": [{"key": key, "id": 1, "fingerprint": "f" * 32} for key in page],
                "next": page[-1] if start + len(page) < len(keys) else None,
            }
        )

    moodle.answer = answer
    found = plugin.digests(site, "user", keys, limit=2)
    assert [each.key for each in found] == keys
    assert [call["after"] for call in moodle.calls] == ["", "S2"]
    assert json.loads(moodle.calls[0]["keys"]) == keys
    assert moodle.calls[0]["kind"] == "user"


def test_reading_page_by_page(moodle: FakeMoodle, plugin: MoodlePlugin, site: MoodleSite) -> None:
    pages: dict[str, Any] = {
        "": {"items": [{"id": 1}], "next": 5},
        "5": {"items": [{"id": 9}], "next": None},
    }
    moodle.answer = lambda form: text(pages[form["after"]])
    assert [*plugin.pages(site, "activity", {"since": 0})] == [[{"id": 1}], [{"id": 9}]]
    assert json.loads(moodle.calls[0]["scope"]) == {"since": 0}
    pages["5"]["next"] = 5
    with pytest.raises(errors.MalformedAnswerError):
        [*plugin.pages(site, "activity")]
    with pytest.raises(ValueError):
        plugin.read(site, "activity", limit=5001)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("invalidtoken", errors.TokenRefusedError),
        ("accessexception", errors.TokenRefusedError),
        ("wsaccessusersuspended", errors.TokenRefusedError),
        ("wsaccessuserdeleted", errors.TokenRefusedError),
        ("nopermissions", errors.TokenRefusedError),
        ("sitemaintenance", errors.MaintenanceError),
        ("upgraderunning", errors.MaintenanceError),
        ("applybusy", errors.BusyError),
        ("contractunsupported", errors.ContractRefusedError),
        ("documentstoolarge", errors.BatchTooLargeError),
        ("documentsnotjson", errors.DataError),
        ("unknownkind", errors.DataError),
        ("unknownread", errors.DataError),
        ("invalidparameter", errors.DataError),
        ("dmlwriteexception", errors.TransientError),
        ("dbconnectionfailed", errors.TransientError),
        ("something new", errors.TransientError),
        ("", errors.TransientError),
    ],
)
def test_what_moodle_says_with_200(
    moodle: FakeMoodle,
    plugin: MoodlePlugin,
    site: MoodleSite,
    code: str,
    kind: type[errors.PluginError],
) -> None:
    moodle.answer = lambda form: refusal(code, f"Told by Moodle about {form['wstoken']}")
    with pytest.raises(errors.PluginError) as caught:
        plugin.status(site)
    assert type(caught.value) is kind
    assert TOKEN not in f"{caught.value.problem()} {caught.value!r}"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, errors.AuthenticationError),
        (401, errors.AuthenticationError),
        (403, errors.WebServicesOffError),
        (404, errors.TransientError),
        (408, errors.BusyError),
        (413, errors.BatchTooLargeError),
        (429, errors.BusyError),
        (500, errors.TransientError),
        (502, errors.TransientError),
        (503, errors.TransientError),
    ],
)
def test_what_stands_between_says(
    moodle: FakeMoodle,
    plugin: MoodlePlugin,
    site: MoodleSite,
    status: int,
    kind: type[errors.PluginError],
) -> None:
    headers = {"Location": "http://127.0.0.1:1/", "Retry-After": "17"}
    moodle.answer = lambda form: Response("<html>", status, headers)
    with pytest.raises(errors.PluginError) as caught:
        plugin.status(site)
    assert type(caught.value) is kind
    assert caught.value.retry_after == (17 if kind in (errors.BusyError, errors.TransientError)
                                        else None)  # fmt: skip
    # A redirect is not followed: the token would travel with it.
    assert len(moodle.calls) == 1


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"<html>Fatal error", b'"not json"', b'"[]"', b"{}", b'{"contract": 1}', b"[1",
     b'"\\u007b\\u0022now\\u0022: NaN\\u007d"', b"[" * 50_000],
)  # fmt: skip
def test_garbage(moodle: FakeMoodle, plugin: MoodlePlugin, site: MoodleSite, body: bytes) -> None:
    moodle.answer = lambda form: Response(body, 200, {"Content-Type": "application/json"})
    with pytest.raises(errors.MalformedAnswerError) as caught:
        plugin.status(site)
    assert isinstance(caught.value, errors.TransientError)


def test_nobody_there(http: HttpClient, plugin: MoodlePlugin) -> None:
    gone = MoodleSite(id=1, url="http://127.0.0.1:1", contract=1)
    with pytest.raises(errors.TransientError) as caught:
        plugin.status(gone)
    assert caught.value.context["host"] == "127.0.0.1"


def test_too_slow(moodle: FakeMoodle, http: HttpClient, site: MoodleSite) -> None:
    left = threading.Event()

    def answer(_form: dict[str, str]) -> Any:
        left.wait(5)
        return text({})

    moodle.answer = answer
    with pytest.raises(errors.TransientError):
        MoodlePlugin(http, Tokens(), timeout=0.2).status(site)
    left.set()


def test_addresses_that_may_not_be_called_need_a_person(site: MoodleSite) -> None:
    with pytest.raises(errors.AuthenticationError):
        MoodlePlugin(HttpClient(allow_http=True), Tokens()).status(site)
