"""Events on their way to the tool: numbered without gaps, kept until the tool holds them."""

from __future__ import annotations

import threading
import uuid
from copy import copy
from typing import Any

from demo.provisioning.connection import Outgoing
from demo.provisioning.pairing import call, renew_token
from demo.provisioning.tool import ToolError
from demo.state import Platform

BATCH = 1000
# Above this the oldest activity is forgotten.
LIMIT = 10_000
_INTERVAL = 2.0


class Sender:
    """Sends what waits. One at a time; others that want to send meanwhile leave at once."""

    def __init__(self, host: Platform) -> None:
        self._host = host
        self._held = host.state.connection
        self._restarted = False

    def send(self) -> int:
        """Send until nothing waits; returns how many the tool has taken. Raises ``ToolError``."""
        if not self._held.paired or not self._host.sending.acquire(blocking=False):
            return 0
        self._restarted = False
        sent, size = 0, BATCH
        try:
            while True:
                batch = self._next(size)
                if not batch:
                    break
                taken = self._deliver(batch)
                sent += taken
                # After a refusal the batch is halved until the event is found.
                size = BATCH if taken else max(1, len(batch) // 2)
        except ToolError as error:
            self._note(str(error))
            raise
        finally:
            self._host.sending.release()
        self._note("")
        return sent

    def _note(self, error: str) -> None:
        if self._held.error != error:
            with self._host.change():
                self._held.error = error

    def _next(self, size: int) -> list[Outgoing]:
        with self._host.change():
            _thin(self._held.outbox)
            for event in self._held.outbox:
                if not event.seq:
                    self._held.last += 1
                    event.seq = self._held.last
            return self._held.outbox[:size]

    def _deliver(self, batch: list[Outgoing]) -> int:
        held = self._held
        try:
            answer = call(self._host, "events", self._message(batch))
        except ToolError as error:
            if error.code == "epoch_over" and not self._restarted:
                self._begin_epoch()
                return 0
            if error.code == "events_invalid":
                if len(batch) == 1:
                    self._set_aside(batch[0], str(error))
                return 0
            raise
        with self._host.change():
            taken = [event for event in held.outbox if event.seq <= int(answer["held"])]
            if not taken:
                raise ToolError("not_held", "The tool has taken none of the events.")
            held.held, held.held_id = taken[-1].seq, taken[-1].id
            del held.outbox[: len(taken)]
        return len(taken)

    def _message(self, batch: list[Outgoing]) -> dict[str, Any]:
        held = self._held
        return {
            "epoch": held.epoch,
            "first": batch[0].seq,
            "next": held.last + 1,
            "after": held.held_id if batch[0].seq == held.held + 1 else None,
            "backlog": len(held.outbox) - len(batch),
            "sent_at": self._host.epoch(),
            "events": [
                {"seq": each.seq, "id": each.id, "type": each.type, "at": each.at, **each.fields}
                for each in batch
            ],
        }

    def _begin_epoch(self) -> None:
        self._restarted = True
        with self._host.change():
            held = self._held
            held.epoch, held.last, held.held, held.held_id = str(uuid.uuid4()), 0, 0, None
            for event in held.outbox:
                event.seq = 0

    def _set_aside(self, event: Outgoing, reason: str) -> None:
        with self._host.change():
            kept = copy(event)
            kept.reason = reason
            self._held.set_aside.append(kept)
            event.type, event.fields = "hole", {}

    def run(self, over: threading.Event) -> None:
        """Send every few seconds until ``over``; what fails is tried again."""
        while not over.wait(_INTERVAL):
            try:
                renew_token(self._host)
                self.send()
            except ToolError as error:
                self._note(str(error))


def _thin(outbox: list[Outgoing]) -> None:
    surplus = len(outbox) - LIMIT
    for event in [each for each in outbox if each.type == "user.loggedin" and not each.seq]:
        if surplus <= 0:
            return
        outbox.remove(event)
        surplus -= 1
