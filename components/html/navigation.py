"""The way from page to page, as it stands in every sidebar."""

from __future__ import annotations

from markupsafe import Markup

from components.html.html_elements import NOTHING, Elements, attribute, icon, joined
from i18n import text

# The pages beside the chat, in order. A page's name is its address, its icon and its title: `pages.<name>`.
PAGES: tuple[str, ...] = ("compare", "evaluate", "optimise", "ratings")


def navigation(current: str = "") -> Elements:
    """Return the links to the pages beside the chat, the current one marked; nothing where there is none."""
    links = joined(_link(name, is_current=name == current) for name in PAGES)
    return [Markup('<nav class="pages" aria-label="{}">{}</nav>').format(text("pages.title"), links)] if PAGES else []


def _link(name: str, *, is_current: bool) -> Markup:
    here = attribute("aria-current", "page") if is_current else NOTHING
    return Markup('<a class="to-page" href="./{}"{}>{}<span>{}</span></a>').format(
        name, here, icon(name), text(f"pages.{name}")
    )
