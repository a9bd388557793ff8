"""``python -m demo.platform``: serve the built-in platform."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from demo.seed import SeedError
from demo.server import serve
from demo.state import PlatformConfig


def main(arguments: list[str] | None = None) -> int:
    """Read the command line and serve; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m demo.platform",
        description="A small LTI 1.3 platform that behaves as Moodle does.",
    )
    parser.add_argument("--seed", type=Path, help="courses and people (JSON); a sample if missing")
    parser.add_argument("--state", type=Path, help="where to save, and to continue from (JSON)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=5050)
    parser.add_argument("--base-url", help="the address that browsers and the tool use")
    chosen = parser.parse_args(arguments)
    base_url = chosen.base_url or f"http://localhost:{chosen.port}"
    config = PlatformConfig(
        base_url=base_url, course_json=chosen.seed, state_file=chosen.state, demo=True
    )
    try:
        print(f"Platform: {base_url}", flush=True)
        serve(config, host=chosen.host, port=chosen.port)
    except (SeedError, ValueError) as error:
        print(f"The platform cannot start: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"The platform cannot listen on port {chosen.port}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
