"""The secret of this installation, and keyed hashes with it: of sessions' names, bearer tokens and signed links.

Nobody without the secret can make such a hash, or tell from it what was hashed.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
from pathlib import Path

FILE = "secret"
BYTES = 32


class Secret:
    """Random bytes that outlive the process."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def of(cls, data_dir: Path) -> Secret:
        """Read the secret of a data folder, which is made at the first time. Raises OSError."""
        file = data_dir / FILE
        key = _read(file)
        if len(key) == BYTES:
            return cls(key)
        data_dir.mkdir(parents=True, exist_ok=True)
        new = file.with_name(f"{FILE}.{secrets.token_hex(8)}")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            out.write(secrets.token_bytes(BYTES))
            out.flush()
            os.fsync(out.fileno())
        with contextlib.suppress(FileExistsError):  # another process was first, and its secret is the one
            file.hardlink_to(new)
        new.unlink()
        return cls(_read(file))

    def hash(self, purpose: str, *parts: str) -> bytes:
        """Return a keyed hash of some texts, 32 bytes; the same texts give another one for another purpose."""
        message = b"".join(len(data).to_bytes(8, "big") + data for data in (_bytes(each) for each in (purpose, *parts)))
        return hmac.new(self._key, message, hashlib.sha256).digest()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _read(file: Path) -> bytes:
    with contextlib.suppress(FileNotFoundError):
        return file.read_bytes()
    return b""
