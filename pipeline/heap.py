"""The garbage collector, kept from stopping every stream at once.

What DSPy, Gradio and LiteLLM import is most of the heap and lives as long as the process. A full collection looks at
all of it: 0.3 to 0.6 s in which no stream moves. `settle` collects once, exempts what is left, and has the collector
run more rarely: new objects are still collected, and only they are looked at.
"""

from __future__ import annotations

import gc

# Allocations until the young are looked at, then how many such looks until the next older generation; Python's own are
# 700, 10 and 10. A turn makes a few ten thousand objects, nearly all of which go without the collector.
THRESHOLDS = (10_000, 20, 20)


def settle() -> None:
    """To be called when much was imported or built that stays. Takes as long as one full collection."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
