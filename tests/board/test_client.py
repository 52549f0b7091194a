"""The client against servers that do everything wrong: the right error, in time."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator

import pytest

msgpack = pytest.importorskip("msgpack")

from ipudebug.board.client import BoardClient  # noqa: E402
from ipudebug.board.failures import (  # noqa: E402
    BadAnswer,
    BoardBusy,
    BoardFailed,
    CannotConnect,
    Denied,
    Dropped,
    NotOnBoard,
    TimedOut,
    WrongBoardChip,
    WrongModel,
    read_failure,
)
from ipudebug.board.faults import Faults  # noqa: E402
from ipudebug.board.link import BoardAddress  # noqa: E402
from ipudebug.board.protocol import CODES  # noqa: E402
from ipudebug.errors import BoardError  # noqa: E402
from tests.board.serving import MODEL, PATIENCE, read_answer, read_exactly, serving  # noqa: E402

WELCOME = [0, [1, "odd", "", 8 << 20, 4]]


def make_answer(value: object, number: int = 1, function: int = 0) -> bytes:
    """Return an answer as bytes."""
    body = msgpack.packb(value, use_bin_type=True)
    return struct.pack("<BBxxIQI", 39, 0, len(body), number, function) + body


@contextlib.contextmanager
def odd_server(behave: Callable[[socket.socket], object], timeout: float = PATIENCE) -> Iterator[BoardAddress]:
    """Give the address of a server that does as told with its first connection, then closes it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection, contextlib.suppress(OSError):
                connection.settimeout(PATIENCE)
                behave(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield BoardAddress("127.0.0.1", listening.getsockname()[1], timeout)
        finally:
            thread.join(PATIENCE)
            assert not thread.is_alive()


def read_call(connection: socket.socket) -> list:
    """Return the arguments of the next call."""
    head = read_exactly(connection, 20)
    values: list = msgpack.unpackb(read_exactly(connection, int.from_bytes(head[4:8], "little")))
    return values


def answer(*values: object) -> Callable[[socket.socket], None]:
    """Return a behaviour: answer one call after the other, whatever it is."""

    def behave(connection: socket.socket) -> None:
        for number, value in enumerate(values, start=1):
            read_call(connection)
            connection.sendall(make_answer(value, number))

    return behave


def send(data: bytes) -> Callable[[socket.socket], None]:
    """Return a behaviour: send bytes after the first call."""

    def behave(connection: socket.socket) -> None:
        read_call(connection)
        connection.sendall(data)

    return behave


@pytest.mark.parametrize(
    ("behave", "error", "words"),
    [
        (lambda connection: None, Dropped, "the connection was dropped: .*, in the middle of ipu_hello"),
        (send(b""), Dropped, "dropped: closed by the other side, in the middle of ipu_hello"),
        (send(make_answer(WELCOME)[:19]), Dropped, "dropped: closed by the other side"),
        (send(make_answer(WELCOME)[:-1]), Dropped, "dropped: closed by the other side"),
        (send(b"HTTP/1.1 400 Bad Request\r\n\r\n"), BadAnswer, "expected the magic number 39, found 72"),
        (send(make_answer(WELCOME, 2)), BadAnswer, "an answer to call 2, expected one to 1"),
        (send(struct.pack("<BBxxIQI", 39, 0, 2**32 - 1, 1, 0)), BadAnswer, "expected a body of at most"),
        (send(struct.pack("<BBxxIQI", 39, 0, 3, 1, 0) + b"\xc1\xc1\xc1"), BadAnswer, "expected an array in msgpack"),
        (answer([]), BadAnswer, r"expected \[0, value\] or \[1, text\], found \[\]"),
        (answer([2, "x"]), BadAnswer, r"found \[2, 'x'\]"),
        (answer([1, 5]), BadAnswer, r"found \[1, 5\]"),
        (answer([0]), BadAnswer, "an answer to ipu_hello that does not fit: None"),
        (answer([0, [1, "odd", ""]]), BadAnswer, "an answer to ipu_hello that does not fit"),
        (answer([0, [9, "odd", "", 1, 1]]), BadAnswer, "does not fit: version 9"),
        (answer([1, "denied: no"]), Denied, r"127.0.0.1:\d+: no"),
        (answer([1, "version: no"]), BadAnswer, r"127.0.0.1:\d+: no"),
        (send(make_answer([1, "busy: later"], 0)), BoardBusy, r"127.0.0.1:\d+: later"),
        (answer([1, "something: else"]), BoardError, r"127.0.0.1:\d+: something: else"),
    ],
)
def test_a_greeting_that_goes_wrong(
    behave: Callable[[socket.socket], object], error: type[BoardError], words: str
) -> None:
    with odd_server(behave) as address, pytest.raises(error, match=words) as caught:
        BoardClient(address)
    assert caught.value.hint


PORT = ["x", "uint8", [1, 4], 4, 0.5, 3]


@pytest.mark.parametrize(
    "value",
    [
        None, 5, [], [1, "d", [], [], []], [1, "d", [PORT], 5], [1, "d", PORT, [PORT]], ["1", "d", [PORT], [PORT]],
        [1, b"d", [PORT], [PORT]], [1, "d", [[*PORT, 1]], []], [1, "d", [PORT[:5]], []],
        [1, "d", [["x", "uint8", [1, -4], 4, 0.5, 3]], []], [1, "d", [["x", "uint8", [1, 4], 4, 1, 3]], []],
        [1, "d", [["x", "uint8", [1, 4], 4, float("nan"), 3]], []], [1, "d", [["x", "uint8", "14", 4, 0.5, 3]], []],
    ],
)  # fmt: skip
def test_a_model_that_is_described_wrongly(value: object) -> None:
    words, behave = "an answer to ipu_create_model that does not fit", answer(WELCOME, [0, value])
    with odd_server(behave) as address, BoardClient(address) as client, pytest.raises(BadAnswer, match=words):
        client.create()


@pytest.mark.parametrize("piece", [b"abc", b"abcde", "abcd", None, 4])
def test_an_output_of_another_size(piece: object) -> None:
    behave = answer(WELCOME, [0, [1, "d", [PORT], [PORT]]], [0, 4], [0, 10], [0, piece])
    words = "ipu_get_output that does not fit: .* of output 0, expected 4 bytes"
    with odd_server(behave) as address, BoardClient(address) as client, pytest.raises(BadAnswer, match=words):
        client.run(client.create(), [b"abcd"])


def test_an_upload_that_is_counted_wrongly() -> None:
    words = "ipu_upload_model that does not fit: 3, expected 4"
    behave = answer(WELCOME, [0, 3])
    with odd_server(behave) as address, BoardClient(address) as client, pytest.raises(BadAnswer, match=words):
        client.upload(b"abcd")


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(CannotConnect, match=rf"connect 127.0.0.1:{port} failed! Connection refused") as caught:
        BoardClient(BoardAddress("127.0.0.1", port))
    assert "ipudebug serve -p PORT" in (caught.value.hint or "")
    assert isinstance(caught.value, ConnectionError)


@pytest.mark.parametrize("host", ["", "no.such.host.invalid", "a" * 300, "a..b", "\0"])
def test_no_such_host(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(name: str, *_: object, **__: object) -> list:
        name.encode("idna")
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(CannotConnect, match="failed! "):
        BoardClient(BoardAddress(host, 5))


@pytest.mark.parametrize("told", [b"", make_answer(WELCOME)[:5], make_answer(WELCOME)[:-1]])
def test_a_server_that_says_no_more_is_waited_for_no_longer_than_asked(told: bytes) -> None:
    ended = threading.Event()

    def behave(connection: socket.socket) -> None:
        connection.sendall(told)
        ended.wait(PATIENCE)

    start = time.monotonic()
    with odd_server(behave, timeout=0.1) as address:
        with pytest.raises(
            TimedOut, match=r"timeout or deferred: .* did not answer in 0.1 s, in the middle of ipu_hello"
        ):
            BoardClient(address)
        ended.set()
    assert time.monotonic() - start < PATIENCE / 4


def test_a_server_that_dribbles_is_waited_for_no_longer_either() -> None:
    ended = threading.Event()

    def behave(connection: socket.socket) -> None:
        for byte in make_answer(WELCOME):
            connection.sendall(bytes([byte]))
            if ended.wait(0.02):
                return

    with odd_server(behave, timeout=0.15) as address:
        with pytest.raises(TimedOut):
            BoardClient(address)
        ended.set()


@pytest.mark.parametrize("drop", [0, 10, 47, 60, 100, 200, 240])
def test_a_connection_that_is_cut_anywhere(drop: int) -> None:
    """All answers of this conversation together have 253 bytes."""
    with serving(faults=Faults(drop=drop)) as running, pytest.raises(Dropped, match="the connection was dropped"):
        run_once(running.address)
    with serving(faults=Faults(drop=1000)) as running:
        assert run_once(running.address) == [b"\x9e\x9d\x9c\x9b"]


def run_once(address: BoardAddress) -> list[bytes]:
    """Return what a model makes of ``abcd``."""
    with BoardClient(address) as client:
        client.upload(MODEL)
        return client.run(client.create(), [b"abcd"])


def test_a_fault_of_the_chip() -> None:
    with serving(chip="muffin") as running, BoardClient(running.address) as client:
        assert client.chip == "muffin"
        client.upload(MODEL)
        words = "^MI_IPU_CreateCHNWithUserMem failed: 54. expected a model for muffin, found one for souffle"
        with pytest.raises(WrongBoardChip, match=words) as caught:
            client.create()
        assert "--soc_version" in (caught.value.hint or "")
    faults = Faults(switches=frozenset({"wrong-chip"}))
    with serving(faults=faults) as running, pytest.raises(WrongBoardChip, match="failed: 54"):
        run_once(running.address)


def test_another_model_than_the_one_that_was_meant() -> None:
    with serving() as running, BoardClient(running.address) as client:
        client.upload(MODEL)
        with pytest.raises(WrongModel, match="expected a file with SHA-256 00, found 614838c14b6ed3b3"):
            client.create(digest="00")
        with pytest.raises(NotOnBoard):
            client.create("a.img")
        client.upload(b"nothing")
        with pytest.raises(BoardFailed, match="no fake"):
            client.create()


def test_every_code_has_an_error_and_a_hint() -> None:
    for code in CODES:
        error = read_failure("there", f"{code}: words")
        assert type(error) is not BoardError
        assert "words" in error.message
        assert error.hint
    assert str(read_failure("there", "words")) == "there: words"


def test_an_address_of_version_6_is_shown_in_brackets() -> None:
    assert str(BoardAddress("::1", 8000)) == "[::1]:8000"


def test_a_reader_of_headers_with_padding(capsys: pytest.CaptureFixture[str]) -> None:
    with serving(form=24) as running:
        assert run_once(BoardAddress("127.0.0.1", running.port, PATIENCE, form=24)) == [b"\x9e\x9d\x9c\x9b"]
        with running.connect() as connection:
            connection.sendall(b"\0" * 24)
            assert read_answer(connection, 24)[0] == 0
