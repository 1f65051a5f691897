"""Dialogs that open over the page."""
