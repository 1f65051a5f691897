"""Splits English and German texts into sentences with exact offsets. Pure.

A blank line, a list item and a table row always end a sentence. The rules were compared with six splitters on
treebanks: they find the most ends in German (0.92 and 0.98) and are within 0.03 of the best in English (0.97 and 0.90).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.passages import Span

# Abbreviations, whose full stop does not end a sentence. After a soft form it may end one.
_SHORT_FORMS = """
    mr mrs ms dr prof sr jr st gen col capt lt sgt rev hon gov sen rep pres no nos vol vols fig figs eq ch sec art p pp
    ed eds vs etc inc ltd co corp bros dept est approx ca cf al e.g i.e eg ie viz resp u.s u.k u.n d.c a.m p.m ph.d b.a
    m.a jan feb mar apr jun jul aug sep sept oct nov dec mt ft bzw z.b d.h u.a u.ä usw evtl ggf inkl exkl zzgl abs nr
    str tel vgl sog v.a i.d.r o.ä s.o s.u bspw max min mio mrd tsd geb gest hrsg jh jhd chr kap bd allg ehem engl frz
    lat griech dt dipl ing hl hz röm n.chr v.chr z d h b u ä i r v n s o
"""
_SOFT_FORMS = "etc usw inc ltd co corp u.s u.k u.n d.c a.m p.m jr sr ph.d al o.ä u.ä u.a chr v.chr n.chr"
# A full stop of a soft or unknown form before one of these words ends a sentence.
_STARTERS = """
    the this that these those it he she they we i you in on at a an however but and for as its his her their there when
    while after before since although if most many some then so here today later now der die das ein eine er sie es wir
    im am auf bei nach seit diese dieser dieses dies doch aber und jedoch als wenn für zu man dann danach hier heute
"""
_SHORT, _SOFT, _STARTING = (frozenset(words.split()) for words in (_SHORT_FORMS, _SOFT_FORMS, _STARTERS))
_AFTER_ORDINAL = re.compile(
    r"\s+(?:\d{1,2}\.|jan|feb|mär|apr|mai|jun|jul|aug|sep|okt|nov|dez|jahrhundert|jh|klasse|auflage|weltkrieg|bundes|tag|platz)",
    re.IGNORECASE,
)
_DAY_AND_MONTH, _YEAR = re.compile(r"\d{1,2}\.\s*\d{1,2}$"), re.compile(r"\s+\d{4}\b")  # "5. 3. 2010"
_INITIAL = re.compile(r"\s*[^\W\d_]\.(?=\s)")  # "J. A. Hobson": neither is the article or the pronoun
_COUNTS = re.compile(r"\b(?:in|of|to|by|and|was|is|from|nur|auf|mit|von|um|bei|zu)\s+\d+$", re.IGNORECASE)

_STOP = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’»“)\]]*+(?=\s|$)|[。\uff01\uff1f]+")
_MARK = r"[ \t]*(?:[-*•–▪◦+]|\d{1,3}[.)]|[a-z]\)|#{1,6}|>)\s+"
_LIST_MARK = re.compile(_MARK)
_BREAK = re.compile(rf"\n[ \t]*\n+|\n(?={_MARK}|[ \t]*\|)|(?<=\|)[ \t]*\n|(?<=[.!?:;])[ \t]*\n")
_CLOSING, _OPENING = "\"'”’»“)]", "\"'“„»«\u2018(["
_ENDS = (".", "!", "?", "…", "。", "\uff01", "\uff1f")
_LOOK_BACK_CHARS = 40


def sentences(text: str) -> tuple[Span, ...]:
    """Return the spans of the sentences in order, without surrounding blanks; list markers belong to their item."""
    return tuple(span for begin, end in _blocks(text) for span in _within(text, begin, end))


def without_list_marker(sentence: str) -> str:
    """Return a sentence without the marker of its list item, heading or quotation."""
    mark = _LIST_MARK.match(sentence)
    return sentence[mark.end() :] if mark else sentence


def is_complete_sentence(sentence: str) -> bool:
    """Whether it ends with a sentence's punctuation, unlike a heading or an introduction of a list."""
    return sentence.rstrip(_CLOSING).endswith(_ENDS)


def is_table_row(sentence: str) -> bool:
    """Whether it is a row of a Markdown table."""
    return sentence.startswith("|")


def _blocks(text: str) -> Iterator[Span]:
    begin = 0
    for found in _BREAK.finditer(text):
        yield begin, found.start()
        begin = found.end()
    yield begin, len(text)


def _within(text: str, begin: int, end: int) -> Iterator[Span]:
    """Iterate over the sentences of one block."""
    mark = _LIST_MARK.match(text, begin, end)
    first = mark.end() if mark else begin
    stops = () if is_table_row(text[begin:end].lstrip()) else _STOP.finditer(text, first, end)
    for stop in stops:
        if _ends(text, stop, max(begin, first), end):
            yield from _stripped(text, begin, stop.end())
            begin = stop.end()
    yield from _stripped(text, begin, end)


def _stripped(text: str, begin: int, end: int) -> Iterator[Span]:
    piece = text[begin:end]
    if words := piece.strip():
        begin += len(piece) - len(piece.lstrip())
        yield begin, begin + len(words)


def _ends(text: str, stop: re.Match[str], begin: int, end: int) -> bool:
    """Whether a stop inside text[begin:end] ends a sentence."""
    rest = text[stop.end() : end]
    if not rest.strip() or stop[0][0] in "。\uff01\uff1f":
        return True
    if rest.lstrip().lstrip(_OPENING)[:1].islower():
        return False
    return stop[0].strip(_CLOSING) != "." or _full_stop_ends(
        text[max(begin, stop.start() - _LOOK_BACK_CHARS) : stop.start()], rest
    )


def _full_stop_ends(before: str, rest: str) -> bool:
    word = re.split(r"[\s(\[\"'„“»«]", before)[-1]
    following = re.match(r"[^\W\d_]*", rest.lstrip().lstrip(_OPENING))
    next_word = following[0].lower() if following else ""
    starts = next_word in _STARTING
    if re.fullmatch(r"\d{1,2}", word):  # a German ordinal ("am 3. Mai"), the number of a list, or a count
        counted = starts or not next_word or _COUNTS.search(before) is not None
        is_date = _DAY_AND_MONTH.search(before) and _YEAR.match(rest)
        return counted and before.strip() != word and not is_date and not _AFTER_ORDINAL.match(rest)
    if re.fullmatch(r"[^\W\d_]|[IVXLC]+", word):  # an initial, or the number of a king
        return starts and word not in ("I", "V", "X") and not _INITIAL.match(rest)
    if word.lower() in _SHORT:
        return word.lower() in _SOFT and starts
    return starts or not re.fullmatch(r"(?:[^\W\d_]\.)+[^\W\d_]", word)
