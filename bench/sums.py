"""Taking the sums of a pair of dumps, as a share of what reading the same bytes allows."""

import json
from collections.abc import Iterator
from pathlib import Path

from bench.data.agreement import require_close
from bench.data.pair import make_gigabytes
from bench.harness import Context, Row, judge, ratios

GROUP = "Taking the sums of a pair"
PROGRAM = Path(__file__).parent / "rivals" / "read_limit.py"
LIMIT = "of the read limit (both files mapped from the page cache and added up by one thread)"


def rows(context: Context) -> Iterator[Row]:
    """Yield a row for one worker and one for two."""
    pair = make_gigabytes(context)
    rounds = context.choose(7, 2)
    context.say("taking turns")
    run = context.run([context.python, PROGRAM, pair.sample, pair.benchmark, str(rounds)])
    measured = json.loads(run.stdout)
    require_close(measured["rows"], pair.read_truth(), ("mse", "cos", "rmse"), absolute=1e-7, relative=1e-6)
    size = pair.sample.stat().st_size + pair.benchmark.stat().st_size
    speed = size / sorted(measured["limit"])[rounds // 2] / 1e9
    for workers, key, aim in (("one worker", "one", 0.35), ("two workers", "two", 0.55)):
        spread = ratios(measured["limit"], measured[key], key=float)
        note = f"the limit was {speed:.1f} GB/s; library call, imports not counted"
        yield judge(f"{pair.title}, {workers}", LIMIT, spread, at_least=aim, unit="", note=note)
