"""Signed keys, which open one thing for whoever has them: a document for an hour, or one passage for thirty days.

A key says nothing of the owner. The id of a document is a hash of its content, so that a key of a passage covers
document, revision and span. Pure but for the clock of a document's key.
"""

from __future__ import annotations

import base64
import hmac
import re
import struct
import time
from typing import NamedTuple

from pipeline.keyed_hashes import Secret

DOCUMENT_S = 3600.0
PASSAGE_S = 30 * 86_400.0
ROUNDED_S = 3600.0  # the keys of a passage that are made within this time are the same

_ID = re.compile(r"[0-9a-f]{32}")
_FIELDS = struct.Struct(">16sIII")  # document, start, end, the end of its time in ROUNDED_S
_SIGNATURE_BYTES = 16
_KEY = re.compile(r"[A-Za-z0-9_-]{59}")


class Span(NamedTuple):
    """A passage: [`start`, `end`) of the text of a document."""

    document_id: str
    start: int
    end: int


class Opened(NamedTuple):
    """What a key of a passage opens, and a time before which the key was made, in seconds since the epoch."""

    span: Span
    made_before_s: float


class SignedKeys:
    """Makes and reads the keys of one installation."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret

    def of_document(self, document_id: str) -> str:
        """Return a key that opens a document."""
        expires_at = str(int(time.time() + DOCUMENT_S))
        return f"{expires_at}.{self._secret.hash('document', document_id, expires_at).hex()}"

    def opens_document(self, key: str, document_id: str) -> bool:
        """Return whether a key opens a document now."""
        expires_at, _, signature = key.partition(".")
        if not (expires_at.isascii() and expires_at.isdecimal() and time.time() < int(expires_at[:15])):
            return False
        expected = self._secret.hash("document", document_id, expires_at).hex()
        return hmac.compare_digest(expected.encode(), signature.encode(errors="replace"))

    def of_passage(self, span: Span, now_s: float) -> str | None:
        """Return a key that opens a passage; None for one without a place in a document of an index."""
        if not (_ID.fullmatch(span.document_id) and 0 <= span.start < span.end < 2**32):
            return None
        ends = int((now_s + PASSAGE_S) / ROUNDED_S) + 1
        fields = _FIELDS.pack(bytes.fromhex(span.document_id), span.start, span.end, ends)
        return base64.urlsafe_b64encode(fields + self._signature(fields)).decode().rstrip("=")

    def passage(self, key: str, now_s: float) -> Opened | None:
        """Return the passage that a key opens, None where it opens nothing."""
        if not _KEY.fullmatch(key):
            return None
        told = base64.urlsafe_b64decode(key + "=")
        fields, signature = told[: _FIELDS.size], told[_FIELDS.size :]
        document, start, end, ends = _FIELDS.unpack(fields)
        is_right = hmac.compare_digest(self._signature(fields), signature)
        # The last letter of a key holds two bits that mean nothing: only one spelling is right.
        is_right = is_right and base64.urlsafe_b64encode(told).decode().rstrip("=") == key
        if not is_right or now_s >= ends * ROUNDED_S:
            return None
        return Opened(Span(document.hex(), start, end), ends * ROUNDED_S - PASSAGE_S)

    def _signature(self, fields: bytes) -> bytes:
        return self._secret.hash("passage", fields.hex())[:_SIGNATURE_BYTES]
