"""The card under an answer that refuses, wholly or in part: what is missing, where was looked, what comes closest.

It stands for a refusal of any model: an ending says what is missing. In the language of the question.
"""

from __future__ import annotations

from typing import NamedTuple

from markupsafe import Markup

from components.html.citations import Cutting, cutting
from components.html.html_elements import NOTHING, Elements, attribute, icon, joined, shortened
from components.html.markdown import plain
from components.view import View
from i18n import available, text
from pipeline.citations.refusals import MISSING_JOIN
from pipeline.events import LookedIn, TurnFinished
from pipeline.passages import Passage
from pipeline.retrieval.terms import content_words, in_any_language, language_of, terms_in_any_language
from pipeline.settings import BUILTIN_MODEL
from pipeline.turn import MOST_PASSAGES, Rating

QUOTE_CHARS = 240
QUERIES_SHOWN = 4

_CARD = Markup(
    '<section class="refusal" aria-label="{name}"{lang}><h3>{title}</h3>{rows}<footer>{buttons}</footer></section>'
)
_ROW = Markup("<dt>{}</dt><dd>{}</dd>")
_ITEM = Markup("<li>{}</li>")
_QUERY = Markup(' <span class="query">{}</span>')
_CLOSEST = Markup(
    '<a class="passage-chip" href="#src-{number}" data-n="{number}" data-title="{title}" data-path="{path}" '
    'data-s="{place}-{place}" data-quote="{quote}" aria-label="{label}"><b>{number}</b><span>{name}</span></a>'
    '<p dir="auto">“{quote}”</p>'
)
_BUTTON = Markup('<button type="button" data-act="{act}" aria-label="{label} {of}"{attributes}>{icon}{label}</button>')


class Closest(NamedTuple):
    """The sentence that has most of the words looked for: its passage, and its place in the passage as it is shown."""

    passage: Passage
    cut: Cutting
    place: int


def card(view: View, rating: Rating) -> Elements:
    """Return the card, or nothing where nothing is missing. `rating` is that of the turn."""
    ending = view.ending
    if not isinstance(ending, TurnFinished) or not ending.missing:
        return []
    lang = available(view.language)
    is_sure = ending.abstained or ending.parts is not None or view.model != BUILTIN_MODEL
    of = text("turn.of_answer", lang, place=view.place)
    title = text("refusal.title" if is_sure else "refusal.unsure", lang)
    rows = [
        _ROW.format(text("refusal.missing", lang), _missing(ending.missing)),
        *_looked_in(view, ending.looked_in, lang),
        *_closest(view, ending, lang),
    ]
    return [
        _CARD.format(
            name=f"{title}, {of}",
            lang=attribute("lang", lang),
            title=title,
            rows=Markup("<dl>{}</dl>").format(joined(rows)),
            buttons=_buttons(view, lang, of, rating),
        )
    ]


def closest(missing: str, question: str, passages: tuple[Passage, ...]) -> Closest | None:
    """Return the sentence that shares most words with what is missing, or else with the question.

    Of several it is that with most words of the question, then the first. None where no sentence shares a word.
    """
    wanted, asked = _terms(missing, question), _terms(question, question)
    best, most = None, (0, 0)
    for passage in passages:
        cut = cutting(passage)
        for place, (begin, end) in enumerate(cut.spans):
            terms = terms_in_any_language(cut.text[begin:end])
            shared = len(wanted & terms), len(asked & terms)
            if shared > most:
                best, most = Closest(passage, cut, place), shared
    return best


def _terms(text: str, question: str) -> frozenset[int]:
    """Return the terms of the content words of a text in the language of the question."""
    words = content_words(text, language_of(text, question))
    return frozenset[int]().union(*map(in_any_language, words))


def _missing(missing: str) -> Markup:
    items = joined(_ITEM.format(plain(each)) for each in missing.split(MISSING_JOIN))
    return Markup("<ul>{}</ul>").format(items)


def _looked_in(view: View, looked_in: LookedIn | None, lang: str) -> Elements:
    queries = list(dict.fromkeys(search.query for search in view.searches))
    if looked_in is None or not queries:
        return []
    counted = ", ".join(
        (
            text("refusal.documents", lang, count=looked_in.documents),
            text("refusal.passages", lang, count=looked_in.passages),
            text("refusal.searches", lang, count=len(queries)),
        )
    )
    shown = joined(_QUERY.format(plain(each)) for each in queries[:QUERIES_SHOWN])
    return [_ROW.format(text("refusal.looked_in", lang), Markup("{}:{}").format(counted, shown))]


def _closest(view: View, ending: TurnFinished, lang: str) -> Elements:
    # Where a part was answered, what is close to the whole question may be that answer.
    is_partial = ending.parts is not None and ending.parts.answered > 0
    found = closest(ending.missing or "", "" if is_partial else view.question, view.passages)
    if found is None:
        return []
    passage, cut, place = found
    begin, end = cut.spans[place]
    quote = " · ".join(" ".join(cell.split()) for cell in cut.text[begin:end].strip("| \n").split("|"))
    name = f"{passage.title} › {passage.section}" if passage.section else passage.title
    shown = _CLOSEST.format(
        number=passage.number,
        title=passage.title,
        path=passage.section,
        place=place,
        quote=shortened(quote, QUOTE_CHARS),
        label=text("answer.source", lang, number=passage.number, title=name),
        name=plain(name),
    )
    return [_ROW.format(text("refusal.closest", lang), Markup('<div class="closest">{}</div>').format(shown))]


def _buttons(view: View, lang: str, of: str, rating: Rating) -> Markup:
    wanted = view.asked.passages_wanted if view.asked else MOST_PASSAGES
    more = text("refusal.more", lang, most=MOST_PASSAGES)
    pressed = attribute("aria-pressed", str(rating < 0).lower())
    buttons = [
        _button("search-more", more, of, "search") if wanted < MOST_PASSAGES else NOTHING,
        _button("documents", text("refusal.add", lang), of, "upload", Markup(' aria-haspopup="dialog"')),
        _button("in-there", text("refusal.in_there", lang), of, "", pressed),
    ]
    return joined(buttons)


def _button(act: str, label: str, of: str, sign: str, attributes: Markup = NOTHING) -> Markup:
    drawn = icon(sign, 14) if sign else NOTHING
    return _BUTTON.format(act=act, label=label, of=of, icon=drawn, attributes=attributes)
