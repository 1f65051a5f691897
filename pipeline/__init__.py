"""Answers questions; knows no screen and no transport."""

VERSION = "0.1.0"
