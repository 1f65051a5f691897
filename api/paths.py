"""The path of a request below our own root. Pure."""

from __future__ import annotations

from starlette.types import Scope


def is_below(path: str, root: str) -> bool:
    """Whether a path is a root or lies below it."""
    return path == root or path.startswith(f"{root}/")


def route_of(scope: Scope) -> str:
    """The path below our own root, which the routes know."""
    root: str = scope.get("root_path", "")
    path: str = scope["path"]
    return path[len(root) :] if root and is_below(path, root) else path
