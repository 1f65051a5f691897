"""Handlers of the page's events, which `pages` wires to its components."""
