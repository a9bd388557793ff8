"""A real Keycloak with a realm for one school, started where there is a distribution and Java."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

import requests

from tests.ports import free_port

ADMIN = "administrator"
ADMIN_PASSWORD = "for the tests alone"
_START_SECONDS = 180
_REALM = "school"
CLIENT_ID = "naga-tool"
CLIENT_SECRET = "secret-of-the-tests"
CLAIM = "person_uuid"


@dataclass
class Keycloak:
    """A Keycloak that runs at ``url``."""

    url: str
    session: requests.Session = field(default_factory=requests.Session)
    # Said with each request: of a session's own an environment variable would take the place.
    authority: str | bool = True

    @property
    def issuer(self) -> str:
        """The realm's issuer."""
        return f"{self.url}/realms/{_REALM}"

    def call(self, method: str, path: str, document: Any = None) -> Any:
        """Call the administration; returns what it answers, if anything."""
        token = self.session.post(
            f"{self.url}/realms/master/protocol/openid-connect/token",
            data={
                "grant_type": "password",
                "client_id": "admin-cli",
                "username": ADMIN,
                "password": ADMIN_PASSWORD,
            },
            timeout=60,
            verify=self.authority,
        ).json()["access_token"]
        answer = self.session.request(
            method,
            f"{self.url}/admin/realms{path}",
            json=document,
            headers={"Authorization": f"Bearer {token}"},
            timeout=60,
            verify=self.authority,
        )
        assert answer.ok, (method, path, answer.status_code, answer.text)
        return answer.json() if answer.content else None

    def make_realm(self) -> None:
        """The realm, with an attribute that only administrators see and edit."""
        self.call("POST", "", {"realm": _REALM, "enabled": True})
        profile = self.call("GET", f"/{_REALM}/users/profile")
        permissions = {"view": ["admin"], "edit": ["admin"]}
        profile["attributes"].append({"name": CLAIM, "permissions": permissions})
        self.call("PUT", f"/{_REALM}/users/profile", profile)

    def make_client(
        self, redirect_uri: str, *, client_id: str = CLIENT_ID, keys_url: str | None = None
    ) -> None:
        """A confidential client that must use PKCE and puts the attribute into its ID tokens; it
        proves itself by a secret, or by the keys at ``keys_url``."""
        proof = {"clientAuthenticatorType": "client-jwt"} if keys_url else {"secret": CLIENT_SECRET}
        keys = {"use.jwks.url": "true", "jwks.url": keys_url} if keys_url else {}
        mapper = {
            "name": CLAIM,
            "protocol": "openid-connect",
            "protocolMapper": "oidc-usermodel-attribute-mapper",
            "config": {
                "user.attribute": CLAIM,
                "claim.name": CLAIM,
                "jsonType.label": "String",
                "id.token.claim": "true",
            },
        }
        self.call(
            "POST",
            f"/{_REALM}/clients",
            {
                "clientId": client_id,
                **proof,
                "redirectUris": [redirect_uri],
                "standardFlowEnabled": True,
                "directAccessGrantsEnabled": False,
                "attributes": {"pkce.code.challenge.method": "S256", **keys},
                "protocolMappers": [mapper],
            },
        )

    def make_user(self, name: str, person_key: str | None) -> None:
        """A person whose password is their name."""
        self.call(
            "POST",
            f"/{_REALM}/users",
            {
                "username": name,
                "enabled": True,
                "firstName": "Given",
                "lastName": "Family",
                "email": f"{name}@school.example",
                "emailVerified": True,
                "attributes": {CLAIM: [person_key]} if person_key else {},
                "credentials": [{"type": "password", "value": name, "temporary": False}],
            },
        )

    def rotate_keys(self) -> None:
        """Let a new key sign from now on."""
        component = {
            "name": "younger",
            "providerId": "rsa-generated",
            "providerType": "org.keycloak.keys.KeyProvider",
            "config": {"priority": ["500"], "algorithm": ["RS256"], "keySize": ["2048"]},
        }
        self.call("POST", f"/{_REALM}/components", component)

    def sign_in(self, url: str, name: str) -> str:
        """Fill in the sign-in page at ``url``; returns where the browser is sent back to."""
        with requests.Session() as browser:
            page = browser.get(url, timeout=60)
            form = re.search(r'<form[^>]*id="kc-form-login"[^>]*action="([^"]+)"', page.text)
            assert form is not None, (page.status_code, page.text)
            # As browsers do: loopback counts as secure.
            for cookie in browser.cookies:
                cookie.secure = False
            answer = browser.post(
                unescape(form[1]),
                data={"username": name, "password": name},
                allow_redirects=False,
                timeout=60,
            )
        assert answer.status_code == 302, (answer.status_code, answer.text)
        return answer.headers["Location"]


def find_keycloak(environment: Mapping[str, str] = os.environ) -> Path | str:
    """The distribution's folder, or in plain words why there is none."""
    home = environment.get("KEYCLOAK_HOME")
    if not home:
        return "no Keycloak: unpack a distribution and name its folder in KEYCLOAK_HOME"
    if not (Path(home) / "bin" / "kc.sh").is_file():
        return f"no Keycloak: {home} has no bin/kc.sh"
    if shutil.which("java") is None:
        return "no Keycloak: it needs Java 17 or newer"
    return Path(home)


@dataclass(frozen=True)
class Secured:
    """A host name of this machine, its certificate, and the authority behind that."""

    host: str
    certificate: Path
    key: Path
    authority: Path | None


class KeycloakServer:
    """The server of one Keycloak: on a port that was free, its database a file in ``folder``; with
    HTTPS if ``secured``. It may be started again after it ended, however it ended."""

    def __init__(self, home: Path, folder: Path, *, secured: Secured | None = None) -> None:
        port = free_port()
        if secured is None:
            url = f"http://127.0.0.1:{port}"
            reached = [f"--http-port={port}"]
        else:
            url = f"https://{secured.host}:{port}"
            reached = [
                f"--hostname={url}",
                "--http-enabled=false",
                f"--https-port={port}",
                f"--https-certificate-file={secured.certificate}",
                f"--https-certificate-key-file={secured.key}",
            ]
            if secured.authority:
                # It fetches the tool's keys, and tells the tool of logouts.
                reached.append(f"--truststore-paths={secured.authority}")
        self._command = [
            str(home / "bin" / "kc.sh"),
            "start-dev",
            "--db=dev-file",
            f"--db-url=jdbc:h2:file:{folder}/keycloak;NON_KEYWORDS=VALUE",
            "--http-host=127.0.0.1",
            *reached,
        ]
        self.keycloak = Keycloak(url)
        if secured and secured.authority:
            self.keycloak.authority = str(secured.authority)
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    def start(self) -> None:
        """Start it; returns when it listens."""
        environment = os.environ | {
            "KC_BOOTSTRAP_ADMIN_USERNAME": ADMIN,
            "KC_BOOTSTRAP_ADMIN_PASSWORD": ADMIN_PASSWORD,
            "JAVA_OPTS_KC_HEAP": "-Xms64m -Xmx512m",
        }
        process = subprocess.Popen(
            self._command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
            start_new_session=True,
        )
        ended_or_up = threading.Event()
        said: list[str] = []

        def listen() -> None:
            assert process.stdout is not None
            for line in process.stdout:
                said.append(line)
                if "Listening on:" in line:
                    ended_or_up.set()
            ended_or_up.set()

        # Read to the end: a full pipe would stop the server.
        self._reader = threading.Thread(target=listen)
        self._reader.start()
        self._process = process
        ended_or_up.wait(_START_SECONDS)
        assert any("Listening on:" in line for line in said), "".join(said[-40:])

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it, if it runs; with ``SIGKILL`` in the middle of whatever it does."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            os.killpg(process.pid, how)
        process.wait(60)
        if self._reader is not None:
            self._reader.join()
        assert process.stdout is not None
        process.stdout.close()


@contextmanager
def serving(server: KeycloakServer) -> Iterator[KeycloakServer]:
    """Start a server, and end it in the end."""
    try:
        server.start()
        yield server
    finally:
        server.keycloak.session.close()
        server.stop()


@contextmanager
def run_keycloak(home: Path, folder: Path, *, secured: Secured | None = None) -> Iterator[Keycloak]:
    """Start Keycloak on a free port with an empty database in ``folder``; with HTTPS if
    ``secured``."""
    with serving(KeycloakServer(home, folder, secured=secured)) as server:
        yield server.keycloak
