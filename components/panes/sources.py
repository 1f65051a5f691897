"""The sources pane: the passages that the answer may stand on, there before its first word."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from textwrap import shorten
from typing import Literal

from markupsafe import Markup, escape

from components.html.citations import cutting, standing
from components.html.html_elements import NOTHING, Elements, attribute, badge, icon, joined
from components.html.markdown import passage as shown_text
from components.html.markdown import plain
from components.html.page_button import document_place, page_button
from components.html.render_cache import RenderCache
from components.html.timeline import has_timeline
from components.panes.pane import EmptyPage
from components.view import SearchView, View
from i18n import text
from i18n.messages import reason_text
from pipeline.events import TurnFinished
from pipeline.passages import Passage, Query, Scores
from pipeline.retrieval.quality import Words, words_found

NAME, TITLE = "sources", text("sources.title")
DOCUMENTS_SHOWN = 16
TITLE_CHARS = 600  # of the query that the mouse reveals
# What `pipeline.retrieval.quality` counted: words that were found, which is no proof that they answer anything.
QUALITIES: dict[str | None, Literal["search", "warn"]] = {"good": "search", "weak": "warn", "none": "warn"}
MODES: dict[str | None, tuple[str, str]] = {
    mode: (text(f"sources.mode_{mode}"), text(f"sources.mode_{mode}_why")) for mode in ("keyword", "vector", "hybrid")
}

_QUIET = Markup('<p class="quiet">{}</p>')
_MISSING = Markup('<p class="words-missing" dir="auto">{}</p>')


def empty(page: EmptyPage) -> Elements:
    """Return what can be found before anything was searched: the visitor's own documents, then the shared ones."""
    yours = Markup("<em>{}</em>").format(text("sources.yours"))
    found = [(each, yours) for each in page.own] + [(each, NOTHING) for each in page.shared]
    rows = joined(
        Markup("<li>{}{}<b>{}</b></li>").format(plain(each.title), owned, each.passages)
        for each, owned in found[:DOCUMENTS_SHOWN]
    )
    more = len(found) - DOCUMENTS_SHOWN
    return [
        Markup('<header class="pane-head"><h2>{}</h2><span class="state">{}</span></header>').format(
            TITLE, text("sources.documents", count=len(found))
        ),
        Markup('<div class="hint"><p>{}</p></div>').format(text("sources.hint")),
        Markup('<div class="documents"><ol aria-label="{}">{}</ol>{}</div>').format(
            text("sources.documents_and_passages"),
            rows,
            Markup('<p class="more">{}</p>').format(text("sources.and_more", more=more)) if more > 0 else NOTHING,
        ),
    ]


def render(view: View, cache: RenderCache) -> Elements:
    """Return the head, the query that was searched, a card per passage, then what was not chosen."""
    if not view.searched:
        waiting = (
            [Markup('<div class="skeleton"></div>')] * 3
            if view.ending is None
            else [_QUIET.format(text("sources.not_searched"))]
        )
        return [_head(view, NOTHING), *waiting]
    if not view.passages:
        return [
            _head(view, escape(text("sources.none_found"))),
            _searched(view),
            *_missing_words(view),
            _QUIET.format(text("sources.no_shared_word")),
        ]
    if view.ending is None:  # nothing of it changes as long as the passages stay the same
        return cache.once("sources", (view.passages, view.searches), lambda: _found(view, cache))
    return _found(view, cache)


def _found(view: View, cache: RenderCache) -> Elements:
    numbers = given(view, cache)
    key = view.passages, view.searches
    profile = (view.asked.profile if view.asked else None) or ""
    cards = cache.once("cards", key, lambda: _cards(view.passages, _later(view), profile))
    used = [card for card, passage in zip(cards, view.passages, strict=True) if passage.number in numbers]
    found, candidates = len(view.passages), len(view.passages) + len(view.rejected)
    about = text("sources.best_of", found=found, candidates=candidates)
    counts = text("sources.used_of", used=len(used), candidates=candidates)
    if view.ending is None and has_timeline(view):
        counts = text("sources.so_far", count=found)
    note = Markup('<span title="{}">{}</span>').format(about, counts)
    unused = [card for card in cards if card not in used]
    return [_head(view, note, len(used)), *_searches(view), *used, *_unused(view, unused), *_rejected(view.rejected)]


def given(view: View, cache: RenderCache) -> frozenset[int]:
    """Return the numbers of the passages that count as sources: those that the model was given.

    It is none of them where they hold hardly a word of the question and the finished answer cites none.
    """
    if not isinstance(view.ending, TurnFinished):
        return frozenset(passage.number for passage in view.passages)
    if view.quality == "none" and standing(cache.blocks(view, "answer")) != "cites":
        return frozenset()
    return frozenset(passage.number for passage in view.ending.passages)


def neighbours(passages: Sequence[Passage], start: int, end: int) -> Markup:
    """Return the text around [start, end) of a document, as far as the passages hold it."""
    before = joined(shown_text(each.text[: start - (each.start or 0)], ()) for each in apart(passages, 0, start))
    after = joined(shown_text(each.text, ()) for each in apart(passages, end, sys.maxsize))
    if not before and not after:
        return no_neighbours(text("sources.nothing_around"))
    return Markup('<div class="near">{}{}</div>').format(
        _near(text("sources.before"), before), _near(text("sources.after"), after)
    )


def no_neighbours(why: str) -> Markup:
    """Return what stands in the place of the text around a passage."""
    return _QUIET.format(why)


def _near(name: str, html: Markup) -> Markup:
    return Markup('<h4>{}</h4><div dir="auto">{}</div>').format(name, html) if html else NOTHING


def apart(passages: Sequence[Passage], at: int, before: int) -> Iterator[Passage]:
    """Yield the passages that overlap [at, before), each without the text that the one before it holds too."""
    for each in passages:
        begin = max(at, each.start or 0)
        if begin < min(each.end or 0, before):
            own = each.text[each.header_chars :]
            yield replace(each, start=begin, text=own[begin - (each.start or 0) :])
        at = max(at, each.end or 0)


def _cards(passages: Sequence[Passage], later: Mapping[int, int], profile: str) -> Elements:
    best = max(passage.score for passage in passages)
    return [_card(passage, best, len(passages), later.get(passage.number), profile) for passage in passages]


def _later(view: View) -> dict[int, int]:
    """Map the numbers of the passages that no first search found to the step that did."""
    first: dict[int, SearchView] = {}
    for search in view.searches:
        for number in search.numbers:
            first.setdefault(number, search)
    return {number: search.step_number for number, search in first.items() if search is not view.searches[0]}


def _head(view: View, note: Markup, count: int = 0) -> Markup:
    quality = NOTHING
    if view.quality in QUALITIES:
        words = _words(view)
        counted = text("sources.words", found=len(words.found), count=len(words.found) + len(words.missing))
        quality = badge(QUALITIES[view.quality], counted, _counted_words(words, view))
    return Markup(
        '<header class="pane-head" data-turn="{turn}" data-count="{count}">'
        '<h2>{title}</h2>{quality}<span class="state">{note}</span></header>'
    ).format(turn=view.turn_id, count=count or "", title=TITLE, quality=quality, note=note)


def _words(view: View) -> Words:
    return view.words or words_found(Query(view.query), view.passages)


def _counted_words(words: Words, view: View) -> str:
    """Return the numbers behind the badge, and what they do not prove."""
    found, missing = words
    count = len(found) + len(missing)
    sentences = [text("sources.words_found", found=len(found), count=count, listed=_listed(found))]
    sentences += [text("sources.words_missing", listed=_listed(missing))] if missing else []
    if view.passages:
        best = max(view.passages, key=lambda each: each.score)
        sentences.append(text("sources.best_score", number=best.number, score=f"{best.score:.2f}"))
    return " ".join([*sentences, text("sources.words_are_no_proof")])


def _listed(words: Sequence[str]) -> str:
    return f": {', '.join(words)}" if words else ""


def _searches(view: View) -> Elements:
    """Return a line for each query, in the order in which they were searched for."""
    queries = list(dict.fromkeys(search.query for search in view.searches))
    earlier = [_searched(replace(view, query=query, mode=None)) for query in queries[:-1]]
    return [*earlier, _searched(view), *_missing_words(view)]


def _missing_words(view: View) -> Elements:
    """Return the words of the search that no passage has: the first thing to look at where an answer is poor."""
    missing = _words(view).missing if view.quality in QUALITIES else ()
    return [_MISSING.format(text("sources.words_missing", listed=_listed(missing)))] if missing else []


def _searched(view: View) -> Markup:
    mode = Markup('<em title="{1}">{0}</em>').format(*MODES[view.mode]) if view.mode in MODES else NOTHING
    return Markup('<p class="searched" title="{}">{}<span class="sr">{}</span>{}{}</p>').format(
        shorten(view.query, TITLE_CHARS, placeholder=" …"),
        icon("search", 13),
        text("sources.searched_for"),
        plain(view.query),
        mode,
    )


def _card(passage: Passage, best: float, count: int, step_number: int | None, profile: str) -> Markup:
    return Markup(
        '<article class="source" id="src-{number}" data-n="{number}" tabindex="-1" aria-label="{label}"{profile}>'
        '<header><span class="number">{number}</span><div class="name"><h3>{title}</h3>{path}</div>'
        '<span class="score" title="{score_why}"><i style="--share:{share:.2f}"></i>'
        "<b>{score:.2f}</b></span></header>"
        '<blockquote dir="auto">{text}</blockquote>{found_by}'
        '<div class="more-of">{why}{around}{whole}{only}{page}</div></article>'
    ).format(
        number=passage.number,
        profile=attribute("data-profile", profile),  # through which the document can be opened
        label=text("sources.source", number=passage.number),
        score_why=text("sources.score_why"),
        title=plain(passage.title),
        path=_path(passage),
        share=max(0.0, min(1.0, passage.score / best)) if best > 0 else 0.0,
        score=passage.score,
        text=cutting(passage).html,
        found_by=_found_by(step_number),
        why=_why(passage, best, count),
        around=_around(passage),
        only=_only(passage),
        whole=_whole(passage),
        page=page_button(passage, escape(text("sources.open_page")) + _of(passage)),
    )


def _found_by(step_number: int | None) -> Markup:
    if step_number is None:
        return NOTHING
    return Markup('<p class="found-by">{}</p>').format(text("sources.found_by", number=step_number))


def _path(passage: Passage) -> Markup:
    """Return where in its document a passage stands: headings, then the page."""
    steps = [plain(passage.section)] if passage.section else []
    if passage.first_page:
        pages = str(passage.first_page)
        if passage.last_page and passage.last_page != passage.first_page:
            pages += f"–{passage.last_page}"
        steps.append(Markup('<span class="at-page">{}</span>').format(text("sources.page", pages=pages)))
    return Markup('<p class="path">{}</p>').format(Markup(" · ").join(steps)) if steps else NOTHING


def _why(passage: Passage, best: float, count: int) -> Markup:
    words = dict.fromkeys(passage.text[start:end].lower() for start, end in passage.matched)
    rows = {
        text("sources.row_words"): plain(", ".join(words)) if words else text("sources.no_words"),
        text("sources.row_rank"): text("sources.rank", number=passage.number, count=count),
        text("sources.row_score"): text("sources.score", score=f"{passage.score:.2f}", best=f"{best:.2f}"),
        **dict(_stages(passage.scores)),
        text("sources.row_file"): plain(passage.document),
    }
    items = joined(Markup("<dt>{}</dt><dd>{}</dd>").format(name, value) for name, value in rows.items())
    return Markup("<details><summary>{}{}</summary><dl>{}</dl></details>").format(
        text("sources.why"), _of(passage), items
    )


def _stages(scores: Scores) -> Iterator[tuple[str, str]]:
    """Yield the score of each stage of the search that saw the passage."""
    for stage in fields(scores):
        score = getattr(scores, stage.name)
        if score is not None:
            key = f"sources.stage_{stage.name}"
            yield text(key), text(f"{key}_why", score=f"{score:.2f}")


def _around(passage: Passage) -> Markup:
    if passage.document_id is None or passage.start is None:
        return NOTHING
    return Markup(
        '<details class="around" {place} data-key="{document}-{start}"><summary>{label}{of}</summary>'
        '<div class="filled"><div class="skeleton"></div></div></details>'
    ).format(
        place=document_place(passage),
        document=passage.document_id,
        start=passage.start,
        label=text("sources.around"),
        of=_of(passage),
    )


def _whole(passage: Passage) -> Markup:
    """Return the button that opens the whole document beside the chat."""
    if passage.document_id is None or passage.start is None:
        return NOTHING
    return Markup('<button type="button" data-act="show-whole" aria-haspopup="dialog" {}>{}{}</button>').format(
        document_place(passage), text("sources.whole"), _of(passage)
    )


def _only(passage: Passage) -> Markup:
    """Return the button that asks the next questions to this document alone."""
    if passage.document_id is None:
        return NOTHING
    return Markup('<button type="button" data-act="scope-only" data-document="{}">{}{}</button>').format(
        passage.document_id, text("sources.only_this"), _of(passage)
    )


def _of(passage: Passage) -> Markup:
    """Return the hidden end of a name, so that no two buttons have the same one."""
    return Markup('<span class="sr">{}</span>').format(text("sources.of_source", number=passage.number))


def _unused(view: View, cards: Elements) -> Elements:
    """Fold away the passages that are no sources: the model was not given them, or the answer cites none."""
    if not cards:
        return []
    was_given = isinstance(view.ending, TurnFinished) and view.ending.passages
    why = "uncited" if was_given and len(cards) == len(view.passages) else "not_given"
    summary = text(f"sources.unused_{why}", count=len(cards))
    return [Markup('<details class="unused"><summary>{}</summary>{}</details>').format(summary, joined(cards))]


def _rejected(passages: Sequence[Passage]) -> Elements:
    if not passages:
        return []
    rows = joined(
        Markup('<li><header><h4>{}</h4><b>{:.2f}</b></header>{}<p class="reason">{}</p></li>').format(
            plain(passage.title), passage.score, _path(passage), plain(reason_text(passage.reason))
        )
        for passage in passages
    )
    return [
        Markup('<details class="rejected"><summary>{}</summary><ol>{}</ol></details>').format(
            text("sources.not_chosen", count=len(passages)), rows
        )
    ]
