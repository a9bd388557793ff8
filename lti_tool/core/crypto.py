"""Encryption at rest: AES-256-GCM with a key id, so that keys can be rotated."""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from lti_tool.core.errors import ConfigurationError, NagaError

_KEY_BYTES = 32
_NONCE_BYTES = 12


class DecryptionError(NagaError):
    """A stored value cannot be decrypted: its key is gone or it was changed."""

    code = "decryption_failed"
    title = "A stored secret cannot be read"


class Keyring:
    """Encrypts with its first key, decrypts with any.

    A sealed value is ``key id (8 ASCII characters) + nonce (12 bytes) + ciphertext and tag``.
    ``purpose`` is authenticated with the value: what was sealed for one column cannot be moved to
    another.
    """

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        """``keys``: key id (8 characters) → 32 bytes, the current key first."""
        if not keys:
            raise ConfigurationError("No encryption key.", field="NAGASIS_KEYS_DIR")
        for key_id, key in keys.items():
            if len(key_id) != 8 or not key_id.isascii() or len(key) != _KEY_BYTES:
                raise ConfigurationError(
                    f"Encryption key {key_id!r} must have an id of 8 characters and 32 bytes.",
                    field="NAGASIS_KEYS_DIR",
                )
        self._current = next(iter(keys))
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._keys = dict(keys)

    def seal(self, plain: bytes, *, purpose: str) -> bytes:
        """Encrypt ``plain`` for ``purpose`` (such as ``"lti_tool_key.private"``)."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self._current].encrypt(nonce, plain, purpose.encode())
        return self._current.encode() + nonce + sealed

    def open(self, sealed: bytes, *, purpose: str) -> bytes:
        """Decrypt what :meth:`seal` made; raises :class:`DecryptionError`."""
        key_id = sealed[:8].decode("ascii", "replace")
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise DecryptionError(
                f"The encryption key {key_id!r} is not in the keyring.",
                remedy="Put the key back into the keys directory.",
            )
        try:
            return cipher.decrypt(sealed[8:20], sealed[20:], purpose.encode())
        except InvalidTag as error:
            raise DecryptionError("A stored value was changed or belongs elsewhere.") from error

    def derive(self, purpose: str) -> list[bytes]:
        """Return a 32-byte secret per key for ``purpose`` (HKDF-SHA256), the current one first."""
        return [
            HKDF(SHA256(), _KEY_BYTES, salt=None, info=purpose.encode()).derive(key)
            for key in self._keys.values()
        ]


def load_keyring(directory: Path, *, create: bool) -> Keyring:
    """Read ``encryption.keys`` (a line each: ``id base64``, the current key first).

    With ``create`` a missing file is made, readable by its owner alone.
    """
    path = directory / "encryption.keys"
    if not path.exists():
        if not create:
            raise ConfigurationError(
                f"There is no encryption key file {path}.",
                field="NAGASIS_KEYS_DIR",
                remedy="Run `nagasis init`, or mount the directory that holds it.",
            )
        directory.mkdir(parents=True, exist_ok=True)
        line = f"{secrets.token_hex(4)} {base64.b64encode(os.urandom(_KEY_BYTES)).decode()}\n"
        # O_EXCL: two processes that start together must not both win.
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            pass
        else:
            with os.fdopen(descriptor, "w") as handle:
                handle.write(line)
    keys: dict[str, bytes] = {}
    for number, text in enumerate(path.read_text().splitlines(), start=1):
        if not text.strip():
            continue
        try:
            key_id, encoded = text.split()
            keys[key_id] = base64.b64decode(encoded, validate=True)
        except ValueError as error:
            raise ConfigurationError(
                f"{path}, line {number}: expected `id base64`.", field="NAGASIS_KEYS_DIR"
            ) from error
    return Keyring(keys)
