from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import gc, weakref
from pipeline.garbage_collection import THRESHOLDS, settle

class Node: pass

kept = [Node() for _ in range(1000)]
settle()
assert gc.get_freeze_count() > 1000 and gc.get_threshold() == THRESHOLDS
assert not any(each is kept[0] for each in gc.get_objects())

node = Node()
node.itself, seen = node, weakref.ref(node)
del node
gc.collect()
assert seen() is None
"""


def test_what_was_there_is_never_looked_at_again_and_what_comes_later_is_still_collected() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr
