"""``export-onnx``: what it writes runs on plain onnxruntime and gives the vendor's numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from bench.data.vendor_models import make_fixed, make_float, make_offline
from ipudebug.dumps import open_dump
from tests.command import run_command
from tests.sim.vendor.images import feed_float


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("float.sim").write_bytes(make_float())


def test_a_float_model_becomes_standard_onnx(capfd: pytest.CaptureFixture[str]) -> None:
    done = run_command(capfd, "export-onnx", "float.sim", "-o", "float.onnx")
    size = Path("float.onnx").stat().st_size
    assert (done.code, done.stdout, done.stderr) == (0, "", f"float.onnx: {size} bytes\n")
    model = onnx.load("float.onnx")
    onnx.checker.check_model(model, full_check=True)
    assert {node.domain for node in model.graph.node} == {""}
    session = onnxruntime.InferenceSession("float.onnx", providers=["CPUExecutionProvider"])
    (y,) = session.run(None, {"x": np.ones((1, 3, 8, 8), np.float32)})
    np.testing.assert_allclose(y.sum(), 1, rtol=1e-5)


@pytest.mark.parametrize("make", [make_fixed, make_offline])
def test_integers_are_none_of_onnx(make: object, capfd: pytest.CaptureFixture[str]) -> None:
    Path("fixed.sim").write_bytes(make())  # type: ignore[operator]
    done = run_command(capfd, "export-onnx", "fixed.sim", "-o", "fixed.onnx")
    assert done.code == 2
    assert "fixed.sim: expected a float model, found " in done.stderr
    assert not Path("fixed.onnx").exists()


def test_the_model_is_not_overwritten(capfd: pytest.CaptureFixture[str]) -> None:
    before = Path("float.sim").read_bytes()
    done = run_command(capfd, "export-onnx", "float.sim", "-o", "float.sim")
    assert (done.code, done.stderr) == (
        2,
        "error: -o float.sim would overwrite the model\nhint: give another name\n",
    )
    assert Path("float.sim").read_bytes() == before


@pytest.mark.reference
def test_a_real_model_gives_the_vendors_outputs(reference: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run_command(capfd, "export-onnx", str(reference / "smallnet/float.sim"), "-o", "net.onnx").code == 0
    session = onnxruntime.InferenceSession("net.onnx", providers=["CPUExecutionProvider"])
    (found,) = session.run(None, feed_float(reference, "smallnet"))
    dump = open_dump(reference / "smallnet/dumps/float.bin")
    np.testing.assert_allclose(found.reshape(-1), dump.read(len(dump.infos) - 1).array, rtol=1e-5)
