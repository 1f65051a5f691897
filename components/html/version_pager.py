"""The pager between the versions of a turn: ‹ 2/2 ›."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from components.html.html_elements import NOTHING, attribute, icon
from i18n import text


def pager(versions: Sequence[str], turn_id: str, place: int) -> Markup:
    """Return the pager of a turn among the ids of its versions; nothing where it is the only one.

    `place` is the turn's in its conversation. The script keeps the focus by `data-key`, also at the first and the last
    version, so their buttons are not disabled for the browser.
    """
    if len(versions) < 2 or turn_id not in versions:
        return NOTHING
    at = versions.index(turn_id)
    return Markup(
        '<span class="versions">{previous}<span aria-hidden="true">{number}/{count}</span>'
        '<span class="sr">{words}</span>{next}</span>'
    ).format(
        previous=_button("previous", versions[at - 1] if at else "", place),
        number=at + 1,
        count=len(versions),
        words=text("version.shown", number=at + 1, versions=len(versions)),
        next=_button("next", versions[at + 1] if at + 1 < len(versions) else "", place),
    )


def _button(direction: str, version: str, place: int) -> Markup:
    return Markup(
        '<button type="button" data-act="version" data-key="version-{place}-{direction}" data-version="{version}" '
        'aria-label="{label}" title="{title}"{disabled}>{icon}</button>'
    ).format(
        place=place,
        direction=direction,
        version=version,
        label=text(f"version.{direction}_of", place=place),
        title=text(f"version.{direction}"),
        disabled=attribute("aria-disabled", "" if version else "true"),
        icon=icon(direction),
    )
