"""Models in processes of their own, and what ends them."""

from __future__ import annotations

import asyncio
import io
import json
import struct
from pathlib import Path

import numpy as np
import pytest

from ipudebug.board.engine import LENGTH, ProcessEngine
from ipudebug.board.protocol import PortFacts, Refusal
from ipudebug.board.sealed import SealedModel
from ipudebug.board.worker import work
from ipudebug.errors import ModelError
from ipudebug.sim.loading import load_sim
from tests.board.models import expect_output, make_image, seal_net

GIB = 1 << 30


def pack_rows(image: np.ndarray) -> bytes:
    """Return the RGBA image in the board's memory, by hand: rows of 2 pixels in 64 bytes."""
    rows = [b"".join(bytes(pixel) + b"\0" for pixel in row.tolist()).ljust(64, b"\0") for row in image[0]]
    return b"".join(rows)


def read_rows(data: bytes) -> np.ndarray:
    """Return the output in its buffer, by hand: 6 bytes of every 16."""
    assert len(data) == 96
    rows = [data[start : start + 6] for start in range(0, 96, 16)]
    assert all(not any(data[start + 6 : start + 16]) for start in range(0, 96, 16))
    return np.frombuffer(b"".join(rows), np.uint8).reshape(1, 3, 2, 6)


def test_a_sealed_model_takes_and_gives_the_bytes_of_the_board(tmp_path: Path) -> None:
    model = SealedModel(load_sim(seal_net(tmp_path)))
    assert model.chip == "souffle"
    scale = float(np.float32(0.1))
    assert model.inputs == (PortFacts("x", "uint8", (1, 3, 2, 4), 192, scale, 3),)
    assert model.outputs == (PortFacts("y", "uint8", (1, 3, 2, 6), 96, scale, 3),)
    for seed in range(3):
        image = make_image(seed)
        (found,) = model.run([pack_rows(image)])
        real = (read_rows(found).astype(np.float32) - 3) * np.float32(0.1)
        np.testing.assert_array_equal(real, expect_output(image))
    for size in (0, 191, 193):
        with pytest.raises(ValueError, match=f"input x: expected 192 bytes, found {size}"):
            model.run([bytes(size)])


def test_only_offline_models_are_taken(tmp_path: Path) -> None:
    seal_net(tmp_path)
    with pytest.raises(ModelError, match=r"Only support Sigmastar Offline model\. .*: expected .* a fixed one"):
        SealedModel(load_sim(str(tmp_path / "net_fixed.sim")))


def test_a_process_runs_a_model_and_ends_with_its_session(tmp_path: Path) -> None:
    path = seal_net(tmp_path)

    async def run() -> None:
        session = await ProcessEngine(4 * GIB, 60, 60).open(path)
        process = session._process
        try:
            local = SealedModel(load_sim(path))
            assert (session.chip, session.inputs, session.outputs) == (local.chip, local.inputs, local.outputs)
            for seed in range(5):
                data = pack_rows(make_image(seed))
                assert await session.run([bytearray(data)]) == local.run([data])
            process.kill()
            with pytest.raises(Refusal, match="failed: the model's process ended with signal 9 while it was to run"):
                await session.run([bytearray(192)])
        finally:
            await session.close()
        assert process.returncode == -9

    asyncio.run(run())


def refuse(path: str, engine: ProcessEngine) -> Refusal:
    """Return why an engine refuses a file."""
    with pytest.raises(Refusal) as caught:
        asyncio.run(engine.open(path))
    return caught.value


def test_what_is_no_sealed_model_is_refused(tmp_path: Path) -> None:
    bad = tmp_path / "bad.img"
    bad.write_bytes(b"nothing")
    refusal = refuse(str(bad), ProcessEngine(4 * GIB, 60, 60))
    assert refusal.code == "bad_model"
    assert refusal.text.startswith("Not recognized model. the model: expected a float or")
    assert str(tmp_path) not in refusal.text


def test_a_model_that_takes_too_long_or_too_much_is_refused(tmp_path: Path) -> None:
    path = seal_net(tmp_path)
    assert str(refuse(path, ProcessEngine(4 * GIB, 0.001, 60))) == "timeout: the model did not load in 0.001 s"
    assert refuse(path, ProcessEngine(32 << 20, 60, 60)).code == "bad_model"


def test_a_worker_tells_its_model_and_ends_with_its_requests(tmp_path: Path) -> None:
    answers = io.BytesIO()
    work(seal_net(tmp_path), io.BytesIO(pack_rows(make_image(0)) + b"a part of another"), answers)
    kind, length = LENGTH.unpack_from(answers.getvalue())
    facts = json.loads(answers.getvalue()[LENGTH.size : LENGTH.size + length])
    assert (kind, facts["chip"]) == (b"\0", "souffle")
    rest = answers.getvalue()[LENGTH.size + length :]
    assert rest[: LENGTH.size] == struct.pack("<cQ", b"\0", 96)
    assert read_rows(rest[LENGTH.size :]).shape == (1, 3, 2, 6)
