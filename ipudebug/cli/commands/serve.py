"""``ipudebug serve``: a server that stands in for a board."""

from __future__ import annotations

import click

from ipudebug.cli.app import Command
from ipudebug.cli.board_options import header_option, token_option


@click.command(
    "serve",
    cls=Command,
    section="Simulate",
    examples=[
        "ipudebug serve -p 8000",
        "ipudebug serve -p 8000 --model-dir models/ --chip souffle",
        "ipudebug serve -p 8000 --fault noise --fault delay=0.2",
    ],
)
@click.option(
    "-p", "--port", required=True, type=click.IntRange(0, 65535), metavar="PORT", help="Port; 0: any that is free."
)
@click.option(
    "--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Address to listen on; a token with it."
)
@click.option(
    "--model_dir", "--model-dir", "model_dir", metavar="FOLDER", help="Models that lie on the board; none unless given."
)
@token_option
@click.option("--chip", metavar="CHIP", help="Be this chip, and refuse models for another one.")
@click.option("--fault", "faults", multiple=True, metavar="NAME[=N]", help="Do this wrong on purpose; see below.")
@click.option(
    "--clients",
    default=256,
    show_default=True,
    type=click.IntRange(1, 10_000),
    metavar="COUNT",
    help="Connections at a time.",
)
@click.option(
    "--models", default=16, show_default=True, type=click.IntRange(1, 1000), metavar="COUNT", help="Models at a time."
)
@click.option(
    "--memory",
    default=4096,
    show_default=True,
    type=click.IntRange(256),
    metavar="MIB",
    help="Address space of each model.",
)
@click.option(
    "--run_seconds",
    "--run-seconds",
    "run_seconds",
    default=60.0,
    show_default=True,
    type=click.FloatRange(0.01),
    metavar="SECONDS",
    help="Longest run, and longest time to load a model.",
)
@header_option
def command(
    port: int,
    host: str,
    model_dir: str | None,
    token: str,
    chip: str | None,
    faults: tuple[str, ...],
    clients: int,
    models: int,
    memory: int,
    run_seconds: float,
    header: str,
) -> None:
    """Serve offline models over RPC in the place of a board, until Ctrl-C or SIGTERM.

    simulate --host --port runs a model here. Every model runs in a process of its own, with limits on memory and time.
    Nothing that a client sends is executed, and no file outside of --model-dir is read. What travels is not encrypted:
    reach a server in another network through a tunnel.

    Faults: delay=SECONDS and drop=BYTES, wrong-chip, stale, swap-channels, noise, unaligned.
    """
    from ipudebug.board.limits import Limits
    from ipudebug.cli.board_server import Service, serve

    limits = Limits(clients=clients, models=models, model_memory=memory << 20, load=run_seconds, run=run_seconds)
    serve(Service(host, port, limits, chip or "", token, model_dir, faults, int(header)))
