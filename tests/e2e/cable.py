"""The one way from the tool to Keycloak: it may be slow, answer in its place, or be cut."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

_REQUEST = re.compile(rb"^([A-Z]+) (\S+) HTTP/1\.1\r\n")


@dataclass(frozen=True)
class Request:
    """One request of the tool."""

    method: str
    path: str

    @property
    def writes(self) -> bool:
        """Whether it changes people."""
        return self.method != "GET" and self.path.startswith("/admin/")


# What becomes of a request: ``None``: it goes on; bytes: these are answered (none of them: it
# breaks off), and nothing goes on.
Fate = Callable[[Request], bytes | None]


def passes(request: Request) -> bytes | None:
    """Nothing happens to it."""
    return None


def answer(status: int, *headers: str) -> bytes:
    """An answer without content, after which the connection ends."""
    lines = [f"HTTP/1.1 {status} Said", "Connection: close", "Content-Length: 0", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


class Cable:
    """Listens at a port of its own, and brings what it hears to ``url`` and back."""

    def __init__(self, url: str) -> None:
        there = urlsplit(url)
        self._there = there.hostname or "", there.port or 80
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.fate: Fate = passes
        self.asked: list[Request] = []
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @contextmanager
    def doing(self, fate: Fate) -> Iterator[None]:
        """Give requests this fate for a while."""
        self.fate = fate
        try:
            yield
        finally:
            self.fate = passes

    def written(self) -> list[Request]:
        """What changed people since :attr:`asked` was cleared."""
        return [each for each in self.asked if each.writes]

    def close(self) -> None:
        """Pull it out."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in list(self._open):
            _end(each)
        for thread in list(self._threads):
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(self._there, timeout=5)
            except OSError:
                near.close()
                continue
            far.settimeout(None)
            self._open += [near, far]
            for ends in ((near, far), (far, near)):
                thread = threading.Thread(target=self._carry, args=(*ends, ends[0] is near))
                self._threads.append(thread)
                thread.start()

    def _carry(self, source: socket.socket, target: socket.socket, asks: bool) -> None:
        with suppress(OSError):
            while part := source.recv(65536):
                found = _REQUEST.match(part) if asks else None
                said = None
                if found:
                    request = Request(found[1].decode(), found[2].decode())
                    with self._lock:
                        self.asked.append(request)
                    said = self.fate(request)
                if said is not None:
                    source.sendall(said)
                    break
                target.sendall(part)
        _end(source)
        _end(target)
        source.close()


def _end(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
