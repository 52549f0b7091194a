"""The command group: finds the commands, and is the one boundary where errors become text and an exit code."""

import errno
import os
import re
import sys
from collections.abc import Sequence
from typing import Any

import click

from ipudebug import __version__
from ipudebug.cli import EXIT_INTERRUPTED
from ipudebug.cli.streams import drop_stream, telling
from ipudebug.errors import IpuDebugError
from ipudebug.registry import Registry

EXIT_MISSED = 1  # a threshold that was asked for was missed
EXIT_TROUBLE = 2
EXIT_TERMINATED = 143  # as a shell reports a process that SIGTERM ended
EXIT_BROKEN_PIPE = 141  # as a shell reports a process that SIGPIPE ended

COMMANDS: Registry[click.Command] = Registry("ipudebug.cli.commands", "command", "command", dashes=True)


class _Formatter(click.HelpFormatter):
    """A formatter that measures the terminal itself: importing shutil, as click does, takes longer than all the rest.

    shutil brings every compression module with it.
    """

    def __init__(self, indent_increment: int = 2, width: int | None = None, max_width: int | None = None) -> None:
        if width is None:
            width = max(min(_measure_terminal(), max_width or 80) - 2, 50)
        super().__init__(indent_increment, width, max_width)


class _Context(click.Context):
    formatter_class = _Formatter


class Command(click.Command):
    """A click command with the section that ``ipudebug --help`` lists it under, and examples for its own help.

    Args:
        section: heading in the list of commands.
        examples: command lines, as a user types them.
    """

    context_class = _Context

    def __init__(self, *args: Any, section: str, examples: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.section = section
        self.examples = tuple(examples)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples below the options."""
        with formatter.section("Examples" if len(self.examples) > 1 else "Example"):
            for example in self.examples:
                formatter.write(f"{'':>{formatter.current_indent}}{example}\n")


class Terminated(BaseException):
    """SIGTERM: no SystemExit, which would be taken for one of the user's preprocess file."""


class _PipeClosed(Exception):
    """The reader of stdout has gone: what BrokenPipeError becomes, for which click would exit with 1."""


class Commands(click.Group):
    """The group of all commands in ``ipudebug.cli.commands``; a command's module is imported when it is needed."""

    context_class = _Context

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Return a command by name, or None."""
        return COMMANDS.get(name)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Find the command; a name that does not exist gets the near ones named."""
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            COMMANDS[args[0]]  # raises UnknownPlugin with the near names
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise _PipeClosed from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands under the headings that they name."""
        sections: dict[str, list[tuple[str, str]]] = {}
        limit = formatter.width - 6 - max(map(len, COMMANDS))
        for name, command in COMMANDS.items():
            section = command.section if isinstance(command, Command) else "Commands"
            sections.setdefault(section, []).append((name, command.get_short_help_str(limit)))
        for section in sorted(sections):
            with formatter.section(section):
                formatter.write_dl(sections[section])


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Start with: ipudebug demo",
)
@click.version_option(__version__, prog_name="ipudebug", message="%(prog)s %(version)s")
def ipudebug() -> None:
    """Find the layer where a model loses accuracy on its way to a SigmaStar IPU."""


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; every error that a user can mend ends here as text."""
    try:
        return _run(arguments)
    except (KeyboardInterrupt, click.Abort):
        with telling():
            click.echo("interrupted", err=True)
        return EXIT_INTERRUPTED
    except Terminated:
        return EXIT_TERMINATED


def _run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; what stops it from outside is raised."""
    try:
        code = ipudebug.main(args=list(arguments), prog_name="ipudebug", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except click.ClickException as error:
        with telling():
            error.show()
        return EXIT_TROUBLE
    except IpuDebugError as error:
        if stop := _find_stop(error):
            raise stop from None
        with telling():
            click.echo(click.style("error: ", fg="red", bold=True) + _printable(error.message), err=True)
            if error.hint:
                click.echo(click.style("hint: ", fg="cyan") + _printable(error.hint), err=True)
        return EXIT_TROUBLE
    except ImportError as error:
        if stop := _find_stop(error):
            raise stop from None
        raise
    except (BrokenPipeError, _PipeClosed):  # ``ipudebug compare ... | head``
        drop_stream(sys.stdout)
        with telling():  # stderr may have had the same reader
            pass
        return EXIT_BROKEN_PIPE
    except OSError as error:
        if error.errno != errno.ENOSPC or error.filename is not None:
            raise
        drop_stream(sys.stdout)  # every other file is written through replace_file, which tells of a full disk itself
        with telling():
            click.echo("error: no space left on the device that stdout goes to", err=True)
        return EXIT_TROUBLE


def _find_stop(error: BaseException) -> BaseException | None:
    """Return the Ctrl-C or SIGTERM that an error came of, as an import that is cut short makes one; else None."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        if isinstance(cause, (KeyboardInterrupt, Terminated)):
            return cause
        seen.add(id(cause))
        cause = cause.__cause__ or cause.__context__
    return None


def _measure_terminal() -> int:
    """Return how many columns the terminal has, as ``shutil.get_terminal_size`` does: COLUMNS, stdout, 80."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return int(columns)
    try:
        return os.get_terminal_size(sys.__stdout__.fileno()).columns or 80  # type: ignore[union-attr]
    except (AttributeError, ValueError, OSError):  # there is none, it is closed, or no terminal
        return 80


def _printable(text: str) -> str:
    """Return a message with control characters as escapes: names from files and paths reach the terminal in it."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", lambda match: f"\\x{ord(match[0]):02x}", text)
