"""Encryption at rest."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.core.crypto import DecryptionError, Keyring, load_keyring
from lti_tool.core.errors import ConfigurationError

OLD = {"aaaaaaaa": b"a" * 32}
NEW = {"bbbbbbbb": b"b" * 32} | OLD


@given(st.binary(max_size=2000))
def test_what_is_sealed_opens(plain: bytes) -> None:
    keyring = Keyring(OLD)
    assert keyring.open(keyring.seal(plain, purpose="p"), purpose="p") == plain


@given(st.binary(min_size=1, max_size=40), st.data())
def test_any_changed_byte_is_noticed(plain: bytes, data: st.DataObject) -> None:
    keyring = Keyring(OLD)
    sealed = bytearray(keyring.seal(plain, purpose="p"))
    position = data.draw(st.integers(0, len(sealed) - 1))
    sealed[position] ^= data.draw(st.integers(1, 255))
    with pytest.raises(DecryptionError):
        keyring.open(bytes(sealed), purpose="p")


def test_a_value_belongs_to_its_purpose() -> None:
    keyring = Keyring(OLD)
    with pytest.raises(DecryptionError):
        keyring.open(keyring.seal(b"x", purpose="one"), purpose="other")


def test_rotation_keeps_the_old_readable_and_seals_with_the_new() -> None:
    sealed = Keyring(OLD).seal(b"x", purpose="p")
    rotated = Keyring(NEW)
    assert rotated.open(sealed, purpose="p") == b"x"
    with pytest.raises(DecryptionError, match="bbbbbbbb"):
        Keyring(OLD).open(rotated.seal(b"x", purpose="p"), purpose="p")


def test_derived_secrets_differ_by_purpose_and_key() -> None:
    keyring = Keyring(NEW)
    assert len({*keyring.derive("one"), *keyring.derive("two")}) == 4


def test_the_key_file_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    first = load_keyring(tmp_path, create=True)
    path = tmp_path / "encryption.keys"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = load_keyring(tmp_path, create=True)
    assert again.open(first.seal(b"x", purpose="p"), purpose="p") == b"x"


def test_a_missing_key_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as raised:
        load_keyring(tmp_path, create=False)
    assert "nagasis init" in str(raised.value.remedy)


@pytest.mark.parametrize("text", ["", "only-one-word\n", "12345678 ???\n", "1234 YWFh\n"])
def test_a_bad_key_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "encryption.keys").write_text(text)
    with pytest.raises(ConfigurationError):
        load_keyring(tmp_path, create=False)
