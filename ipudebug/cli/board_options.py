"""The board's part of ``simulate``: its options, the simulator that they stand for, and what is said at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from ipudebug.board.agreement import Difference
    from ipudebug.board.remote import RemoteSimulator
    from ipudebug.sim.model import SimModel

F = TypeVar("F", bound=Callable[..., Any])

token_option = click.option(
    "--token", envvar="IPUDEBUG_TOKEN", default="", metavar="TEXT", help="What a client must know; or IPUDEBUG_TOKEN."
)
header_option = click.option(
    "--header",
    type=click.Choice(["20", "24"]),
    default="20",
    show_default=True,
    help="Bytes of a frame's header: 24 in rest_rpc before 2023-09-26.",
)
_OPTIONS = (
    click.option("--host", metavar="ADDRESS", help="Run on the board, or the ipudebug serve, at this address."),
    click.option("--port", type=click.IntRange(1, 65535), metavar="PORT", help="Port of the server there."),
    click.option(
        "--timeout",
        type=click.FloatRange(0.001, 1e6),
        default=60.0,
        show_default=True,
        metavar="SECONDS",
        help="How long an answer of the board may take.",
    ),
    click.option(
        "--model_onboard_path",
        "--model-onboard-path",
        "onboard_path",
        metavar="PATH",
        help="The model lies on the board already, here.",
    ),
    click.option("--against_pc", "--against-pc", "against_pc", is_flag=True, help="Compare board and PC, bit by bit."),
    token_option,
    header_option,
)

CAUSES = {
    "stale": "they are the outputs of the image before: the board did not run this one, or was asked too early",
    "zero": "all of them are zero: the board did not run, or its cache was not invalidated",
    "stride": "rows lie one behind the other: the board's outputs are not aligned to 16 bytes, read them so",
    "channels": "the channels are in another order",
    "layout": "they are NCHW, not NHWC",
    "byte order": "the two bytes of each value are exchanged: little-endian is expected",
    "sign": "signed and unsigned integers are taken for each other",
    "rounding": "nothing is more than one step off: rounding differs",
    "values": "no simple cause explains them: compare the inputs first, then dump the fixed model layer by layer",
}


def board_options(command: F) -> F:
    """Add the options that make simulate run on a board."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class BoardOptions:
    """The options of ``board_options``, as they are given."""

    host: str | None = None
    port: int | None = None
    timeout: float = 60.0
    onboard_path: str | None = None
    against_pc: bool = False
    token: str = ""
    header: str = "20"

    @property
    def is_remote(self) -> bool:
        """Whether a board was named."""
        return self.host is not None

    def check(self) -> None:
        """Raise UsageError for half of a board's name, or what needs one."""
        if (self.host is None) != (self.port is None):
            raise click.UsageError("--host and --port belong together: give both, or neither to run on the PC")
        if self.host is None and (self.onboard_path is not None or self.against_pc):
            raise click.UsageError("--model_onboard_path and --against-pc need a board: --host and --port")


def open_remote(options: BoardOptions, model: SimModel, note: Callable[[str], object]) -> RemoteSimulator:
    """Return the model on the board, until the command ends; ``note`` gets remarks. Raises ModelError or BoardError."""
    from ipudebug.board.link import BoardAddress
    from ipudebug.board.remote import RemoteSimulator

    assert options.host is not None
    assert options.port is not None
    address = BoardAddress(options.host, options.port, options.timeout, options.token, int(options.header))
    remote = RemoteSimulator(model, address, onboard_path=options.onboard_path, compare=options.against_pc, note=note)
    click.get_current_context().call_on_close(remote.close)
    return remote


def show_remote(remote: RemoteSimulator, images: list[str]) -> bool:
    """Print latency and comparison to stdout, and return whether board and PC agree; ``images`` in running order."""
    for line in describe_latency(remote.seconds):
        click.echo(line)
    for line in describe_agreement(remote, images):
        click.echo(line)
    return not remote.agreement.differing and not remote.agreement.facts


def describe_latency(seconds: list[float]) -> Iterator[str]:
    """Yield the line about the time of the runs; nothing where there was none."""
    import statistics

    if seconds:
        ordered = sorted(1e3 * value for value in seconds)
        late = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
        times = f"{ordered[0]:.1f} / {statistics.median(ordered):.1f} / {late:.1f}"
        yield f"board: {times} ms an image (min / median / p95)"


def describe_agreement(remote: RemoteSimulator, images: list[str]) -> Iterator[str]:
    """Yield the lines about the comparison of board and PC; nothing where none was asked for."""
    found = remote.agreement
    if not found.images:
        return
    for name, what, ours, theirs in found.facts:
        yield f"{name}: the board dequantises with {what} {theirs}, the model has {ours}"
    if not found.differing:
        yield f"board and PC are bit-equal on {found.images} image{'' if found.images == 1 else 's'}"
        return
    yield f"board and PC differ on {found.differing} of {found.images} image{'' if found.images == 1 else 's'}"
    for difference, number in found.worst.values():
        yield describe_difference(difference, images[number] if number < len(images) else f"image {number}")


def describe_difference(difference: Difference, image: str) -> str:
    """Return one output that differs as a line."""
    cause = CAUSES[difference.cause.value]
    if difference.order:
        shown = ", ".join(map(str, difference.order[:16])) + (", ..." if len(difference.order) > 16 else "")
        cause += f": {shown}"
    place = ", ".join(map(str, difference.first))
    count = f"{difference.count:,} of {difference.total:,} values, the first at [{place}]"
    return f"  {difference.output} ({image}): {count}, up to {difference.largest:g} steps: {cause}"
