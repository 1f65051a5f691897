"""Answers questions; knows no screen and no transport."""
