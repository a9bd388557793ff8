"""The embedded broker: half-written and broken messages never reach a worker, nor end one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from kombu import Connection

from lti_tool.sync.broker import Broker
from lti_tool.sync.filesystem_broker import Channel


@pytest.fixture
def channel(tmp_path: Path) -> Iterator[Any]:
    broker = Broker("filesystem://", tmp_path)
    with broker.celery.connection_for_read() as connection:
        assert isinstance(connection, Connection)
        yield connection.default_channel


def _messages(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "messages").iterdir())


def test_the_installation_uses_it(channel: Any) -> None:
    assert isinstance(channel, Channel)


def test_a_message_comes_back_once(channel: Any, tmp_path: Path) -> None:
    channel._put("celery", {"body": "មេរៀន"})
    (name,) = _messages(tmp_path)
    assert name.endswith(".celery.msg")
    assert channel._get("celery") == {"body": "មេរៀន"}
    with pytest.raises(Empty):
        channel._get("celery")


def test_what_is_not_whole_is_passed_over(channel: Any, tmp_path: Path) -> None:
    messages = tmp_path / "messages"
    (messages / "0_killed.celery.msg").write_bytes(b"")
    (messages / "0_cut.celery.msg").write_bytes(b'{"bo')
    (messages / "0_unfinished.celery.msg.part").write_bytes(b"{")
    channel._put("celery", {"body": "whole"})
    assert channel._get("celery") == {"body": "whole"}
    assert _messages(tmp_path) == ["0_unfinished.celery.msg.part"]


def test_a_broken_table_of_an_exchange_is_written_anew(channel: Any, tmp_path: Path) -> None:
    table = tmp_path / "control" / "things.exchange"
    table.write_bytes(b"")
    assert channel.get_table("things") == []
    channel._queue_bind("things", "", "", "mine")
    assert [row.queue for row in channel.get_table("things")] == ["mine"]


def test_many_writers_and_a_reader(channel: Any) -> None:
    count = 200

    def write(name: str) -> None:
        for number in range(count):
            channel._put("celery", {"body": f"{name}{number}"})

    writers = [threading.Thread(target=write, args=(name,)) for name in "ab"]
    for writer in writers:
        writer.start()
    seen: set[str] = set()
    while len(seen) < 2 * count:
        try:
            seen.add(channel._get("celery")["body"])
        except Empty:
            assert any(writer.is_alive() for writer in writers) or len(seen) == 2 * count
    for writer in writers:
        writer.join()
    assert len(seen) == 2 * count
