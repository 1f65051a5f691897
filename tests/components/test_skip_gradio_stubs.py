from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
from components.skip_gradio_stubs import without_matplotlib, without_stubs
without_stubs()
without_matplotlib()
import gradio
from gradio import component_meta
component_meta.create_or_modify_pyi(int, "would fail: not a component's file", [])
assert gradio.Textbox().submit and gradio.Blocks
try:
    import matplotlib
except ImportError:
    pass
assert not any(type(finder).__module__ == "components.skip_gradio_stubs" for finder in sys.meta_path)
"""


def test_gradio_works_without_making_stubs_and_without_looking_for_matplotlib() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr
