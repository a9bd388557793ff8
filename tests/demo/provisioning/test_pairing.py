"""Codes are read, or refused with what to do."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest

from demo import PlatformConfig, create_platform
from demo.provisioning.connection import Connection, Outgoing
from demo.provisioning.outbox import LIMIT, Sender
from demo.provisioning.pairing import Code, CodeError, pair, read_code


def _code(content: bytes) -> str:
    text = "naga1." + base64.urlsafe_b64encode(content).rstrip(b"=").decode()
    return f"{text}.{hashlib.sha256(text.encode()).hexdigest()[:6]}"


WHOLE = _code(json.dumps({"u": "https://tool.test/", "s": "secret"}).encode())


def test_code_as_it_is_pasted() -> None:
    wanted = Code("https://tool.test", "secret")
    assert read_code(WHOLE) == wanted
    assert read_code(f"  {WHOLE[:9]}\n{WHOLE[9:]} ") == wanted


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not a code"),
        ("https://tool.test", "not a code"),
        (WHOLE[:-1], "not whole"),
        (WHOLE[:-7], "not whole"),
        (_code(b"[1]"), "cannot be read"),
        (_code(b"\xff"), "cannot be read"),
    ],
)
def test_code_that_is_none(text: str, said: str) -> None:
    with pytest.raises(CodeError, match=said):
        read_code(text)


def test_tool_that_does_not_answer() -> None:
    host = create_platform(PlatformConfig()).extensions["platform"]
    before = host.state.connection
    with pytest.raises(Exception, match="does not answer"):
        pair(host, _code(json.dumps({"u": "http://127.0.0.1:9", "s": "secret"}).encode()))
    assert host.state.connection is before
    assert not before.paired


def test_activity_is_forgotten_above_the_limit_records_are_not() -> None:
    host = create_platform(PlatformConfig()).extensions["platform"]
    held = host.state.connection = Connection(tool_url="http://127.0.0.1:9", token="t", epoch="e")
    for number in range(LIMIT + 10):
        kind = "grade.changed" if number < 5 else "user.loggedin"
        held.outbox.append(Outgoing(str(number), kind, number, {}))
    sender = Sender(host)
    with pytest.raises(Exception, match="not paired"):
        sender.send()
    assert len(held.outbox) == LIMIT
    assert [event.id for event in held.outbox[:6]] == ["0", "1", "2", "3", "4", "15"]
    assert held.error
