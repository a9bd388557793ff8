"""``make demo``: the tool, its worker and a small platform, on this machine, with one address."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from demo.connect import ConnectError, pair
from demo.processes import Processes, ProcessFailedError, port_is_free

CLIENT_ID = "naga-demo-tool"
# The platform numbers from 2, as Moodle does, and this tool is the first thing in its seed.
DEPLOYMENT_ID = "2"


class Demo:
    """A demonstration in ``directory``: made when it is not there, continued when it is."""

    def __init__(self, directory: Path, *, host: str, port: int, platform_port: int) -> None:
        self.directory = directory
        self.tool_url = f"http://{host}:{port}"
        self.platform_url = f"http://{host}:{platform_port}"
        self.seed = directory / "platform-seed.json"
        self.environment = os.environ | {
            "NAGASIS_PUBLIC_URL": self.tool_url,
            "NAGASIS_DATABASE_URL": f"sqlite:///{directory}/naga.db",
            "NAGASIS_KEYS_DIR": str(directory / "keys"),
            "NAGASIS_BROKER_URL": "filesystem://",
            "NAGASIS_BROKER_DIR": str(directory / "broker"),
            "NAGASIS_LOG_FORMAT": "console",
            "NAGASIS_LOG_LEVEL": "WARNING",
            # The platform of the demonstration lives on this very machine, without TLS.
            "NAGASIS_OUTBOUND_ALLOW_PRIVATE": "true",
            "NAGASIS_OUTBOUND_ALLOW_HTTP": "true",
            "MOODLE_SYNC_ENABLED": "true",
        }

    def nagasis(self, *arguments: str) -> str:
        """Run one command of the tool and return what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "lti_tool", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ProcessFailedError(f"nagasis {' '.join(arguments)}", done.stderr.strip())
        return done.stdout

    def prepare(self) -> None:
        """Make what is missing: keys, tables, a campus, a registration, the platform's seed."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.nagasis("init")
        if self.seed.exists():
            return
        self.nagasis("campus", "generate", "--size", "50")
        self.nagasis(
            "registration",
            "add",
            "--name=Demonstration Moodle",
            f"--issuer={self.platform_url}",
            f"--client-id={CLIENT_ID}",
            f"--deployment-id={DEPLOYMENT_ID}",
            "--trust-sourcedid",
            f"--auth-url={self.platform_url}/mod/lti/auth.php",
            f"--token-url={self.platform_url}/mod/lti/token.php",
            f"--jwks-url={self.platform_url}/mod/lti/certs.php",
        )
        seed = platform_seed(json.loads(self.nagasis("campus", "example")), self.tool_url)
        # Last, and whole: its presence says that the preparation is complete.
        partial = self.seed.with_suffix(".partial")
        partial.write_text(json.dumps(seed, ensure_ascii=False, indent=1))
        partial.rename(self.seed)

    def run(self) -> None:
        """Start everything, print the address, and wait for Ctrl-C or the end of a process."""
        platform = [
            "demo.platform",
            f"--seed={self.seed}",
            f"--state={self.directory / 'platform-state.json'}",
            f"--port={self.platform_url.rsplit(':', 1)[1]}",
            f"--base-url={self.platform_url}",
        ]
        with Processes(self.environment, self.directory / "logs") as processes:
            processes.start("tool", "lti_tool", "serve", "--workers", "1")
            processes.start("worker", "lti_tool", "worker")
            processes.start("platform", *platform)
            processes.wait_until_ready(f"{self.tool_url}/readyz", f"{self.platform_url}/")
            self.connect()
            print(f"\n  Open {self.platform_url}\n")
            print("  A course page opens the tool as teacher, as student and as administrator.")
            print("  What a teacher types under Grades comes to the SIS, and the other way round.")
            print(f"  Both are connected by a code, as Moodle is: {self.platform_url}/admin/sis")
            print("  The tool's own administration, by a link that works once:")
            print(f"  {self.nagasis('admin', 'sign-in-link', '--name', 'demo').strip()}\n")
            print(f"  Logs are in {self.directory / 'logs'}.")
            print("  Ctrl-C stops everything; `make demo-clean` forgets it.", flush=True)
            processes.wait()

    def connect(self) -> None:
        """Paste a code of the tool into the platform, unless that was done before."""
        try:
            pair(self.platform_url, lambda: self.nagasis("site", "code").split()[0])
        except ConnectError as error:
            raise ProcessFailedError("connecting the platform", str(error)) from error


def platform_seed(example: dict[str, Any], tool_url: str) -> dict[str, Any]:
    """The platform's course and people, from the example class of the SIS."""
    people, members = [], []
    for number, person in enumerate(example["people"], start=1):
        username = f"{person['role']}{number}"
        personal = person["personal_name"]
        people.append(
            {
                "username": username,
                "given_name": personal,
                "family_name": person["family_name"],
                "email": person["email"] or "",
                "idnumber": person["person_key"],
            }
        )
        role = "editingteacher" if person["role"] == "teacher" else "student"
        members.append({"username": username, "role": role})
    return {
        "site": "Demonstration Moodle",
        "people": people,
        "courses": [
            {
                "shortname": example["label"],
                "fullname": f"{example['title']} · {example['label']}",
                "idnumber": example["class_key"],
                "members": members,
                "links": [{"tool": CLIENT_ID, "title": "Class, roster and grades"}],
            }
        ],
        "tools": [
            {
                "name": "Naga SIS",
                "client_id": CLIENT_ID,
                "login_uri": f"{tool_url}/lti/login",
                "redirect_uris": [f"{tool_url}/lti/launch"],
                "jwks_uri": f"{tool_url}/lti/keys",
                "target_link_uri": f"{tool_url}/lti/launch",
            }
        ],
        "awkward": True,
    }


def main() -> int:
    """Parse the arguments and run; returns the exit code."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--directory", type=Path, default=Path("var/demo"))
    parser.add_argument("--host", default="localhost")
    parser.add_argument("--port", type=int, default=8700)
    parser.add_argument("--platform-port", type=int, default=8701)
    arguments = parser.parse_args()
    for option in ("port", "platform_port"):
        number = getattr(arguments, option)
        if not port_is_free(number):
            name = option.upper()
            print(f"Port {number} is in use; choose another: make demo {name}=…", file=sys.stderr)
            return 1
    # The addresses are in the registration: each pair of ports has a demonstration of its own.
    directory = arguments.directory.resolve() / f"{arguments.port}-{arguments.platform_port}"
    demo = Demo(
        directory,
        host=arguments.host,
        port=arguments.port,
        platform_port=arguments.platform_port,
    )
    try:
        print("Preparing…", flush=True)
        demo.prepare()
        demo.run()
    except ProcessFailedError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
