"""The tool as it is deployed: migrations, gunicorn with TLS, a worker, the command line."""

from __future__ import annotations

import datetime as dt
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from ssl import SSLContext, create_default_context
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from lti_tool.settings import load_settings
from lti_tool.wiring import Services, build_services
from tests.e2e.environment import ToolAddress

NAME = "Naga SIS e2e"
_START_SECONDS = 60


def today() -> dt.date:
    """Today where the school is."""
    return dt.datetime.now(ZoneInfo("Asia/Phnom_Penh")).date()


@contextmanager
def database_address(folder: Path) -> Iterator[str]:
    """An empty database: a file, or a schema of its own where PostgreSQL is named."""
    server = os.environ.get("NAGASIS_TEST_DATABASE_URL")
    if not server:
        yield f"sqlite:///{folder}/naga.db"
        return
    schema = f"e2e_{uuid.uuid4().hex[:16]}"
    engine = sa.create_engine(server, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.schema.CreateSchema(schema))
    try:
        yield (
            sa.make_url(server)
            .update_query_dict({"options": f"-csearch_path={schema}"})
            .render_as_string(hide_password=False)
        )
    finally:
        with engine.begin() as connection:
            connection.execute(sa.schema.DropSchema(schema, cascade=True))


@dataclass
class Tool:
    """One installation in ``folder``, and its processes while they run. ``extra`` settings hold
    for what is started from then on."""

    address: ToolAddress
    folder: Path
    database_url: str
    ca: Path | None
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The tool's public address."""
        return self.address.url

    @property
    def environment(self) -> dict[str, str]:
        """The settings, as environment variables; nothing of the developer's own."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.upper().startswith(("NAGASIS_", "MOODLE_"))
        }
        settings = {
            "NAGASIS_PUBLIC_URL": self.address.url,
            "NAGASIS_TOOL_NAME": NAME,
            "NAGASIS_DATABASE_URL": self.database_url,
            "NAGASIS_KEYS_DIR": str(self.folder / "keys"),
            "NAGASIS_BROKER_DIR": str(self.folder / "broker"),
            "NAGASIS_OUTBOUND_ALLOW_PRIVATE": "true",
            "NAGASIS_LAUNCH_RATE_LIMIT": "10000/minute",
            "PYTHONWARNINGS": "default",
        }
        if self.ca is not None:
            settings["NAGASIS_CA_BUNDLE"] = str(self.ca)
        return kept | settings | self.extra

    def cli(self, *arguments: str) -> str:
        """Run ``nagasis …``; returns what it printed."""
        done = subprocess.run(
            [sys.executable, "-c", "from lti_tool.cli import main; main()", *arguments],
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, f"nagasis {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    @contextmanager
    def services(self) -> Iterator[Services]:
        """The services on the same database, as another process would build them."""
        services = build_services(
            load_settings(
                public_url=self.address.url,
                database_url=self.database_url,
                keys_dir=self.folder / "keys",
                broker_dir=self.folder / "broker",
                outbound_allow_private=True,
                ca_bundle=self.ca,
            )
        )
        yield services
        services.database.dispose()

    def start(self) -> None:
        """Start the web server and the worker; returns when the tool says that it is ready."""
        self.start_web()
        self.start_worker()
        self._wait()

    def start_web(self) -> None:
        """Start the web server."""
        host = socket.gethostbyname(self.address.host)
        command = [
            *(sys.executable, "-m", "gunicorn", "lti_tool:create_app()"),
            f"--bind={host}:{self.address.port}",
            *("--workers=2", "--threads=8", "--worker-class=gthread"),
            # A browser that is open may keep a connection on which it never asks for anything.
            "--graceful-timeout=5",
            f"--certfile={self.address.certificate}",
            f"--keyfile={self.address.key}",
            "--access-logfile=-",
        ]
        self._spawn("web", command)

    def start_worker(self) -> None:
        """Start the background worker."""
        code = "from lti_tool.cli import main; main()"
        self._spawn("worker", [sys.executable, "-c", code, "worker", "--concurrency=2"])

    def stop(self, *names: str) -> None:
        """Stop these processes, or all."""
        for name in names or tuple(self.processes):
            process = self.processes.pop(name)
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def log(self, name: str, *, lines: int = 80) -> str:
        """The end of a process's log."""
        path = self.folder / f"{name}.log"
        text = path.read_text(errors="replace") if path.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def _spawn(self, name: str, command: list[str]) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command,
                env=self.environment,
                cwd=self.folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        said = ""
        while time.monotonic() < deadline:
            gone = [name for name, process in self.processes.items() if process.poll() is not None]
            if gone:
                break
            try:
                with urllib.request.urlopen(
                    f"{self.url}/readyz", timeout=5, context=self._trust()
                ) as answer:
                    if answer.status == 200:
                        return
            except urllib.error.HTTPError as error:
                said = error.read().decode(errors="replace")
                error.close()
            except (urllib.error.URLError, OSError) as error:
                said = str(error)
            time.sleep(0.2)
        logs = "\n".join(self.log(name) for name in ("web", "worker"))
        raise AssertionError(f"The tool did not become ready: {said}\n{logs}")

    def _trust(self) -> SSLContext:
        return create_default_context(cafile=str(self.ca) if self.ca else None)
