"""``ipudebug explain``: what an error message means and what to do about it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any

import click

from ipudebug.cli.app import EXIT_MISSED, Command


@click.command(
    "explain",
    cls=Command,
    section="Check and explain",
    examples=[
        "ipudebug explain \"KeyError: 'output1'\"",
        "python3 simulator.py ... 2>&1 | ipudebug explain",
        "ipudebug explain convert.log --stage F",
        "ipudebug explain --list --stage X",
    ],
)
@click.argument("message", nargs=-1)
@click.option("--file", "path", metavar="FILE", help="Read a log from FILE; a MESSAGE that is a file is read as well.")
@click.option(
    "--stage",
    type=click.Choice(["F", "X", "O", "S", "I"], case_sensitive=False),
    help="Only messages of: F float, X fixed, O offline conversion, S accuracy debugging, I ipudebug itself.",
)
@click.option("--list", "listing", is_flag=True, help="List every message that is known.")
@click.option("--format", "report", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("-o", "--output", default="-", metavar="FILE", help="Write to FILE instead of stdout ('-').")
def command(
    message: tuple[str, ...], path: str | None, stage: str | None, listing: bool, report: str, output: str
) -> int:
    """Say what an error message means and what to do.

    It may be a message of the vendor's tools or of ipudebug. MESSAGE is the text, the name of a log, or '-' for
    standard input, which is also read when something is piped into it. Every known message is found, whatever stands
    around it.

    Exit code: 0 something known was found, 1 nothing known (what is similar is shown as a guess), 2 trouble.
    """
    from ipudebug.catalogue import Guesser, find_known, load_entries
    from ipudebug.catalogue.log import read_log
    from ipudebug.cli.explanations import explain_as_json, explain_as_text, list_as_json, list_as_text
    from ipudebug.cli.output import write_output

    entries = {key: entry for key, entry in load_entries().items() if stage in (None, entry.stage)}
    if listing:
        write_output(output, list_as_json(entries.values()) if report == "json" else list_as_text(entries.values()))
        return 0
    log = _find_log(message, path)
    guesser = Guesser(entries)
    lines: Iterable[str] = [" ".join(message)]
    if log:
        file: Any = click.File("rb").convert(log, None, click.get_current_context())
        lines = read_log(file)
    known = find_known(guesser.listen(lines), entries)
    guesses = [] if known else guesser.guess()
    if not known and not log and len(" ".join(message).split()) == 1:
        click.echo(f"note: there is no file {message[0]}, so it was taken for a message", err=True)
    if report == "json":
        pieces = explain_as_json(known, guesses)
    else:
        pieces = explain_as_text(known, guesses, numbered=bool(log))
    write_output(output, pieces, keep=(log,) if log else ())
    return 0 if known else EXIT_MISSED


def _find_log(message: tuple[str, ...], path: str | None) -> str:
    """Return the path of the log, ``-`` for standard input, or an empty text where the message itself is given."""
    if path is not None and message:
        raise click.UsageError("give either MESSAGE or --file, not both")
    if path is not None:
        return path
    if not message:
        if sys.stdin.isatty():
            raise click.UsageError("nothing to explain: give a message, a file, or pipe a log into it")
        return "-"
    return message[0] if message == ("-",) or (len(message) == 1 and _is_file(message[0])) else ""


def _is_file(text: str) -> bool:
    """Return whether a message is the path of something that can be read, a pipe included."""
    return len(text) < 1024 and os.path.exists(text) and not os.path.isdir(text)
