"""A folded batch norm against its definition in float64, and the cases in which it has to stay."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import helper, numpy_helper

from tests.sim.constraints.models import build_model
from tests.sim.convert_models import compare_with_original, convert, list_ops

SOURCE = np.random.default_rng(5)
NORM = {
    "gamma": SOURCE.standard_normal(4).astype(np.float32),
    "beta": SOURCE.standard_normal(4).astype(np.float32),
    "mean": SOURCE.standard_normal(4).astype(np.float32),
    "variance": SOURCE.uniform(0.1, 3, 4).astype(np.float32),
}
FACTOR = NORM["gamma"].astype(np.float64) / np.sqrt(NORM["variance"].astype(np.float64) + np.float32(1e-3))


def build(
    op: str, weight: np.ndarray, shape: tuple[int, ...], bias: Any = None, outputs: Any = ("y",), **more: Any
) -> Any:
    """Return the model ``op`` -> a batch norm with NORM."""
    constants = {"w": weight, **NORM, **({} if bias is None else {"b": bias})}
    nodes = [
        helper.make_node(op, ["x", "w", *([] if bias is None else ["b"])], ["t"], **more),
        helper.make_node("BatchNormalization", ["t", *NORM], ["y"], epsilon=1e-3),
    ]
    return build_model(nodes, {"x": shape}, list(outputs), constants, opset=15)


def random(*shape: int) -> np.ndarray:
    return SOURCE.standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("bias", [None, random(4)])
@pytest.mark.parametrize(
    ("op", "weight", "shape", "more", "axes"),
    [
        ("Conv", random(4, 3, 3, 3), (1, 3, 6, 6), {}, (4, 1, 1, 1)),
        ("Conv", random(4, 1, 3), (1, 2, 6), {"group": 2}, (4, 1, 1)),
        ("ConvTranspose", random(3, 4, 2, 2), (1, 3, 6, 6), {}, (1, 4, 1, 1)),
        ("Gemm", random(3, 4), (2, 3), {"alpha": 0.5, "beta": 2.0}, (1, 4)),
        ("Gemm", random(4, 3), (2, 3), {"transB": 1}, (4, 1)),
    ],
)
def test_weights_and_bias_are_those_of_the_definition(
    op: str, weight: np.ndarray, shape: Any, more: Any, axes: Any, bias: np.ndarray | None, tmp_path: Path
) -> None:
    done = convert(build(op, weight, shape, bias, **more), tmp_path)
    (node,) = done.model.graph.node
    assert (node.op_type, node.output[0], done.batch_norms) == (op, "y", 1)
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in done.model.graph.initializer}
    assert list(values) == ["w_folded", "b_folded" if bias is not None else "y_bias_folded"]
    old = 0 if bias is None else bias * more.get("beta", 1.0)
    expected = ((old - NORM["mean"].astype(np.float64)) * FACTOR + NORM["beta"]).astype(np.float32)
    np.testing.assert_allclose(values[node.input[1]], weight * FACTOR.reshape(axes), rtol=1e-6)
    np.testing.assert_allclose(values[node.input[2]], expected, rtol=1e-5, atol=1e-6)
    assert compare_with_original(str(tmp_path / "net.onnx"), done, tmp_path).worst >= 0.999999


def test_the_groups_of_a_transposed_convolution_keep_their_factors(tmp_path: Path) -> None:
    done = convert(build("ConvTranspose", random(4, 2, 2, 2), (1, 4, 5, 5), group=2), tmp_path)
    assert list_ops(done.model) == ["ConvTranspose"]
    assert compare_with_original(str(tmp_path / "net.onnx"), done, tmp_path).worst >= 0.999999


def test_a_convolution_that_is_an_output_keeps_its_batch_norm(tmp_path: Path) -> None:
    done = convert(build("Conv", random(4, 3, 3, 3), (1, 3, 6, 6), outputs=("y", "t")), tmp_path)
    assert list_ops(done.model) == ["Conv", "BatchNormalization"]


def test_a_weight_that_two_convolutions_share_stays_for_the_other(tmp_path: Path) -> None:
    model = build("Conv", random(4, 3, 3, 3), (1, 3, 6, 6), outputs=("y", "z"))
    model.graph.node.append(helper.make_node("Conv", ["x", "w"], ["z"]))
    done = convert(model, tmp_path)
    assert [list(node.input) for node in done.model.graph.node] == [["x", "w_folded", "y_bias_folded"], ["x", "w"]]
    assert compare_with_original(str(tmp_path / "net.onnx"), done, tmp_path).worst >= 0.999999


@pytest.mark.parametrize("variance", [-1.0, np.nan, -np.float32(1e-3)])
def test_a_factor_that_is_no_number_is_not_folded(variance: float, tmp_path: Path) -> None:
    model = build("Conv", random(4, 3, 3, 3), (1, 3, 6, 6))
    tensor = next(tensor for tensor in model.graph.initializer if tensor.name == "variance")
    tensor.CopyFrom(numpy_helper.from_array(np.full(4, variance, np.float32), "variance"))
    assert list_ops(convert(model, tmp_path).model) == ["Conv", "BatchNormalization"]


def test_a_bias_for_each_row_is_not_folded(tmp_path: Path) -> None:
    done = convert(build("Gemm", random(3, 4), (2, 3), random(2, 1)), tmp_path)
    assert list_ops(done.model) == ["Gemm", "BatchNormalization"]
