import sys
from pathlib import Path

import numpy as np
import pytest

from ipudebug.dumps import open_dump
from tests.command import Outcome, run_command
from tests.runners.caffe_files import write_caffe

NETWORK = """
input: "data" input_shape { dim: 1 dim: 2 dim: 3 dim: 4 }
layer { name: "c" type: "Convolution" bottom: "data" top: "conv"
        convolution_param { num_output: 3 kernel_size: 1 bias_term: false } }
layer { name: "r" type: "ReLU" bottom: "conv" top: "conv" }
"""
PREPROCESS = "import numpy\ndef image_preprocess(path, norm=True):\n    return numpy.load(path)\n"
RNG = np.random.default_rng(12)
KERNEL = RNG.normal(size=(3, 2, 1, 1)).astype(np.float32)
X = RNG.normal(size=(1, 3, 4, 2)).astype(np.float32)
NEEDS = "needs the extra caffe: pip install 'ipudebug[caffe]'"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a working directory with net.prototxt, net.caffemodel, pre.py and x.npy."""
    monkeypatch.chdir(tmp_path)
    write_caffe(tmp_path, NETWORK, {"c": [KERNEL]})
    (tmp_path / "pre.py").write_text(PREPROCESS)
    np.save(tmp_path / "x.npy", X)
    return tmp_path


def dump(capfd: pytest.CaptureFixture[str], binary: str) -> Outcome:
    return run_command(
        capfd, "dump-caffe", "--model_file", "net.prototxt", "--weight_file", "net.caffemodel", "-i", "x.npy",
        "--dump_bin", binary, "-n", "pre.py",
    )  # fmt: skip


@pytest.mark.parametrize(("binary", "suffix", "tolerance"), [("True", "bin", 1e-6), ("False", "txt", 2e-6)])
def test_dumps_in_place_layers_under_their_own_names(
    folder: Path, capfd: pytest.CaptureFixture[str], binary: str, suffix: str, tolerance: float
) -> None:
    pytest.importorskip("cv2", reason=NEEDS)
    outcome = dump(capfd, binary)
    assert (outcome.code, outcome.stderr) == (0, "")
    path = folder / "dumpData" / f"caffe_NHWC_outtensor_dump.{suffix}"
    assert outcome.stdout == (
        f"dumpData/{path.name}: 2 tensors, {path.stat().st_size:,} bytes\n"
        "Caffe dump data done. See results in ./dumpData\n"
    )
    reader = open_dump(path)
    assert [(info.name, info.op_type, info.shape) for info in reader.infos] == [
        ("conv", "c", (1, 3, 4, 3)),
        ("conv_xx", "r", (1, 3, 4, 3)),
    ]
    conv = X @ KERNEL[:, :, 0, 0].T
    np.testing.assert_allclose(reader.read(0).array, conv, atol=tolerance)
    np.testing.assert_allclose(reader.read(1).array, np.maximum(conv, 0), atol=tolerance)
    assert (folder / "dumpData" / "shape.txt").read_text() == "conv\t[1, 3, 4, 3]\nconv_xx\t[1, 3, 4, 3]\n"


def test_text_has_a_file_a_tensor_in_both_layouts(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("cv2", reason=NEEDS)
    assert dump(capfd, "False").code == 0
    found = {
        layout: sorted(path.name for path in (folder / "dumpData" / layout).iterdir()) for layout in ("NHWC", "NCHW")
    }
    assert found == {
        "NHWC": ["conv#(1, 3, 4, 3)", "conv_xx#(1, 3, 4, 3)", "data#(1, 3, 4, 2)"],
        "NCHW": ["conv#(1, 3, 3, 4)", "conv_xx#(1, 3, 3, 4)", "data#(1, 2, 3, 4)"],
    }


def test_a_layer_that_opencv_does_not_know_leaves_no_dump(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("cv2", reason=NEEDS)
    (folder / "net.prototxt").write_text(NETWORK.replace("ReLU", "Nonsense"))
    outcome = dump(capfd, "True")
    assert outcome.code == 2
    assert "error: net.prototxt: layer r (Nonsense): OpenCV " in outcome.stderr
    assert list((folder / "dumpData").iterdir()) == []


def test_without_opencv(folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    outcome = dump(capfd, "True")
    assert outcome.code == 2
    assert outcome.stderr.startswith("error: Caffe networks need opencv-python-headless")
    assert not (folder / "dumpData").exists()
