"""Markdown as answers are written: one grammar for what is shown of an answer and for what is found in it."""
