"""A PostgreSQL server of these drills' own: one that may be crashed."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.ports import free_port


@dataclass(frozen=True)
class Server:
    """A running server in ``data``; ``url`` is for SQLAlchemy."""

    programs: Path
    data: Path
    port: int
    account: dict[str, Any]

    @property
    def url(self) -> str:
        """The address of its database."""
        return f"postgresql+psycopg://naga@127.0.0.1:{self.port}/postgres"

    def stop(self, mode: str) -> None:
        """``immediate`` is a crash: no session is ended well, and the log is replayed."""
        self._control("stop", "-m", mode)

    def start(self) -> None:
        """Start; returns when it takes connections."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories="
        self._control("start", "-l", str(self.data / "log"), "-o", options)

    def _control(self, *arguments: str) -> None:
        subprocess.run(
            [str(self.programs / "pg_ctl"), "-D", str(self.data), "-w", *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            timeout=60,
            **self.account,
        )


def find_programs() -> Path | None:
    """Where PostgreSQL's server programs are."""
    found = shutil.which("initdb")
    places = [Path(found).parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((place for place in places if (place / "initdb").exists()), None)


@contextmanager
def running() -> Iterator[Server | None]:
    """A fresh server, or ``None`` where there are no programs for one."""
    programs = find_programs()
    account = _account()
    if programs is None or account is None:
        yield None
        return
    # Not below pytest's directory, which is closed to the account of the server.
    with tempfile.TemporaryDirectory() as folder:
        if "user" in account:
            os.chown(folder, account["user"], account["group"])
        yield from _in(Path(folder) / "data", programs, account)


def _in(data: Path, programs: Path, account: dict[str, Any]) -> Iterator[Server]:
    subprocess.run(
        [str(programs / "initdb"), "-D", str(data), "-U", "naga", "-A", "trust", "-E", "UTF8"],
        check=True,
        stdout=subprocess.DEVNULL,
        timeout=120,
        **account,
    )
    server = Server(programs, data, free_port(), account)
    server.start()
    try:
        yield server
    finally:
        server.stop("fast")


def _account() -> dict[str, Any] | None:
    """As whom the server runs: it refuses to be root's."""
    if os.geteuid() != 0:
        return {"cwd": "/"}
    try:
        person = pwd.getpwnam("postgres")
    except KeyError:
        return None
    return {"user": person.pw_uid, "group": person.pw_gid, "extra_groups": [], "cwd": "/"}
