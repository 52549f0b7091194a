"""``python -m bench [GROUP ...]``: measure, print the rows, keep them in RESULTS.md."""

import argparse
import shutil
import sys
from pathlib import Path

from bench.harness import BenchError, Context, Row, Table
from bench.harness.groups import Group, find_groups
from bench.harness.machine import describe_machine
from bench.harness.report import VERDICTS, format_section, update_results

HERE = Path(__file__).parent


def parse_arguments(names: list[str], arguments: list[str] | None) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser("python -m bench", description="What ipudebug costs, against named baselines.")
    listed = ", ".join(names)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"which groups to measure (default all): {listed}")
    parser.add_argument(
        "--quick", action="store_true", help="tiny data: does the bench work? RESULTS.md stays as it is"
    )
    parser.add_argument("--keep", action="store_true", help="leave the work files")
    parser.add_argument(
        "--results", type=Path, help="file for the tables (default bench/RESULTS.md; none with --quick)"
    )
    options = parser.parse_args(arguments)
    for name in options.groups:
        if name not in names:
            parser.error(f"no group {name!r}; there are: {listed}")
    if not options.quick and options.results is None:
        options.results = HERE / "RESULTS.md"
    return options


def measure_group(group: Group, context: Context) -> tuple[list[Row], list[Table], bool]:
    """Return the rows of a group, printed as they come, its tables, and whether it got to its end."""
    shutil.rmtree(context.work, ignore_errors=True)
    context.work.mkdir(parents=True)
    context.shared.mkdir(exist_ok=True)
    measured: list[Row] = []
    tables: list[Table] = []
    try:
        for row in group.rows(context):
            if isinstance(row, Table):
                tables.append(row)
                continue
            measured.append(row)
            print(
                f"  {VERDICTS[row.holds]:<13} {row.name}: {row.measured} (aim {row.aim}) {row.note}".rstrip(),
                flush=True,
            )
    except BenchError as error:
        measured.append(Row("the rest of the group", "runs to its end", "it stopped", False, str(error)))
        print(f"  stopped: {error}", flush=True)
        return measured, tables, False
    finally:
        context.remove(context.work)
    return measured, tables, True


def main(arguments: list[str] | None = None, package: str = "bench", work: Path = HERE / "work") -> int:
    """Return 0 when every group came to its end, whether its rows hold or not; 1 otherwise."""
    groups = find_groups(package)
    options = parse_arguments(list(groups), arguments)
    machine = describe_machine()
    print(machine)
    if options.quick:
        print("tiny data: this shows that the bench works; whether a row holds means nothing")
    complete = True
    shared = work / "shared"
    try:
        for name in options.groups or groups:
            print(f"\n{groups[name].title}", flush=True)
            context = Context(work / name, shared, options.quick, options.keep)
            rows, tables, ended = measure_group(groups[name], context)
            complete &= ended
            if options.results is not None:
                section = format_section(groups[name].title, machine, rows, tables)
                update_results(options.results, {name: section})
    finally:
        if not options.keep:
            shutil.rmtree(shared, ignore_errors=True)
            if work.exists() and not any(work.iterdir()):
                work.rmdir()
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main())
