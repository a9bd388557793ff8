"""``nagasis serve`` and ``nagasis worker``: the processes of the product."""

from __future__ import annotations

import os
import sys
from urllib.parse import urlsplit

import click

from lti_tool.settings import load_settings


@click.command()
@click.option("--bind", default=None, help="host:port; default: the public address's port.")
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64))
@click.option("--threads", default=8, show_default=True, type=click.IntRange(1, 64))
def serve(bind: str | None, workers: int, threads: int) -> None:
    """Serve the tool with gunicorn."""
    parts = urlsplit(load_settings().public_url)
    address = bind or f"127.0.0.1:{parts.port or 8700}"
    # Threads, not one sync worker: a platform fetches our key set while we ask it for a token.
    arguments = [
        "gunicorn",
        "lti_tool:create_app()",
        f"--bind={address}",
        f"--workers={workers}",
        f"--threads={threads}",
        "--worker-class=gthread",
        "--timeout=90",
        # No access log: addresses hold references and tokens. Our own log names the route.
        "--log-level=warning",
    ]
    os.execv(sys.executable, [sys.executable, "-m", *arguments])  # noqa: S606


@click.command()
@click.option("--concurrency", default=4, show_default=True, type=click.IntRange(1, 64))
def worker(concurrency: int) -> None:
    """Run the background worker with its schedule."""
    settings = load_settings()
    # The schedule's own notes live there, whatever the broker is.
    settings.broker_dir.mkdir(parents=True, exist_ok=True)
    arguments = ["celery", "--app=lti_tool.worker:celery", "worker", "--beat", "--pool=threads"]
    arguments += [f"--concurrency={concurrency}", "--loglevel=WARNING"]
    arguments += [f"--schedule={settings.broker_dir / 'schedule'}"]
    os.execv(sys.executable, [sys.executable, "-m", *arguments])  # noqa: S606
