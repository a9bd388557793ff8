"""The embedded broker: messages are files, and none is seen before it is whole.

The library's own transport opens a message under its final name and writes it then. A worker that
looks in between finds an empty file, and ends; so it does with one that a killed process left.
"""

from __future__ import annotations

import uuid
from pathlib import Path
from time import monotonic
from typing import Any

import structlog
from kombu.exceptions import ChannelError
from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps

log = structlog.get_logger(__name__)


class Channel(filesystem.Channel):
    """Writes beside and renames; what cannot be read is no message."""

    def _put(  # type: ignore[override] # the two above differ
        self, queue: str, payload: Any, **_more: Any
    ) -> None:
        name = f"{round(monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        whole = Path(self.data_folder_out) / name
        unfinished = whole.with_name(f"{name}.part")
        try:
            unfinished.write_text(dumps(payload), encoding="utf-8")
            unfinished.replace(whole)
        except OSError as error:
            raise ChannelError(f"Cannot add {name} to the broker's directory.") from error

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        while True:
            try:
                return super()._get(queue)
            except ValueError:
                # What it was about is found again by the schedule.
                log.warning("broker.message_unreadable", queue=queue)

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str | None, queue: str) -> None:
        try:
            super()._queue_bind(exchange, routing_key, pattern, queue)
        except ValueError:
            # Left by a process that was killed while it wrote: whoever is bound binds anew.
            log.warning("broker.exchange_unreadable", exchange=exchange)
            (self.control_folder / f"{exchange}.exchange").unlink(missing_ok=True)
            super()._queue_bind(exchange, routing_key, pattern, queue)

    def get_table(self, exchange: str) -> Any:
        """The queues of an exchange; none while its file is being written."""
        try:
            return super().get_table(exchange)
        except ValueError:
            return []


class Transport(filesystem.Transport):
    """The library's, with our channel."""

    Channel = Channel


def install() -> None:
    """Let ``filesystem://`` mean this transport."""
    TRANSPORT_ALIASES["filesystem"] = f"{__name__}:Transport"
