"""The tool on a thread of this process: what it stores and what it sends can be looked at."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.serving import make_server

from lti_tool import create_app
from lti_tool.core.database import Base
from lti_tool.settings import Settings
from lti_tool.wiring import Services
from tests.lti.outbound_world import QuietHandler


@contextmanager
def run_tool(folder: Path, **settings: Any) -> Iterator[tuple[Flask, str]]:
    """The application and its address; its database and keys are in ``folder``."""
    (folder / "keys").mkdir()
    # Its address is one of its settings, and known only when there is a server.
    server = make_server(
        "127.0.0.1", 0, Flask("unstarted"), threaded=True, request_handler=QuietHandler
    )
    url = f"http://localhost:{server.server_port}"
    app = create_app(
        Settings(
            public_url=url,
            database_url=f"sqlite:///{folder}/naga.db",
            keys_dir=folder / "keys",
            log_level="ERROR",
            outbound_allow_private=True,
            outbound_allow_http=True,
            **settings,
        )
    )
    server.app = app
    services: Services = app.extensions["naga"]
    Base.metadata.create_all(services.database.engine)
    services.tool_keys.ensure()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield app, url
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        services.database.dispose()
