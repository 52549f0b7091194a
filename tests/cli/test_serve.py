"""``ipudebug serve`` as a process: what it says, whom it serves, how it ends."""

from __future__ import annotations

import contextlib
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("msgpack")

from ipudebug.board.client import BoardClient
from ipudebug.board.failures import Denied, Dropped, WrongBoardChip
from ipudebug.board.link import BoardAddress
from ipudebug.cli.app import EXIT_TROUBLE
from ipudebug.cli.board_server import is_loopback
from tests.board.models import make_image, seal_net
from tests.board.test_engine import pack_rows, read_rows
from tests.command import run_command

PATIENCE = 30.0


@contextlib.contextmanager
def serve(*options: str) -> Iterator[tuple[subprocess.Popen[str], int, str]]:
    """Give a server's process, its port and the line in which it tells it; nothing is left of it afterwards."""
    argv = [sys.executable, "-m", "ipudebug", "serve", "-p", "0", *options]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        line = process.stdout.readline().rstrip("\n")
        yield process, int(line.partition(";")[0].split()[3].rpartition(":")[2]), line
    finally:
        process.kill()
        process.communicate()


def load(port: int, path: str, timeout: float = PATIENCE) -> tuple[BoardClient, object]:
    client = BoardClient(BoardAddress("127.0.0.1", port, timeout))
    client.upload(Path(path).read_bytes())
    return client, client.create()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_a_signal(number: signal.Signals, tmp_path: Path) -> None:
    path = seal_net(tmp_path)
    with serve("--chip", "souffle", "--model-dir", str(tmp_path)) as (process, port, line):
        assert line == f"IPU server on 127.0.0.1:{port} as souffle; Ctrl-C stops it"
        client, model = load(port, path)
        (found,) = client.run(model, [pack_rows(make_image(5))])  # type: ignore[arg-type]
        assert read_rows(found)[..., :3].tolist() == make_image(5).tolist()
        assert client.create(Path(path).name).outputs == model.outputs  # type: ignore[attr-defined]
        process.send_signal(number)
        rest, errors = process.communicate(timeout=PATIENCE)
        assert (process.returncode, rest, errors) == (0, "stopped: 1 client, 1 run\n", "")
        client.close()


@pytest.mark.parametrize("stage", ["upload", "invoke"])
def test_kill_9_of_the_server_is_told_at_once(stage: str, tmp_path: Path) -> None:
    path = seal_net(tmp_path)
    with serve("--fault", "delay=1000") as (process, port, _):
        client, model = load(port, path)
        failed: list[Dropped] = []
        begun = threading.Event()

        def call() -> None:
            try:
                begun.set()
                if stage == "invoke":
                    client.run(model, [bytes(192)])  # type: ignore[arg-type]
                while True:
                    client.upload(bytes(1 << 20), piece=1 << 12)
            except Dropped as error:
                failed.append(error)

        thread = threading.Thread(target=call)
        thread.start()
        assert begun.wait(PATIENCE)
        process.kill()
        thread.join(PATIENCE / 3)
        assert re.search(rf"^127.0.0.1:{port}: the connection was dropped: .*, in the middle of ipu_", str(failed[0]))
        client.close()


def test_faults_are_announced_and_made(tmp_path: Path) -> None:
    path = seal_net(tmp_path)
    with serve("--fault", "wrong-chip", "--fault", "delay=0") as (process, port, _):
        assert process.stdout is not None
        assert process.stdout.readline() == "faults on purpose: wrong-chip, delay=0\n"
        client = BoardClient(BoardAddress("127.0.0.1", port, PATIENCE))
        client.upload(Path(path).read_bytes())
        with client, pytest.raises(WrongBoardChip, match=r"^MI_IPU_CreateCHNWithUserMem failed: 54"):
            client.create()


def test_a_token_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPUDEBUG_TOKEN", "secret")
    with serve() as (_, port, _):
        BoardClient(BoardAddress("127.0.0.1", port, PATIENCE, "secret")).close()
        with pytest.raises(Denied):
            BoardClient(BoardAddress("127.0.0.1", port, PATIENCE, "other"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--host", "0.0.0.0"], "--host 0.0.0.0 can be reached from other machines: expected a token"),
        (["--host", ""], "--host  can be reached from other machines: expected a token"),
        (["--host", "no.such.host.invalid"], "--host no.such.host.invalid can be reached from other machines"),
        (["--chip", "toaster"], "Not support soc_version: toaster"),
        (["--fault", "dance"], "--fault dance: no such fault"),
        (["--fault", "delay=x"], "--fault delay=x: expected a number behind '='"),
        (["--model-dir", "nothing/here"], "--model-dir nothing/here: no such folder"),
    ],
)
def test_bad_options(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    def resolve(host: str | None, *_: object, **__: object) -> list:
        if host and "invalid" in host:
            raise socket.gaierror(-2, "Name or service not known")
        return [(socket.AF_INET, 0, 0, "", (host or "0.0.0.0", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    done = run_command(capfd, "serve", "-p", "0", *arguments)
    assert (done.code, done.stdout) == (EXIT_TROUBLE, "")
    assert done.stderr.startswith(f"error: {message}")
    assert "hint: " in done.stderr


def test_a_port_that_is_taken(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run_command(capfd, "serve", "-p", str(port))
    assert (done.code, done.stdout) == (EXIT_TROUBLE, "")
    assert done.stderr == (
        f"error: cannot listen on 127.0.0.1:{port}: Address already in use\n"
        "hint: choose another --port, or end what uses this one\n"
    )


def test_loopback_is_told_by_the_address() -> None:
    assert is_loopback("127.0.0.1")
    assert is_loopback("127.1.2.3")
    assert is_loopback("::1")
    assert not is_loopback("0.0.0.0")
    assert not is_loopback("::")
    assert not is_loopback("192.0.2.1")
