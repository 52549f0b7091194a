"""The machinery of the bench: whole processes, alternating turns, judged rows, RESULTS.md."""

from bench.harness.context import Context
from bench.harness.process import BenchError, Run, Unavailable
from bench.harness.row import Row, Table, judge, leave_out
from bench.harness.turns import Spread, differences, ratios, take_turns, values

__all__ = [
    "BenchError",
    "Context",
    "Row",
    "Run",
    "Spread",
    "Table",
    "Unavailable",
    "differences",
    "judge",
    "leave_out",
    "ratios",
    "take_turns",
    "values",
]
