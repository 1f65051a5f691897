"""The look of our pages without a script: colours and fonts of the app, light or dark as the system is. Pure."""

from __future__ import annotations

from markupsafe import Markup

# The colours are those of `components/static/page.css`; the fonts are those that Gradio serves.
_BASE = Markup("""
@font-face { font-family: "IBM Plex Sans"; font-display: swap;
  src: url("{home}static/fonts/IBMPlexSans/IBMPlexSans-Regular.woff2"); }
@font-face { font-family: "IBM Plex Sans"; font-weight: 700; font-display: swap;
  src: url("{home}static/fonts/IBMPlexSans/IBMPlexSans-Bold.woff2"); }
@font-face { font-family: "IBM Plex Mono"; font-display: swap;
  src: url("{home}static/fonts/IBMPlexMono/IBMPlexMono-Regular.woff2"); }
:root { color-scheme: light dark; --canvas: #fff; --paper: #fff; --pane: #f7f9f9; --ink: #12201f; --ink-2: #4b5b59;
  --line: #e4eae9; --line-2: #cdd7d5; --hover: #e8eeec; --accent: #0b7a70; --accent-ink: #08655d;
  --accent-soft: #dcf0ed; }
@media (prefers-color-scheme: dark) { :root { --canvas: #0d1414; --paper: #141d1d; --pane: #101919; --ink: #e7eeed;
  --ink-2: #a9b9b6; --line: #1f2b2a; --line-2: #324240; --hover: #182322; --accent: #45c9b8; --accent-ink: #6fdccd;
  --accent-soft: #12332f; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--canvas); color: var(--ink); overflow-wrap: anywhere;
  font: 16px/1.6 "IBM Plex Sans", system-ui, sans-serif; -webkit-font-smoothing: antialiased; }
code, pre { font: 13.5px/1.55 "IBM Plex Mono", ui-monospace, monospace; }
a { color: var(--accent-ink); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
""")


def base_style(home: str) -> Markup:
    """Return the rules that every page has; `home` is the address of the app, as the page reaches it."""
    return _BASE.replace("{home}", home)  # which escapes it
