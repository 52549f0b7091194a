"""How many processes the size of a comparison asks for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipudebug.comparison import Comparison

_WORTH_A_FORK = 0.3  # seconds of one process from which a second earns its start


def choose_jobs(comparison: Comparison) -> int:
    """Return how many processes to use: one, or up to eight where there are as many processors."""
    from ipudebug.measure import estimate_seconds

    if estimate_seconds(comparison.sizes()) < _WORTH_A_FORK:
        return 1
    return min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, 8)
