"""``ipudebug compare`` as a whole process: against cat, the vendor's way and Polygraphy; its memory."""

from collections.abc import Iterator, Sequence
from os import devnull
from pathlib import Path

from bench.data.agreement import read_numbers, require_close, require_same_rows, require_true_rows
from bench.data.pair import Pair, make_gigabytes, make_pair
from bench.harness import Context, Row, Run, Unavailable, judge, leave_out, ratios, take_turns, values
from bench.rivals.environment import prepare_polygraphy, read_polygraphy_version

GROUP = "ipudebug compare"
RIVALS = Path(__file__).parent / "rivals"
VENDOR = "the vendor's way (struct.unpack of every value, float64 numpy)"
DEFAULT = "`compare` with its default number of workers"
MEGABYTE = 1e6


def rows(context: Context) -> Iterator[Row]:
    """Yield the rows, one pair of dumps after the other, so that the disk holds one at a time."""
    large = make_gigabytes(context)
    yield from compare_with_cat(context, large)
    yield measure_memory(context, large)
    yield compare_with_vendor(context, large, at_least=100, vendor_rounds=context.choose(1, 2))
    yield compare_with_polygraphy(context, large, at_least=70, their_rounds=context.choose(1, 2))
    context.remove(large.folder)

    tensors, shape = context.choose((60, "1,65,60,32"), (4, "1,65,60,3"))
    medium = make_pair(context, context.choose("2 x 30 MB", "2 x 0.2 MB"), "large", tensors, shape)
    yield compare_with_vendor(context, medium, at_least=10, vendor_rounds=context.choose(5, 2))
    yield compare_with_polygraphy(context, medium, at_least=14, their_rounds=context.choose(5, 2))
    context.remove(medium.folder)

    count = context.choose(20_000, 200)
    small = make_pair(context, f"{count:,} small tensors", "small", count)
    yield compare_with_vendor(context, small, at_least=9, vendor_rounds=context.choose(5, 2))
    yield measure_memory(context, small)


def compare(context: Context, pair: Pair, *options: str, whole_tree: bool = False) -> Run:
    """Return the Run of ``ipudebug compare``."""
    argv = [context.ipudebug, "compare", pair.sample, pair.benchmark, *options]
    return context.run(argv, whole_tree=whole_tree)


def require_right(pair: Pair, runs: Sequence[Run]) -> None:
    """Raise BenchError unless every run printed the true numbers."""
    truth = pair.read_truth()
    for printed in {run.stdout for run in runs}:
        require_true_rows(printed, truth)


def compare_with_cat(context: Context, pair: Pair) -> Iterator[Row]:
    """Yield a row for one worker and one for two."""
    context.say(f"{pair.title} against cat")
    turns = take_turns(
        {
            "one": lambda: compare(context, pair, "--jobs", "1"),
            "cat": lambda: context.run(["cat", pair.sample, pair.benchmark], stdout=devnull),
            "two": lambda: compare(context, pair, "--jobs", "2"),
        },
        rounds=context.choose(9, 2),
    )
    require_right(pair, turns["one"] + turns["two"])
    baseline = "`cat A B > /dev/null`"
    yield judge(f"{pair.title}, `--jobs 1`", baseline, ratios(turns["one"], turns["cat"]), at_most=3.0)
    yield judge(f"{pair.title}, `--jobs 2`", baseline, ratios(turns["two"], turns["cat"]), at_most=2.0)


def measure_memory(context: Context, pair: Pair) -> Row:
    """Return the row of the peak memory: of the default, all its processes together."""
    context.say(f"{pair.title}: memory")
    runs = [compare(context, pair, whole_tree=True) for _ in range(context.choose(3, 1))]
    require_right(pair, runs)
    spread = values(runs, key=lambda run: run.peak / MEGABYTE)
    limit = 64 + 0.01 * pair.tensors
    note = f"64 MB + 10 KB for each of {pair.tensors:,} tensors; {DEFAULT}, all processes together"
    return judge(f"{pair.title}, peak memory", "", spread, at_most=round(limit, 1), unit="MB", note=note)


def compare_with_vendor(context: Context, pair: Pair, at_least: float, vendor_rounds: int) -> Row:
    """Return the row against a re-enactment of the vendor's script; both print the same digits."""
    context.say(f"{pair.title} against the vendor's way")
    turns = take_turns(
        {
            "ours": lambda: compare(context, pair),
            "vendor": lambda: context.run([context.python, RIVALS / "vendor_compare.py", pair.sample, pair.benchmark]),
            "imports": lambda: context.run([context.python, "-c", "import click, numpy"]),
        },
        rounds={"ours": 5, "vendor": vendor_rounds, "imports": 5},
    )
    require_same_rows(turns["ours"][-1].stdout, turns["vendor"][-1].stdout)
    require_right(pair, turns["ours"])
    most = ratios(turns["vendor"], turns["imports"]).median
    note = f"{describe_rival(turns['vendor'])}; `import click, numpy` alone is {most:.3g} x faster"
    spread = ratios(turns["vendor"], turns["ours"])
    return judge(
        f"{pair.title} against the vendor's way", "faster than " + VENDOR, spread, at_least=at_least, note=note
    )


def compare_with_polygraphy(context: Context, pair: Pair, at_least: float, their_rounds: int) -> Row:
    """Return the row against Polygraphy, which reads the same tensors from its own files."""
    title = f"{pair.title} against Polygraphy"
    try:
        python = prepare_polygraphy(context)
    except Unavailable as reason:
        return leave_out(title, "faster than Polygraphy", str(reason), at_least=at_least)
    context.say(title)
    files = []
    for side in (pair.sample, pair.benchmark):
        files.append(side.with_suffix(".json"))
        context.run_module("bench.rivals.polygraphy_save", side, side.stem, files[-1], python=str(python))
    out = pair.folder / "polygraphy.json"
    turns = take_turns(
        {
            "ours": lambda: compare(context, pair),
            "polygraphy": lambda: context.run([python, RIVALS / "polygraphy_compare.py", *files, out]),
        },
        rounds={"ours": 5, "polygraphy": their_rounds},
    )
    require_close(read_numbers(out), pair.read_truth(), ("mean_abs", "max_abs"), absolute=1e-6, relative=1e-4)
    require_right(pair, turns["ours"])
    for file in files:
        file.unlink()
    version = read_polygraphy_version(context)
    note = describe_rival(turns["polygraphy"])
    spread = ratios(turns["polygraphy"], turns["ours"])
    baseline = f"faster than Polygraphy {version}"
    return judge(title, baseline, spread, at_least=at_least, note=note)


def describe_rival(runs: Sequence[Run]) -> str:
    """Return what the other side took, and how often it ran."""
    seconds = values(runs)
    peak = max(run.peak for run in runs) / MEGABYTE
    often = "a single run" if len(runs) == 1 else f"{len(runs)} runs"
    return f"it took {seconds.median:.1f} s and {peak:.0f} MB ({often}); {DEFAULT}"
