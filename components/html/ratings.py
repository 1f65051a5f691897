"""What the page of ratings shows: each rated answer with what was said of it, and the instructions that were used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from markupsafe import Markup, escape

from components.html.html_elements import NOTHING, Elements, attribute, icon, joined, measured, shortened
from components.html.markdown import plain
from i18n import text
from pipeline.experiments.intervals import Interval
from pipeline.experiments.turn_groups import TurnGroup
from pipeline.feedback import COMMENT_CHARS, CORRECTED_CHARS, MOST_TAGS, TAG_CHARS
from pipeline.turn import Turn
from pipeline.turn_sample import UsedPrompt
from pipeline.verdicts import Label

NEEDED = 10  # ratings that say what is right or wrong, for an optimisation
MOST_SHOWN = 300
ANSWER_CHARS, PROMPT_CHARS = 400, 160
SUPPORTED: tuple[Label, ...] = ("verbatim", "supported")

_SHARE = Markup('<span class="num" title="{}">{}</span>')


def elements(turns: Sequence[Turn]) -> Elements:
    """Return the head and each rated turn, the latest thumb first."""
    if not turns:
        return [Markup('<p class="muted">{}</p>').format(text("ratings.none"))]
    return [_head(turns), *(_rated(turn, place) for place, turn in enumerate(turns[:MOST_SHOWN], 1))]


def prompts_table(used: Sequence[tuple[UsedPrompt, TurnGroup]]) -> Elements:
    """Return the instructions that were used, with how well the answers went; nothing before the first answer."""
    if not used:
        return []
    keys = ("prompt", "turns", "thumbs", "first_token", "fell_back", "supported")
    names = joined(Markup('<th scope="col">{}</th>').format(text(f"ratings.{key}")) for key in keys)
    rows = joined(_prompt(prompt, group, place) for place, (prompt, group) in enumerate(used, 1))
    return [
        Markup(
            '<section class="prompts"><h2>{title}</h2><div class="table" role="region" tabindex="0" '
            'aria-label="{title}"><table><thead><tr>{names}<td></td></tr></thead><tbody>{rows}</tbody></table></div>'
            "</section>"
        ).format(title=text("ratings.prompts"), names=names, rows=rows)
    ]


def says_enough(turn: Turn) -> bool:
    """Whether a rating says what is right or wrong: an answer that is liked, a comment, or a right answer."""
    return turn.rating > 0 or bool(turn.feedback.comment or turn.feedback.corrected)


def _head(turns: Sequence[Turn]) -> Markup:
    useful = sum(map(says_enough, turns))
    needed: str = text("ratings.needed", most=NEEDED, left=NEEDED - useful)
    if useful >= NEEDED:
        needed = Markup('<a href="./optimise">{}</a>').format(text("ratings.enough"))
    said = Markup("{} {}").format(text("ratings.count", count=len(turns), useful=useful), needed)
    tags = list(dict.fromkeys(tag for turn in turns for tag in turn.feedback.tags))
    choices = [("", text("ratings.all")), ("1", text("ratings.up")), ("-1", text("ratings.down"))]
    filters = joined(_filter("rating", value, name, is_on=not value) for value, name in choices)
    tagged = joined(_filter("tag", tag, tag, is_on=False, css_class="btn") for tag in tags)
    return Markup(
        '<div class="ratings-head"><p>{said}</p><div class="row"><div class="segments" role="group" '
        'aria-label="{label}">{filters}</div><span class="tags">{tagged}</span>'
        '<span class="exports"><button type="button" class="btn" data-act="ratings-file" data-as="jsonl">{sign}{jsonl}'
        '</button><button type="button" class="btn" data-act="ratings-file" data-as="csv">{sign}{csv}</button></span>'
        "</div></div>"
    ).format(
        said=said,
        label=text("ratings.filter"),
        filters=filters,
        tagged=tagged,
        sign=icon("download", 15),
        jsonl=text("ratings.jsonl"),
        csv=text("ratings.csv"),
    )


def _filter(kind: str, value: str, name: str, *, is_on: bool, css_class: str = "") -> Markup:
    return Markup(
        '<button type="button" data-act="ratings-filter" data-kind="{}" data-value="{}" aria-pressed="{}"{}>{}</button>'
    ).format(kind, value, str(is_on).lower(), attribute("class", css_class), name)


def _rated(turn: Turn, place: int) -> Markup:
    said, of = turn.feedback, text("ratings.of", place=place)
    thumb = ("like", "liked") if turn.rating > 0 else ("dislike", "disliked")
    remarks = [("said", said.comment), ("said_right", said.corrected)]
    lines = joined(
        Markup('<p class="said-of"><span class="kind">{}</span> {}</p>').format(text(f"feedback.{key}"), value)
        for key, value in remarks
        if value
    )
    tags = joined(Markup("<li>{}</li>").format(tag) for tag in said.tags)
    return Markup(
        '<article class="card rated" data-turn="{turn}" data-rating="{rating}" data-tags="{tagged}">'
        '<header><span class="thumb" data-rating="{rating}" role="img" aria-label="{thumb}" title="{thumb}">'
        "{sign}</span>"
        '<h2>{question}</h2><a href="./?c={conversation}" aria-label="{open}, {of}">{open}</a></header>'
        '<p class="answered">{answer}</p>{lines}{tags}{form}</article>'
    ).format(
        turn=turn.id,
        rating=turn.rating,
        tagged=",".join(said.tags),
        thumb=text(f"ratings.{thumb[1]}"),
        sign=icon(thumb[0], 16),
        question=plain(turn.question),
        conversation=turn.conversation_id,
        open=text("ratings.open"),
        of=of,
        answer=plain(shortened(turn.fields.get("answer", ""), ANSWER_CHARS)),
        lines=lines,
        tags=Markup('<ul class="chips">{}</ul>').format(tags) if tags else NOTHING,
        form=_form(turn, of),
    )


def _form(turn: Turn, of: str) -> Markup:
    said = turn.feedback
    area = partial(
        Markup(
            '<label>{name}<textarea name="{key}" rows="{rows}" maxlength="{most}" aria-label="{name}, {of}">\n{value}'
            "</textarea></label>"
        ).format,
        of=of,
    )
    wrong = text("feedback.wrong" if turn.rating < 0 else "feedback.good")
    return Markup(
        '<details><summary aria-label="{edit}, {of}">{edit}</summary><div class="say">{comment}{corrected}'
        '<label>{tags} <small>{hint}</small><input type="text" name="tags" maxlength="{tags_chars}" '
        'aria-label="{tags}, {of}" value="{tagged}"></label>'
        '<div class="do"><button type="button" data-act="ratings-remove" aria-label="{remove}, {of}">{remove}</button>'
        '<button type="button" data-act="ratings-save" class="primary" aria-label="{save}, {of}">{save}</button></div>'
        "</div></details>"
    ).format(
        edit=text("ratings.edit"),
        of=of,
        comment=area(name=wrong, key="comment", rows=1, most=COMMENT_CHARS, value=said.comment),
        corrected=area(
            name=text("feedback.right"), key="corrected", rows=2, most=CORRECTED_CHARS, value=said.corrected
        ),
        tags=text("ratings.tags"),
        hint=text("ratings.tags_hint"),
        tags_chars=MOST_TAGS * (TAG_CHARS + 2),
        tagged=", ".join(said.tags),
        remove=text("ratings.remove"),
        save=text("ratings.save"),
    )


def _prompt(prompt: UsedPrompt, group: TurnGroup, place: int) -> Markup:
    supported = [group.verdicts[label] for label in SUPPORTED if label in group.verdicts]
    said = _percent(supported[0]) if len(supported) == 1 else _sum_of(supported)
    cells = [
        str(group.turns),
        _percent(group.liked),
        _seconds(group.first_token_s),
        _percent(group.fell_back),
        said,
    ]
    shown = joined(Markup('<td class="num">{}</td>').format(cell) for cell in cells)
    return Markup(
        '<tr><th scope="row"><details><summary>{short}</summary><p>{whole}</p></details></th>{cells}'
        '<td><button type="button" class="btn" data-act="ratings-use" data-hash="{hash}" aria-label="{use} {of}">'
        "{use}</button></td></tr>"
    ).format(
        short=shortened(" ".join(prompt.text.split()), PROMPT_CHARS),
        whole=escape(prompt.text),
        cells=shown,
        hash=prompt.hash,
        use=text("ratings.use"),
        of=text("ratings.use_of", place=place),
    )


def _percent(interval: Interval | None) -> Markup:
    if interval is None:
        return Markup('<span class="muted">{}</span>').format(text("ratings.unknown"))
    return _between(interval, f"{interval.mean:.0%}", lambda value: f"{value:.0%}")


def _seconds(interval: Interval | None) -> Markup:
    if interval is None:
        return Markup('<span class="muted">{}</span>').format(text("ratings.unknown"))
    return _between(interval, measured(interval.mean), measured)


def _sum_of(shares: Sequence[Interval]) -> Markup:
    """Return the sum of shares of the same sentences; its interval would be another one, so none is named."""
    if not shares:
        return _percent(None)
    return Markup('<span class="num">{:.0%}</span>').format(sum(each.mean for each in shares))


def _between(interval: Interval, mean: str, written: Callable[[float], str]) -> Markup:
    if interval.low is None or interval.high is None:
        return Markup('<span class="num">{}</span>').format(mean)
    title = text("ratings.interval", low=written(interval.low), high=written(interval.high), count=interval.n)
    return Markup('{}<small class="muted"> {}–{}</small>').format(
        _SHARE.format(title, mean), written(interval.low), written(interval.high)
    )
