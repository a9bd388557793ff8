"""Entries of the journal: what was done at a site, and what each field was before."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from lti_tool.core.clock import Clock
from lti_tool.core.crypto import Keyring
from lti_tool.moodle.documents import Kind, MemberResult, Result
from lti_tool.sync.provisioning.models import SyncRun

_DETAIL = "moodle_integration_record.detail"


class Journal:
    """Writes and reads the sealed part of the journal: names of people are among it."""

    def __init__(self, clock: Clock, keyring: Keyring) -> None:
        self._clock = clock
        self._keyring = keyring

    def of_result(self, run: SyncRun, kind: Kind, result: Result) -> dict[str, Any] | None:
        """The entry of a result; ``None`` where nothing happened and nothing was refused."""
        if not _noteworthy(result) and not any(map(_noteworthy, result.members)):
            return None
        entry = self.refusal(run, kind, result.key, code=result.code)
        text = json.dumps(_told(result), ensure_ascii=False, separators=(",", ":"))
        sealed = self._keyring.seal(text.encode(), purpose=_DETAIL)
        return entry | {
            "outcome": result.result,
            "moodle_id": result.id,
            "detail_sealed": sealed,
        }

    def refusal(self, run: SyncRun, kind: Kind, key: str, *, code: str | None) -> dict[str, Any]:
        """The entry of what could not be done at all."""
        return {
            "run_id": run.id,
            "site_id": run.site_id,
            "kind": kind,
            "key": key,
            "outcome": "refused",
            "moodle_id": None,
            "code": code,
            "at": self._clock.now(),
            "detail_sealed": None,
        }

    def detail(self, sealed: bytes | None) -> dict[str, Any]:
        """What an entry says: ``changes``, ``members``, ``code``, ``field``, ``message``."""
        if sealed is None:
            return {}
        found: dict[str, Any] = json.loads(self._keyring.open(sealed, purpose=_DETAIL))
        return found


def _told(result: Result) -> Mapping[str, Any]:
    told = result.model_dump(
        mode="json", include={"changes", "code", "field", "message"}, exclude_defaults=True
    )
    # Who was left as they were says nothing.
    members = [
        member.model_dump(mode="json", exclude_defaults=True)
        for member in result.members
        if _noteworthy(member)
    ]
    return told | ({"members": members} if members else {})


def _noteworthy(result: Result | MemberResult) -> bool:
    return result.result != "unchanged"
