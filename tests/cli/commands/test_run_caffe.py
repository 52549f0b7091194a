import sys
from pathlib import Path

import numpy as np
import pytest

from ipudebug.results import read_result
from tests.command import run_command
from tests.runners.caffe_files import write_caffe

NETWORK = """
input: "data" input_shape { dim: 1 dim: 2 dim: 3 dim: 4 }
layer { name: "c" type: "Convolution" bottom: "data" top: "conv"
        convolution_param { num_output: 3 kernel_size: 1 bias_term: false } }
layer { name: "r" type: "ReLU" bottom: "conv" top: "conv" }
"""
PREPROCESS = "import numpy\ndef image_preprocess(path, norm=True):\n    return numpy.load(path)\n"
RNG = np.random.default_rng(11)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a working directory with net.prototxt, net.caffemodel, pre.py and x.npy."""
    monkeypatch.chdir(tmp_path)
    write_caffe(tmp_path, NETWORK, {"c": [RNG.normal(size=(3, 2, 1, 1))]})
    (tmp_path / "pre.py").write_text(PREPROCESS)
    np.save(tmp_path / "x.npy", RNG.normal(size=(1, 3, 4, 2)).astype(np.float32))
    return tmp_path


def test_writes_what_opencv_gives(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    cv2 = pytest.importorskip("cv2", reason="needs the extra caffe: pip install 'ipudebug[caffe]'")
    outcome = run_command(
        capfd, "run-caffe", "-i", "x.npy", "--model", "net.prototxt", "--weight", "net.caffemodel", "-n", "pre.py"
    )
    assert outcome.code == 0
    assert outcome.stderr == ""
    assert outcome.stdout == ("x.npy -> output/unknown_net.prototxt_x.npy.txt\n1 image done, results in output\n")
    (tensor,) = read_result("output/unknown_net.prototxt_x.npy.txt")
    net = cv2.dnn.readNetFromCaffe("net.prototxt", "net.caffemodel")
    net.setInput(np.load("x.npy").transpose(0, 3, 1, 2).copy())
    expected = net.forward()
    assert tensor.info.name == "conv_xx"
    assert tensor.info.shape == expected.shape
    np.testing.assert_allclose(tensor.array, expected, atol=5.1e-7)


def test_weights_of_another_network(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("cv2", reason="needs the extra caffe: pip install 'ipudebug[caffe]'")
    write_caffe(folder, NETWORK, {"d": [np.zeros((3, 2, 1, 1))]})
    outcome = run_command(
        capfd, "run-caffe", "-i", "x.npy", "--model", "net.prototxt", "--weight", "net.caffemodel", "-n", "pre.py"
    )
    assert outcome.code == 2
    assert outcome.stdout == ""
    assert outcome.stderr == (
        "error: net.prototxt and net.caffemodel do not belong together: 1 of 1 layers with weights are not in the"
        " .caffemodel, such as c (Convolution)\n"
        "hint: give the .prototxt and the .caffemodel of the same training\n"
    )
    assert not (folder / "output").exists()


def test_without_opencv(folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    outcome = run_command(
        capfd, "run-caffe", "-i", "x.npy", "--model", "net.prototxt", "--weight", "net.caffemodel", "-n", "pre.py"
    )
    assert outcome.code == 2
    assert outcome.stderr.startswith("error: Caffe networks need opencv-python-headless")
    assert "hint: pip install 'ipudebug[caffe]'; " in outcome.stderr
