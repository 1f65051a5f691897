"""Writes a quote as Markdown: on one line, followed by the [n] of its passage. Pure."""

from __future__ import annotations

import re

from pipeline.citations.sentences import is_table_row, sentences, without_list_marker

# Matches `[2]`, `[^2]`, `[1, 2]`, `[1-3]`, `[Source 2]`, `【2】`, and the backslashes before them.
_NUMBERS = r"(?=\s*\^?\s*(?:[^\W\d]{1,20}[.:]?\s*)?\d{1,3}(?:[\s,;–-]+\d{1,3})*\s*[\]】†])"
_CITATION_LIKE = re.compile(rf"(?<!\\)(\\*+)([\[【]){_NUMBERS}", re.IGNORECASE)
_WORD_JOINER = "\u2060"


def quoted(text: str, number: int) -> str:
    """Write the sentences of a quote, each with its [n]: each is checked by itself."""
    return " ".join(sentence(text[begin:end], number) for begin, end in sentences(text))


def sentence(text: str, number: int) -> str:
    """Write a sentence without its list marker; a row without the head of its table becomes its cells."""
    text = without_list_marker(text)
    if is_table_row(text):
        text = " · ".join(cell.strip() for cell in text.strip("|").split("|"))
    if text.count("**") % 2:
        text = text.replace("**", "")
    return f"{uncited(' '.join(text.split()))} [{number}]"


def row(text: str, number: int) -> str:
    """Write a table's row with its [n] in the last cell."""
    cells = uncited(text).rstrip().removesuffix("|").rstrip()
    return f"{cells} [{number}] |"


def uncited(text: str) -> str:
    """Escape whatever looks like a citation in a document's text: it reads the same and cites nothing."""

    def without_meaning(sign: re.Match[str]) -> str:
        if sign[2] != "[":
            return f"{sign[0]}{_WORD_JOINER}"  # Markdown has no escape for it
        return sign[0] if len(sign[1]) % 2 else f"{sign[1]}\\["  # an escaped one is left unchanged

    return _CITATION_LIKE.sub(without_meaning, text)
