"""The board over RPC: how fast, under what attack, and what a client is told when the server dies."""

import json
import statistics
from collections.abc import Iterator
from pathlib import Path

from bench.harness import BenchError, Context, Row, judge, ratios
from bench.harness.context import ROOT

GROUP = "The board over RPC"
DEMO = ROOT / "ipudebug" / "demo"
CHIP = "souffle"
MEMORY = 256 << 20
"""Bytes that the server may have at most, whatever comes."""
TIMEOUT = 5.0
SLOWER = 50.0
"""How many times the time of a run alone the 95th percentile under attack may be: it shares two processors."""


def rows(context: Context) -> Iterator[Row]:
    """Yield the rows on the embedded model: throughput, malformed frames, kill -9."""
    model = make_model(context)
    yield from measure_runs(context, model)
    yield from measure_siege(context, model)
    for stage in ("upload", "run"):
        yield measure_kill(context, model, stage)


def make_model(context: Context) -> Path:
    """Return the embedded model, sealed."""
    config, preprocess = DEMO / "input_config.ini", DEMO / "preprocess.py"
    chip = ("--soc_version", CHIP)
    steps = (
        ("convert", "onnx", "--model_file", DEMO / "model.onnx", "--input_config", config, "--output_file", "f.sim"),
        ("calibrate", "-m", "f.sim", "-i", DEMO / "images", "--input_config", config, "-n", preprocess, "-o", "q.sim"),
        ("compile", "-m", "q.sim", "-o", "model.img"),
    )
    for name, *options in steps:
        context.run([context.ipudebug, name, *options, *chip])
    return context.work / "model.img"


def measure_runs(context: Context, model: Path) -> Iterator[Row]:
    """Yield the time over one connection and over eight, against the PC; all outputs are the PC's."""
    count = context.choose(200, 20)
    context.say(f"{count} images on the PC, over one connection and over eight")
    options = (DEMO / "preprocess.py", DEMO / "images", count, context.choose(7, 2), 8)
    found = ask(context, "bench.data.board_runs", model, *options)
    seconds, wrong = found["seconds"], found["wrong"]
    if wrong:
        raise BenchError(f"{wrong} results of the board are not the PC's")
    middle = 1e3 * statistics.median(found["latency"])
    late = 1e3 * found["latency"][int(0.95 * len(found["latency"]))]
    note = f"all results equal, {found['different']} different ones; a run takes {middle:.2f} ms, p95 {late:.2f} ms"
    pc = f"the PC, {count} images read, preprocessed, run and written"
    for name, title in (("one", "one connection"), ("several", "8 clients at once")):
        spread = ratios(seconds[name], seconds["pc"], key=float)
        yield judge(title, pc, spread, at_most=1.3, note=note)
        note = "all results equal; each client has a process of its own on the server"


def measure_siege(context: Context, model: Path) -> Iterator[Row]:
    """Yield what becomes of server and good client under malformed frames, slow senders and idle connections."""
    frames, idle, slow = context.choose((10_000, 200, 50), (300, 20, 5))
    context.say(f"{frames} malformed frames, {slow} slow senders, {idle} idle connections")
    found = ask(context, "bench.data.board_siege", model, frames, idle, slow)
    under = f"{frames:,} malformed frames, {slow} slow senders, {idle} idle connections"
    yield Row(under, "the server stays up", "up" if found["alive"] else "ended", found["alive"])
    served = f"{found['runs'] - found['wrong']:,} of {found['runs']:,} runs right"
    yield Row("a good client meanwhile", "all runs right", served, found["runs"] > 0 and not found["wrong"])
    alone, late = statistics.median(found["alone"]), found["busy"][int(0.95 * len(found["busy"]))]
    measured = f"{late / alone:.1f} x ({1e3 * late:.1f} ms against {1e3 * alone:.2f} ms)"
    yield Row("its 95th percentile", f"<= {SLOWER:g} x a run alone", measured, late / alone <= SLOWER)
    kept = f"{found['idle']} of {idle}"
    yield Row("idle connections that are answered then", "all", kept, found["idle"] == idle)
    memory = f"{found['peak'] >> 20} MB, {found['before'] >> 20} MB before"
    yield Row("peak memory of the server", f"<= {MEMORY >> 20} MB", memory, 0 < found["peak"] <= MEMORY)


def measure_kill(context: Context, model: Path, stage: str) -> Row:
    """Return what a client is told, and how soon, when the server is killed in the middle of an upload or a run."""
    found = ask(context, "bench.data.board_kill", model, stage, TIMEOUT)
    measured = f"{found['error']} after {found['seconds']:.3f} s"
    holds = found["error"] == "Dropped" and found["seconds"] <= TIMEOUT
    words = "a run" if stage == "run" else "an upload"
    return Row(f"kill -9 in {words}", f"Dropped within {TIMEOUT:g} s", measured, holds)


def ask(context: Context, module: str, model: Path, *arguments: object) -> dict:
    """Return what a module of the bench prints as JSON."""
    found: dict = json.loads(context.run_module(module, model, *map(str, arguments)).stdout)
    return found
