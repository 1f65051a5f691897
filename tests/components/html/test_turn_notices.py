"""What stands under an answer: in the language of its question, and nobody is sent to sources that are not cited."""

from __future__ import annotations

from dataclasses import replace

import pytest
from markupsafe import Markup

from components.html import turn_notices as notices
from components.html.render_cache import RenderCache
from components.panes import chat, sources
from components.view import View, view_of
from i18n import CATALOGUE, text
from pipeline.events import (
    Event,
    FieldDelta,
    PassagesFound,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    TurnStopped,
    Usage,
    Warned,
)
from pipeline.messages import STORED_TEXT
from pipeline.passages import Passage
from pipeline.settings import BUILTIN_MODEL

PASSAGE = Passage(1, "a.md", "Beans", "Storing", "Roasted beans stay fresh for two weeks.", 1.0, ((0, 7),))
OTHER = replace(PASSAGE, number=2, title="Light", text="Light is bad for beans.", matched=())
CITES, REFUSES, CLAIMS = "Beans stay fresh for two weeks [1].", "The documents do not say so.", "Leonardo painted it."


def turn(
    answer: str,
    quality: str = "good",
    language: str = "en",
    given: tuple[Passage, ...] = (PASSAGE, OTHER),
    ending: Event | None = None,
    warns: tuple[str, ...] = (),
) -> View:
    usage = Usage(1, 1, exact=True)
    ends = TurnFinished(
        fields={"answer": answer},
        passages=given,
        usage=usage,
        cost=None,
        finish="stop",
        model="m",
        cached=False,
        saved=True,
    )
    events: list[Event] = [
        TurnStarted(turn_id="t", conversation_id="c", question="q", model="m", program="p", language=language),
        PassagesFound(query="roasted beans mould", passages=(PASSAGE, OTHER), quality=quality),
        *(Warned(code=code) for code in warns),
        *([FieldDelta(field="answer", text=answer)] if answer else []),
        ending or ends,
    ]
    return view_of(events)


def under(view: View) -> str:
    return "".join(notices.under(view, RenderCache()))


@pytest.mark.parametrize("language", list(CATALOGUE))
@pytest.mark.parametrize(("quality", "code"), [("weak", "weak_context"), ("none", "no_context")])
def test_too_little_context_is_said_under_an_answer_that_cites(quality: str, code: str, language: str) -> None:
    told = under(turn(CITES, quality, language, warns=(code,)))
    assert text(f"warning.{code}", language).replace("'", "&#39;") in told


@pytest.mark.parametrize("answer", [REFUSES, CLAIMS])
@pytest.mark.parametrize(("quality", "code"), [("weak", "weak_context"), ("none", "no_context")])
def test_nobody_is_sent_to_the_sources_where_nothing_is_cited(answer: str, quality: str, code: str) -> None:
    view = turn(answer, quality, warns=(code,))
    told = under(view)
    assert "heck" not in told
    assert (text("turn.nothing_found") in told) is (quality == "none")
    assert (text("turn.cites_nothing") in told) is (answer == CLAIMS)


def test_an_answer_for_which_nothing_was_found_is_said_to_come_from_elsewhere() -> None:
    view = replace(turn(CLAIMS, "none"), passages=())
    assert text("turn.not_from_documents") in under(view)
    assert text("turn.not_from_documents") not in under(replace(turn(REFUSES, "none"), passages=()))


def test_a_greeting_needs_no_source() -> None:
    view = turn("You are welcome.")
    assert under(replace(view, quality=None)) == ""
    assert under(replace(view, model=BUILTIN_MODEL)) == ""


def test_a_turn_of_an_earlier_version_without_context_says_so_too() -> None:
    assert "hardly a word" in under(turn(CITES, "none"))


def test_an_answer_that_cites_with_good_context_needs_no_note() -> None:
    assert under(turn(CITES)) == ""


@pytest.mark.parametrize("language", list(CATALOGUE))
def test_every_ending_is_told_in_the_language_of_the_question(language: str) -> None:
    failed = TurnFailed(code="connection", retryable=True, partial={}, saved=False)
    told = under(turn("Half", language=language, ending=failed))
    assert text("model.connection", language) in told
    for name in ("incomplete", "arrived_kept", "again", "go_on", "other_model", "not_saved"):
        assert text(f"turn.{name}", language) in told
    stopped = under(turn("", language=language, ending=TurnStopped(partial={}, saved=True)))
    assert text("turn.stopped", language) in stopped
    assert text("turn.nothing_written", language) in stopped
    assert f'lang="{language}"' in told


def test_a_language_without_texts_is_told_in_english_and_marked_as_english() -> None:
    failed = TurnFailed(code="connection", retryable=True, partial={}, saved=False)
    told = under(turn("Half", language="fi", ending=failed))
    assert text("model.connection") in told
    assert 'lang="en"' in told
    assert 'lang="fi"' not in told


# What stands as a source


def pane(view: View) -> list[Markup]:
    return sources.render(view, RenderCache())


def test_what_was_not_given_to_the_model_is_no_source() -> None:
    parts = pane(turn(CITES, given=(PASSAGE,)))
    cards = [part for part in parts if part.startswith('<article class="source"')]
    assert [' data-n="1"' in card for card in cards] == [True]
    (unused,) = [part for part in parts if part.startswith('<details class="unused"')]
    assert "1 found, not given to the model" in unused
    assert ' data-n="2"' in unused
    assert "1 of 2 passages" in parts[0]


@pytest.mark.parametrize(("answer", "stand"), [(REFUSES, 0), (CLAIMS, 0), (CITES, 2)])
def test_without_context_only_what_is_cited_makes_sources(answer: str, stand: int) -> None:
    view = turn(answer, "none")
    parts = pane(view)
    assert len([part for part in parts if part.startswith('<article class="source"')]) == stand
    assert ("2 found, not cited" in "".join(parts)) is (stand == 0)
    assert f"{stand} sources" in chat.article(view)


def test_a_running_answer_has_all_that_was_found_beside_it() -> None:
    found = PassagesFound(query="q", passages=(PASSAGE, OTHER), quality="none")
    parts = pane(view_of([found]))
    assert len([part for part in parts if part.startswith('<article class="source"')]) == 2


@pytest.mark.parametrize(("quality", "kind"), [("good", "search"), ("weak", "warn"), ("none", "warn")])
def test_the_badge_says_what_was_counted_and_what_is_missing(quality: str, kind: str) -> None:
    head, *rest = pane(turn(CITES, quality))
    assert f'<span class="badge {kind}"' in head
    assert "2 of 3 words found</span>" in head
    assert "2 of the 3 words of the search stand in the passages: roasted, beans. Not in the passages: mould." in head
    assert "The best passage, [1], has 1.00 points." in head
    assert '<p class="words-missing" dir="auto">Not in the passages: mould.</p>' in rest


def test_the_words_that_a_search_counted_are_shown_as_it_counted_them() -> None:
    found = PassagesFound(
        query="q", passages=(PASSAGE,), quality="weak", coverage=0.5, found_words=("ale",), missing_words=("rye",)
    )
    head, *rest = pane(view_of([found]))
    assert "1 of 2 words found</span>" in head
    assert any("Not in the passages: rye." in each for each in rest)


def test_warnings_of_an_unknown_code_are_shown_as_they_are() -> None:
    warning = Warned(code="new", values={STORED_TEXT: "Something new."})
    assert "Something new." in under(replace(turn(CITES), warnings=(warning,)))


def test_what_several_attempts_left_out_is_told_once() -> None:
    view = turn(CITES)
    counts = ({"turns": 3}, {"passages": 4}, {"passages": 2})
    warnings = tuple(Warned(code="prompt_limit", values=values) for values in counts)
    html = "".join(notices.under(replace(view, warnings=warnings), RenderCache()))
    assert html.count('class="note"') == 1
    assert "the oldest: 3." in html
    assert "the lowest rank: 6." in html
