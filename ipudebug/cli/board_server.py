"""What serve does once its options are known: a server until a signal ends it."""

from __future__ import annotations

import ipaddress
import os
import signal
import socket
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ipudebug.board.limits import Limits
    from ipudebug.board.server import BoardServer


@dataclass(frozen=True, slots=True)
class Service:
    """The options of serve, as they are given."""

    host: str
    port: int
    limits: Limits
    chip: str = ""
    token: str = ""
    model_dir: str | None = None
    faults: tuple[str, ...] = ()
    header: int = 20


def serve(service: Service) -> None:
    """Serve until SIGINT or SIGTERM; everything that can be checked is checked before anything listens."""
    import asyncio

    from ipudebug.board.engine import ProcessEngine
    from ipudebug.board.faults import parse_faults
    from ipudebug.board.server import BoardServer
    from ipudebug.board.visit import House
    from ipudebug.board.wire import load_msgpack
    from ipudebug.errors import BoardError
    from ipudebug.sim.soc_version import check_soc_version

    load_msgpack()
    faults = parse_faults(service.faults)
    chip = check_soc_version(service.chip) if service.chip else ""
    if service.model_dir is not None and not os.path.isdir(service.model_dir):
        raise BoardError(f"--model-dir {service.model_dir}: no such folder", "give the folder that has the models")
    if not service.token and not is_loopback(service.host):
        message = f"--host {service.host} can be reached from other machines: expected a token"
        raise BoardError(message, "give one with --token, or in IPUDEBUG_TOKEN, to the server and to simulate")
    limits = service.limits
    engine = ProcessEngine(limits.model_memory, limits.load, limits.run)
    folder = os.path.abspath(service.model_dir) if service.model_dir is not None else None
    house = House(engine, limits, chip, service.token, folder, faults)
    server = BoardServer(house, service.header)
    asyncio.run(_run(server, service))
    click.echo(f"stopped: {_count(server.clients, 'client')}, {_count(house.runs, 'run')}")


async def _run(server: BoardServer, service: Service) -> None:
    """Serve until a signal; raises BoardError where the address cannot be had."""
    import asyncio

    from ipudebug.board.server import serve_until
    from ipudebug.errors import BoardError

    stop = asyncio.Event()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        await serve_until(server, service.host, service.port, lambda port: _announce(service, port), stop)
    except OSError as reason:
        words = os.strerror(reason.errno) if reason.errno and reason.errno > 0 else reason.strerror or str(reason)
        message = f"cannot listen on {service.host}:{service.port}: {words}"
        raise BoardError(message, "choose another --port, or end what uses this one") from None


def _announce(service: Service, port: int) -> None:
    """Say where the server is, and what it does wrong."""
    chip = f" as {service.chip}" if service.chip else ""
    click.echo(f"IPU server on {service.host}:{port}{chip}; Ctrl-C stops it")
    if service.faults:
        click.echo(f"faults on purpose: {', '.join(service.faults)}")


def is_loopback(host: str) -> bool:
    """Return whether an address can be reached from this machine alone; a name that is not known is no such address."""
    try:
        found = {info[4][0] for info in socket.getaddrinfo(host or None, None, flags=socket.AI_PASSIVE)}
    except OSError:
        return False
    return all(ipaddress.ip_address(str(address).partition("%")[0]).is_loopback for address in found)


def _count(number: int, noun: str) -> str:
    """Return a number with its noun: ``1 run``, ``2 runs``."""
    return f"{number} {noun}" + ("" if number == 1 else "s")
