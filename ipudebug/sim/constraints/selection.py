"""TopK, ArgMax, ArgMin."""

from __future__ import annotations

from ipudebug.sim.constraints.rule import allow_values

RULES = (
    allow_values("036", "TopK", "sorted", (1,)),
    allow_values("037", "TopK", "largest", (1,)),
    allow_values("069", "ArgMax", "select_last_index", (0,)),
    allow_values("070", "ArgMin", "select_last_index", (0,)),
)
