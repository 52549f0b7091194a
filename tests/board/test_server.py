"""The server against clients of every kind: limits, deadlines, and nothing left behind (``serving`` checks that)."""

from __future__ import annotations

import contextlib
import hashlib
import random
import socket
import struct
import threading
from typing import Any

import pytest

msgpack = pytest.importorskip("msgpack")

from bench.data.bad_frames import make_bad_frame, make_frame  # noqa: E402
from ipudebug.board.client import BoardClient  # noqa: E402
from ipudebug.board.failures import BoardBusy, BoardFailed, Denied, Dropped, NotOnBoard, TimedOut  # noqa: E402
from ipudebug.board.limits import Limits  # noqa: E402
from ipudebug.board.link import BoardAddress  # noqa: E402
from ipudebug.errors import BoardError  # noqa: E402
from tests.board.serving import MODEL, PATIENCE, FakeEngine, read_answer, serving  # noqa: E402

HELLO = make_frame("ipu_hello", [1, 1, ""])


def ask(connection: socket.socket, name: str, *arguments: Any) -> str:
    """Return the text of the failure that a call ends in."""
    connection.sendall(make_frame(name, arguments))
    _, body = read_answer(connection)
    code, text = msgpack.unpackb(body)
    assert code == 1
    return str(text)


def load(client: BoardClient, model: bytes = MODEL) -> Any:
    client.upload(model)
    return client.create()


def test_a_model_is_uploaded_run_and_destroyed() -> None:
    engine = FakeEngine()
    with serving(engine) as running, BoardClient(running.address) as client:
        client.upload(MODEL, piece=5)
        model = client.create(digest=hashlib.sha256(MODEL).hexdigest().upper())
        assert client.run(model, [b"\0\1\2\3"]) == [b"\xff\xfe\xfd\xfc"]
        other = load(client)
        assert client.run(other, [b"\xff\0\0\0"]) == [b"\0\xff\xff\xff"]
        assert client.run(model, [b"\4\1\2\3"]) == [b"\xfb\xfe\xfd\xfc"]
        client.destroy(model)
        assert engine.closed == ["invert"]
        with pytest.raises(NotOnBoard, match="no model 1"):
            client.run(model, [b"\0\1\2\3"])
        assert running.house.runs == 3
    assert engine.closed == ["invert", "invert"]


def test_calls_that_the_protocol_does_not_have() -> None:
    with serving() as running, running.connect() as connection:
        assert ask(connection, "ipu_invoke", 1).startswith("denied: ipu_invoke before ipu_hello")
        assert ask(connection, "ipu_hello", 2, 9, "").startswith("version: expected one of the versions 1 to 1, found")
        assert ask(connection, "ipu_dance").startswith("bad_request: unknown function: 0x")
        for arguments in ([], [1, 1], [1, 1, "", 0], [1, 1, b""], [True, 1, ""], [-1, 1, ""], [1.0, 1, ""], [None] * 3):
            assert ask(connection, "ipu_hello", *arguments).startswith(
                "bad_request: ipu_hello: expected [number, number"
            )
        connection.sendall(HELLO)
        assert msgpack.unpackb(read_answer(connection)[1]) == [0, [1, "ipudebug", "", 8 << 20, 4]]
        assert ask(connection, "ipu_invoke", 1) == "no_model: no model 1"
        assert ask(connection, "ipu_create_model", "", "").startswith("no_model: no path, and nothing was sent")
        assert ask(connection, "ipu_create_model", "a.img", "").startswith("no_model: a.img: this server has no model")
        assert ask(connection, "ipu_upload_model", 3, 9, b"abc").startswith("bad_request: expected the piece at 0")
        assert ask(connection, "ipu_upload_model", 0, 2, b"abc").startswith("too_large: ")
        assert ask(connection, "ipu_upload_model", 0, 1 << 50, b"abc").startswith("too_large: ")


def test_inputs_and_outputs_have_bounds() -> None:
    with serving() as running, running.connect() as connection:
        connection.sendall(HELLO + make_frame("ipu_upload_model", [0, 16, MODEL]))
        connection.sendall(make_frame("ipu_create_model", ["", ""]))
        assert [msgpack.unpackb(read_answer(connection)[1])[0] for _ in range(3)] == [0, 0, 0]
        assert ask(connection, "ipu_get_output", 1, 0, 0, 4) == "bad_request: ipu_get_output before ipu_invoke"
        assert ask(connection, "ipu_invoke", 1) == "bad_request: input 0: expected 4 bytes, 0 have come"
        assert ask(connection, "ipu_set_input", 1, 1, 0, b"abcd") == "bad_request: input 1: the model has 1"
        assert ask(connection, "ipu_set_input", 1, 0, 2, b"ab").startswith(
            "bad_request: input 0: expected the piece at 0"
        )
        assert ask(connection, "ipu_set_input", 1, 0, 0, b"abcde").startswith("too_large: input 0: expected 4 bytes")
        connection.sendall(
            make_frame("ipu_set_input", [1, 0, 0, b"ab"]) + make_frame("ipu_set_input", [1, 0, 2, b"cd"])
        )
        assert [msgpack.unpackb(read_answer(connection)[1]) for _ in range(2)] == [[0, 2], [0, 4]]
        connection.sendall(make_frame("ipu_invoke", [1]))
        assert msgpack.unpackb(read_answer(connection)[1])[0] == 0
        for arguments in ((1, 0, 0, 5), (1, 0, 5, 0), (1, 0, 1 << 40, 1), (1, 0, 0, (8 << 20) + 1)):
            assert ask(connection, "ipu_get_output", *arguments).startswith("too_large: output 0: expected at most")
        assert ask(connection, "ipu_get_output", 1, 1, 0, 1) == "bad_request: output 1: the model has 1"


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "bad_request: expected the magic number 39, found 71"),
        (struct.pack("<BBxxIQI", 39, 1, 4, 5, 6), "bad_request: expected request type 0"),
        (
            struct.pack("<BBxxIQI", 39, 0, 4097, 5, 6),
            "bad_request: expected a body of at most 4,096 bytes, found",
        ),
    ],
)
def test_a_header_that_cannot_be_followed_ends_the_connection(head: bytes, words: str) -> None:
    with serving() as running, running.connect() as connection:
        connection.sendall(head)
        number, body = read_answer(connection)
        assert number == 0
        assert msgpack.unpackb(body)[1].startswith(words)
        assert read_answer(connection) == (-1, b"")


def test_heartbeats_are_not_answered() -> None:
    with serving() as running, running.connect() as connection:
        connection.sendall(struct.pack("<BBxxIQI", 39, 0, 0, 5, 6) * 3 + HELLO)
        assert read_answer(connection)[0] == 1


@pytest.mark.parametrize(
    ("limits", "sent"),
    [
        (Limits(greeting=0.05), b""),
        (Limits(greeting=0.05), HELLO[:7]),
        (Limits(greeting=0.05), struct.pack("<BBxxIQI", 39, 0, 0, 5, 6)),
        (Limits(frame=0.05), HELLO + HELLO[:7]),
        (Limits(frame=0.05), HELLO + HELLO[:-1]),
        (Limits(idle=0.05), HELLO),
    ],
)
def test_whoever_takes_too_long_is_left(limits: Limits, sent: bytes) -> None:
    with serving(limits=limits) as running, running.connect() as connection:
        connection.sendall(sent)
        while read_answer(connection) != (-1, b""):  # the socket's own time limit ends a test that fails
            pass


def test_a_client_that_does_not_take_its_answers_is_left() -> None:
    size = 1_000_000
    with serving(limits=Limits(frame=0.2)) as running, running.connect() as connection:
        model = b"invert souffle %d" % size
        connection.sendall(HELLO + make_frame("ipu_upload_model", [0, len(model), model]))
        connection.sendall(make_frame("ipu_create_model", ["", ""]))
        connection.sendall(make_frame("ipu_set_input", [1, 0, 0, bytes(size)]) + make_frame("ipu_invoke", [1]))
        connection.sendall(make_frame("ipu_get_output", [1, 0, 0, size]) * 50)
        with BoardClient(running.address) as other:
            while running.house.models:  # until the server has cut the connection
                assert other.call("ipu_hello", 1, 1, "")[0] == 1


def test_memory_is_taken_for_what_has_come_only() -> None:
    with serving(limits=Limits(memory=1 << 20)) as running:
        slow = [running.connect() for _ in range(20)]
        for connection in slow:
            connection.sendall(HELLO + struct.pack("<BBxxIQI", 39, 0, 10_000_000, 2, 6) + b"x")
            read_answer(connection)
        with BoardClient(running.address) as client:
            assert client.run(load(client), [b"abcd"]) == [b"\x9e\x9d\x9c\x9b"]
            with pytest.raises((BoardBusy, Dropped)):
                client.call("ipu_upload_model", 0, 2 << 20, bytes(2 << 20))
        assert running.house.memory.peak <= 1 << 20
        for connection in slow:
            connection.close()


def test_the_storage_of_uploads_is_limited() -> None:
    with serving(limits=Limits(storage=100, model_size=80)) as running, BoardClient(running.address) as one:
        one.upload(bytes(80))
        with BoardClient(running.address) as two:
            with pytest.raises(BoardBusy, match="storage of this server is taken: 80 of 100"):
                two.upload(bytes(21))
            two.upload(bytes(20))
            with pytest.raises(BoardFailed, match="expected at most 80 bytes"):
                two.upload(bytes(81))
        one.upload(MODEL)


def test_models_are_limited_for_one_and_for_all() -> None:
    limits = Limits(models=3, models_each=2)
    with serving(limits=limits) as running, running.greet() as one, running.greet() as two:
        first = load(one)
        load(one)
        with pytest.raises(BoardBusy, match="2 models are loaded, 2 of them yours"):
            load(one)
        load(two)
        with pytest.raises(BoardBusy, match="3 models are loaded, 1 of them yours"):
            load(two)
        one.destroy(first)
        load(two)


def test_a_model_with_buffers_beyond_the_memory_is_refused() -> None:
    engine = FakeEngine()
    with serving(engine, Limits(memory=1 << 20)) as running, BoardClient(running.address) as client:
        with pytest.raises(BoardBusy, match="memory of this server"):
            load(client, b"invert souffle 1000000")
        assert engine.closed == ["invert"]
        assert load(client).number == 1


def test_room_is_made_for_a_new_client_where_least_is_lost() -> None:
    with contextlib.ExitStack() as stack:
        running = stack.enter_context(serving(limits=Limits(clients=3)))
        working, silent = stack.enter_context(running.greet()), stack.enter_context(running.connect())
        idle = stack.enter_context(running.greet())
        model = load(working)
        third = stack.enter_context(running.greet())  # takes the place of the one that did not greet
        assert read_answer(silent) == (-1, b"")
        assert idle.call("ipu_hello", 1, 1, "")[0] == 1
        load(third)
        load(idle)
        with pytest.raises(BoardBusy, match="as many clients as it can"):
            running.greet()
        assert working.run(model, [b"\0\0\0\0"]) == [b"\xff\xff\xff\xff"]


def test_two_hundred_idle_connections_cost_nobody_anything() -> None:
    with serving() as running:
        idle = [running.connect() for _ in range(200)]
        with BoardClient(running.address) as client:
            model = load(client)
            for _ in range(20):
                assert client.run(model, [b"\1\2\3\4"]) == [b"\xfe\xfd\xfc\xfb"]
        for connection in idle:
            connection.close()


@pytest.mark.parametrize(("given", "fits"), [("secret", True), ("", False), ("Secret", False), ("secret\0", False)])
def test_a_token_is_wanted(given: str, fits: bool) -> None:
    with serving(token="secret") as running:
        address = BoardAddress("127.0.0.1", running.port, PATIENCE, given)
        if fits:
            BoardClient(address).close()
        else:
            with pytest.raises(Denied, match="the token is not the one"):
                BoardClient(address)


def test_a_run_that_fails_destroys_the_model() -> None:
    with serving() as running, BoardClient(running.address) as client:
        model = load(client, b"fail souffle 4")
        with pytest.raises(BoardFailed, match="the fake fails") as caught:
            client.run(model, [b"abcd"])
        assert "run the model locally" in (caught.value.hint or "")
        with pytest.raises(NotOnBoard):
            client.run(model, [b"abcd"])


def test_a_client_that_leaves_in_a_run_leaves_nothing_when_the_server_stops() -> None:
    engine = FakeEngine()
    with serving(engine, Limits(grace=0.05)) as running:
        client = BoardClient(BoardAddress("127.0.0.1", running.port, 0.2))
        model = load(client, b"hang souffle 4")
        with pytest.raises(TimedOut, match=r"timeout or deferred: 127.0.0.1:\d+ did not answer in 0.2 s"):
            client.run(model, [b"abcd"])
        with BoardClient(running.address) as other:
            assert other.run(load(other), [b"abcd"]) == [b"\x9e\x9d\x9c\x9b"]
    assert sorted(engine.closed) == ["hang", "invert"]


def test_stopping_lets_a_run_end_that_is_under_way() -> None:
    engine = FakeEngine()
    found: list[list[bytes]] = []
    with serving(engine) as running:
        client = BoardClient(running.address)
        model = load(client, b"hang souffle 4")
        thread = threading.Thread(target=lambda: found.append([client.call("ipu_invoke", model.number)]))
        client.call("ipu_set_input", model.number, 0, 0, b"abcd")
        thread.start()
        assert engine.entered.wait(PATIENCE)
        running.loop.call_soon_threadsafe(running.stop.set)
        while takes_clients(running.address):
            pass
        session = next(iter(running.server._connections.values())).visit._models[1].session
        running.loop.call_soon_threadsafe(session.gate.set)  # type: ignore[attr-defined]
        thread.join(PATIENCE)
        assert len(found) == 1
        client.close()


def takes_clients(address: BoardAddress) -> bool:
    """Return whether a server takes new clients."""
    try:
        BoardClient(address).close()
    except BoardError:
        return False
    return True


def test_malformed_frames_leave_the_server_as_it_was() -> None:
    numbers = random.Random(8)
    with serving(limits=Limits(clients=64)) as running, BoardClient(running.address) as good:
        model = load(good)
        for _ in range(300):
            with running.connect() as connection:
                if numbers.random() < 0.5:
                    connection.sendall(HELLO)
                connection.sendall(make_bad_frame(numbers))
                if numbers.random() < 0.2:
                    connection.shutdown(socket.SHUT_WR)
                    while read_answer(connection)[0] >= 0:
                        pass
            if numbers.random() < 0.1:
                assert good.run(model, [b"\0\1\2\3"]) == [b"\xff\xfe\xfd\xfc"]
        assert good.run(model, [b"\0\1\2\3"]) == [b"\xff\xfe\xfd\xfc"]
        assert running.house.memory.peak < 1 << 20
