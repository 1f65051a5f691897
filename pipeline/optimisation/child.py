"""The process of an optimiser: it does one job, asks the server for all that it needs, and ends with it.

It has no key, no address and no setting: only its job, on stdin. It ends when stdin is closed, so that it never
outlives the server. It is niced, since a page that waits for a token comes first.
"""

from __future__ import annotations

import logging
import os
import sys

_NICE = 10


def main() -> None:
    """Do the job of the first line of stdin."""
    if hasattr(os, "nice"):
        os.nice(_NICE)
    said = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)  # DSPy prints its progress there, with words of people
    os.dup2(nothing, 2)
    logging.disable(logging.CRITICAL)

    # Behind the redirection: what they import may print as well.
    from pipeline.optimisation.connection import Connection
    from pipeline.optimisation.optimisers import work

    connection = Connection(sys.stdin.buffer, said)
    work(connection.job(), connection)
    connection.end()


if __name__ == "__main__":
    main()
