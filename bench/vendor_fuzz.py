"""Damaged .sim files: none may end the interpreter, take memory by what it claims, or raise anything unforeseen."""

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from bench.harness import Context, Row

GROUP = "Damaged .sim files"
_PEAK = 512 << 20
_SLOWEST = 5.0


def rows(context: Context) -> Iterator[Row]:
    """Yield rows for what came of mutated files, read in as many processes as there are processors."""
    count = context.choose(200_000, 2_000)
    workers = min(os.cpu_count() or 1, 4)
    share = -(-count // workers)
    context.say(f"reading {share * workers} mutated .sim files in {workers} processes")

    def fuzz(worker: int) -> dict:
        argv = [context.python, "-W", "error", "-m", "bench.data.fuzz_vendor", str(worker * share), str(share)]
        run = context.run(argv, check=False)
        nothing = {"read": 0, "refused": 0, "run": 0, "slowest": 0.0, "peak": 0}
        found = json.loads(run.stdout) if run.code == 0 else nothing
        return {"code": run.code, "faults": [run.stderr[-300:]] if run.code else [], "kinds": {}} | found

    with ThreadPoolExecutor(workers) as pool:
        results = list(pool.map(fuzz, range(workers)))
    read, refused, ran = (sum(result[word] for result in results) for word in ("read", "refused", "run"))
    faults = [fault for result in results for fault in result["faults"]]
    kinds = {kind for result in results for kind in result["kinds"]}
    yield Row(
        "mutated .sim files: read, or refused with an error of ours",
        aim=f"all of {share * workers}",
        measured=f"{read} read, {refused} refused",
        holds=read + refused == share * workers and not faults,
        note=faults[0][-200:].replace("\n", " ")
        if faults
        else f"refused with at least {len(kinds)} different messages; of those read {ran} were run as well",
    )
    crashed = [result["code"] for result in results if result["code"]]
    yield Row("the interpreter survives", "exit code 0", f"{len(crashed)} crashes", not crashed, "")
    peak, slowest = max(result["peak"] for result in results), max(result["slowest"] for result in results)
    measured = f"{peak >> 20} MB"
    yield Row("peak memory of a process that reads them all", f"at most {_PEAK >> 20} MB", measured, peak <= _PEAK, "")
    measured = f"{slowest:.2f} s"
    yield Row("slowest file, time of the processor", f"at most {_SLOWEST:g} s", measured, slowest <= _SLOWEST, "")
