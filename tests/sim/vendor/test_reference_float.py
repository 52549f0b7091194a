"""The vendor's float models: what we compute against what its simulator dumped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from ipudebug.dumps import open_dump
from ipudebug.dumps.writer import DIALECTS, write_blocks
from ipudebug.runners import RUNNERS, ModelFiles
from ipudebug.sim.model import SimModel, Stage
from ipudebug.sim.records import iterate_records, list_headers
from ipudebug.sim.vendor import read_vendor
from ipudebug.tensor import Tensor
from tests.command import run_command
from tests.sim.vendor.images import feed_float

pytestmark = pytest.mark.reference

DUMPS = [
    ("smallnet", "smallnet/float.sim", "smallnet/dumps/float.bin"),
    ("smallnet_int16", "smallnet_int16/float.sim", "smallnet_int16/dumps/float.bin"),
    ("names", "names/float.sim", "names/float.bin"),
]


def run(model: SimModel, feed: dict[str, np.ndarray], folder: Path) -> list[Tensor]:
    """Run the translated graph in the runner of every ONNX model, and return the records of its dump."""
    onnx.save(model.graph, folder / "model.onnx")
    runner = RUNNERS["onnx"](ModelFiles(str(folder / "model.onnx")))
    return list(iterate_records(model, runner.trace(feed), feed=feed))


def check_close(found: np.ndarray, expected: np.ndarray) -> None:
    a, b = found.reshape(-1).astype(np.float64), expected.reshape(-1).astype(np.float64)
    assert a.shape == b.shape
    assert np.abs(a - b).max() <= 1e-5 * np.ptp(b)
    assert a @ b >= 0.9999999 * np.sqrt((a @ a) * (b @ b))


@pytest.mark.parametrize(("network", "sim", "dump"), DUMPS, ids=[row[0] for row in DUMPS])
def test_every_record_of_a_float_dump(network: str, sim: str, dump: str, reference: Path, tmp_path: Path) -> None:
    model = read_vendor(reference / sim)
    assert model.stage is Stage.FLOAT
    onnx.checker.check_model(model.graph, full_check=True)
    vendor = open_dump(reference / dump)
    feed = feed_float(reference, network)
    records = run(model, feed, tmp_path)
    written = tmp_path / "float.bin"
    write_blocks(written, records, DIALECTS["simulator-1.1.5"], headers=list_headers(model, dequantise=False))
    ours = open_dump(written)
    # same order, names, headers and sizes; payloads aside, byte for byte
    assert [ours.header(i).lines(with_shape=False) for i in range(len(ours.infos))] == [
        vendor.header(i).lines(with_shape=False) for i in range(len(vendor.infos))
    ]
    assert written.stat().st_size == (reference / dump).stat().st_size
    for index, info in enumerate(vendor.infos):
        if info.role == "out":
            check_close(ours.read(index).array, vendor.read(index).array)
        if info.constant or (index == 0):
            assert ours.read(index).array.tobytes() == vendor.read(index).array.tobytes()


def test_cmodel_float_gives_the_tensors_of_float(reference: Path, tmp_path: Path) -> None:
    model = read_vendor(reference / "smallnet/cmodel_float.sim")
    assert model.stage is Stage.CMODEL_FLOAT
    vendor = open_dump(reference / "smallnet/dumps/float.bin")
    expected = {info.name: i for i, info in enumerate(vendor.infos) if info.role == "out"}
    records = [
        tensor for tensor in run(model, feed_float(reference, "smallnet"), tmp_path) if tensor.info.role == "out"
    ]
    assert len(records) == 19
    for tensor in records:
        check_close(tensor.array, vendor.read(expected[tensor.info.name]).array)


def load_sketch(reference: Path) -> dict[str, np.ndarray]:
    with np.load(reference / "rfb320/float_sketch.npz") as archive:
        return dict(archive)


def check_sketch(sketch: dict[str, np.ndarray], index: int, array: np.ndarray) -> None:
    """Assert what the README of the reference files asks of a tensor of which only a sample was kept."""
    assert array.shape == tuple(sketch["shape"][index, : sketch["ndim"][index]])
    flat = array.reshape(-1)
    size = flat.size
    count = min(size, 4096)
    sampled = flat[np.arange(count) * size // count].astype(np.float64)
    expected = sketch[f"values_{index:03d}"].astype(np.float64)
    assert sampled @ expected >= 0.9999999 * np.sqrt((sampled @ sampled) * (expected @ expected))
    assert np.abs(sampled - expected).max() <= 1e-5 * (sketch["max"][index] - sketch["min"][index])
    tolerance = 1e-5 * np.sqrt(size * sketch["sum_of_squares"][index])
    assert abs(flat.sum(dtype=np.float64) - sketch["sum"][index]) <= tolerance


def test_a_trained_detector_against_the_sketch_of_its_dump(reference: Path, tmp_path: Path) -> None:
    sketch = load_sketch(reference)
    records = run(read_vendor(reference / "rfb320/float.sim"), feed_float(reference, "rfb320"), tmp_path)
    wanted = [records[0], *(tensor for tensor in records if tensor.info.role == "out")]
    assert [tensor.info.name for tensor in wanted] == list(sketch["names"])
    assert [tensor.info.op_type for tensor in wanted] == list(sketch["op_type"])
    assert [tensor.info.op_index for tensor in wanted] == list(sketch["op_index"])
    for index, tensor in enumerate(wanted):
        check_sketch(sketch, index, tensor.array)


def test_the_caffe_original_of_the_detector_agrees_with_the_sketch(
    reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Every tensor of the vendor's float model but its input is one of the Caffe network's, under the same name."""
    pytest.importorskip("cv2", reason="the Caffe runner and the preprocess file need OpenCV")
    monkeypatch.chdir(tmp_path)
    models = reference / "models"
    files = ["--model_file", str(models / "RFB-320.prototxt"), "--weight_file", str(models / "RFB-320.caffemodel")]
    image = ["-i", str(models / "test.jpg"), "-n", str(reference / "rfb320/preprocess.py")]
    done = run_command(capfd, "dump-caffe", *files, *image, "--dump_bin", "True")
    assert done.code == 0, done.stderr
    dump = open_dump("dumpData/caffe_NHWC_outtensor_dump.bin")
    made = {info.name: index for index, info in enumerate(dump.infos)}
    sketch = load_sketch(reference)
    for index, name in enumerate(sketch["names"][1:], 1):
        check_sketch(sketch, index, dump.read(made[name]).array)
