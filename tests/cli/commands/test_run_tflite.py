import sys
from pathlib import Path

import numpy as np
import pytest

from ipudebug.results import read_result
from tests.command import run_command

PREPROCESS = "import numpy\ndef image_preprocess(path, norm=True):\n    return numpy.load(path)\n"
X = np.array([[-4, -1, 0, 1, 5, 127]], np.int8)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a working directory with pre.py and x.npy."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pre.py").write_text(PREPROCESS)
    np.save(tmp_path / "x.npy", X)
    return tmp_path


@pytest.fixture
def model(folder: Path) -> Path:
    """Return model.tflite in the working directory: relu of int8, scale 0.5, zero point -1."""
    pytest.importorskip("ai_edge_litert", reason="needs the extra tflite: pip install 'ipudebug[tflite]'")
    from tests.runners.tflite_files import Op, Tensor, write_tflite

    tensors = [Tensor(name, (1, 6), "int8", (0.5,), (-1,)) for name in ("x", "y")]
    write_tflite(folder / "model.tflite", tensors, [Op(19, [0], [1])], [0], [1])
    return folder / "model.tflite"


@pytest.mark.parametrize(
    ("options", "expected"),
    [((), [0, 0, 0.5, 1, 3, 64]), (("--raw",), [-1, -1, 0, 1, 5, 127])],
)
def test_writes_real_values_or_integers(
    model: Path, capfd: pytest.CaptureFixture[str], options: tuple[str, ...], expected: list[float]
) -> None:
    outcome = run_command(capfd, "run-tflite", "-i", "x.npy", "--model", "model.tflite", "-n", "pre.py", *options)
    assert outcome.code == 0
    assert outcome.stdout == ("x.npy -> output/unknown_model.tflite_x.npy.txt\n1 image done, results in output\n")
    (tensor,) = read_result("output/unknown_model.tflite_x.npy.txt")
    assert tensor.info.name == "y"
    assert tensor.array.tolist() == [expected]


def test_a_damaged_model(model: Path, capfd: pytest.CaptureFixture[str]) -> None:
    model.write_bytes(model.read_bytes()[:100])
    outcome = run_command(capfd, "run-tflite", "-i", "x.npy", "--model", "model.tflite", "-n", "pre.py")
    assert outcome.code == 2
    assert "error: model.tflite: LiteRT cannot load the model: " in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_without_litert(folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    outcome = run_command(capfd, "run-tflite", "-i", "x.npy", "--model", "model.tflite", "-n", "pre.py")
    assert outcome.code == 2
    assert outcome.stderr.startswith("error: TFLite models need ai-edge-litert")
    assert "hint: pip install 'ipudebug[tflite]'; " in outcome.stderr
