"""A login and its launch, up to the page: against pylti1p3 on the same messages.

CPU time of one process for the pair; ours with durable state, the launch's record and the page
that the person sees, pylti1p3 with its defaults (state in Flask's session cookie, the platform's
keys fetched each time) and with the keys cached. Then eight clients at once against gunicorn.
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pylti1p3.contrib.flask as pylti
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from flask import Flask
from flask.testing import FlaskClient
from pylti1p3.tool_config import ToolConfDict

from benchmarks.platform_stub import CLIENT_ID, DEPLOYMENT_ID, Signer, new_key, serve_keys
from demo.processes import port_is_free
from lti_tool import create_app, migrations
from lti_tool.settings import Settings
from lti_tool.wiring import Services

PAIRS = int(os.environ.get("BENCHMARK_PAIRS", "300"))
ISSUER = "https://moodle.example.edu"
TOOL = "https://sis.example.edu"
_KEYS: dict[str, Any] = {}


def _login_parameters(target: str) -> dict[str, str]:
    return {
        "iss": ISSUER,
        "target_link_uri": target,
        "login_hint": "3",
        "lti_message_hint": '{"cmid":5,"launchid":"ltilaunch5_1"}',
        "client_id": CLIENT_ID,
        "lti_deployment_id": DEPLOYMENT_ID,
    }


def tool_app(directory: Path, keys_url: str) -> tuple[Flask, dict[str, str]]:
    """The tool with a small campus; returns the app and the ids of one student and their class."""
    settings = Settings(
        public_url=TOOL,
        database_url=f"sqlite:///{directory}/naga.db",
        keys_dir=directory / "keys",
        broker_dir=directory / "broker",
        log_level="ERROR",
        outbound_allow_http=True,
        outbound_allow_private=True,
        launch_rate_limit="1000000/minute",
    )
    app = create_app(settings)
    services: Services = app.extensions["naga"]
    migrations.upgrade(services.database)
    services.tool_keys.ensure()
    environment = os.environ | {
        "NAGASIS_DATABASE_URL": settings.database_url,
        "NAGASIS_KEYS_DIR": str(settings.keys_dir),
    }
    generate = [sys.executable, "-m", "lti_tool", "campus", "generate", "--size", "50"]
    subprocess.run(generate, env=environment, check=True, stdout=subprocess.DEVNULL)
    services.registrations.create(
        actor="benchmark",
        name="Benchmark",
        issuer=ISSUER,
        client_id=CLIENT_ID,
        auth_url=f"{ISSUER}/mod/lti/auth.php",
        token_url=f"{ISSUER}/mod/lti/token.php",
        jwks_url=keys_url,
        platform_family="moodle",
        deployment_ids=[DEPLOYMENT_ID],
        sourcedid_trusted=True,
    )
    class_ = services.sis.example_class()
    assert class_ is not None
    students = [
        entry.person.person_key
        for chunk in services.sis.roster(class_.class_key)
        for entry in chunk
        if entry.status.attends
    ]
    return app, {"person_sourcedid": students[0], "section_sourcedid": class_.class_key}


class _Cache:
    def __init__(self) -> None:
        self._kept: dict[str, Any] = {}

    def get(self, key: str) -> Any:
        return self._kept.get(key)

    def set(self, key: str, value: Any, _timeout: int | None = None) -> None:
        self._kept[key] = value


def pylti1p3_app(keys_url: str, *, cached: bool) -> Flask:
    """The smallest Flask tool on pylti1p3: a login, and a launch that returns its claims' roles."""
    app = Flask("baseline")
    app.secret_key = "benchmark"
    private = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    configuration = ToolConfDict(
        {
            ISSUER: {
                "client_id": CLIENT_ID,
                "auth_login_url": f"{ISSUER}/mod/lti/auth.php",
                "auth_token_url": f"{ISSUER}/mod/lti/token.php",
                "key_set_url": keys_url,
                "deployment_ids": [DEPLOYMENT_ID],
            }
        }
    )
    configuration.set_private_key(ISSUER, private.decode())
    keys = pylti.FlaskCacheDataStorage(_Cache())

    @app.post("/lti/login")
    def login() -> Any:
        return pylti.FlaskOIDCLogin(pylti.FlaskRequest(), configuration).redirect(
            f"{TOOL}/lti/launch"
        )

    @app.post("/lti/launch")
    def launch() -> Any:
        message = pylti.FlaskMessageLaunch(pylti.FlaskRequest(), configuration)
        if cached:
            message.set_public_key_caching(keys, cache_lifetime=7200)
        return json.dumps(message.get_launch_data()["sub"])

    return app


def _measure(app: Flask, signer: Signer, who: dict[str, str], *, follow: bool) -> float:
    """CPU seconds of one login, launch and page. The platform's own work is left out.

    Each time in a fresh browser: one that kept the cookies of hundreds of launches would measure
    itself.
    """
    client = _browser(app)
    target = f"{TOOL}/lti/launch"
    spent = -time.process_time()
    redirect = client.post("/lti/login", data=_login_parameters(target), base_url=TOOL)
    spent += time.process_time()
    query = parse_qs(urlsplit(redirect.headers["Location"]).query)
    id_token = signer.id_token(
        nonce=query["nonce"][0], target=target, subject="3", role="Learner", **who
    )
    form = {"state": query["state"][0], "id_token": id_token}
    spent -= time.process_time()
    page = client.post("/lti/launch", data=form, base_url=TOOL)
    while follow and page.status_code == 303:
        page = client.get(urlsplit(page.headers["Location"]).path, base_url=TOOL)
    spent += time.process_time()
    if page.status_code != 200:
        raise RuntimeError(f"the launch failed: {page.status_code} {page.text[:500]}")
    return spent


def _browser(app: Flask) -> FlaskClient:
    client = app.test_client()
    client.environ_base["HTTP_SEC_FETCH_DEST"] = "document"
    return client


@contextmanager
def gunicorn(directory: Path, port: int) -> Iterator[None]:
    """The tool under gunicorn with two workers."""
    environment = os.environ | {
        "NAGASIS_DATABASE_URL": f"sqlite:///{directory}/naga.db",
        "NAGASIS_KEYS_DIR": str(directory / "keys"),
        "NAGASIS_PUBLIC_URL": TOOL,
        "NAGASIS_LOG_LEVEL": "ERROR",
        "NAGASIS_OUTBOUND_ALLOW_HTTP": "true",
        "NAGASIS_OUTBOUND_ALLOW_PRIVATE": "true",
        "NAGASIS_LAUNCH_RATE_LIMIT": "1000000/minute",
    }
    serve = [sys.executable, "-m", "lti_tool", "serve", "--bind", f"127.0.0.1:{port}"]
    process = subprocess.Popen(serve, env=environment)
    try:
        for _ in range(150):
            if not port_is_free(port):
                break
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait()


def _launch_over_http(port: int, signer: Signer, who: dict[str, str]) -> float:
    """Seconds that the tool took for one login, launch and page."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    cookies: dict[str, str] = {}

    def send(method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, str]:
        headers = {"Host": "sis.example.edu", "Sec-Fetch-Dest": "document"}
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, urlencode(form) if form else None, headers)
        response = connection.getresponse()
        response.read()
        for header in response.headers.get_all("Set-Cookie") or []:
            cookies.update(
                (name, morsel.value)
                for name, morsel in SimpleCookie(header.replace("Partitioned", "")).items()
            )
        return response.status, response.headers.get("Location", "")

    target = f"{TOOL}/lti/launch"
    started = time.perf_counter()
    _, location = send("POST", "/lti/login", _login_parameters(target))
    spent = time.perf_counter() - started
    query = parse_qs(urlsplit(location).query)
    token = signer.id_token(
        nonce=query["nonce"][0], target=target, subject="3", role="Learner", **who
    )
    started = time.perf_counter()
    status, location = send("POST", "/lti/launch", {"state": query["state"][0], "id_token": token})
    while status == 303:
        status, location = send("GET", urlsplit(location).path)
    if status != 200:
        raise RuntimeError(f"a launch failed: {status}")
    connection.close()
    return spent + time.perf_counter() - started


def _concurrent(launch: Callable[[], float], *, clients: int, seconds: float) -> list[float]:
    times: list[float] = []
    stop = time.monotonic() + seconds

    def run() -> None:
        while time.monotonic() < stop:
            times.append(launch())

    threads = [threading.Thread(target=run) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times


def main() -> None:
    """Measure, print what was seen, and the figures as JSON on the last line."""
    key = new_key()
    keys_url, server = serve_keys(key)
    signer = Signer(ISSUER, key)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        app, who = tool_app(directory, keys_url)
        subjects = {
            "tool": (app, True),
            "pylti1p3": (pylti1p3_app(keys_url, cached=False), False),
            "pylti1p3 cached": (pylti1p3_app(keys_url, cached=True), False),
        }
        samples: dict[str, list[float]] = {subject: [] for subject in subjects}
        for number, (subject, (subject_app, follow)) in itertools.product(
            range(PAIRS + 20), subjects.items()
        ):
            seconds = _measure(subject_app, signer, who, follow=follow)
            if number >= 20:
                samples[subject].append(seconds)
        median = {subject: statistics.median(values) for subject, values in samples.items()}
        for subject, seconds in median.items():
            print(f"{subject:>16}: {seconds * 1000:6.2f} ms CPU per login + launch")
        port = next(port for port in range(18700, 18800) if port_is_free(port))
        with gunicorn(directory, port):
            _launch_over_http(port, signer, who)
            times = _concurrent(
                lambda: _launch_over_http(port, signer, who), clients=8, seconds=8.0
            )
        times.sort()
        rate, p95 = len(times) / 8.0, times[int(len(times) * 0.95)]
        print(f"  8 clients: {rate:.0f} launches/s, p95 {p95 * 1000:.0f} ms")
    server.terminate()
    figures = [
        _figure("times faster than pylti1p3", median["pylti1p3"] / median["tool"], 2.0),
        _figure("times pylti1p3 with keys cached", median["pylti1p3 cached"] / median["tool"], 1.0),
        {"what": "launches/s, 8 clients", "value": round(rate, 1), "goal": None, "met": True},
        {"what": "p95 ms, 8 clients", "value": round(p95 * 1000, 1), "goal": None, "met": True},
    ]
    print(json.dumps({"name": "launch", "figures": figures}))


def _figure(what: str, value: float, goal: float) -> dict[str, Any]:
    return {"what": what, "value": round(value, 2), "goal": goal, "met": value >= goal}


if __name__ == "__main__":
    main()
