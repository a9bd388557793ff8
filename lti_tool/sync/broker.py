"""Telling a worker that there is work. The database is the truth: a lost message loses nothing."""

from __future__ import annotations

from pathlib import Path

import structlog
from celery import Celery

from lti_tool.sync import filesystem_broker

log = structlog.get_logger(__name__)


class Broker:
    """The Celery application of this installation.

    Args:
        url: ``filesystem://`` (embedded, no server), ``redis://…`` or ``amqp://…``.
        directory: where the filesystem broker keeps its messages.
    """

    def __init__(self, url: str, directory: Path) -> None:
        filesystem_broker.install()
        self.celery = Celery("nagasis", broker=url, set_as_current=False)
        self.celery.conf.update(
            task_ignore_result=True,
            task_acks_late=True,
            timezone="UTC",
            broker_connection_retry_on_startup=True,
            worker_hijack_root_logger=False,
        )
        if url.startswith("filesystem:"):
            folders = {name: directory / name for name in ("messages", "control")}
            for folder in folders.values():
                folder.mkdir(parents=True, exist_ok=True)
            # One folder both ways: what one process sends, another receives.
            self.celery.conf.broker_transport_options = {
                "data_folder_in": str(folders["messages"]),
                "data_folder_out": str(folders["messages"]),
                "control_folder": str(folders["control"]),
            }

    def announce_push(self, push_id: str) -> None:
        """Ask for the push to be run now; without a broker it is found a little later."""
        self._announce("push_grades", push_id)

    def announce_order(self, order_id: int) -> None:
        """Ask for an administrator's order to be carried out now; else it is found later too."""
        self._announce("carry_out", order_id)

    def announce_changes(self) -> None:
        """Ask for changes to be sent now; else they are by the schedule."""
        self._announce("sync")

    def _announce(self, task: str, *arguments: object) -> None:
        try:
            self.celery.send_task(task, args=list(arguments), retry=False)
        except Exception as error:  # noqa: BLE001 - brokers fail in their own ways
            log.warning("broker.unreachable", task=task, error=type(error).__name__)
