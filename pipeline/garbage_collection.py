"""Tunes the garbage collector, so that full collections do not stop every stream.

The imports of DSPy, Gradio and LiteLLM are most of the heap and live as long as the process. A full collection visits
all of it and stops every stream for 0.3 to 0.6 s. `settle` collects once, exempts what is left, and makes the collector
run more rarely; new objects are still collected.
"""

from __future__ import annotations

import gc

# Allocations until the youngest generation is collected, then collections until the next older one. Python's defaults
# are 700, 10 and 10. A turn makes tens of thousands of objects, nearly all of which are freed without the collector.
THRESHOLDS = (10_000, 20, 20)


def settle() -> None:
    """Exempt all present objects from collection. Call it after large imports. Takes as long as one full collection."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
