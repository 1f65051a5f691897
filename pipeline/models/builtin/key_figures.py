"""A table of the quantities in passages: each number with its unit, quoted with its sentence and [n]. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from types import MappingProxyType

from pipeline.models.builtin.quote_markdown import sentence
from pipeline.models.builtin.sentence_scores import sentences_of
from pipeline.prompt_passages import PromptPassage
from pipeline.retrieval.languages import Language
from pipeline.retrieval.terms import language_of

ROWS_MOST, OF_A_PASSAGE, OF_A_SENTENCE = 20, 4, 3
QUOTE_CHARS = 240  # of the sentence beside a quantity
_HEADS: MappingProxyType[Language, str] = MappingProxyType(
    {"en": "| Figure | Where it stands |", "de": "| Zahl | Wo sie steht |"}
)
_UNIT = (
    r"%|‰|per ?cent|percent|prozent|°\s?[CFK]\b|degrees?\b|grad\b|kelvin\b"
    r"|[kcmµ]?m[²³]?\b|[mck]?l\b|(?:milli|centi|zenti)?lit(?:re|er)s?\b|(?:kilo|centi|zenti|milli)?met(?:re|er)s?\b|miles?\b|feet\b|inch(?:es)?\b"
    r"|[kmµ]?g\b|(?:kilo|milli)?gram(?:me|m)?s?\b|tonn?e?[sn]?\b|ounces?\b|oz\b|lbs?\b|pfund\b"
    r"|(?:milli)?seconds?\b|sekunden?\b|min(?:ute[sn]?)?\b|hours?\b|stunden?\b|days?\b|tage?n?\b|weeks?\b|wochen?\b"
    r"|months?\b|monate?n?\b|years?\b|jahre?n?\b|km/h\b|mph\b|m/s\b"
    r"|(?:milli)?bar\b|psi\b|[kmh]?pa\b|[kmg]?wh?\b|watts?\b|volts?\b|[kmg]?hz\b|k?cal\b|k?j\b|[kmgt]i?b\b|ppm\b"
    r"|€|\$|£|euros?\b|eur\b|dollars?\b|usd\b|pounds?\b|cents?\b|franken\b|chf\b"
)
_SCALE = r"(?:\s?(?:thousand|million|billion|tausend|millionen|mio\.?|milliarden|mrd\.?))?"
_NUMBER = r"\d{1,3}(?:[.,' ]\d{3})+(?:[.,]\d+)?|\d+(?:[.,]\d+)?"
_QUANTITY = re.compile(
    rf"(?<![\w.,])(?:[€$£]\s?(?:{_NUMBER}){_SCALE}"
    rf"|(?:{_NUMBER})(?:\s?(?:[-–—]|to|bis|and|und)\s?(?:{_NUMBER}))?{_SCALE}[\s-]?(?:{_UNIT}))",
    re.IGNORECASE,
)


def key_figures(passages: Sequence[PromptPassage], language: Language) -> str:
    """Return a Markdown table of the first quantities of the passages, "" where there are none."""
    rows = dict[str, str]()  # quantity and its quote → row
    for passage in passages:
        for figure, quote in list(_figures(passage))[:OF_A_PASSAGE]:
            rows.setdefault(f"{figure} {quote}", f"| {figure} | {quote} |")
    if not rows:
        return ""
    return "\n".join([_HEADS.get(language, _HEADS["en"]), "|---|---|", *list(rows.values())[:ROWS_MOST]])


def _figures(passage: PromptPassage) -> Iterator[tuple[str, str]]:
    """Iterate over the sentences and rows that hold quantities: these, and the quote as a cell of a table."""
    for unit in sentences_of(passage.text, language_of(passage.text, passage.heading)):
        found = [each[0].strip() for each in _QUANTITY.finditer(unit.text)][:OF_A_SENTENCE]
        if found and len(unit.text) <= QUOTE_CHARS:
            yield ", ".join(found), sentence(unit.text, passage.number).replace("|", "\\|")
