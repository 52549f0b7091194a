"""Faults planted into networks: does the verdict name the layer and the kind, and stay silent where there is none?"""

import json
import os
from collections.abc import Iterator

from bench.data.pair import Pair, make_gigabytes, make_pair
from bench.harness import Context, Row, judge, ratios, take_turns, values

MEGABYTE = 1e6
MOST_MEMORY = 256
"""Megabytes that a verdict may take, however large the dumps; numpy alone takes 30."""
GROUP = "Verdicts on planted faults"
AIMS = {"first": 0.95, "in_three": 0.99, "kind": 0.90}
TITLES = {
    "first": "layer named first",
    "in_three": "layer among the first three",
    "kind": "kind of fault right",
}


def rows(context: Context) -> Iterator[Row]:
    """Yield the shares over all faults, those of each fault, the false alarms, and what a verdict costs."""
    context.say("planting faults")
    seeds, rounds = context.choose((6, 2), (1, 1))
    out = context.work / "outcomes.json"
    reference = os.environ.get("IPUDEBUG_REFERENCE", "")
    context.run_module("bench.faults.campaign", out, str(seeds), str(rounds), reference)
    outcome = json.loads(out.read_text(encoding="utf-8"))
    whole, nets = outcome["all"], outcome["nets"]
    note = f"{whole['count']} faults of {len(outcome['kinds'])} kinds in {len(nets)} networks; with and without noise"
    for key, aim in AIMS.items():
        share = whole[key] / whole["count"]
        yield Row(TITLES[key], f">= {aim:.0%}", f"{share:.1%}", share >= aim, note)
    clean = outcome["clean"]
    yield Row("false alarms on clean pairs", "0", str(clean["alarms"]), clean["alarms"] == 0, f"of {clean['count']}")
    for kind, counts in outcome["kinds"].items():
        shares = {key: counts[key] / counts["count"] for key in AIMS}
        measured = ", ".join(f"{shares[key]:.0%}" for key in AIMS)
        holds = all(shares[key] >= 0.8 for key in AIMS)
        yield Row(f"  {kind}", "each >= 80%", measured, holds, f"{counts['count']} faults: first, first three, kind")
    for pair in _make_pairs(context):
        yield from _measure_cost(context, pair)


def _make_pairs(context: Context) -> Iterator[Pair]:
    """Yield the dumps: large ones, those of an ordinary net, and very many small ones."""
    yield make_gigabytes(context)
    title, count = context.choose(("100 maps of 32 x 32 x 32", 100), ("5 maps of 32 x 32 x 32", 5))
    yield make_pair(context, title, "large", count, "1,32,32,32")
    title, count = context.choose(("1,000 maps of 8 x 8 x 4", 1000), ("10 maps of 8 x 8 x 4", 10))
    yield make_pair(context, title, "large", count)


def _measure_cost(context: Context, pair: Pair) -> Iterator[Row]:
    """Yield what diagnose takes beside compare on the same dumps, without models: time, and memory."""
    context.say(f"{pair.title}: taking turns")
    turns = take_turns(
        {
            name: lambda name=name: context.run([context.ipudebug, name, pair.sample, pair.benchmark])
            for name in ("diagnose", "compare")
        },
        rounds=context.choose(7, 2),
    )
    yield judge(f"{pair.title}: diagnose", "compare", ratios(turns["diagnose"], turns["compare"]), at_most=1.6)
    peak = values(turns["diagnose"], key=lambda run: run.peak / MEGABYTE)
    yield judge(f"{pair.title}: diagnose, peak memory", "", peak, at_most=MOST_MEMORY, unit="MB")
