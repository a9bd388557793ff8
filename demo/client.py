"""A browser for tests: drives a launch between two applications in one process."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from werkzeug.test import Client, TestResponse

from demo.state import Platform

_SELF_POSTING = {"ltiInitiateLoginForm", "ltiAuthForm", "repostform"}


@dataclass
class Form:
    """A form of a page: where it goes and the values that it would send."""

    action: str
    method: str = "get"
    form_id: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    visible: bool = False


class _FormParser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.refresh = ""
        self._open: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            method = found.get("method", "get").lower()
            self._open = Form(found.get("action", ""), method, found.get("id", ""))
            self.forms.append(self._open)
        elif tag == "meta" and found.get("http-equiv", "").lower() == "refresh":
            _, _, target = found.get("content", "").partition("url=")
            self.refresh = target.strip("'\" ")
        elif self._open is not None and tag in ("input", "textarea", "select"):
            self._open.visible |= tag != "input" or found.get("type", "text") not in (
                "hidden",
                "submit",
            )
            if found.get("name") and tag == "input":
                self._open.fields[found["name"]] = found.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None


def parse_forms(page: str) -> list[Form]:
    """Return the forms of an HTML page."""
    parser = _FormParser()
    parser.feed(page)
    return parser.forms


class Browser:
    """Follows redirects and forms that post themselves, with each side's own cookies.

    Whatever does not belong to the platform's address goes to the tool. ``headers`` are sent with
    every request (such as ``{"Sec-Fetch-Dest": "iframe"}``). ``visited`` lists the requests.
    """

    def __init__(
        self,
        platform_client: Client,
        tool_client: Client,
        *,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.platform_client = platform_client
        self.tool_client = tool_client
        self.headers = dict(headers or {})
        self.visited: list[str] = []
        found: Platform = platform_client.application.extensions["platform"]  # type: ignore[attr-defined]
        self.platform = found

    def open(
        self, url: str, *, method: str = "GET", data: dict[str, str] | None = None
    ) -> TestResponse:
        """Send one request to the side that the address belongs to, and follow nothing."""
        parts = urlsplit(url)
        ours = urlsplit(self.platform.base_url)
        is_ours = (parts.scheme, parts.netloc) == (ours.scheme, ours.netloc)
        client = self.platform_client if is_ours else self.tool_client
        self.visited.append(f"{method} {url}")
        return client.open(
            parts.path or "/",
            method=method,
            base_url=f"{parts.scheme}://{parts.netloc}",
            query_string=parts.query,
            data=data,
            headers=self.headers,
        )

    def follow(self, url: str, response: TestResponse, *, limit: int = 20) -> TestResponse:
        """Go on as a browser would until a page waits for a person.

        A form is taken for self-posting if it has nothing to fill in and either leads to the other
        side or carries one of the platform's own ids.
        """
        for _ in range(limit):
            step = self._next(url, response)
            if step is None:
                return response
            url, method, data = step
            response = self.open(url, method=method, data=data)
        raise AssertionError(f"The browser went round in circles: {self.visited[-4:]}")

    def submit(self, url: str, form: Form, changes: dict[str, str] | None = None) -> TestResponse:
        """Send a form of the page at ``url``, and follow what comes."""
        target = urljoin(url, form.action)
        data = {**form.fields, **(changes or {})}
        return self.follow(target, self.open(target, method=form.method.upper(), data=data))

    def sign_in(self, user_id: int) -> str:
        """Be this person on the platform; returns the form key of the session."""
        secret = self.platform.sign_in(user_id)
        domain = urlsplit(self.platform.base_url).hostname or "localhost"
        self.platform_client.set_cookie("MoodleSession", secret, domain=domain)
        return self.platform.sessions[secret].sesskey

    def launch(self, link_id: int, user_id: int, *, query: str = "") -> TestResponse:
        """Open an activity as a person; returns where it ends, at the tool if all is well."""
        self.sign_in(user_id)
        url = self.platform.url(f"/mod/lti/launch.php?id={link_id}{query}")
        return self.follow(url, self.open(url))

    def select_content(self, course_id: int, tool_id: int, user_id: int) -> TestResponse:
        """Open the tool's picker as a teacher."""
        self.sign_in(user_id)
        url = self.platform.url(f"/mod/lti/contentitem.php?course={course_id}&id={tool_id}")
        return self.follow(url, self.open(url))

    def register(self, registration_url: str, administrator_id: int) -> TestResponse:
        """Paste a registration address as a site administrator; returns the tool's last page."""
        sesskey = self.sign_in(administrator_id)
        url = self.platform.url("/mod/lti/startltiadvregistration.php")
        begun = self.platform_client.get(
            "/mod/lti/startltiadvregistration.php",
            base_url=self.platform.base_url,
            query_string={"url": registration_url, "sesskey": sesskey, "type": "-1"},
        )
        return self.follow(url, begun)

    def _next(
        self, url: str, response: TestResponse
    ) -> tuple[str, str, dict[str, str] | None] | None:
        if response.status_code in (301, 302, 303, 307, 308):
            return urljoin(url, response.headers["Location"]), "GET", None
        if response.mimetype != "text/html" or response.status_code != 200:
            return None
        parser = _FormParser()
        parser.feed(response.get_data(as_text=True))
        if parser.refresh:
            return urljoin(url, parser.refresh), "GET", None
        for form in parser.forms:
            target = urljoin(url, form.action)
            crosses = urlsplit(target).netloc != urlsplit(url).netloc
            hidden_post = form.method == "post" and not form.visible
            if hidden_post and (form.form_id in _SELF_POSTING or (crosses and form.fields)):
                return target, "POST", form.fields
        return None


def launch(
    tool_client: Client, platform_client: Client, link_id: int, user_id: int
) -> TestResponse:
    """Open an activity as a person; returns the response of the tool."""
    return Browser(platform_client, tool_client).launch(link_id, user_id)
