"""Gradio's theme in the words of `page.css`: colours are its custom properties, so that one file holds them all."""

from __future__ import annotations

import gradio as gr

# Other weights than 400 and 700 of the fonts that Gradio brings lack letters and fall to another face.
WEIGHTS = (400, 700)

# The same in light and dark: the custom properties change themselves.
COLOURS = {
    "body_background_fill": "var(--canvas)",
    "body_text_color": "var(--ink)",
    "body_text_color_subdued": "var(--ink-2)",
    "background_fill_primary": "var(--paper)",
    "background_fill_secondary": "var(--pane)",
    "block_background_fill": "transparent",
    "block_border_width": "0px",
    "block_title_text_color": "var(--ink-2)",
    "block_info_text_color": "var(--ink-3)",
    "border_color_primary": "var(--line)",
    "border_color_accent": "var(--accent)",
    "button_secondary_background_fill": "var(--paper)",
    "button_secondary_background_fill_hover": "var(--hover)",
    "button_secondary_text_color": "var(--ink)",
    "button_secondary_border_color": "var(--line-2)",
    "color_accent_soft": "var(--accent-soft)",
    "slider_color": "var(--accent)",
    "input_background_fill": "var(--paper)",
    "input_border_color": "var(--line-2)",
    "input_border_color_focus": "var(--accent)",
    "input_placeholder_color": "var(--ink-3)",
    "link_text_color": "var(--accent-ink)",
}
SHAPES = {
    "block_shadow": "none",
    "block_padding": "0px",
    "block_label_background_fill": "transparent",
    "block_title_text_size": "13px",
    "block_title_text_weight": "400",
    "block_info_text_size": "12px",
    "color_accent": "var(--accent)",
    "input_border_width": "1px",
    "input_padding": "8px 10px",
    "input_text_size": "14px",
}


def theme() -> gr.themes.Base:
    """Gradio's plainest theme, with our colours and the two faces that Gradio itself serves."""
    base = gr.themes.Base(
        radius_size=gr.themes.sizes.radius_md,
        font=[gr.themes.LocalFont("IBM Plex Sans", WEIGHTS), "system-ui", "sans-serif"],
        font_mono=[gr.themes.LocalFont("IBM Plex Mono", WEIGHTS), "ui-monospace", "monospace"],
    )
    return base.set(**COLOURS, **{f"{name}_dark": value for name, value in COLOURS.items()}, **SHAPES)
