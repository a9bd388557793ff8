"""The switches: what is on where."""

from __future__ import annotations

import dataclasses

from demo import Quirks


def test_moodle_has_every_quirk_and_the_spec_none() -> None:
    moodle, spec = dataclasses.asdict(Quirks()), dataclasses.asdict(Quirks.spec())
    assert [name for name, on in moodle.items() if not on] == ["storage_frame"]
    assert not any(spec.values())


def test_single_switches() -> None:
    assert Quirks.spec(storage_frame=True) == Quirks.spec().but(storage_frame=True)
    assert not Quirks().but(ags_type_id=False).ags_type_id
    assert Quirks().ags_type_id
