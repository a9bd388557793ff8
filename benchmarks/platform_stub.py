"""What a benchmark needs of a platform: a key, its key set on HTTP, and signed launch messages."""

from __future__ import annotations

import json
import multiprocessing
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID = "benchmark"
DEPLOYMENT_ID = "1"
_CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"


class Signer:
    """Signs launch messages as a Moodle would."""

    def __init__(self, issuer: str, key: RSAKey) -> None:
        self._issuer = issuer
        self._key = key

    def id_token(
        self,
        *,
        nonce: str,
        target: str,
        subject: str,
        role: str,
        person_sourcedid: str,
        section_sourcedid: str,
    ) -> str:
        """Return one signed launch message."""
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "aud": CLIENT_ID,
            "sub": subject,
            "iat": now,
            "exp": now + 60,
            "nonce": nonce,
            _CLAIM + "version": "1.3.0",
            _CLAIM + "message_type": "LtiResourceLinkRequest",
            _CLAIM + "deployment_id": DEPLOYMENT_ID,
            _CLAIM + "target_link_uri": target,
            _CLAIM + "roles": [f"http://purl.imsglobal.org/vocab/lis/v2/membership#{role}"],
            _CLAIM + "context": {
                "id": "2",
                "label": "EHSS-07",
                "title": "English 7",
                "type": ["CourseSection"],
            },
            _CLAIM + "resource_link": {"id": "5", "title": "Class"},
            _CLAIM + "lis": {
                "person_sourcedid": person_sourcedid,
                "course_section_sourcedid": section_sourcedid,
            },
            _CLAIM + "launch_presentation": {"document_target": "iframe", "locale": "en"},
            _CLAIM + "tool_platform": {"product_family_code": "moodle", "version": "2024100706"},
        }
        header = {"alg": "RS256", "typ": "JWT", "kid": self._key.kid}
        return jwt.encode(header, claims, self._key)


def new_key() -> RSAKey:
    """A signing key with a kid."""
    return RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256", "kid": "benchmark-1"})


def _serve_keys(key_set: bytes, ready: Connection) -> None:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(key_set)))
            self.end_headers()
            self.wfile.write(key_set)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    ready.send(server.server_address[1])
    server.serve_forever()


def serve_keys(key: RSAKey) -> tuple[str, multiprocessing.Process]:
    """Serve the key set from a process of its own, so that its CPU time is nobody else's."""
    body = json.dumps({"keys": [key.as_dict(private=False)]}).encode()
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=_serve_keys, args=(body, theirs), daemon=True)
    process.start()
    return f"http://127.0.0.1:{ours.recv()}/keys", process
