"""A real PostgreSQL for the store's tests: the one that TEST_DATABASE_URL names, or one of this machine's own."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NONE = "no PostgreSQL here: name one in TEST_DATABASE_URL, or apt-get install postgresql"


@contextmanager
def server() -> Iterator[str | None]:
    """The address of a server on which databases may be made, None without one."""
    named = os.environ.get("TEST_DATABASE_URL")
    initdb = _binary("initdb")
    if named or initdb is None:
        yield named
        return
    # A short path: a socket's may have a hundred characters. PostgreSQL refuses to run as root.
    with tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        if os.geteuid() == 0:
            shutil.chown(folder, user)

        def run(*command: str | Path) -> None:
            other = user if os.geteuid() == 0 else None
            subprocess.run(command, user=other, capture_output=True, check=True, cwd=folder)

        data, control = f"{folder}/data", str(initdb.with_name("pg_ctl"))
        run(initdb, "-D", data, "-U", "test", "-A", "trust", "-N")
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
        run(control, "-D", data, "-o", options, "-l", f"{folder}/log", "-w", "start")
        try:
            yield f"postgresql://test@/postgres?host={folder}"
        finally:
            run(control, "-D", data, "-m", "immediate", "stop")


@contextmanager
def database(address: str) -> Iterator[str]:
    """A database of its own on that server, gone afterwards → its address."""
    import psycopg

    name = f"glassbox_{secrets.token_hex(6)}"
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    try:
        head, _, tail = address.partition("?")
        yield f"{head.rpartition('/')[0]}/{name}{'?' if tail else ''}{tail}"
    finally:
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _binary(name: str) -> Path | None:
    found = shutil.which(name)
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return Path(found) if found else installed[-1] if installed else None
