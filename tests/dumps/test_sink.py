"""Writing in a thread: order, what may wait, and errors on either side."""

from __future__ import annotations

import io
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ipudebug.dumps import sink as module
from ipudebug.dumps.header import FLOAT
from ipudebug.dumps.sink import Sink, payload_pieces
from ipudebug.errors import InputError
from ipudebug.files import OpenFile
from ipudebug.tensor import FileTensor, Tensor, TensorInfo

U8 = np.dtype("u1")


def tensor(array: np.ndarray) -> Tensor:
    return Tensor(TensorInfo("x", array.shape, array.dtype), array)


class SlowFile(io.BytesIO):
    """A file that writes only when it may, and fails when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.may_write = threading.Semaphore(0)
        self.fails = False

    def write(self, data: object) -> int:
        if data == b"":
            return 0
        assert self.may_write.acquire(timeout=10)
        if self.fails:
            raise OSError(28, "No space left on device")
        return super().write(data)  # type: ignore[arg-type]

    def writelines(self, lines: object) -> None:
        for line in lines:  # type: ignore[attr-defined]
            self.write(line)


def test_what_is_put_is_written_in_order() -> None:
    file = io.BytesIO()
    with Sink(file) as sink:
        for number in range(50):
            sink.put(b"<%d>" % number, tensor(np.full(number, number, np.uint8)), FLOAT)
    wanted = b"".join(b"<%d>" % number + np.full(number, number, "<f4").tobytes() for number in range(50))
    assert file.getvalue() == wanted


def test_no_more_waits_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAITING", 100)
    file = SlowFile()
    released = threading.Event()
    with Sink(file) as sink:  # type: ignore[arg-type]
        sink.put(b"", tensor(np.zeros(60, np.uint8)), U8)
        sink.put(b"", tensor(np.zeros(40, np.uint8)), U8)

        def put_more() -> None:
            sink.put(b"", tensor(np.ones(1000, np.uint8)), U8)  # more than the room: it waits alone
            released.set()

        thread = threading.Thread(target=put_more)
        thread.start()
        file.may_write.release()
        assert not released.wait(0.05)
        file.may_write.release()
        assert released.wait(10)
        thread.join()
        file.may_write.release()
    assert file.getvalue() == bytes(100) + b"\1" * 1000


def test_a_tensor_goes_when_it_is_written() -> None:
    file = io.BytesIO()
    with Sink(file) as sink:
        array = np.zeros(10, np.uint8)
        alive = weakref.ref(array)
        sink.put(b"", tensor(array), U8)
        del array
    assert alive() is None


def put(file: SlowFile, count: int, size: int) -> None:
    """Put tensors, then let the file do one piece of work."""
    with Sink(file) as sink:  # type: ignore[arg-type]
        for _ in range(count):
            sink.put(b"", tensor(np.zeros(size, np.uint8)), U8)
        file.may_write.release()


def test_an_error_of_the_file_reaches_the_one_who_puts() -> None:
    early, late = SlowFile(), SlowFile()
    early.fails = late.fails = True
    early.may_write.release()
    with pytest.raises(OSError, match="No space left"):
        put(early, 1_000_000, 1 << 20)
    with pytest.raises(OSError, match="No space left"):
        put(late, 1, 1)


def test_an_error_of_the_one_who_puts_drops_what_waits() -> None:
    def draw() -> Iterator[Tensor]:
        yield from [tensor(np.ones(1, np.uint8))] * 5
        file.may_write.release()
        raise KeyboardInterrupt

    def put_all() -> None:
        with Sink(file) as sink:  # type: ignore[arg-type]
            for each in draw():
                sink.put(b"", each, U8)

    file = SlowFile()
    with pytest.raises(KeyboardInterrupt):
        put_all()
    assert file.getvalue() in (b"", b"\1")


def test_pieces_of_any_kind_of_tensor(tmp_path: Path) -> None:
    array = np.arange(300_000, dtype="<i4").reshape(3, -1)
    path = tmp_path / "data.bin"
    path.write_bytes(b"abc" + array.tobytes())
    stored = FileTensor(TensorInfo("x", array.shape, array.dtype), OpenFile(path, "test", InputError), 3)
    for each in (tensor(array), stored):
        assert b"".join(map(bytes, payload_pieces(each, array.dtype))) == array.tobytes()
        assert b"".join(map(bytes, payload_pieces(each, FLOAT))) == array.astype("<f4").tobytes()
    assert b"".join(map(bytes, payload_pieces(tensor(array.T), array.dtype))) == array.T.tobytes()
    (piece,) = payload_pieces(tensor(array), array.dtype)
    assert np.shares_memory(np.asarray(piece), array)
    assert list(payload_pieces(tensor(np.zeros((0, 3))), FLOAT)) == []
