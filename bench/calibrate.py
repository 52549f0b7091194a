"""``ipudebug calibrate``: against plain runs on the same images, and its memory for few and many of them."""

from collections.abc import Iterator
from pathlib import Path

from bench.data.ladder import Ladder, make_net
from bench.harness import BenchError, Context, Row, judge, ratios, take_turns, values

GROUP = "ipudebug calibrate"
RIVALS = Path(__file__).parent / "rivals"
SLOWER, LARGER = 3, 1.05
MANY, FEW = 24, 8
LEVELS = {"L5": "measured ranges", "L4": "smallest squared error"}
LEAST_COS = 0.9  # random weights quantise worse than trained ones
MEGABYTE = 1e6


def rows(context: Context) -> Iterator[Row]:
    """Yield time and memory for each net and method."""
    for kind, size in context.choose((("mobilenet", 224), ("resnet", 224)), (("mobilenet", 64),)):
        net = make_net(context, kind, size, context.choose(MANY, 3))
        for level, method in LEVELS.items():
            title = f"{net.title}, {level}: {method}"
            yield measure_time(context, net, title, level)
            check_fixed(context, net)
            yield measure_memory(context, net, title, level)
        context.remove(net.folder)


def measure_time(context: Context, net: Ladder, title: str, level: str) -> Row:
    """Return the whole process against plain inference on the same images."""
    count = len(list(net.images.iterdir()))
    context.say(f"{title}, time")
    plain = [context.python, RIVALS / "plain_runs.py", net.model, net.images, net.preprocess]
    programs = {
        "calibrate": lambda: net.calibrate("--quant_level", level),
        "plain": lambda: context.run([*plain]),
    }
    turns = take_turns(programs, rounds=context.choose(5, 2))
    mine, theirs = (values(turns[name]).median for name in programs)
    note = f"whole processes: {mine:.2f} against {theirs:.2f} s"
    spread = ratios(turns["calibrate"], turns["plain"])
    baseline = f"{count} runs of plain onnxruntime in one process"
    return judge(f"{title}, {count} images, time", baseline, spread, at_most=SLOWER, note=note)


def check_fixed(context: Context, net: Ladder) -> None:
    """Raise BenchError unless the fixed model gives about what the original gives on one image."""
    image, expected = net.pick_images(1), net.folder / "outputs.npz"
    context.run([context.python, RIVALS / "plain_runs.py", net.model, image, net.preprocess, expected])
    argv = [context.ipudebug, "simulate", "-m", net.fixed, "-i", image, "-n", net.preprocess]
    context.run([*argv, "--skip_garbage", "--overwrite"], cwd=net.folder)
    arguments = [expected, net.folder / "log" / "output", str(LEAST_COS)]
    run = context.run_module("bench.data.check_results", *arguments, check=False)
    if run.code != 0:
        raise BenchError(f"{net.title}: {run.stderr.strip().splitlines()[-1:]}")


def measure_memory(context: Context, net: Ladder, title: str, level: str) -> Row:
    """Return the peak memory with all images against that with a third of them."""
    context.say(f"{title}, memory")
    many = len(list(net.images.iterdir()))
    few = many * FEW // MANY
    folder = net.pick_images(few)
    programs = {
        "many": lambda: net.calibrate("--quant_level", level, whole_tree=True),
        "few": lambda: net.calibrate("--quant_level", level, images=folder, whole_tree=True),
    }
    turns = take_turns(programs, rounds=context.choose(3, 2))
    spread = ratios(turns["many"], turns["few"], key=lambda run: run.peak)
    mine, theirs = (values(turns[name], key=lambda run: run.peak / MEGABYTE).median for name in programs)
    note = f"{mine:.0f} against {theirs:.0f} MB, all processes together"
    return judge(f"{title}, peak memory, {many} images", f"{few} images", spread, at_most=LARGER, note=note)
