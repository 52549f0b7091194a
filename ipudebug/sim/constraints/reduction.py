"""ReduceSum, ReduceMin, ReduceMax, ReduceMean, ReduceL2."""

from __future__ import annotations

from ipudebug.sim.constraints.rule import allow_values

RULES = tuple(
    allow_values("052", op, "noop_with_empty_axes", (0,))
    for op in ("ReduceSum", "ReduceMin", "ReduceMax", "ReduceMean", "ReduceL2")
)
