"""``check`` on models of many nodes, against loading them and ONNX's own checker."""

import json
from collections.abc import Iterator

from bench.harness import BenchError, Context, Row, judge, ratios
from bench.harness.turns import measure_spread

GROUP = "ipudebug check"
KINDS = {"convolutions": "convolutions, pools, resizes", "attention": "attention, whose rules need every shape"}


def rows(context: Context) -> Iterator[Row]:
    """Yield for each kind of model a row of ratios and a row of seconds."""
    count = context.choose(10_000, 500)
    for kind, title in KINDS.items():
        model = context.work / f"{kind}.onnx"
        context.run_module("bench.data.many_nodes", model, kind, str(count))
        run = context.run_module("bench.rivals.load_and_check", model, str(context.choose(15, 2)))
        measured = json.loads(run.stdout)
        if measured["nodes"] != count or measured["findings"] != measured["planted"]:
            raise BenchError(f"expected {measured['planted']} findings, found {measured['findings']}")
        name = f"{count:,} nodes: {title}"
        note = "in one process, imports not counted; the planted faults were all found"
        baseline = "`onnx.load` and `onnx.checker.check_model`"
        yield judge(name, baseline, ratios(measured["ours"], measured["theirs"], key=float), at_most=3, note=note)
        seconds = measure_spread(taken / count * 10_000 for taken in measured["ours"])
        yield judge(f"{name}, for 10,000", "", seconds, at_most=2, unit="s")
