"""Gradio without what it does for nobody here. Knows nothing else of Gradio.

At every import it parses the source of all its components and renders `.pyi` files beside them, for editors: half of
the import, without a switch (gradio/component_meta.py, `create_or_modify_pyi`). And around every call of a handler it
looks twice for Matplotlib in all folders of the path, where that is not installed (gradio/utils.py,
`MatplotlibBackendMananger`): a tenth of what an update costs.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

MODULE, MAKES_STUBS = "gradio.component_meta", "create_or_modify_pyi"


class _Finder(MetaPathFinder):
    """Finds that one module as Python would, and takes its function away as soon as it is loaded."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != MODULE:
            return None
        sys.meta_path.remove(self)
        spec = PathFinder.find_spec(fullname, path)
        if spec and spec.loader:
            load = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                load(module)
                setattr(module, MAKES_STUBS, lambda *_: None)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def without_stubs() -> None:
    """To be called before Gradio is imported."""
    sys.meta_path.insert(0, _Finder())


def without_matplotlib() -> None:
    """Have Python remember that Matplotlib is not there, unless it is."""
    if PathFinder.find_spec("matplotlib") is None:
        sys.modules.setdefault("matplotlib", None)  # type: ignore[arg-type]  # the import system knows None as missing
