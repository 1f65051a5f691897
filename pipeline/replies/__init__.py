"""Running a program and reading its replies: adapters ask for fields, readers turn deltas into fields and events.

Knows no turn engine and no screen.
"""
