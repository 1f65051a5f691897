"""The prompt inspector: the exact requests that a turn made to models, its events, and what is known of its model.

A drawer over the panes beside the chat. The same drawer shows what would be sent for the question in the composer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from markupsafe import Markup

from components.html.html_elements import NOTHING, Elements, attribute, dialog_head, dollars, icon, joined
from components.html.markdown import plain
from components.html.prompt_text import content_html, passages_chars, written
from i18n import text
from i18n.event_json import event_json
from i18n.messages import fault_text, note_text, warning_text
from pipeline.events import Event, PassagesFound, TurnFinished, Warned
from pipeline.exchange_costs import Cost
from pipeline.exchanges import Message, PromptExchange
from pipeline.metrics import estimated_tokens
from pipeline.models.model_cards import ModelCard
from pipeline.passages import Passage, union
from pipeline.prompt_passages import heading
from pipeline.replies.adapters import EXAMPLE
from pipeline.settings import BUILTIN_MODEL
from pipeline.turn import Turn
from pipeline.turns.previewing import PromptPreview

NAME, TITLE = "inspector", text("inspector.title")
EVENTS, MODEL, PREVIEW = "events", "model", "preview"  # views besides the calls, which go by their numbers from 1
EVENTS_SHOWN = 100  # at once
EVENT_CHARS = 110  # of an event's beginning
MANY_CALLS = 3  # from more calls on, the size of the chosen one alone is among the tabs
NARROW = 0.09  # a narrower share of the bar has no room for its name
CUTS = ("prompt_limit", "prompt_cut")  # warnings that something was left out of the prompt
CUT_PARTS = ("turns", "passages", "steps")  # that the values of these warnings count
COPIES = ("cURL", "Python", "dspy")  # names of programs

_SECTION = Markup('<section class="message"><header><b>{title}</b><em>{size}</em>{copy}</header>{inside}</section>')
_CALM = Markup('<p class="calm">{}</p>')


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """A turn as the drawer shows it.

    `versions` are the ids of its versions, `cards` those of the models that were asked, by their labels.
    `minutes_west` is the visitor's clock, `now_s` the server's; prompts are kept for `retention_d` days.
    """

    turn: Turn
    exchanges: Sequence[PromptExchange] = ()
    events: Sequence[Event] = ()
    place: int = 1
    versions: Sequence[str] = ()
    cards: Mapping[str, ModelCard | None] = field(default_factory=dict)
    minutes_west: int = 0
    retention_d: float = 30
    now_s: float = 0.0

    def exchange(self, view: str) -> PromptExchange | None:
        """The exchange of a view, None for a view that is no call."""
        return exchange_at(self.exchanges, view)


def exchange_at(exchanges: Sequence[PromptExchange], view: str) -> PromptExchange | None:
    """The exchange of a view, which is its number from 1; None for any other view."""
    place = int(view) - 1 if re.fullmatch("[0-9]{1,4}", view) else -1
    return exchanges[place] if 0 <= place < len(exchanges) else None


def shown_view(inspected: Inspected, wanted: str) -> str:
    """The view that is wanted where there is one, else the last call, else the events."""
    if wanted in (EVENTS, MODEL) or inspected.exchange(wanted):
        return wanted
    return str(len(inspected.exchanges) or 1)


def dialog(inspected: Inspected, view: str, first_event: int = 0, number: str = "") -> Elements:
    """Return head and tabs, then one view of the turn; `first_event` is the place of the first event that is shown.

    `number` is the request's: the script is told by it that this is the answer, also where nothing else has changed.
    """
    turn, exchange = inspected.turn, inspected.exchange(view)
    head = dialog_head(TITLE, _place(inspected)) + Markup('<nav class="views{}" aria-label="{}">{}</nav>').format(
        " many" if len(inspected.exchanges) > MANY_CALLS else "", text("inspector.views"), _tabs(inspected, view)
    )
    shell = _shell(head, number, turn=turn.id, view=view, first=str(first_event))
    if view == EVENTS:
        return [shell, *_events(inspected.events, first_event)]
    if view == MODEL:
        return [shell, *(_card(card) for card in inspected.cards.values())]
    if exchange is None:
        return [shell, _CALM.format(_why_nothing(inspected))]
    own = (turn.asked.instructions if turn.asked else None) or ""
    warnings = [event for event in inspected.events if isinstance(event, Warned)]
    cut = _cut(warnings, _left_out(inspected.events))
    card = inspected.cards.get(exchange.label)
    return [shell, *_call(exchange, cut, own, card, is_running=turn.state == "running"), _foot(exchange)]


def preview(prompt: PromptPreview, own_instructions: str, card: ModelCard | None, number: str = "") -> Elements:
    """Return what would be sent for a question, and the card of its model; `number` as in `dialog`."""
    exchange = prompt.exchange
    head = dialog_head(
        text("preview.title"), text("preview.size", chars=exchange.prompt_chars, tokens=_estimate(exchange.messages))
    )
    notes = ["unasked", *prompt.notes]
    return [
        _shell(head, number, view=PREVIEW),
        *(_CALM.format(text(f"preview.{note}")) for note in notes),
        _bar(exchange),
        _cut(prompt.warnings, [each for each in prompt.rejected if _has_no_room(each)]),
        *_messages(exchange, own_instructions),
        _card(card),
        _foot(exchange),
    ]


def nothing(title: str, why: str, number: str = "", card: ModelCard | None = None) -> Elements:
    """Return the drawer with a sentence that says why there is nothing to show, and the card of a model."""
    calm = _CALM.format(why)
    return [_shell(dialog_head(title, ""), number), calm, *([_card(card)] if card else [])]


def _shell(head: Markup, number: str, *, turn: str = "", view: str = "", first: str = "") -> Markup:
    return Markup(
        '<div class="drawer-head" data-turn="{}" data-view="{}" data-first="{}" data-number="{}">{}</div>'
    ).format(turn, view, first, number, head)


def _place(inspected: Inspected) -> str:
    turn, versions = inspected.turn, list(inspected.versions)
    when = datetime.fromtimestamp(turn.asked_at, timezone(timedelta(minutes=-inspected.minutes_west)))
    many = len(versions) > 1 and turn.id in versions
    return text(
        "inspector.place",
        place=inspected.place,
        version=str(versions.index(turn.id) + 1) if many else "",
        versions=str(len(versions)) if many else "",
        time=f"{when:%H:%M:%S}",
    )


def _tabs(inspected: Inspected, view: str) -> Markup:
    calls = [
        _tab(
            str(place),
            Markup("{} {} <em>{}</em>{}").format(
                place, call_name(each), _size_and_time(each), icon("warn", 13) if each.fault else NOTHING
            ),
            view,
        )
        for place, each in enumerate(inspected.exchanges, 1)
    ]
    if not calls:
        calls = [_tab("1", Markup("{}").format(text("inspector.no_call")), view)]
    events = Markup("{} <em>{}</em>").format(text("inspector.events"), len(inspected.events))
    return joined([*calls, _tab(EVENTS, events, view), _tab(MODEL, Markup("{}").format(text("inspector.model")), view)])


def _tab(name: str, inside: Markup, view: str) -> Markup:
    return Markup(
        '<button type="button" data-act="inspect-view" data-key="view-{}" data-view="{}"{}>{}</button>'
    ).format(name, name, attribute("aria-current", "true" if name == view else ""), inside)


def call_name(exchange: PromptExchange) -> str:
    """What a call was for, by the fields that it asked for."""
    fields = exchange.fields
    if "queries" in fields:
        return text("inspector.call_rewrite")
    if "query" in fields:
        return text("inspector.call_search")
    if "next_tool_name" in fields:
        return text("inspector.call_tool")
    if "answer" in fields or not fields:
        return text("inspector.call_answer")
    return fields[-1].replace("_", " ")


def _size_and_time(exchange: PromptExchange) -> str:
    tokens_in, tokens_out = _tokens_in(exchange), _tokens_out(exchange)
    about = "" if exchange.usage else "≈ "
    tokens = text("inspector.tokens_of_call", about=about, tokens=tokens_in + tokens_out)
    return f"{tokens} · {_seconds(exchange.took_s)}" if exchange.took_s is not None else tokens


def _tokens_in(exchange: PromptExchange) -> int:
    return (exchange.usage or {}).get("prompt_tokens") or _estimate(exchange.messages)


def _tokens_out(exchange: PromptExchange) -> int:
    said = (exchange.reply or "") + (exchange.thinking or "")
    return (exchange.usage or {}).get("completion_tokens") or estimated_tokens(said)


def _estimate(messages: Sequence[Message]) -> int:
    return sum(estimated_tokens(each.content) for each in messages)


def _seconds(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:.2f} s" if seconds < 1 else f"{seconds:.1f} s"


# One call


def _call(exchange: PromptExchange, cut: Markup, own: str, card: ModelCard | None, *, is_running: bool) -> Elements:
    return [
        _figures(exchange, card),
        _bar(exchange),
        cut,
        *_fault(exchange),
        *_messages(exchange, own),
        *_thinking(exchange),
        _reply(exchange, is_running=is_running and exchange.took_s is None),
    ]


def _figures(exchange: PromptExchange, card: ModelCard | None) -> Markup:
    figures = [
        ("tokens_in", _counted(_tokens_in(exchange), exchange)),
        ("tokens_out", _counted(_tokens_out(exchange), exchange) if exchange.reply or exchange.usage else "–"),
        ("first_token", _seconds(exchange.first_token_s)),
        ("in_all", _seconds(exchange.took_s)),
        ("cost", _cost(exchange, card)),
    ]
    items = joined(
        Markup("<div><dd>{}</dd><dt>{}</dt></div>").format(value, text(f"inspector.{name}")) for name, value in figures
    )
    return Markup('<dl class="figures">{}</dl>').format(items)


def _counted(tokens: int, exchange: PromptExchange) -> str:
    is_exact = bool(exchange.usage) and exchange.label != BUILTIN_MODEL
    return f"{'' if is_exact else '≈ '}{tokens:,}"


def _cost(exchange: PromptExchange, card: ModelCard | None) -> str:
    """The cost of the counted tokens, else one by the model's prices and estimated tokens."""
    if exchange.label == BUILTIN_MODEL:
        return text("inspector.free")
    is_exact = bool((exchange.usage or {}).get("completion_tokens"))
    prices = card.choice.prices if card else None
    cost = exchange.cost
    if cost is None and prices:
        cost, is_exact = (_tokens_in(exchange) * prices.prompt + _tokens_out(exchange) * prices.completion) / 1e6, False
    return "–" if cost is None else dollars(Cost(cost, exact=is_exact)) or text("inspector.free")


def _parts(exchange: PromptExchange) -> tuple[list[Message], list[Message], list[Message], Message | None]:
    """The system's messages, the example that shows the form, earlier turns, and the last message."""
    system = [each for each in exchange.messages if each.role == "system"]
    others = [each for each in exchange.messages if each.role != "system"]
    if not others:
        return system, [], [], None
    *before, last = others
    is_example = (
        len(before) > 1 and EXAMPLE["question"] in before[0].content and EXAMPLE["passages"] in before[0].content
    )
    return system, before[: 2 * is_example], before[2 * is_example :], last


def _bar(exchange: PromptExchange) -> Markup:
    """Return which share of the prompt is what."""
    system, example, history, last = _parts(exchange)
    passages = passages_chars(last.content) if last else 0
    chars = {
        "system": sum(len(each.content) for each in (*system, *example)),
        "passages": passages,
        "history": sum(len(each.content) for each in history),
        "question": len(last.content) - passages if last else 0,
    }
    all_chars = sum(chars.values()) or 1
    shares = {name: count / all_chars for name, count in chars.items() if count}
    named = [(text(f"inspector.part_{name}"), name, share) for name, share in shares.items()]
    label = ", ".join(_share(title, share) for title, _, share in named)
    pieces = joined(
        Markup('<i class="{}" style="flex-grow:{:.4f}" title="{}">{}</i>').format(
            name, share, _share(title, share), title if share >= NARROW else ""
        )
        for title, name, share in named
    )
    return Markup('<div class="shares" role="img" aria-label="{}">{}</div>').format(label, pieces)


def _share(title: str, share: float) -> str:
    return f"{title} {share:.0%}"


def _left_out(events: Sequence[Event]) -> list[Passage]:
    found = [event for event in events if isinstance(event, PassagesFound)]
    return [each for event in found for each in event.rejected if _has_no_room(each)]


def _has_no_room(passage: Passage) -> bool:
    return passage.reason is not None and passage.reason.code == "no_room"


def _cut(warnings: Sequence[Warned], left_out: Sequence[Passage]) -> Markup:
    """Return what did not fit into the prompt: how much of what, and unfolded the warnings and the passages."""
    said = [each for each in warnings if each.code in CUTS]
    if not said and not left_out:
        return Markup("<p hidden></p>")
    counts = {name: count for each in said for name, count in each.values.items() if isinstance(count, int)}
    if left_out and not counts.get("passages"):
        counts["passages"] = len(union(left_out))
    parts = [text(f"inspector.cut_{name}", count=counts[name]) for name in CUT_PARTS if counts.get(name)]
    items = [Markup("<li>{}</li>").format(plain(warning_text(each))) for each in said]
    items += [Markup("<li>{}</li>").format(plain(f"[{each.number}] {heading(each)}")) for each in union(left_out)]
    return Markup('<details class="cut"><summary>{}<b>{}</b> {}<u>{}</u></summary><ul>{}</ul></details>').format(
        icon("warn", 15),
        text("inspector.cut"),
        ", ".join(parts) or text("inspector.cut_more"),
        text("inspector.show"),
        joined(items),
    )


def _fault(exchange: PromptExchange) -> Elements:
    if not exchange.fault:
        return []
    return [Markup('<p class="fault">{}<span>{}</span></p>').format(icon("warn", 15), fault_text(exchange.fault))]


def _messages(exchange: PromptExchange, own: str) -> Elements:
    system, example, history, last = _parts(exchange)
    place = {id(each): at for at, each in enumerate(exchange.messages)}

    def message(each: Message) -> Markup:
        return _message(each, place[id(each)], own if each.role == "system" else "")

    parts = [*map(message, system)]
    for name, group in (("example", example), ("history", history)):
        if group:
            size = text("inspector.group", count=len(group), tokens=_estimate(group))
            parts.append(_group(text(f"inspector.{name}"), size, joined(map(message, group))))
    return [*parts, *([message(last)] if last else [])]


def _message(message: Message, place: int, own: str) -> Markup:
    shown = content_html(message.content, own)
    mine = NOTHING
    if '<mark class="own">' in shown:
        mine = Markup('<p class="legend"><i></i>{}</p>').format(text("inspector.own_instructions"))
    return _SECTION.format(
        title=plain(message.role),
        size=text("inspector.about_tokens", tokens=estimated_tokens(message.content)),
        copy=_copy(f"message-{place}", text("inspector.copy_message"), of=f"{place + 1}"),
        inside=shown + mine,
    )


def _group(title: str, size: str, inside: Markup) -> Markup:
    return Markup('<details class="message group"><summary><b>{}</b><em>{}</em></summary>{}</details>').format(
        title, size, inside
    )


def _thinking(exchange: PromptExchange) -> Elements:
    if not exchange.thinking:
        return []
    size = text("inspector.about_tokens", tokens=estimated_tokens(exchange.thinking))
    return [_group(text("inspector.thinking"), size, content_html(exchange.thinking))]


def _reply(exchange: PromptExchange, *, is_running: bool) -> Markup:
    if exchange.reply is None:
        why = text("inspector.reply_running") if is_running else text("inspector.no_reply")
        return _SECTION.format(title=text("inspector.reply"), size=why, copy=NOTHING, inside=NOTHING)
    size = text("inspector.tokens", tokens=_counted(_tokens_out(exchange), exchange))
    return _SECTION.format(
        title=text("inspector.reply"),
        size=f"{size} · {text('inspector.broken_off')}" if exchange.fault else size,
        copy=_copy("reply", text("inspector.copy_reply")),
        inside=content_html(exchange.reply),
    )


def _parameters(exchange: PromptExchange) -> Markup:
    values = {"model": exchange.model, **exchange.parameters}
    items = joined(
        Markup("<span><code>{}</code> {}</span>").format(name, written(str(value))) for name, value in values.items()
    )
    return Markup('<p class="parameters">{}</p>').format(items)


def _foot(exchange: PromptExchange) -> Markup:
    """Return the parameters and the copies; the built-in model is asked over no network, so it has one of them."""
    forms = COPIES if exchange.label != BUILTIN_MODEL else COPIES[-1:]
    buttons = joined(
        Markup('<button type="button" data-act="copy-exchange" data-form="{}" data-key="copy-{}">{}</button>').format(
            each.lower(), each.lower(), each
        )
        for each in forms
    )
    keyless = text("inspector.keyless") if len(forms) > 1 else text("inspector.in_process")
    return Markup('<footer class="copies">{}<div><span>{}</span>{}<em>{}</em></div></footer>').format(
        _parameters(exchange), text("inspector.copy_as"), buttons, keyless
    )


def _copy(form: str, label: str, *, of: str = "") -> Markup:
    return Markup(
        '<button type="button" data-act="copy-exchange" data-form="{}" aria-label="{}" title="{}">{}</button>'
    ).format(form, f"{label} {of}" if of else label, label, icon("copy", 15))


def _why_nothing(inspected: Inspected) -> str:
    turn = inspected.turn
    if not inspected.retention_d:
        return text("inspector.none_kept")
    if inspected.now_s - turn.asked_at > 86_400 * inspected.retention_d:
        return text("inspector.removed", days=f"{inspected.retention_d:g}")
    if any(isinstance(event, TurnFinished) and event.cached for event in inspected.events):
        return text("inspector.cached")
    return text("inspector.none_yet") if turn.state == "running" else text("inspector.none_asked")


# Events and model


def _events(events: Sequence[Event], first: int) -> Elements:
    first = max(0, min(first, len(events) - 1)) // EVENTS_SHOWN * EVENTS_SHOWN
    shown = events[first : first + EVENTS_SHOWN]
    head = Markup('<div class="event-pages"><span>{}</span>{}{}{}</div>').format(
        text("inspector.events_shown", first=first + 1, last=first + len(shown), count=len(events)),
        _page("previous", first - EVENTS_SHOWN, is_there=first > 0),
        _page("next", first + EVENTS_SHOWN, is_there=first + EVENTS_SHOWN < len(events)),
        _copy("events", text("inspector.copy_events")),
    )
    return [head, Markup('<div class="events">{}</div>').format(joined(map(_event, shown)))]


def _page(direction: str, first: int, *, is_there: bool) -> Markup:
    label = text(f"inspector.events_{direction}")
    return Markup(
        '<button type="button" data-act="inspect-view" data-view="events" data-first="{}" data-key="events-{}" '
        'aria-label="{}" title="{}"{}>{}</button>'
    ).format(first, direction, label, label, NOTHING if is_there else Markup(" disabled"), icon(direction, 15))


def _event(event: Event) -> Markup:
    line = event_json(event).decode()
    return Markup("<details><summary><b>{}</b><span>{}</span><code>{}</code><em>{}</em></summary>{}</details>").format(
        event.seq,
        f"{event.at_s:.3f} s",
        event.kind,
        written(_beginning(line)),
        content_html(json.dumps(json.loads(line), indent=2, ensure_ascii=False)),
    )


def _beginning(line: str) -> str:
    """Return an event without its kind, number and time."""
    rest = line.partition('"at_s":')[2].partition(",")[2] or line
    return rest[:EVENT_CHARS]


def _card(card: ModelCard | None) -> Markup:
    if card is None:
        return _CALM.format(text("inspector.model_gone"))
    choice, unknown = card.choice, text("inspector.unknown")
    prices = choice.prices
    rows = [
        ("label", choice.label),
        ("name", card.model),
        ("provider", choice.provider or unknown),
        ("state", " · ".join(filter(None, (text(f"inspector.state_{choice.state}"), note_text(choice.note))))),
        ("window", text("inspector.window_tokens", tokens=choice.context_tokens) if choice.context_tokens else unknown),
        ("prices", text("inspector.per_million", prompt=f"{prices.prompt:g}", completion=f"{prices.completion:g}"))
        if prices
        else ("prices", text("inspector.free") if card.engine == "builtin" else unknown),
        ("engine", text(f"inspector.engine_{card.engine}") if card.engine else unknown),
        ("streaming", text("inspector.streams") if card.streams else text("inspector.streams_not")),
        ("key", text(f"inspector.key_{card.key_state}", name=card.key_name or "")),
    ]
    items = joined(
        Markup("<dt>{}</dt><dd>{}</dd>").format(text(f"inspector.card_{name}"), plain(value)) for name, value in rows
    )
    return Markup('<section class="card"><h3>{}</h3><dl>{}</dl></section>').format(text("inspector.card"), items)
