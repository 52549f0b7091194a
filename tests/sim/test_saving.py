"""A float model's file: whole or not at all, with a second one where it is too large."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from ipudebug.errors import ModelError, OutputError
from ipudebug.runners import RUNNERS, ModelFiles
from ipudebug.sim.saving import save_sim
from tests.sim.constraints.models import build_model, one

WEIGHTS = np.random.default_rng(0).standard_normal((4, 3, 5, 5)).astype(np.float32)
BIAS = np.arange(4, dtype=np.float32)


def build() -> onnx.ModelProto:
    node = helper.make_node("Conv", ["x", "w", "b"], ["y"])
    model = state_shape(build_model([node], {"x": (1, 3, 8, 8)}, ["y"], {"b": BIAS}), (1, 4, 4, 4))
    model.graph.initializer.append(helper.make_tensor("w", 1, WEIGHTS.shape, WEIGHTS.reshape(-1)))  # not raw
    return model


def state_shape(model: onnx.ModelProto, shape: tuple[int, ...]) -> onnx.ModelProto:
    """Return the model with the shape of its output stated, which a valid one has to."""
    output = model.graph.output[0]
    output.CopyFrom(helper.make_tensor_value_info(output.name, 1, shape))
    return model


def run(path: Path) -> np.ndarray:
    feed = {"x": np.linspace(-1, 1, 192, dtype=np.float32).reshape(1, 3, 8, 8)}
    return RUNNERS["onnx"](ModelFiles(str(path))).run(feed)[0].array


def test_one_file(tmp_path: Path) -> None:
    path = tmp_path / "a_float.sim"
    path.write_text("old")
    assert save_sim(build(), str(path)) == [str(path)]
    assert onnx.load(path) == build()
    assert [file.name for file in tmp_path.iterdir()] == ["a_float.sim"]


def test_weights_beside_a_model_that_is_too_large(tmp_path: Path) -> None:
    save_sim(build(), str(tmp_path / "small.sim"))
    path = tmp_path / "large.sim"
    assert save_sim(build(), str(path), largest_file=400) == [str(path), f"{path}.data"]
    assert path.stat().st_size < 600
    assert Path(f"{path}.data").read_bytes() == WEIGHTS.tobytes()
    onnx.checker.check_model(str(path))
    loaded = {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(path).graph.initializer}
    assert np.array_equal(loaded["w"], WEIGHTS)
    assert np.array_equal(loaded["b"], BIAS)
    assert np.array_equal(run(path), run(tmp_path / "small.sim"))


@pytest.mark.parametrize("largest", [10**6, 10])
def test_a_model_that_cannot_be_loaded_replaces_nothing(largest: int, tmp_path: Path) -> None:
    path = tmp_path / "a.sim"
    path.write_text("old")
    invalid = build()
    invalid.graph.node[0].input[0] = "nothing"
    with pytest.raises(ModelError, match="no valid ONNX model"):
        save_sim(invalid, str(path), largest_file=largest)
    with pytest.raises(ModelError, match="onnxruntime does not load the model"):
        save_sim(state_shape(one("Nonsense", domain="custom"), (1,)), str(path), largest_file=largest)
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["a.sim"]


def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write"):
        save_sim(build(), str(tmp_path / "no" / "a.sim"))
