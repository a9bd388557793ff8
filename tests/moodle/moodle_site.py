"""A Moodle as the tool meets it: its published keys, its signature, its answer to `status`."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, jsonify, request
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server

from lti_tool.core.clock import Clock

_KEY = RSAKey.generate_key(2048, {"alg": "RS256", "use": "sig"}, auto_kid=True)
STRANGE_KEY = RSAKey.generate_key(2048, {"alg": "RS256", "use": "sig"}, auto_kid=True)
EPOCH = "5f0c1e55-0a68-4d0f-9a53-4f2f7c1f4d11"


@dataclass
class MoodleServer:
    """One Moodle. ``status`` is what it says of itself; ``seen`` the tokens that it was sent.

    ``token`` is the only one that it accepts.
    """

    url: str
    clock: Clock
    client_id: str = "client-1"
    deployment_id: str = "1"
    token: str = "a" * 32
    key: RSAKey = field(default_factory=lambda: _KEY)
    status: dict[str, Any] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    key_fetches: int = 0

    def pairing(self, secret: str, **changes: Any) -> dict[str, Any]:
        """The pairing message, as the plugin sends it."""
        return {
            "contract": 1,
            "secret": secret,
            "url": self.url,
            "name": "Campus Moodle",
            "epoch": EPOCH,
            "lti": {
                "issuer": self.url,
                "client_id": self.client_id,
                "deployment_id": self.deployment_id,
                "auth_url": f"{self.url}/mod/lti/auth.php",
                "token_url": f"{self.url}/mod/lti/token.php",
                "jwks_url": f"{self.url}/mod/lti/certs.php",
            },
            "token": {"token": self.token, "expires_at": self.now() + 30 * 86400},
            "versions": {"moodle": "4.5.6", "plugin": "1.0.0", "contracts": [1]},
        } | changes

    def now(self) -> int:
        """This Moodle's time, in seconds."""
        return int(self.clock.now().timestamp())

    def authorization(self, body: bytes, url: str, *, key: RSAKey | None = None) -> str:
        """The header that signs ``body`` for ``url``."""
        key = key or self.key
        claims = {
            "iss": self.url,
            "sub": self.client_id,
            "aud": url,
            "iat": self.now(),
            "exp": self.now() + 60,
            "jti": str(uuid.uuid4()),
            "bh": base64.urlsafe_b64encode(hashlib.sha256(body).digest()).rstrip(b"=").decode(),
        }
        return "Bearer " + jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key)

    def answer(self) -> Any:
        """The answer to a call of the web service."""
        self.seen.append(request.values.get("wstoken", ""))
        if self.seen[-1] != self.token:
            return jsonify(
                exception="core\\exception\\moodle_exception",
                errorcode="invalidtoken",
                message="Invalid token - token not found",
            )
        told = {
            "contract": 1,
            "contracts": [1],
            "url": self.url,
            "name": "Campus Moodle",
            "now": self.now(),
            "versions": {"moodle": "4.5.6", "plugin": "1.0.0", "php": "8.2"},
            "kinds": ["category", "user", "course", "roster", "gradebook", "grades"],
            "reads": ["activity"],
            "epoch": EPOCH,
        }
        # JSON comes as text: Moodle would want a description of each field else.
        return jsonify(json.dumps(told | self.status))

    def keys(self) -> Any:
        """The published keys."""
        self.key_fetches += 1
        return jsonify(keys=[self.key.as_dict(private=False)])


@contextmanager
def served(clock: Clock) -> Iterator[MoodleServer]:
    """A Moodle on a free port of this machine, in a thread."""
    app = Flask("moodle")
    server = make_server("127.0.0.1", 0, app, threaded=True)
    moodle = MoodleServer(f"http://127.0.0.1:{server.server_port}", clock)
    app.add_url_rule("/mod/lti/certs.php", "keys", moodle.keys)
    app.add_url_rule("/webservice/rest/server.php", "rest", moodle.answer, methods=["GET", "POST"])
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield moodle
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def encoded(message: dict[str, Any]) -> bytes:
    """A message as bytes."""
    return json.dumps(message).encode()
