"""``dump-onnx`` as a user meets it, and against the dump of the vendor's own script."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ipudebug import Tensor, open_dump
from ipudebug.runners.onnx import OnnxRunner
from tests.command import Outcome, run_command
from tests.runners.onnx_files import FLOAT, node, save, value, weight

PREPROCESS = "import numpy\ndef image_preprocess(path, norm=True):\n    return numpy.load(path)\n"
IMAGE = np.arange(12, dtype=np.float32).reshape(1, 2, 2, 3) - 5  # NHWC


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the working directory: net.onnx (scale, then flatten), pre.py, a.npy and b.npy."""
    monkeypatch.chdir(tmp_path)
    save(
        tmp_path / "net.onnx",
        [
            node("Mul", ["x", "two"], ["twice"], name="double"),
            node("Relu", ["twice"], ["a/../b"]),
            node("Flatten", ["a/../b"], ["flat"], name="flatten"),
        ],
        [value("x", FLOAT, [1, 3, 2, 2])],
        ["flat"],
        [weight("two", 2.0)],
    )
    (tmp_path / "pre.py").write_text(PREPROCESS)
    for name in ("a", "b"):
        np.save(tmp_path / f"{name}.npy", IMAGE)
    return tmp_path


def dump(capfd: pytest.CaptureFixture[str], *more: str, image: str = "a.npy", binary: str = "True") -> Outcome:
    return run_command(
        capfd, "dump-onnx", "--model_file", "net.onnx", "-i", image, "--dump_bin", binary, "-n", "pre.py", *more
    )


def test_every_layer_in_execution_order(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    outcome = dump(capfd)
    path = folder / "dumpData" / "onnx_NHWC_outtensor_dump.bin"
    assert outcome == Outcome(
        0,
        f"dumpData/{path.name}: 3 tensors, {path.stat().st_size} bytes\n"
        "graph optimisation: off\n"
        "Onnx dump data done. See results in ./dumpData\n",
        "",
    )
    reader = open_dump(path)
    assert [(info.name, info.op_type, info.op_index, info.port, info.shape) for info in reader.infos] == [
        ("twice", "double", 0, 0, (1, 2, 2, 3)),
        ("a/../b", "Relu", 1, 0, (1, 2, 2, 3)),
        ("flat", "flatten", 2, 0, (1, 12)),
    ]
    np.testing.assert_array_equal(reader.read(0).array, 2 * IMAGE)
    np.testing.assert_array_equal(reader.read(1).array, np.maximum(2 * IMAGE, 0))
    flat = np.maximum(2 * IMAGE, 0).transpose(0, 3, 1, 2).reshape(1, 12)  # as the model computes it: in NCHW order
    np.testing.assert_array_equal(reader.read(2).array, flat)
    manifest = json.loads((path.parent / f"{path.name}.json").read_text())
    assert "off" in json.dumps(manifest)


def test_the_folder_is_named_as_it_was_given(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for given, told in (("deep/er", "./deep/er"), (str(folder / "here"), f"{folder}/here")):
        outcome = dump(capfd, "-o", given)
        assert outcome.stdout.endswith(f"\nOnnx dump data done. See results in {told}\n")


def test_a_second_run_says_what_it_replaces(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    dump(capfd)
    (folder / "images.txt").write_text("b.npy\n\na.npy\n")
    outcome = dump(capfd, image="images.txt")
    assert outcome.code == 0
    assert outcome.stderr == (
        "note: only the first of 2 samples is dumped: b.npy\n"
        "note: dumpData/onnx_NHWC_outtensor_dump.bin of an earlier run is replaced\n"
    )


def test_text_and_a_file_for_each_tensor(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    outcome = dump(capfd, binary="false")
    assert outcome.code == 0
    out = folder / "dumpData"
    assert sorted(path.name for path in out.iterdir()) == [
        "NCHW", "NHWC", "onnx_NHWC_outtensor_dump.txt", "onnx_NHWC_outtensor_dump.txt.json",
    ]  # fmt: skip
    assert sorted(path.name for path in (out / "NCHW").iterdir()) == [
        "a_.._b#(1, 3, 2, 2)", "flat#(1, 12)", "twice#(1, 3, 2, 2)", "x#(1, 3, 2, 2)",
    ]  # fmt: skip
    assert (out / "NHWC" / "x#(1, 2, 2, 3)").read_text() == (
        "//out 0 s: 0.000000 z: 0 type: float name: x bConstant:0 shape:[1, 2, 2, 3] dims:4\n"
        "input[0] x = {\n"
        "//buffer data size: 48\n\n"
        "-5.000000, -4.000000, -3.000000, -2.000000, -1.000000, 0.000000, 1.000000, 2.000000, 3.000000, 4.000000, "
        "5.000000, 6.000000, \n}\n"
    )


def test_a_preprocess_that_returns_nchw(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "c.ini").write_text("[INPUT_CONFIG]\ninputs=x;\ninput_layouts=NCHW;\n")
    np.save(folder / "a.npy", IMAGE.transpose(0, 3, 1, 2))
    outcome = dump(capfd, "--input_config", "c.ini")
    assert outcome.code == 0
    reader = open_dump(folder / "dumpData" / "onnx_NHWC_outtensor_dump.bin")
    np.testing.assert_array_equal(reader.read(0).array, 2 * IMAGE)


@pytest.mark.parametrize("binary", ["True", "False"])
@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (OSError(errno.ENOSPC, "No space left on device"), 2, "error: "),
        (MemoryError(), None, ""),
    ],
    ids=["Ctrl-C", "disk full", "a bug"],
)
def test_what_stops_a_dump_leaves_no_half_file(
    folder: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    binary: str,
    error: BaseException,
    code: int | None,
    told: str,
) -> None:
    trace = OnnxRunner.trace

    def stopped(self: OnnxRunner, feed: dict[str, np.ndarray]) -> Iterator[Tensor]:
        tensors = trace(self, feed)
        yield next(tensors)
        raise error

    monkeypatch.setattr(OnnxRunner, "trace", stopped)
    if code is None:
        with pytest.raises(MemoryError):
            dump(capfd, binary=binary)
    else:
        outcome = dump(capfd, binary=binary)
        assert outcome.code == code
        assert outcome.stdout == ""
        assert told in outcome.stderr
    assert os.listdir(folder / "dumpData") == []


def test_a_node_that_fails_is_named(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    save(
        folder / "net.onnx",
        [node("Relu", ["x"], ["y"]), node("Reshape", ["y", "shape"], ["z"], name="to_five")],
        [value("x", FLOAT, [1, 3, 2, 2])],
        ["z"],
        [weight("shape", [5, 5], np.int64)],
    )
    outcome = dump(capfd)
    assert outcome.code == 2
    assert "node 'to_five' (Reshape)" in outcome.stderr
    assert not (folder / "dumpData").exists() or os.listdir(folder / "dumpData") == []


@pytest.mark.reference
@pytest.mark.parametrize("optimize", [False, True])
def test_the_vendors_own_dump(
    reference: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, optimize: bool
) -> None:
    """Equal but for what the reference explains: it was made with optimisation on, which moves values by 1.2e-6.

    With --optimize every tensor has the vendor's bits but the final one, which is that of a run without observers.
    """
    pytest.importorskip("cv2", reason="the vendor's preprocess file reads images with OpenCV")
    monkeypatch.chdir(tmp_path)
    smallnet = reference / "smallnet"
    outcome = run_command(
        capfd, "dump-onnx", "--model_file", str(smallnet / "smallnet.onnx"), "-i", str(smallnet / "test.jpg"),
        "--dump_bin", "True", "-n", str(smallnet / "preprocess.py"), *(["--optimize"] if optimize else []),
    )  # fmt: skip
    assert outcome.code == 0
    path = tmp_path / "dumpData" / "onnx_NHWC_outtensor_dump.bin"
    vendor = smallnet / "dumps" / "onnx_original" / path.name
    ours, theirs = open_dump(path), open_dump(vendor)
    assert path.stat().st_size == vendor.stat().st_size
    assert ours.infos == theirs.infos
    for index, info in enumerate(ours.infos):
        a, b = ours.read(index).array, theirs.read(index).array
        if optimize and info.name != "prob":
            assert a.tobytes() == b.tobytes(), info.name
        else:
            assert np.abs(a - b).max() <= 1.2e-6, info.name
