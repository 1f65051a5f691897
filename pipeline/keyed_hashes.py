"""The secret of this installation, and keyed hashes with it: of sessions' names, bearer tokens and signed links.

Nobody without the secret can make such a hash, or tell from it what was hashed.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import secrets
from pathlib import Path

log = logging.getLogger(__name__)

FILE = "secret"
BYTES = 32


class Secret:
    """Random bytes that outlive the process where DATA_DIR can be written to."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def of(cls, data_dir: Path) -> Secret:
        """Read the secret of a data folder, which is made at the first time.

        One that cannot be read or kept is logged, and another one serves this process alone.
        """
        try:
            return cls(_kept(data_dir / FILE))
        except OSError as error:
            log.warning("the secret cannot be kept in DATA_DIR (%s): links end with this process", type(error).__name__)
            return cls(secrets.token_bytes(BYTES))

    def hash(self, purpose: str, *parts: str) -> bytes:
        """Return a keyed hash of some texts, 32 bytes; the same texts give another one for another purpose."""
        message = b"".join(len(data).to_bytes(8, "big") + data for data in (_bytes(each) for each in (purpose, *parts)))
        return hmac.new(self._key, message, hashlib.sha256).digest()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _kept(file: Path) -> bytes:
    """Return the bytes of a secret's file, which is made if there is none. Raises OSError, also for a damaged file."""
    if key := _read(file):
        return key
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f"{FILE}.{secrets.token_hex(8)}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(secrets.token_bytes(BYTES))
        out.flush()
        os.fsync(out.fileno())
    try:
        file.hardlink_to(new)
    except FileExistsError:
        pass  # another process was first, and its secret is the one
    except OSError:  # no hard links on this file system, as on most mounted storage
        new.replace(file)
    new.unlink(missing_ok=True)
    return file.read_bytes()


def _read(file: Path) -> bytes | None:
    """Return the secret in a file, None if there is no file. Raises OSError."""
    try:
        key = file.read_bytes()
    except FileNotFoundError:
        return None
    if len(key) != BYTES:  # a short one could be guessed
        raise OSError("damaged")
    return key
