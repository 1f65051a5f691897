"""The page that the link of a citation opens: one passage of one document, without a script. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from markupsafe import Markup

from api.page_style import base_style
from i18n import text
from pipeline.display_names import shown_file
from pipeline.passages import Passage
from pipeline.retrieval import IndexedDocument

Render = Callable[[str], Markup]  # a document's Markdown as safe HTML

# On a wide screen the whole page of a PDF stands beside the passage, so that its mark is seen at once.
STYLE = Markup("""
.top { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: 8px 16px;
  padding: 12px 24px; border-bottom: 1px solid var(--line); }
.brand { display: flex; align-items: center; gap: 9px; color: var(--ink); font-size: 17px; text-decoration: none; }
.ask { padding: 6px 14px; border: 1px solid var(--line-2); border-radius: 10px; background: var(--paper);
  color: var(--ink); font-size: 14px; font-weight: 700; text-decoration: none; }
.ask:hover { border-color: var(--accent); color: var(--accent-ink); }
main { max-width: 768px; margin: 0 auto; padding: clamp(20px, 4vw, 40px) 24px 40px; }
h1 { margin: 0; font-size: clamp(20px, 3vw, 26px); line-height: 1.3; letter-spacing: -0.015em; }
h2 { margin: 26px 0 8px; font-size: 14px; }
.where { margin: 6px 0 0; color: var(--ink-2); font-size: 14px; line-height: 1.5; }
.passage { padding: 4px 20px; border: 1px solid var(--accent); border-radius: 12px; background: var(--accent-soft);
  overflow-x: auto; }
.passage blockquote { margin: 14px 0; padding-inline-start: 14px; border-inline-start: 3px solid var(--accent); }
.passage :is(h3, h4, h5, h6) { margin: 16px 0 8px; font-size: 1em; line-height: 1.3; }
.passage h3 { font-size: 17px; }
.passage :is(ul, ol) { padding-inline-start: 22px; }
.passage :not(pre) > code { padding: 1px 5px; border-radius: 5px; background: var(--paper); }
.passage :is(pre, .table) { margin: 14px 0; overflow-x: auto; border: 1px solid var(--line-2); border-radius: 10px;
  background: var(--paper); overflow-wrap: normal; }
.passage pre { padding: 10px 14px; }
.passage table { width: 100%; border-collapse: collapse; font-size: 14px; line-height: 1.45; }
.passage :is(th, td) { min-width: 70px; padding: 7px 12px; border-top: 1px solid var(--line-2); text-align: start;
  vertical-align: top; }
.passage thead th { border-top: 0; color: var(--ink-2); }
figure { margin: 0 0 24px; }
figure a { display: block; overflow: hidden; width: fit-content; border: 1px solid var(--line-2); border-radius: 12px;
  background: #fff; color: #12201f; cursor: zoom-in; }
figure img { display: block; max-width: 100%; height: auto; }
figcaption { margin-bottom: 8px; font-size: 14px; font-weight: 700; }
.pages { margin-top: 28px; }
.pages > p { margin: 0; color: var(--ink-2); font-size: 14px; }
@media (min-width: 1100px) {
  .with-pages { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, auto); gap: 0 48px; max-width: 1360px; }
  .with-pages .pages { max-width: 720px; margin: 0; }
  .with-pages figure img { max-height: max(480px, calc(100dvh - 200px)); }
}
@media print { .ask { display: none; } main { padding-inline: 0; } figure { break-inside: avoid; } }
""")
NOTHING = Markup("")


def passage_page(
    document: IndexedDocument,
    passage: Passage,
    pictures: Sequence[tuple[int, str]],
    render: Render,
    logo: Markup,
    home: str,
    language: str,
) -> str:
    """Return the page; `pictures` are the pages that are shown, each with the address of its picture."""
    name, title = shown_file(document.name), document.title or shown_file(document.name)
    section = Markup('<p class="where" dir="auto">{}</p>').format(passage.section) if passage.section else NOTHING
    place = [_pages(passage.pages, language), name]
    told = Markup(
        '<h1 dir="auto">{}</h1>{}<p class="where">{}</p><h2 id="passage">{}</h2>'
        '<div class="passage" role="region" aria-labelledby="passage" dir="auto" lang="{}" tabindex="0">{}</div>'
    ).format(
        title,
        section,
        Markup(" · ").join(Markup("<bdi>{}</bdi>").format(each) for each in place if each),
        text("passage_page.passage", language),
        document.language,
        render(passage.text),
    )
    figures = NOTHING.join(_figure(page, address, language) for page, address in pictures)
    if figures and len(pictures) < len(passage.pages):
        more = text("passage_page.more", language, shown=len(pictures), pages=len(passage.pages))
        figures += Markup("<p>{}</p>").format(more)
    body = Markup('<main class="with-pages"><div>{}</div><div class="pages">{}</div></main>').format(told, figures)
    return _page(title, body if figures else Markup("<main>{}</main>").format(told), logo, home, language)


def closed_page(title: str, reason: str, logo: Markup, home: str, language: str) -> str:
    """Return the page of a link that opens nothing, or nothing now."""
    body = Markup('<main><h1>{}</h1><p class="where">{}</p></main>').format(title, reason)
    return _page(title, body, logo, home, language)


def _pages(pages: range, language: str) -> str:
    if not pages:
        return ""
    span = str(pages[0]) if len(pages) == 1 else f"{pages[0]}–{pages[-1]}"
    return text("passage_page.pages" if len(pages) > 1 else "passage_page.page", language, pages=span)


def _figure(page: int, address: str, language: str) -> Markup:
    return Markup('<figure><figcaption>{}</figcaption><a href="{}"><img src="{}" alt="{}"></a></figure>').format(
        text("passage_page.page", language, pages=page),
        address,
        address,
        text("passage_page.picture", language, page=page),
    )


def _page(title: str, body: Markup, logo: Markup, home: str, language: str) -> str:
    return Markup(
        '<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        "<title>{title} · Glassbox</title><style>{style}</style></head>"
        '<body><header class="top"><a class="brand" href="{home}">{logo}<b>Glassbox</b></a>'
        '<a class="ask" href="{home}">{ask}</a></header>{body}</body></html>'
    ).format(
        language=language,
        title=title,
        style=base_style(home) + STYLE,
        home=home,
        logo=logo,
        ask=text("passage_page.ask", language),
        body=body,
    )
