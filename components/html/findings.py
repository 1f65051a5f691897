"""Findings as rows: the severity as a word with a sign, the text, and the passages that it stands on."""

from __future__ import annotations

import re
from collections.abc import Sequence

from markupsafe import Markup

from components.html.citations import cited
from components.html.flow import ReadBlock
from components.html.html_elements import joined
from components.html.markdown import HtmlBlocks
from i18n import text
from pipeline.passages import Passage
from pipeline.programs.findings import Finding

_ROW = Markup('<li class="{severity}"><span class="severity"><i></i>{word}</span><div class="what">{what}</div></li>')
_OTHER = Markup('<li class="other"><div class="what">{}</div></li>')
_LAST_CHIPS = re.compile(r'((?:[\u202f\u2060]*<a class="cite"[^>]*>\d+</a>\u2060?)+)([.\s]*)</p>\Z')


def findings(items: Sequence[Finding | str], passages: Sequence[Passage], *, is_growing: bool) -> Markup:
    """Return the findings, and what of the text is none, in their order. `is_growing`: the last one may go on."""
    titles = [passage.title for passage in passages]
    last = len(items) - 1
    rows = [_row(each, titles, passages, is_final=not is_growing or at < last) for at, each in enumerate(items)]
    return Markup('<ul class="findings">{}</ul>').format(joined(rows))


def _row(item: Finding | str, titles: Sequence[str], passages: Sequence[Passage], *, is_final: bool) -> Markup:
    blocks = HtmlBlocks(titles)
    blocks.add(item if isinstance(item, str) else item.text)
    what = _chips_apart(joined(cited(ReadBlock(block), passages) for block in blocks.parts(final=is_final)))
    if isinstance(item, str):
        return _OTHER.format(what)
    return _ROW.format(severity=item.severity, word=text(f"severity.{item.severity}"), what=what)


def _chips_apart(html: Markup) -> Markup:
    """Put the chips that a text ends with behind it, where they stand below each other."""
    found = _LAST_CHIPS.search(html)
    if not found:
        return html
    before, chips, stop = (
        html[: found.start()],
        html[found.start(1) : found.end(1)],
        html[found.start(2) : found.end(2)],
    )
    return Markup('{}{}</p><span class="cites">{}</span>').format(before, stop, chips)
