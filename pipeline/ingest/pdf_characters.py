"""Reads the characters of a PDF page at once, since a call of pdfium for each takes fifteen times as long."""

from __future__ import annotations

import ctypes
import re
from typing import Any

import pypdfium2.raw as raw

_OTHERWISE = re.compile("\ufffe")  # a hyphen at a line's end in pdfium's text, which has another code by itself


def characters(textpage: Any) -> str:
    """Return the characters of a page, one for each of pdfium's indexes."""
    count, handle = textpage.count_chars(), textpage.raw
    codes = (ctypes.c_ushort * (count + 1))()
    if raw.FPDFText_GetText(handle, 0, count, codes) == count + 1:
        text = bytes(codes)[: 2 * count].decode("utf-16-le", "replace")
        if len(text) == count and "\ufffd" not in text:
            return _OTHERWISE.sub(lambda found: chr(raw.FPDFText_GetUnicode(handle, found.start())), text)
    # Some characters are not part of that text, or take two of its units.
    return "".join(chr(raw.FPDFText_GetUnicode(handle, index)) for index in range(count))
