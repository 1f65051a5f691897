"""The clients of versions.toml and their environments, which are kept while their packages stay the same."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.settings import ROOT

FOLDER = Path(__file__).parent
ENVIRONMENTS = ROOT / ".venv-clients"


@dataclass(frozen=True)
class Client:
    """A client: its snippet's name, what people call it, and the packages that it needs."""

    name: str
    title: str
    pip: tuple[str, ...] = ()
    npm: tuple[str, ...] = ()

    @property
    def packages(self) -> tuple[str, ...]:
        """Every package in its pinned version."""
        return self.pip or self.npm

    @property
    def snippet(self) -> Path:
        """The script that is run, and shown to people."""
        return FOLDER / "snippets" / f"{self.name}.{'mjs' if self.npm else 'py'}"

    @property
    def recorded(self) -> Path:
        """The file of what was sent and what arrived."""
        return FOLDER / "recorded" / f"{self.name}.json"

    @property
    def environment(self) -> Path:
        """A folder that clients with the same packages share."""
        return ENVIRONMENTS / "+".join(each.replace("/", "-") for each in self.packages)


def clients() -> tuple[Client, ...]:
    """Every client, in the order of versions.toml."""
    tables = tomllib.loads((FOLDER / "versions.toml").read_text("utf-8"))
    return tuple(
        Client(name, table["title"], tuple(table.get("pip", ())), tuple(table.get("npm", ())))
        for name, table in tables.items()
    )


def command(client: Client) -> list[str]:
    """Install what is missing → the command that runs the client's snippet."""
    folder, driver = client.environment, FOLDER / f"call_snippet{client.snippet.suffix}"
    if client.npm:
        if not shutil.which("npm"):
            raise SystemExit(f"{client.name} needs Node.js and npm in PATH")
        if not (folder / "node_modules").exists():
            _made(folder, ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), *client.npm])
        # Node looks for packages beside the file that imports them.
        run, snippet = (shutil.copy(each, folder) for each in (driver, client.snippet))
        return ["node", str(run), str(snippet)]
    python = folder / "bin" / "python"
    if not python.exists():
        pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--disable-pip-version-check"]
        _made(folder, [sys.executable, "-m", "venv", "--without-pip", str(folder)], [*pip, "--no-compile", *client.pip])
    return [str(python), "-I", str(driver), str(client.snippet)]


def remove_old() -> None:
    """Remove the environments that no client has any more."""
    wanted = {each.environment for each in clients()}
    for folder in ENVIRONMENTS.glob("*"):
        if folder not in wanted:
            shutil.rmtree(folder)


def _made(folder: Path, *commands: Sequence[str]) -> None:
    """Run the commands that fill a folder; one that fails leaves none behind."""
    sys.stderr.write(f"installing {folder.name}\n")
    folder.mkdir(parents=True)
    for each in commands:
        done = subprocess.run(each, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            shutil.rmtree(folder)
            raise SystemExit(f"{' '.join(each)}\n{done.stdout}")
