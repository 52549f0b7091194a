"""Pairs that are found by their content."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from ipudebug import Tensor, TensorInfo, compare, open_dump, write_dump
from ipudebug.match import match_by_content
from tests.command import run_command

FLOAT = np.dtype("<f4")


def make(path: Path, arrays: dict[str, np.ndarray]) -> Path:
    tensors = [
        Tensor(TensorInfo(name, array.shape, FLOAT, op_type="OP", op_index=number), array.astype(FLOAT))
        for number, (name, array) in enumerate(arrays.items())
    ]
    write_dump(path, tensors, "framework")
    return path


def match(sample: Path, benchmark: Path) -> dict[str, str]:
    a, b = open_dump(sample), open_dump(benchmark)
    return {
        found.sample: found.benchmark
        for found in match_by_content(a, b, range(len(a.infos)), range(len(b.infos)))
    }  # fmt: skip


@pytest.fixture
def layers() -> dict[str, np.ndarray]:
    random = np.random.default_rng(1)
    return {f"layer{number}": random.standard_normal((1, 6, 5, 4)) * (1 + number / 9) for number in range(9)}


def test_renamed_and_shuffled_tensors_are_found(tmp_path: Path, layers: dict[str, np.ndarray]) -> None:
    order = np.random.default_rng(2).permutation(list(layers))
    noisy = {
        f"x_{name}": layers[name] + 0.03 * np.random.default_rng(3).standard_normal((1, 6, 5, 4)) for name in order
    }
    found = match(make(tmp_path / "a.bin", noisy), make(tmp_path / "b.bin", layers))
    assert found == {f"x_{name}": name for name in layers}


def test_the_other_layout_is_found(tmp_path: Path, layers: dict[str, np.ndarray]) -> None:
    turned = {f"x_{name}": array.transpose(0, 3, 1, 2) for name, array in layers.items()}
    found = match(make(tmp_path / "a.bin", turned), make(tmp_path / "b.bin", layers))
    assert found == {f"x_{name}": name for name in layers}


def test_equal_content_is_settled_by_the_order(tmp_path: Path) -> None:
    values = np.random.default_rng(4).standard_normal((1, 24))
    sample = {"pool": values.reshape(1, 1, 1, 24), "flat": values, "drop": values}
    benchmark = {"p": values.reshape(1, 1, 1, 24), "f": values, "d": values}
    a, b = (open_dump(make(tmp_path / f"{side}.bin", side_layers)) for side, side_layers in
            (("a", sample), ("b", benchmark)))  # fmt: skip
    found = match_by_content(a, b, range(3), range(3))
    assert [(item.sample, item.benchmark) for item in found] == [("pool", "p"), ("flat", "f"), ("drop", "d")]
    assert all(item.confidence == pytest.approx(0.5) for item in found)
    assert all(item.evidence.endswith("next best 1.000000: the order of execution decided") for item in found)


def test_what_says_nothing_or_is_unlike_is_left_out(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    sample = {"zeros": np.zeros(8), "nan": np.full(8, np.nan), "other": random.standard_normal(8), "size": np.arange(9)}
    benchmark = {"z": np.zeros(8), "n": np.full(8, np.nan), "o": random.standard_normal(8)}
    assert match(make(tmp_path / "a.bin", sample), make(tmp_path / "b.bin", benchmark)) == {}


def test_compare_tells_each_match_with_its_evidence(
    tmp_path: Path, layers: dict[str, np.ndarray], capfd: pytest.CaptureFixture[str]
) -> None:
    renamed = {("conv" if name == "layer3" else name): array for name, array in layers.items()}
    paths = make(tmp_path / "a.bin", renamed), make(tmp_path / "b.bin", layers)
    outcome = run_command(capfd, "compare", *map(str, paths), "--match", "content", "--layer", "conv")
    assert outcome.code == 0
    assert outcome.stdout == "   0) conv    MSE: 0.000000    COS: 1.000000    RMSE: 0.000000\n"
    assert outcome.stderr.splitlines()[0] == (
        "matched by content: conv -> layer3 (confidence 1.00: 120 elements, COS 1.000000, no other candidate)"
    )
    plain = run_command(capfd, "compare", *map(str, paths), "--layer", "conv")
    assert plain.code == 2
    assert plain.stdout == ""


def test_names_come_first(tmp_path: Path, layers: dict[str, np.ndarray]) -> None:
    """A pair that the name makes stays, though another tensor fits its content better."""
    swapped = {**layers, "layer0": layers["layer1"], "layer1": layers["layer0"]}
    paths = make(tmp_path / "a.bin", swapped), make(tmp_path / "b.bin", layers)
    comparison = compare(sample=paths[0], benchmark=paths[1], by_content=True)
    assert comparison.matches == ()
    assert [row.name for row in comparison if row.suspicious] == ["layer0", "layer1"]


def rename(path: Path, source: Path, names: Sequence[str]) -> Path:
    dump = open_dump(source)
    tensors = []
    for index, name in enumerate(names):
        tensor = dump.read(index)
        info = tensor.info
        tensors.append(Tensor(TensorInfo(name, info.shape, FLOAT, op_type="OP", op_index=index), tensor.array))
    write_dump(path, tensors, "framework")
    return path


@pytest.mark.reference
def test_the_face_detector_of_two_frameworks(
    reference: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Caffe and ONNX name the same layers alike, so that hiding the names shows how many are found again."""
    pytest.importorskip("cv2")
    monkeypatch.chdir(tmp_path)
    models = reference / "models"
    (tmp_path / "pre.py").write_text(
        "import cv2, numpy as np\n"
        "def image_preprocess(path, norm=True):\n"
        "    image = cv2.resize(cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB), (320, 240))\n"
        "    return ((image.astype(np.float32) - 127) / 128)[None]\n"
    )
    common = ["-i", str(models / "test.jpg"), "--dump_bin", "True", "-n", "pre.py"]
    caffe = [
        "--model_file",
        str(models / "RFB-320_240x320.prototxt"),
        "--weight_file",
        str(models / "RFB-320.caffemodel"),
    ]
    assert run_command(capfd, "dump-caffe", *caffe, *common).code == 0
    assert run_command(
        capfd, "dump-onnx", "--model_file", str(models / "version-RFB-320_simplified.onnx"), *common
    ).code == 0  # fmt: skip
    onnx_dump = tmp_path / "dumpData" / "onnx_NHWC_outtensor_dump.bin"
    names = [info.name for info in open_dump(onnx_dump).infos]
    hidden = rename(tmp_path / "hidden.bin", onnx_dump, [f"hidden{number}" for number in range(len(names))])
    found = match(hidden, tmp_path / "dumpData" / "caffe_NHWC_outtensor_dump.bin")
    right = sum(found.get(f"hidden{number}") == name for number, name in enumerate(names))
    assert right >= 0.95 * len(names), f"{right} of {len(names)}"
