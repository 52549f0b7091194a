"""Models that break the rules of ONNX itself end in one sentence."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from ipudebug.errors import IpuDebugError, ModelError
from ipudebug.sim.convert import convert_model
from ipudebug.sim.saving import save_sim
from tests.sim.constraints.models import build_model
from tests.sim.convert_models import CHIP, write_model
from tests.sim.random_nets import RandomNet


def build() -> onnx.ModelProto:
    nodes = [helper.make_node("Constant", [], ["c"], value=numpy_helper.from_array(np.ones(3, np.float32)))]
    nodes.append(helper.make_node("Sum", ["x", "w"], ["s"], name="sum"))
    nodes.append(helper.make_node("Add", ["s", "c"], ["y"]))
    return build_model(nodes, {"x": (2, 3)}, ["y"], {"w": np.ones((2, 3), np.float32)})


def shorten_weight(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].raw_data = bytes(20)


def shorten_list(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].CopyFrom(onnx.TensorProto(name="w", dims=[2, 3], data_type=1, float_data=[1, 2]))


def turn_dimension(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].dims[:] = [-2, -3]


def shorten_constant(model: onnx.ModelProto) -> None:
    model.graph.node[0].attribute[0].t.raw_data = bytes(8)


def invent_type(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].data_type = 99


def add_attribute(model: onnx.ModelProto) -> None:
    model.graph.node[1].attribute.append(helper.make_attribute("axis", 1))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (shorten_weight, "weight w: expected 24 bytes for 2x3 of float32, found 20"),
        (shorten_list, "weight w: its elements do not fit its shape 2x3: "),
        (turn_dimension, "weight w: expected no negative dimension, found -2x-3"),
        (shorten_constant, "value of node c: expected 12 bytes for 3 of float32, found 8"),
        (invent_type, "weight w: its elements do not fit its shape 2x3: "),
        (add_attribute, "node sum (Sum) is invalid: Unrecognized attribute: axis for operator Sum"),
    ],
)
def test_what_is_wrong_is_named(spoil: Callable[[onnx.ModelProto], None], message: str, tmp_path: Path) -> None:
    model = build()
    path, ini = write_model(model, tmp_path)
    convert_model(path, ini, CHIP)
    spoil(model)
    path, ini = write_model(model, tmp_path)
    with pytest.raises(ModelError) as caught:
        convert_model(path, ini, CHIP)
    assert str(caught.value).startswith(f"{path}: {message}")


def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    path, ini = write_model(build(), tmp_path)
    Path(path).write_bytes(Path(path).read_bytes().replace(b"\x03sum", b"\x03s\xffm"))
    with pytest.raises(ModelError, match="a name is not UTF-8 text"):
        convert_model(path, ini, CHIP)


def test_sparse_weights_are_refused(tmp_path: Path) -> None:
    model = build()
    values = numpy_helper.from_array(np.ones(1, np.float32), "thin")
    sparse = helper.make_sparse_tensor(values, numpy_helper.from_array(np.zeros(1, np.int64)), [4])
    model.graph.sparse_initializer.append(sparse)
    path, ini = write_model(model, tmp_path)
    with pytest.raises(ModelError, match="the weight thin is sparse"):
        convert_model(path, ini, CHIP)


@pytest.mark.parametrize("seed", range(4))
def test_damaged_files_never_end_in_a_traceback(seed: int, tmp_path: Path) -> None:
    source = random.Random(seed)
    path, ini = write_model(RandomNet(seed).build(blocks=4), tmp_path)
    whole = Path(path).read_bytes()
    errors = []
    for _ in range(40):
        spoilt = bytearray(whole)
        spoilt[source.randrange(len(whole))] = source.randrange(256)
        Path(path).write_bytes(spoilt)
        try:
            save_sim(convert_model(path, ini, CHIP).model, str(tmp_path / "out.sim"))
        except IpuDebugError as error:
            errors.append(error)
    assert len(errors) > 2
    assert all(error.message and error.hint for error in errors)
    assert {file.name for file in tmp_path.iterdir()} <= {"net.onnx", "net.ini", "out.sim"}
