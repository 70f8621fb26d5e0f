"""The garbage collector, set for a process that does the same small things for days."""

from __future__ import annotations

import gc

YOUNG = 20_000


def calm_collector() -> None:
    """Collect less often, and never walk again through what was there at the start.

    A batch makes some ten thousand small records that are all gone, by counting references,
    when it is written. At the default of 700 the collector looks for cycles among them many
    times a batch and finds none, and now and then it walks through all of Django as well.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 20)
