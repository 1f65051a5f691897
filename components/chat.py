"""The chat pane: questions and answers, the step line over each answer and the facts below it.

A running turn and a stored one are the same parts, once as a list that grows and once joined.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from html import escape

from components import asked, notices, rungs, sources, waiting
from components.ink import Ink
from components.markdown import plain
from components.parts import Parts, action, badge, icon, mark
from components.view import StepView, View
from pipeline.conversation import Listed, Rating
from pipeline.events import TurnFailed, TurnFinished, TurnStopped
from pipeline.settings import BUILTIN_MODEL

NAME, TITLE = "chat", "Answer"
PEEK_CHARS = 180
LONG_CHARS, LONG_LINES = 300, 7  # of a question that may scroll in its bubble, on a phone at least
OWN_SHOWN = 2  # of the visitor's own documents, among the questions to begin with
SURE = 0.5  # from this confidence on, the time left is said without a perhaps
UNKNOWN = "?"  # the conversation of a page that has not been told yet which one it shows

_SURROGATE = re.compile("[\ud800-\udfff]")

STEP_NAMES = {
    "wait": "in line",
    "rewrite": "rewriting",
    "retrieve": "search",
    "reason": "reasoning",
    "answer": "answer",
}
STEP_STATES = {"waiting": "wait", "running": "run", "done": "done", "skipped": "skip", "broken": "bad"}

# kind, question, the document that answers it
EXAMPLES = (
    ("Explain", "Why does water temperature change the taste of coffee?", "Water and temperature"),
    ("Compare", "How do espresso and filter coffee differ in caffeine?", "Caffeine in the body"),
    ("Look up", "How long do roasted beans stay fresh?", "Storing coffee"),
    ("Table", "Which grind size suits which brewing method?", "Grind size and extraction"),
    ("History", "Why did coffee houses worry kings?", "A history of the coffee house"),
    ("Not in here", "Who painted the Mona Lisa?", None),
)
HANDBOOK = 14  # documents of the coffee handbook; where others stand beside them, its name would not tell of those
ABOUT = {"en": "What is “{}” about?", "de": "Worum geht es in „{}“?"}


def bar(title: str, conversation_id: str, model: str, trouble: str | None = None, *, shows: int = 0) -> Parts:
    """The head of the chat; the script keeps the address and the window's title equal to it. Below it any `trouble`.

    `shows` makes it another one each time a conversation is shown, so that the script hears of that too.
    """
    banner = [f'<p class="banner" role="status">{icon("warn", 15)}{escape(trouble)}</p>'] if trouble else []
    return [
        f'<header class="top" data-conversation="{escape(conversation_id)}" data-shows="{shows}">'
        f'<button type="button" data-act="menu" class="only-phone" aria-label="Menu">{icon("menu", 20)}</button>'
        f'<span class="only-phone">{mark(20)}</span><h1>{plain(title)}</h1>'
        f'<div class="badges">{_quotes_only(model)}</div>'
        f'<button type="button" data-act="shortcuts" class="not-phone" aria-haspopup="dialog" '
        f'aria-label="Keyboard shortcuts" title="Keyboard shortcuts">{icon("shortcuts", 18)}</button>'
        f'<button type="button" data-act="theme" aria-label="Light or dark" title="Light or dark">{icon("theme", 17)}'
        f"{icon('sun', 17)}</button></header>",
        *banner,
    ]


def hero(documents: Sequence[Listed], model: str, own: Sequence[Listed] = ()) -> Parts:
    """The empty page: what this is, and questions to begin with, first of all on what the visitor brought."""
    titles = {each.title for each in documents}
    is_coffee = all(title in titles for *_, title in EXAMPLES if title)
    shared = [(kind, question) for kind, question, _ in EXAMPLES] if is_coffee else _about("Document", documents)
    cards = [*_about("Yours", own[:OWN_SHOWN]), *shared][: len(EXAMPLES)]
    buttons = "".join(
        f'<button type="button" data-act="example" data-question="{escape(question)}"><em>{escape(kind)}</em>'
        f"<span>{plain(question)}</span></button>"
        for kind, question in cards
    )
    loaded = ["The coffee handbook"] if is_coffee and len(documents) <= HANDBOOK else []
    loaded += [f"{len(documents)} documents", f"{sum(each.passages for each in documents)} passages"]
    loaded.append(
        f'<button type="button" data-act="documents" aria-haspopup="dialog">'
        f"{f'and {len(own)} of your own' if own else 'add your own'}</button>"
    )
    return [
        f'<section class="hero" aria-label="Glassbox">{mark(52)}<p class="wordmark">Glassbox</p>'
        '<p class="promise">Ask the documents. Watch the answer being made.</p>'
        f'<p class="loaded">{"".join(f"<span>{fact}</span>" for fact in loaded)}</p>'
        f'<div class="only-phone">{_quotes_only(model)}</div><div class="examples">{buttons}</div></section>'
    ]


def render(view: View, ink: Ink) -> Parts:
    """The turn as it stands: its shell, then question, steps, answer, and what is under it."""
    if not view.turn_id:
        return []
    return [f"{_shell(view, ink)}</article>", *_inside(view, ink, 0)]


def article(view: View, rating: Rating = 0) -> str:
    """A turn that has ended, as one element of the thread."""
    ink = Ink()
    return f"{_shell(view, ink)}{''.join(_inside(view, ink, rating))}</article>"


def read_only(text: str) -> str:
    """Above a conversation that can only be read: the style sheet leaves out what would change it."""
    return f'<p class="note read-only">{icon("warn", 14)}<span>{escape(text)}</span></p>'


def _about(kind: str, documents: Sequence[Listed]) -> list[tuple[str, str]]:
    """In the language of each, for the built-in model finds words."""
    asked = [(each.title, ABOUT.get(each.language, ABOUT["en"])) for each in documents[: len(EXAMPLES)]]
    return [(kind, about.format(title)) for title, about in asked]


def _quotes_only(model: str) -> str:
    return badge("quote", "quotes only, no language model") if model == BUILTIN_MODEL else ""


def _shell(view: View, ink: Ink) -> str:
    state = "running" if view.ending is None else view.ending.kind.removeprefix("turn_")
    writing = " writing" if view.ending is None and view.text("answer") else ""
    return (
        f'<article class="turn{writing}" data-turn="{escape(view.turn_id)}" data-state="{state}" '
        f'data-said="{escape(_spoken(view, ink))}" data-at="{view.at_s:.2f}">'
    )


def _spoken(view: View, ink: Ink) -> str:
    """The one line that a screen reader is told."""
    match view.ending:
        case None:
            return "Answering." if view.text("answer") else waiting.said(view)
        case TurnFinished():
            count = len(sources.given(view, ink))
            return f"Answer finished, {count} source{'' if count == 1 else 's'}."
        case TurnFailed():
            return f"The answer failed. {view.ending.text}"
        case TurnStopped():
            return "Answer stopped."


def _inside(view: View, ink: Ink, rating: Rating) -> Parts:
    answer = [f'<div class="answer">{block}</div>' for block in ink.blocks(view, "answer")]
    parts = [_asked(view), _steps(view), *answer]
    if view.ending is None:
        return [*parts, *([] if answer else [*rungs.now(view), waiting.place(view), *_peek(view)]), _progress(view)]
    return [*parts, *notices.under(view, ink), _facts(view, rating)]


def _asked(view: View) -> str:
    place = str(view.place)
    tools = action("edit", "Edit question", of=place) + action("copy-question", "Copy question", of=place)
    scrolls = ' tabindex="0"' if len(view.question) > LONG_CHARS or view.question.count("\n") > LONG_LINES else ""
    bubble = f'<h2 class="bubble"{scrolls}>{plain(view.question)}</h2>'
    return f'<div class="asked">{bubble}<div class="tools">{tools}</div></div>'


def _steps(view: View) -> str:
    return f'<ol class="steps" aria-label="Steps">{"".join(_step(step, view) for step in view.steps)}</ol>'


def _step(step: StepView, view: View) -> str:
    state, told = STEP_STATES[step.state], str(step.state)
    if step.state == "broken" and isinstance(view.ending, TurnStopped):
        state, told = "halt", "stopped"
    took = "<b></b>"  # room for the time that comes, so that nothing moves when it does
    if step.state == "running":
        took = f'<b data-began="{step.began_s:g}"></b>'
    elif step.state in ("done", "broken"):
        took = f"<b>{_time(step.took_s)}</b>"
    elif step.state == "skipped":
        told, took = "", "<b>skipped</b>"
    name = plain(step.text) if step.name == "wait" and step.text else STEP_NAMES[step.name]
    return f'<li class="{state}"><i></i>{name}<span class="sr"> {told}</span>{took}</li>'


def _time(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 0.9995 else f"{seconds:.1f} s"


def _peek(view: View) -> Parts:
    """On a phone, where the reasoning has a tab of its own: its last line."""
    said = str(view.text("reasoning") or view.text("thinking")).replace("*", "").strip()
    if not said:
        return []
    last = said.rpartition("\n")[2]
    cut = last[-PEEK_CHARS:].partition(" ")[2] if len(last) > PEEK_CHARS else last
    return [f'<button type="button" class="peek" data-act="tab" data-tab="reasoning">{plain(cut)}</button>']


def _progress(view: View) -> str:
    """One line as high as the facts that will stand in its place; what is not known is said to be so."""
    estimate = view.estimate
    if estimate is None or _quotes(view):  # quotes are there at once, and are only written out
        return '<p class="progress"></p>'
    said, share = [f"≈ {estimate.tokens} tokens"], ""
    if estimate.tokens_per_s:
        said.append(f"{estimate.tokens_per_s:.0f} tok/s")
    if estimate.eta_s is None or not estimate.expected_tokens:
        said.append("how long it will be is not known yet")
    elif estimate.confidence < SURE:
        said.append(f"perhaps {_left(estimate.eta_s)}")
    else:
        said = [_left(estimate.eta_s), f"≈ {estimate.tokens} of {estimate.expected_tokens} tokens", *said[1:]]
        share = f'<i style="--share:{min(1.0, estimate.tokens / estimate.expected_tokens):.2f}"></i>'
    return f'<p class="progress">{share}{"".join(f"<span>{escape(each)}</span>" for each in said)}</p>'


def _left(eta_s: float) -> str:
    if eta_s >= 90:
        return f"about {eta_s / 60:.0f} min left"
    rounded = round(eta_s) if eta_s < 10 else round(eta_s / 5) * 5
    return f"about {rounded} s left" if rounded > 1 else "nearly done"


def _quotes(view: View) -> bool:
    """Whether the built-in model answers, which has neither tokens nor a speed."""
    now = view.recoveries[-1].to_model if view.recoveries and view.ending is None else view.model
    return now == BUILTIN_MODEL


def _quoted(view: View) -> Parts:
    """How long the quotes took to be found; what follows is only the pause between the words."""
    found_s = view.metrics.first_token_s
    found = [] if found_s is None else [f"quoted in {found_s:.2f} s"]
    return [*found, *([f"shown{_updates(view)}"] if view.updates else [])]


def _written(view: View) -> Parts:
    """Speed and size of what a language model wrote."""
    measured = view.metrics
    about, facts = "" if measured.exact else "≈ ", []
    if measured.first_token_s is not None:
        facts.append(f"first token {measured.first_token_s:.2f} s")
    if measured.tokens_per_s is not None:
        facts.append(f"{about}{measured.tokens_per_s:.0f} tok/s")
    if measured.tokens:
        facts.append(f"{about}{measured.tokens} tokens{_updates(view)}")
    if measured.total_s is not None:
        facts.append(f"{measured.total_s:.1f} s")
    return facts


def _updates(view: View) -> str:
    return f" in {view.updates} update{'' if view.updates == 1 else 's'}" if view.updates else ""


def _facts(view: View, rating: Rating) -> str:
    facts, place = _quoted(view) if _quotes(view) else _written(view), str(view.place)
    if isinstance(view.ending, TurnFinished) and view.ending.cost:
        facts.append(f"${view.ending.cost:.4f}")
    tools = action("retry", "Ask again", of=f"question {place}")
    if view.text("answer"):
        tools = action("copy", "Copy answer", of=place) + tools
        tools += action("like", "Good answer", of=place, pressed=rating > 0)
        tools += action("dislike", "Bad answer", of=place, pressed=rating < 0)
    told = " ".join(f"<span>{plain(fact)}</span>" for fact in facts)
    measured_line = f'<div class="tools">{tools}</div><p>{told}</p>'
    return (
        f'<footer class="facts" data-answer="{_exact(str(view.text("answer")))}">{asked.chips(view)}{measured_line}'
        f"{rungs.badges(view)}</footer>"
    )


def _exact(text: str) -> str:
    """Text for an attribute, as JSON: a browser changes line ends and some characters of what stands in HTML itself."""
    return escape(_SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False)))
