"""Start-up: how much more than the imports that nobody can avoid."""

from collections.abc import Iterator

from bench.data.agreement import require_true_rows
from bench.data.pair import make_pair
from bench.harness import BenchError, Context, Row, judge, ratios, take_turns

GROUP = "Start-up"


def rows(context: Context) -> Iterator[Row]:
    """Yield a row for comparing two tiny dumps and one for the help."""
    pair = make_pair(context, "two tiny dumps", "large", 3, "1,4,4,3")
    turns = take_turns(
        {
            "compare": lambda: context.run([context.ipudebug, "compare", pair.sample, pair.benchmark]),
            "numpy": lambda: context.run([context.python, "-c", "import click, numpy"]),
            "help": lambda: context.run([context.ipudebug, "--help"]),
            "click": lambda: context.run([context.python, "-c", "import click"]),
        },
        rounds=context.choose(25, 2),
    )
    require_true_rows(turns["compare"][-1].stdout, pair.read_truth())
    if "compare" not in turns["help"][-1].stdout:
        raise BenchError("`ipudebug --help` does not name the command compare")
    click_and_numpy, click = "`python -c 'import click, numpy'`", "`python -c 'import click'`"
    yield judge("`compare` of two tiny dumps", click_and_numpy, ratios(turns["compare"], turns["numpy"]), at_most=1.3)
    yield judge("`--help`", click, ratios(turns["help"], turns["click"]), at_most=1.5)
