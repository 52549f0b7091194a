"""``ipudebug convert``, as a user types it."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from ipudebug.sim.container import open_sim
from ipudebug.sim.model import Stage
from tests.command import run_command
from tests.sim.constraints.models import one
from tests.sim.convert_models import write_model
from tests.sim.random_nets import RandomNet

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a model and its ini."""
    write_model(one("Relu", ("N", 3, 8, 8)), tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def convert(capfd: Capture, *more: str, model: str = "net.onnx", chip: str = "souffle") -> tuple[int, str, str]:
    """Return exit code, stdout and stderr."""
    arguments = ["--model_file", model, "--input_config", "net.ini", "--soc_version", chip, *more]
    first = [more[0]] if more and more[0] in ("onnx", "caffe", "tflite") else []
    done = run_command(capfd, "convert", *first, *arguments[:6], *more[len(first) :])
    return done.code, done.stdout, done.stderr


def test_a_float_model_appears_beside_the_original(work: Path, capfd: Capture) -> None:
    count = "0 constants computed, 0 batch norms folded, 0 without effect removed, 0 unused dropped"
    printed = f"net.onnx: nodes 1 -> 1: {count}\nFloat model at: net_float.sim\n"
    note = "note: input x is Nx3x8x8: its batch is taken to be 1; --input_shapes sets another\n"
    assert convert(capfd) == (0, printed, note)
    assert convert(capfd, "onnx", "--input_shapes", "1,3,8,8") == (
        0,
        printed,
        "note: net_float.sim existed and was replaced\n",
    )
    assert open_sim("net_float.sim", Stage.FLOAT).stage is Stage.FLOAT
    assert sorted(path.name for path in work.iterdir()) == ["net.ini", "net.onnx", "net_float.sim"]


def test_output_arrays_and_skip_simplify(work: Path, capfd: Capture) -> None:
    write_model(RandomNet(7).build(blocks=8), work)
    code, out, _ = convert(capfd, "--output_file", "here.sim", "--skip_simplify")
    assert (code, out.splitlines()[-1]) == (0, "Float model at: here.sim")
    nodes = onnx.load("net.onnx").graph.node
    assert len(onnx.load("here.sim").graph.node) == len(nodes)
    Path("net.ini").write_text("[INPUT_CONFIG]\ninputs = image;\n")
    code, _, _ = convert(capfd, "--output_file", "part.sim", "--output_arrays", nodes[0].output[0])
    assert code == 0
    assert [info.name for info in onnx.load("part.sim").graph.output] == [nodes[0].output[0]]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--output_file", "./net.onnx"], "error: --output_file ./net.onnx would overwrite an input\n"),
        (["--output_file", "net.ini"], "error: --output_file net.ini would overwrite an input\n"),
        (["--output_file", "no/such/x.sim"], "error: cannot write no/such/x.sim: No such file or directory\n"),
        (["caffe"], "error: net.onnx: it is said to be a caffe model, but is an ONNX model\n"),
        (["caffe", "--weight_file", "w"], "error: --weight_file belongs to Caffe models: only ONNX models can be"),
        (["--input_arrays", "q"], 'error: The model doesn\'t have input named "q". --input_arrays: expected'),
        (["--input_shapes", "3"], "error: --input_shapes: input x is Nx3x8x8 in the model, found 3\n"),
    ],
)
def test_bad_calls_leave_nothing_behind(more: list[str], message: str, work: Path, capfd: Capture) -> None:
    before = Path("net.onnx").read_bytes(), Path("net.ini").read_bytes()
    code, out, err = convert(capfd, *more)
    assert (code, out) == (2, "")
    assert message in err
    assert "\nhint: " in err
    assert sorted(path.name for path in work.iterdir()) == ["net.ini", "net.onnx"]
    assert (Path("net.onnx").read_bytes(), Path("net.ini").read_bytes()) == before


def test_the_message_for_an_unknown_chip(work: Path, capfd: Capture) -> None:
    code, out, err = convert(capfd, chip="sofle")
    assert (code, out) == (2, "")
    assert err.startswith("error: Not support soc_version: sofle\nhint: did you mean souffle? known: muffin, ")


def test_a_refused_model_gets_the_vendors_message_and_a_hint(work: Path, capfd: Capture) -> None:
    write_model(one("ReduceMax", noop_with_empty_axes=1), work)
    code, _, err = convert(capfd)
    assert code == 2
    assert err.startswith(
        "error: Exception: do not support noop_with_empty_axes not 0:n net.onnx, node n (ReduceMax): "
        "noop_with_empty_axes=1\nhint: "
    )
