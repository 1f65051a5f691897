"""The chat pane: questions and answers, the step line over each answer and the facts below it.

A running turn and a stored one are the same parts, once as a list that grows and once joined.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

from components.html import (
    answer_head,
    artifact_list,
    field_blocks,
    option_chips,
    recovery_notes,
    refusal_card,
    turn_notices,
    verdict_marks,
    waiting,
)
from components.html.feedback import slot
from components.html.html_elements import (
    NOTHING,
    Elements,
    action,
    as_json,
    attribute,
    badge,
    dollars,
    icon,
    joined,
    mark,
    measured,
)
from components.html.markdown import plain
from components.html.render_cache import RenderCache
from components.html.timeline import has_timeline, running_call, step_name, timeline
from components.html.version_pager import pager
from components.panes import sources
from components.panes.pane import EmptyPage
from components.view import StepView, View
from i18n import text
from i18n.messages import failure_text
from pipeline.events import Estimated, TurnFailed, TurnFinished, TurnStopped
from pipeline.exchange_costs import NO_COST, Cost
from pipeline.feedback import NO_FEEDBACK, Feedback
from pipeline.passages import ListedDocument
from pipeline.settings import BUILTIN_MODEL
from pipeline.turn import Rating, Trouble

NAME, TITLE = "chat", text("chat.title")
PEEK_CHARS = 180
LONG_CHARS, LONG_LINES = 300, 7  # of a question that may scroll in its bubble, on a phone at least
OWN_SHOWN = 2  # of the visitor's own documents, among the questions to begin with
SURE = 0.5  # from this confidence on, the time left is said without a perhaps
UNKNOWN = "?"  # the conversation of a page that has not been told yet which one it shows

_TURN = Markup(
    '<article class="turn{writing}" data-turn="{turn}" data-state="{state}" data-said="{status}" '
    'data-at="{at_s:.2f}">{inside}</article>'
)
_PROMPT_SO_FAR = Markup('<button type="button" data-act="inspect">{}</button>').format(text("inspector.so_far"))
_NO_PROGRESS = Markup('<p class="progress">{}</p>').format(_PROMPT_SO_FAR)

STEP_STATES = {"waiting": "wait", "running": "run", "done": "done", "skipped": "skip", "broken": "bad"}

# Key of the question in the catalogue → title of the document that answers it.
EXAMPLES = {
    "explain": "Water and temperature",
    "compare": "Caffeine in the body",
    "look_up": "Storing coffee",
    "table": "Grind size and extraction",
    "history": "A history of the coffee house",
    "missing": None,
}
HANDBOOK = 14  # documents of the coffee handbook; where others stand beside them, its name would not tell of those


def bar(
    title: str,
    conversation_id: str,
    model: str,
    trouble: Trouble | None = None,
    *,
    shows: int = 0,
    cost: Cost = NO_COST,
) -> Elements:
    """Return the head of the chat and any `trouble` below it; the script copies its title and id to window and address.

    `cost` is that of the conversation so far. `shows` counts how often a conversation was shown, so that the script
    notices that too.
    """
    warning = text(f"trouble.{trouble}") if trouble else ""
    banner = Markup('<p class="banner" role="status">{}{}</p>').format(icon("warn", 15), warning) if trouble else None
    header = Markup(
        '<header class="top" data-conversation="{conversation}" data-shows="{shows}">'
        '<button type="button" data-act="menu" class="only-phone" aria-label="{menu_label}">{menu}</button>'
        '<span class="only-phone">{mark}</span><h1>{title}</h1><div class="badges">{badges}</div>'
        '<button type="button" data-act="shortcuts" class="not-phone" aria-haspopup="dialog" '
        'aria-label="{keys}" title="{keys}">{shortcuts}</button>'
        '<button type="button" data-act="theme" aria-label="{light}" title="{light}">{theme}{sun}</button>'
        "</header>"
    ).format(
        conversation=conversation_id,
        shows=shows,
        menu=icon("menu", 20),
        menu_label=text("chat.menu"),
        keys=text("shortcuts.title"),
        light=text("shortcuts.theme"),
        mark=mark(20),
        title=plain(title),
        badges=_quotes_only(model) + _conversation_cost(cost),
        shortcuts=icon("shortcuts", 18),
        theme=icon("theme", 17),
        sun=icon("sun", 17),
    )
    return [header, banner] if banner else [header]


def empty(page: EmptyPage) -> Elements:
    """Return the empty page: what this is, and questions to begin with, first those about the visitor's documents."""
    documents, own = page.shared, page.own
    titles = {each.title for each in documents}
    is_coffee = all(title in titles for title in EXAMPLES.values() if title)
    of_coffee = [(text(f"example.{key}"), text(f"example.{key}_question")) for key in EXAMPLES]
    shared = of_coffee if is_coffee else _about(text("chat.about_shared"), documents)
    cards = [*_about(text("chat.about_own"), own[:OWN_SHOWN]), *shared][: len(EXAMPLES)]
    profile = page.profile
    if profile and profile.example_questions:
        cards = [(profile.title, question) for question in profile.example_questions[: len(EXAMPLES)]]
    buttons = joined(
        Markup(
            '<button type="button" data-act="example" data-question="{}"><em>{}</em><span>{}</span></button>'
        ).format(question, kind, plain(question))
        for kind, question in cards
    )
    facts = [text("chat.handbook")] if is_coffee and len(documents) <= HANDBOOK else []
    facts += [
        text("chat.documents", count=len(documents)),
        text("chat.passages", count=sum(each.passages for each in documents)),
    ]
    add = Markup('<button type="button" data-act="documents" aria-haspopup="dialog">{}</button>').format(
        text("chat.and_own", own=len(own)) if own else text("chat.add_own")
    )
    return [
        Markup(
            '<section class="hero" aria-label="Glassbox">{mark}<p class="wordmark">{title}</p>'
            '<p class="promise">{promise}</p><p class="loaded">{facts}</p>'
            '<div class="only-phone">{badge}</div><div class="examples">{buttons}</div></section>'
        ).format(
            mark=mark(52),
            title=plain(profile.title) if profile else "Glassbox",
            promise=text("chat.promise"),
            facts=joined(Markup("<span>{}</span>").format(fact) for fact in [*facts, add]),
            badge=_quotes_only(page.model),
            buttons=buttons,
        )
    ]


def render(view: View, cache: RenderCache) -> Elements:
    """Return the turn as it stands: its shell, then question, steps, answer, and what is under it."""
    if not view.turn_id:
        return []
    return [_shell(view, cache, NOTHING), *_inside(view, cache)]


def article(view: View, rating: Rating = 0, versions: Sequence[str] = (), said: Feedback = NO_FEEDBACK) -> Markup:
    """Return a turn that has ended, as one element of the thread.

    `versions` are the ids of all its versions, `said` is what was said of it beside the thumb.
    """
    cache = RenderCache()
    return _shell(view, cache, joined(_inside(view, cache, rating, versions, said)))


def read_only(why: str) -> Markup:
    """Return the note above a conversation that can only be read; the style sheet hides what would change it."""
    return Markup('<p class="note read-only">{}<span>{}</span></p>').format(icon("warn", 14), why)


def _about(kind: str, documents: Sequence[ListedDocument]) -> list[tuple[str, str]]:
    """Return a question about each, in its own language, since the built-in model finds words only."""
    return [(kind, text("chat.about", each.language, title=each.title)) for each in documents[: len(EXAMPLES)]]


def _conversation_cost(cost: Cost) -> Markup:
    if not (said := dollars(cost)):
        return NOTHING
    return Markup('<span class="cost" title="{}">{}</span>').format(text("chat.conversation_cost"), said)


def _quotes_only(model: str) -> Markup:
    return badge("quote", text("chat.quotes_only")) if model == BUILTIN_MODEL else NOTHING


def _shell(view: View, cache: RenderCache, inside: Markup) -> Markup:
    return _TURN.format(
        writing=" writing" if view.ending is None and view.text("answer") else "",
        turn=view.turn_id,
        state="running" if view.ending is None else view.ending.kind.removeprefix("turn_"),
        status=_status(view, cache),
        at_s=view.at_s,
        inside=inside,
    )


def _status(view: View, cache: RenderCache) -> str:
    """Return the one line that a screen reader reads out."""
    match view.ending:
        case None:
            return text("status.answering") if view.text("answer") else waiting.said(view)
        case TurnFinished():
            return text("status.finished", count=len(sources.given(view, cache)))
        case TurnFailed():
            return text("status.failed", why=failure_text(view.ending, view.language))
        case TurnStopped():
            return text("status.stopped")


def _inside(
    view: View,
    cache: RenderCache,
    rating: Rating = 0,
    versions: Sequence[str] = (),
    feedback: Feedback = NO_FEEDBACK,
) -> Elements:
    said = field_blocks.fields(view, cache)
    question = cache.once("question", view.question, lambda: _asked(view.question, view.place))
    elements = [question, _work(view, cache), answer_head.head(view), *said, *artifact_list.entries(view, cache)]
    if view.ending is None:
        before = [] if said else [*recovery_notes.now(view), *_waiting(view), *_peek(view)]
        return [*elements, *before, _progress(view, cache)]
    missing = refusal_card.card(view, rating)
    under = [*missing, *verdict_marks.summary(view), *turn_notices.under(view, cache)]
    below = [slot(view, feedback)] if view.text("answer") else []
    return [*elements, *under, _facts(view, rating, versions), *below]


def _work(view: View, cache: RenderCache) -> Markup:
    """Return the steps: on a line, or below each other."""
    if has_timeline(view):
        now, began_s = waiting.phase(view) if view.ending is None else ("", 0.0)
        found = view.tool_calls, view.searches, view.passages
        key = view.steps, found, now, began_s, view.recoveries, view.ending is None
        return cache.once("timeline", key, lambda: timeline(view, now, began_s))
    is_stopped = isinstance(view.ending, TurnStopped)
    return cache.once("steps", (view.steps, view.searches), lambda: _steps(view, is_stopped=is_stopped))


def _waiting(view: View) -> Elements:
    return [] if has_timeline(view) else [waiting.place(view)]  # the last step says it


def _asked(question: str, place: int) -> Markup:
    is_long = len(question) > LONG_CHARS or question.count("\n") > LONG_LINES
    return Markup(
        '<div class="asked"><h2 class="bubble"{scrolls}>{question}</h2><div class="tools">{tools}</div></div>'
    ).format(
        scrolls=attribute("tabindex", "0" if is_long else ""),
        question=plain(question),
        tools=action("edit", text("action.edit"), of=str(place))
        + action("copy-question", text("action.copy_question"), of=str(place)),
    )


def _steps(view: View, *, is_stopped: bool) -> Markup:
    queries = {search.step: search.query for search in view.searches if search.step != "retrieve"}
    items = joined(_step(step, queries.get(step.name, ""), is_stopped=is_stopped) for step in view.steps)
    return Markup('<ol class="steps" aria-label="{}">{}</ol>').format(text("step.list"), items)


def _step(step: StepView, query: str, *, is_stopped: bool) -> Markup:
    css_class, state = STEP_STATES[step.state], text(f"step.state_{step.state}") if step.state != "skipped" else ""
    if step.state == "broken" and is_stopped:
        css_class, state = "halt", text("step.state_stopped")
    took = Markup("<b></b>")  # reserves the width of the time, so that nothing moves when it comes
    if step.state == "running":
        took = Markup('<b data-began="{:g}"></b>').format(step.began_s)
    elif step.state in ("done", "broken"):
        took = Markup("<b>{}</b>").format(measured(step.took_s))
    elif step.state == "skipped":
        took = Markup("<b>{}</b>").format(text("step.skipped"))
    return Markup('<li class="{}"><i></i>{}<span class="sr"> {}</span>{}</li>').format(
        css_class, step_name(step, query), state, took
    )


def _peek(view: View) -> Elements:
    """Return the last line of the reasoning, for a phone, where the reasoning has a tab of its own."""
    reasoning = str(view.text("reasoning") or view.text("thinking")).replace("*", "").strip()
    if not reasoning:
        return []
    last = reasoning.rpartition("\n")[2]
    cut = last[-PEEK_CHARS:].partition(" ")[2] if len(last) > PEEK_CHARS else last
    return [
        Markup('<button type="button" class="peek" data-act="tab" data-tab="reasoning">{}</button>').format(plain(cut))
    ]


def _progress(view: View, cache: RenderCache) -> Markup:
    """Return one line as high as the facts that will stand in its place."""
    estimate = view.estimate
    if has_timeline(view):
        key = view.step_number, len(view.tool_calls), estimate, view.ending
        return cache.once("progress", key, lambda: _steps_so_far(view))
    if estimate is None or _quotes(view):  # quotes are there at once, and are only written out
        return _NO_PROGRESS
    return cache.once("progress", estimate, lambda: _estimated(estimate))


def _estimated(estimate: Estimated) -> Markup:
    """Return how far the answer is and how long it will take; what is not known is said to be so."""
    facts, bar = [text("progress.tokens", tokens=estimate.tokens)], NOTHING
    if estimate.tokens_per_s:
        facts.append(text("progress.pace", pace=f"{estimate.tokens_per_s:.0f}"))
    if estimate.eta_s is None or not estimate.expected_tokens:
        facts.append(text("progress.unknown"))
    elif estimate.confidence < SURE:
        facts.append(text("progress.perhaps", left=_left(estimate.eta_s)))
    else:
        tokens = text("progress.tokens_of", tokens=estimate.tokens, expected=estimate.expected_tokens)
        facts = [_left(estimate.eta_s), tokens, *facts[1:]]
        bar = Markup('<i style="--share:{:.2f}"></i>').format(min(1.0, estimate.tokens / estimate.expected_tokens))
    spans = joined(Markup("<span>{}</span>").format(fact) for fact in facts)
    return Markup('<p class="progress">{}{}{}</p>').format(bar, spans, _PROMPT_SO_FAR)


def _steps_so_far(view: View) -> Markup:
    """Return which step of how many runs, and what the turn has taken so far."""
    spec, number = view.programs.get(view.program), view.step_number + (running_call(view) is None)
    most = max(spec.most_steps, number) if spec and spec.most_steps else None
    bar = Markup('<i style="--share:{:.2f}"></i>').format(number / most) if most else NOTHING
    facts = [escape(text("progress.step", number=number, **({"most": most} if most else {})))]
    facts += [escape(text("progress.calls", count=len(view.tool_calls)))] if view.tool_calls else []
    facts += [Markup('<b data-began="0"></b>')]
    facts += [escape(text("progress.tokens", tokens=view.estimate.tokens))] if view.estimate else []
    spans = joined(Markup("<span>{}</span>").format(fact) for fact in facts)
    return Markup('<p class="progress so-far">{}{}</p>').format(bar, spans)


def _left(eta_s: float) -> str:
    if eta_s >= 90:
        return text("progress.minutes_left", minutes=f"{eta_s / 60:.0f}")
    rounded = round(eta_s) if eta_s < 10 else round(eta_s / 5) * 5
    return text("progress.seconds_left", seconds=rounded) if rounded > 1 else text("progress.nearly_done")


def _quotes(view: View) -> bool:
    """Whether the built-in model answers, which has neither tokens nor a speed."""
    now = view.recoveries[-1].to_model if view.recoveries and view.ending is None else view.model
    return now == BUILTIN_MODEL


def _quoted(view: View) -> list[str]:
    """Return how long finding the quotes took; the rest of the time is only the pause between the words."""
    found_s = view.metrics.first_token_s
    found = [] if found_s is None else [text("facts.quoted", seconds=f"{found_s:.2f}")]
    return [*found, *([text("facts.shown", count=view.updates)] if view.updates else [])]


def _written(view: View) -> list[str]:
    """Return speed and size of what a language model wrote."""
    measured, facts = view.metrics, list[str]()
    about = "" if measured.exact else "≈ "
    if measured.first_token_s is not None:
        facts.append(text("facts.first_token", seconds=f"{measured.first_token_s:.2f}"))
    if measured.tokens_per_s is not None:
        facts.append(text("facts.pace", about=about, pace=f"{measured.tokens_per_s:.0f}"))
    if measured.tokens:
        key = "facts.tokens_shown" if view.updates else "facts.tokens"
        facts.append(text(key, about=about, tokens=measured.tokens, count=view.updates))
    if measured.total_s is not None:
        facts.append(f"{measured.total_s:.1f} s")
    return facts


def _facts(view: View, rating: Rating, versions: Sequence[str]) -> Markup:
    is_cached = isinstance(view.ending, TurnFinished) and view.ending.cached
    facts, place = [] if is_cached else _quoted(view) if _quotes(view) else _written(view), str(view.place)
    if isinstance(view.ending, TurnFinished) and view.ending.cost:
        facts.append(dollars(Cost(view.ending.cost, view.ending.usage.exact)))
    tools = action("retry", text("action.retry"), of=text("action.of_question", place=place))
    if view.text("answer"):
        tools = action("copy", text("action.copy"), of=place) + tools
        tools += action("like", text("action.like"), of=place, pressed=rating > 0)
        tools += action("dislike", text("action.dislike"), of=place, pressed=rating < 0)
    tools += action("inspect", text("inspector.open"), of=place)
    return Markup(
        '<footer class="facts" data-answer="{answer}">{chips}<div class="tools">{tools}{pager}</div><p>{facts}</p>'
        "{cached}{recoveries}</footer>"
    ).format(
        answer=as_json(str(view.text("answer"))),
        chips=option_chips.chips(view),
        tools=tools,
        pager=pager(versions, view.turn_id, view.place),
        facts=Markup(" ").join(Markup("<span>{}</span>").format(plain(fact)) for fact in facts),
        cached=badge("good", text("facts.cached"), text("facts.cached_why")) if is_cached else NOTHING,
        recoveries=recovery_notes.badges(view),
    )
