"""Builds the smallest models that the tests of the rules need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

Shape = Sequence[int | str | None] | None
FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


def build_model(
    nodes: Sequence[NodeProto],
    inputs: Mapping[str, Shape],
    outputs: Sequence[str],
    constants: Mapping[str, Any] | None = None,
    opset: int = 20,
    types: Mapping[str, int] | None = None,
) -> ModelProto:
    """Return a model; inputs are float unless ``types`` says otherwise, constants become initializers."""
    kinds = types or {}
    fed = [helper.make_tensor_value_info(name, kinds.get(name, FLOAT), shape) for name, shape in inputs.items()]
    made = [helper.make_tensor_value_info(name, FLOAT, None) for name in outputs]
    weights = [numpy_helper.from_array(np.asarray(value), name) for name, value in (constants or {}).items()]
    graph = helper.make_graph(list(nodes), "g", fed, made, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)


def one(
    op: str,
    shape: Shape = (1, 3, 8, 8),
    *,
    more: Mapping[str, Any] | None = None,
    skip: int = 0,
    outputs: int = 1,
    opset: int = 20,
    domain: str = "",
    **attributes: Any,
) -> ModelProto:
    """Return a model with one node ``n`` that reads the input ``x``.

    ``more`` are its further inputs: an array is an initializer, a tuple the shape of another graph input. ``skip``
    inputs between ``x`` and those are left out.
    """
    extra = more or {}
    inputs: dict[str, Shape] = {"x": shape}
    inputs |= {name: value for name, value in extra.items() if isinstance(value, tuple)}
    constants = {name: value for name, value in extra.items() if not isinstance(value, tuple)}
    made = [f"y{place}" for place in range(outputs)]
    node = helper.make_node(op, ["x", *[""] * skip, *extra], made, name="n", domain=domain, **attributes)
    model = build_model([node], inputs, made, constants, opset, {name: INT64 for name in inputs if name != "x"})
    if domain:
        model.opset_import.append(helper.make_opsetid(domain, 1))
    return model


def recurrent(op: str, lengths: Any = None, **attributes: Any) -> ModelProto:
    """Return a model with one recurrent node; ``lengths`` is its sequence_lens: an array, or the shape of an input."""
    gates = {"RNN": 1, "LSTM": 4, "GRU": 3}[op]
    directions = 2 if attributes.get("direction") == "bidirectional" else 1
    weights = {
        "w": np.zeros((directions, gates * 5, 3), np.float32),
        "r": np.zeros((directions, gates * 5, 5), np.float32),
        "b": np.zeros((directions, 2 * gates * 5), np.float32),
    }
    extra = {**weights, **({"lengths": lengths} if lengths is not None else {})}
    return one(op, (4, 2, 3), more=extra, hidden_size=5, **attributes)
