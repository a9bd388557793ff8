"""Serving a platform: for people in the foreground, for tests in a thread."""

from __future__ import annotations

import threading
from types import TracebackType

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from demo import create_platform
from demo.provisioning.outbox import Sender
from demo.state import Platform, PlatformConfig


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002
        """Keep requests out of the terminal."""


class PlatformServer:
    """A platform on a free port of this machine, in a thread; a context manager.

    The platform's ``base_url`` becomes the server's address.
    """

    def __init__(self, config: PlatformConfig | None = None) -> None:
        self._config = config or PlatformConfig()
        self._thread: threading.Thread | None = None
        self._server: BaseWSGIServer | None = None
        self.app: Flask = Flask("unstarted")
        self.url = ""

    @property
    def platform(self) -> Platform:
        """The platform that is served."""
        found: Platform = self.app.extensions["platform"]
        return found

    def __enter__(self) -> PlatformServer:
        # The port is known only once it is bound, and the platform needs it for its issuer.
        self._server = make_server(
            "127.0.0.1", 0, Flask("unstarted"), threaded=True, request_handler=_Quiet
        )
        self.url = self._config.base_url = f"http://127.0.0.1:{self._server.server_port}"
        self.app = self._server.app = create_platform(self._config)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.platform.faults.clear()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
        if self._thread is not None:
            self._thread.join()


def serve(config: PlatformConfig, *, host: str, port: int) -> None:
    """Serve until interrupted; raises ``OSError`` if the port is taken."""
    app = create_platform(config)
    server = make_server(host, port, app, threaded=True, request_handler=_Quiet)
    over = threading.Event()
    sender = threading.Thread(target=Sender(app.extensions["platform"]).run, args=(over,))
    sender.start()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        over.set()
        server.server_close()
        sender.join()
