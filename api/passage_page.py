"""The page that the link of a citation opens: one passage of one document, without a script. Pure."""

from __future__ import annotations

from collections.abc import Callable

from markupsafe import Markup

from i18n import text
from pipeline.display_names import shown_file
from pipeline.passages import Passage
from pipeline.retrieval import IndexedDocument

Render = Callable[[str], Markup]  # a document's Markdown as safe HTML

STYLE = Markup("""
:root { color-scheme: light dark; --canvas: #f7f9f9; --paper: #fff; --ink: #12201f; --ink-2: #4b5b59; --line: #cdd7d5;
  --accent: #08655d; --code: #eef3f2; }
@media (prefers-color-scheme: dark) { :root { --canvas: #0d1414; --paper: #141d1d; --ink: #e7eeed; --ink-2: #a9b9b6;
  --line: #324240; --accent: #6fdccd; --code: #182322; } }
* { box-sizing: border-box; }
body { margin: 0; padding: clamp(12px, 4vw, 48px) 16px; background: var(--canvas); color: var(--ink);
  font: 16px/1.6 system-ui, sans-serif; overflow-wrap: anywhere; }
main { max-width: 760px; margin: 0 auto; }
header { margin-bottom: 18px; }
h1 { margin: 0; font-size: clamp(20px, 3vw, 26px); line-height: 1.3; }
.where { margin: 6px 0 0; color: var(--ink-2); font-size: 14px; }
blockquote, figure { margin: 0 0 20px; border: 1px solid var(--line); border-radius: 12px; background: var(--paper); }
blockquote { padding: 6px 22px; border-inline-start: 4px solid var(--accent); overflow-x: auto; }
blockquote pre, blockquote code { font-family: ui-monospace, monospace; font-size: 14px; }
blockquote pre { overflow-x: auto; padding: 10px 12px; border-radius: 8px; background: var(--code); }
blockquote table { border-collapse: collapse; font-size: 14px; }
blockquote :is(th, td) { padding: 5px 10px; border: 1px solid var(--line); text-align: start; }
blockquote a, footer a { color: var(--accent); }
figure { overflow: hidden; }
figure img { display: block; width: 100%; height: auto; background: #fff; }
figcaption { padding: 8px 14px; color: var(--ink-2); font-size: 14px; border-top: 1px solid var(--line); }
footer { color: var(--ink-2); font-size: 14px; }
@media print { body { background: none; padding: 0; } }
""")


def passage_page(
    document: IndexedDocument, passage: Passage, picture: str, home: str, render: Render, language: str
) -> str:
    """Return the page; `picture` is the address of the page's picture, "" where there is none."""
    name, title = shown_file(document.name), document.title or shown_file(document.name)
    where = [passage.section, _pages(passage, language), name]
    figure = Markup("")
    if picture:
        alt = text("passage_page.picture", language, page=passage.first_page or 1)
        figure = Markup('<figure><img src="{}" alt="{}"><figcaption>{}</figcaption></figure>').format(picture, alt, alt)
    body = Markup(
        '<header><h1 dir="auto">{}</h1><p class="where" dir="auto">{}</p></header>'
        '<blockquote dir="auto" lang="{}" tabindex="0" aria-label="{}">{}</blockquote>{}'
    ).format(
        title,
        " · ".join(part for part in dict.fromkeys(where) if part and part != title),
        document.language,
        text("passage_page.passage", language),
        render(passage.text),
        figure,
    )
    return _page(title, body, home, language)


def gone_page(reason: str, home: str, language: str) -> str:
    """Return the page of a link that opens nothing."""
    body = Markup("<header><h1>{}</h1></header><p>{}</p>").format(text("passage_page.gone", language), reason)
    return _page(text("passage_page.gone", language), body, home, language)


def _pages(passage: Passage, language: str) -> str:
    if passage.first_page is None:
        return ""
    last = passage.last_page or passage.first_page
    span = str(passage.first_page) if last == passage.first_page else f"{passage.first_page}–{last}"
    return text("passage_page.pages", language, pages=span)


def _page(title: str, body: Markup, home: str, language: str) -> str:
    return Markup(
        '<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        "<title>{title} · Glassbox</title><style>{style}</style></head>"
        '<body><main>{body}<footer>{from_} <a href="{home}">Glassbox</a></footer></main></body></html>'
    ).format(
        language=language,
        title=title,
        style=STYLE,
        body=body,
        from_=text("passage_page.from", language),
        home=home,
    )
