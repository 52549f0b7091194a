"""The simulator on a board: the PC's results, the comparison with the PC, and every way in which the two fall out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("msgpack")

from ipudebug.board.agreement import Cause
from ipudebug.board.engine import ProcessEngine
from ipudebug.board.failures import Dropped, WrongBoardChip, WrongModel
from ipudebug.board.faults import parse_faults
from ipudebug.board.protocol import PortFacts
from ipudebug.board.remote import RemoteSimulator
from ipudebug.board.sealed import SealedModel
from ipudebug.errors import ModelError
from ipudebug.sim.loading import load_sim
from ipudebug.sim.simulate import Simulator
from tests.board.models import expect_output, make_image, seal_net
from tests.board.serving import Running, serving


class LocalSession(SealedModel):
    """A sealed model in the server's own process."""

    async def run(self, buffers: list[bytearray]) -> list[bytes]:  # type: ignore[override]
        return super().run(buffers)

    async def close(self) -> None:
        """Nothing to end."""


class LocalEngine:
    """Opens sealed models, and may describe their outputs wrongly."""

    def __init__(self, **changes: object) -> None:
        self.changes = changes

    async def open(self, path: str) -> LocalSession:
        session = LocalSession(load_sim(path))
        (port,) = session.outputs
        facts = {name: getattr(port, name) for name in port.__slots__} | self.changes
        session.outputs = (PortFacts(**facts),)  # type: ignore[arg-type]
        return session


@pytest.fixture
def path(tmp_path: Path) -> str:
    return seal_net(tmp_path)


def open_remote(running: Running, path: str, **options: object) -> RemoteSimulator:
    return RemoteSimulator(load_sim(path), running.address, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("onboard", [None, "net_fixed.sim_sgsimg.img"])
def test_results_are_those_of_the_simulator(path: str, onboard: str | None) -> None:
    local = Simulator(load_sim(path))
    with serving(ProcessEngine(4 << 30, 60, 60), model_folder=str(Path(path).parent)) as running:
        remote = open_remote(running, path, onboard_path=onboard, compare=True)
        assert (remote.norm, remote.inputs, remote.outputs) == (local.norm, local.inputs, local.outputs)
        assert remote.alignment == local.alignment
        for seed in range(20):
            (found,), (wanted,) = (each.run({"x": make_image(seed)}) for each in (remote, local))
            assert found.info == wanted.info
            np.testing.assert_array_equal(found.array, wanted.array)
            np.testing.assert_array_equal(found.array, expect_output(make_image(seed)))
        assert (remote.agreement.images, remote.agreement.differing, remote.agreement.worst) == (20, 0, {})
        assert len(remote.seconds) == 20
        remote.close()


@pytest.mark.parametrize(
    ("fault", "cause"),
    [("swap-channels", Cause.CHANNELS), ("noise", Cause.ROUNDING), ("unaligned", Cause.STRIDE), ("stale", Cause.STALE)],
)
def test_a_fault_of_the_board_is_named(path: str, fault: str, cause: Cause) -> None:
    with serving(LocalEngine(), faults=parse_faults([fault])) as running:
        remote = open_remote(running, path, compare=True)
        for seed in (1, 2, 3):
            remote.run({"x": make_image(seed)})
        assert (remote.agreement.images, remote.agreement.differing) == (3, 3)
        difference, number = remote.agreement.worst["y"]
        assert difference.cause is cause or (fault == "stale" and (difference.cause, number) == (Cause.ZERO, 0))
        remote.close()


def test_a_connection_that_is_dropped_is_made_anew(path: str) -> None:
    """The answers to loading and one run have some 300 bytes, and every connection ends after 500."""
    notes: list[str] = []
    with serving(LocalEngine(), faults=parse_faults(["drop=500"])) as running:
        remote = open_remote(running, path, note=notes.append)
        for seed in range(6):
            (found,) = remote.run({"x": make_image(seed)})
            np.testing.assert_array_equal(found.array, expect_output(make_image(seed)))
        assert running.server.clients > 1
        remote.close()
    assert len(notes) == running.server.clients - 1
    assert all(note.endswith("; connecting again") for note in notes)


def test_a_connection_that_is_dropped_again_and_again_is_an_error(path: str) -> None:
    notes: list[str] = []
    with serving(LocalEngine(), faults=parse_faults(["drop=300"])) as running:
        remote = open_remote(running, path, note=notes.append)
        with pytest.raises(Dropped, match="in the middle of ipu_set_input") as caught:
            remote.run({"x": make_image(0)})
        assert "--continue_run" in (caught.value.hint or "")
        assert len(notes) == 2
        remote.close()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"size": 72}, "y: expected size 96, as in .*, the board has 72"),
        ({"dtype": "int8"}, "y: expected dtype uint8, as in .*, the board has int8"),
        ({"shape": (1, 6, 3, 2)}, r"y: expected shape \(1, 3, 2, 6\), as in .*, the board has \(1, 6, 3, 2\)"),
        ({"name": "z"}, "y: expected name y, as in .*, the board has z"),
    ],
)
def test_buffers_that_do_not_fit_are_no_results(path: str, changes: dict[str, object], words: str) -> None:
    with serving(LocalEngine(**changes)) as running, pytest.raises(WrongModel, match=words):
        open_remote(running, path)


def test_another_dequantisation_is_told(path: str) -> None:
    with serving(LocalEngine(scale=0.25, zero_point=4)) as running:
        remote = open_remote(running, path, compare=True)
        assert remote.agreement.facts == [("y", "scale", "0.10000000149011612", "0.25"), ("y", "zero_point", "3", "4")]
        remote.close()


def test_a_model_for_another_chip_is_refused_before_it_is_sent(path: str) -> None:
    with serving(LocalEngine(), chip="muffin") as running:
        with pytest.raises(ModelError, match=r"MI_IPU_CreateCHNWithUserMem failed: 54.*muffin, found .* souffle"):
            open_remote(running, path)
        assert running.house.storage.peak == 0
    with serving(LocalEngine(), faults=parse_faults(["wrong-chip"])) as running, pytest.raises(WrongBoardChip):
        open_remote(running, path)


def test_another_file_on_the_board_is_the_wrong_model(path: str) -> None:
    folder = Path(path).parent
    other = folder / "other.img"
    other.write_bytes(Path(path).read_bytes() + b"\0")
    with serving(LocalEngine(), model_folder=str(folder)) as running:
        with pytest.raises(WrongModel, match="expected a file with SHA-256") as caught:
            open_remote(running, path, onboard_path="other.img")
        assert "copy the model of -m to the board" in (caught.value.hint or "")


def test_a_model_that_is_not_sealed_is_refused_before_anything_is_connected(path: str, tmp_path: Path) -> None:
    with serving(LocalEngine()) as running:
        with pytest.raises(ModelError, match="Only support Sigmastar Offline model"):
            open_remote(running, str(tmp_path / "net_fixed.sim"))
        assert running.server.clients == 0
