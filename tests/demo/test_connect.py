"""A launcher connects a tool to a platform in another process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from flask import Flask, request
from werkzeug.serving import make_server

from demo.connect import ConnectError, connect
from demo.registration import TOOL
from demo.server import PlatformServer
from demo.state import PlatformConfig


@pytest.fixture
def tool_url() -> Iterator[str]:
    app = Flask("registering-tool")
    server = make_server("127.0.0.1", 0, app, threaded=True)
    url = f"http://127.0.0.1:{server.server_port}"

    @app.get("/register")
    def register() -> Any:
        found = requests.get(request.args["openid_configuration"], timeout=10).json()
        document = {
            "response_types": ["id_token"],
            "initiate_login_uri": f"{url}/login",
            "redirect_uris": [f"{url}/launch"],
            "client_name": "Tool",
            "jwks_uri": f"{url}/jwks",
            "token_endpoint_auth_method": "private_key_jwt",
            TOOL: {"domain": url.removeprefix("http://"), "target_link_uri": f"{url}/launch"},
        }
        headers = {"Authorization": f"Bearer {request.args['registration_token']}"}
        requests.post(
            found["registration_endpoint"], json=document, headers=headers, timeout=10
        ).raise_for_status()
        return "registered"

    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield url
    server.shutdown()
    server.server_close()
    thread.join()


def test_tool_is_registered_activated_and_added(tool_url: str) -> None:
    with PlatformServer(PlatformConfig(demo=True)) as server:
        made = connect(server.url, f"{tool_url}/register", activity="Class")
        tool = server.platform.tool_of_client(made.client_id)
        assert tool is not None
        assert tool.state == "active"
        assert set(made.course_ids) == set(server.platform.state.courses)
        for course_id in made.course_ids:
            assert [link.title for link in server.platform.links_of(course_id)] == ["Class"]
        again = connect(server.url, f"{tool_url}/register")
        assert again.client_id != made.client_id


def test_tool_that_does_not_register(tool_url: str) -> None:
    with PlatformServer(PlatformConfig(demo=True)) as server:
        with pytest.raises(ConnectError, match="did not register"):
            connect(server.url, f"{tool_url}/elsewhere")
        with pytest.raises(ConnectError, match="No answer"):
            connect(server.url, "http://127.0.0.1:1/register")
