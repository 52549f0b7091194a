"""The rewrites that the catalogue names compute what the refused nodes compute: run by the ONNX reference evaluator."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from onnx import NodeProto, TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

Feeds = Mapping[str, np.ndarray]
Nodes = Sequence[NodeProto]
node = helper.make_node
RANDOM = np.random.default_rng(5)


def draw(*shape: int) -> np.ndarray:
    return RANDOM.standard_normal(shape).astype(np.float32)


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def run(nodes: Nodes, feeds: Feeds, opset: int = 17) -> np.ndarray:
    """Return the tensor ``y``; every feed is an initializer."""
    weights = [numpy_helper.from_array(np.asarray(value), name) for name, value in feeds.items()]
    made = [helper.make_tensor_value_info("y", TensorProto.UNDEFINED, None)]
    graph = helper.make_graph(list(nodes), "g", [], made, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    (result,) = ReferenceEvaluator(model).run(None, {})
    return np.asarray(result)


def recurrent(op: str, gates: int) -> tuple[Nodes, Nodes, Feeds]:
    feeds = {"x": draw(4, 2, 3), "w": draw(1, gates * 5, 3), "r": draw(1, gates * 5, 5), "back": ints(3, 2, 1, 0)}
    refused = [node(op, ["x", "w", "r"], ["y"], hidden_size=5, direction="reverse")]
    rewritten = [
        node("Gather", ["x", "back"], ["turned"], axis=0),
        node(op, ["turned", "w", "r"], ["run"], hidden_size=5),
        node("Gather", ["run", "back"], ["y"], axis=0),
    ]
    return refused, rewritten, feeds


def batch_first(op: str, gates: int) -> tuple[Nodes, Nodes, Feeds]:
    feeds = {"x": draw(2, 4, 3), "w": draw(1, gates * 5, 3), "r": draw(1, gates * 5, 5)}
    refused = [node(op, ["x", "w", "r"], ["y"], hidden_size=5, layout=1)]
    rewritten = [
        node("Transpose", ["x"], ["turned"], perm=[1, 0, 2]),
        node(op, ["turned", "w", "r"], ["run"], hidden_size=5),
        node("Transpose", ["run"], ["y"], perm=[2, 0, 1, 3]),
    ]
    return refused, rewritten, feeds


def last_index(op: str) -> tuple[Nodes, Nodes, Feeds]:
    feeds = {"x": np.float32([[1, 3, 3, 0, 0], [2, 2, 2, 2, 2]]), "back": ints(4, 3, 2, 1, 0), "last": ints(4)}
    refused = [node(op, ["x"], ["y"], axis=1, select_last_index=1)]
    rewritten = [
        node("Gather", ["x", "back"], ["turned"], axis=1),
        node(op, ["turned"], ["place"], axis=1),
        node("Sub", ["last", "place"], ["y"]),
    ]
    return refused, rewritten, feeds


def two_pools(op: str) -> tuple[Nodes, Nodes, Feeds]:
    refused = [node(op, ["x"], ["y"], kernel_shape=[6, 6], strides=[4, 4])]
    first = node(op, ["x"], ["half"], kernel_shape=[2, 2], strides=[2, 2])
    return refused, [first, node(op, ["half"], ["y"], kernel_shape=[3, 3], strides=[2, 2])], {"x": draw(1, 2, 14, 14)}


def reduction(**attributes: Any) -> Nodes:
    return [node("ReduceSum", ["x", "axes"], ["y"], keepdims=1, **attributes)]


GROUPED = [
    node("Split", ["x"], ["x0", "x1"], axis=1),
    node("Split", ["w"], ["w0", "w1"], axis=0),
    node("Conv", ["x0", "w0"], ["y0"]),
    node("Conv", ["x1", "w1"], ["y1"]),
    node("Concat", ["y0", "y1"], ["y"], axis=1),
]
TRUNCATED = [
    node("Div", ["x", "d"], ["q"]),
    node("Abs", ["q"], ["a"]),
    node("Floor", ["a"], ["f"]),
    node("Sign", ["q"], ["s"]),
    node("Mul", ["s", "f"], ["t"]),
    node("Mul", ["d", "t"], ["m"]),
    node("Sub", ["x", "m"], ["y"]),
]
ONE_HOT = [
    node("Unsqueeze", ["x", "end"], ["column"]),
    node("Equal", ["column", "range"], ["hit"]),
    node("Where", ["hit", "on", "off"], ["y"]),
]
ADDED = [
    node("GatherND", ["x", "i"], ["old"]),
    node("Add", ["old", "u"], ["new"]),
    node("ScatterND", ["x", "i", "new"], ["y"]),
]
ADDED_ELEMENTS = [
    node("GatherElements", ["x", "i"], ["old"], axis=1),
    node("Add", ["old", "u"], ["new"]),
    node("ScatterElements", ["x", "i", "new"], ["y"], axis=1),
]
REPEATED = [
    node("Unsqueeze", ["x", "at"], ["a"]),
    node("Tile", ["a", "times"], ["b"]),
    node("Reshape", ["b", "s"], ["y"]),
]
NEAREST = {"mode": "nearest", "nearest_mode": "floor", "coordinate_transformation_mode": "asymmetric"}
TWICE = {"at": ints(2), "times": ints(1, 1, 2, 1, 1), "s": ints(1, 6, 2, 2)}
SUMMED = {"x": draw(3, 4), "back": ints(3, 2, 1, 0), "axis": np.array(1)}
CASES: Mapping[str, Callable[[], tuple[Nodes, Nodes, Feeds]]] = {
    "014": lambda: recurrent("RNN", 1),
    "016": lambda: (
        [node("Pad", ["x", "pads"], ["y"], mode="edge")],
        [node("Slice", ["x", "z", "o", "a"], ["edge"]), node("Concat", ["edge", "edge", "x"], ["y"], axis=1)],
        {"x": draw(2, 3), "pads": ints(0, 2, 0, 0), "z": ints(0), "o": ints(1), "a": ints(1)},
    ),
    "017": lambda: (
        [node("Mod", ["x", "d"], ["y"], fmod=1)],
        TRUNCATED,
        {"x": np.float32([-7.5, 7.5, -1, 0]), "d": np.float32([2, -2, 3, 4])},
    ),
    "022": lambda: batch_first("LSTM", 4),
    "024": lambda: recurrent("LSTM", 4),
    "027": lambda: (
        [node("LayerNormalization", ["x", "g"], ["y"], axis=0)],
        [
            node("Unsqueeze", ["x", "z"], ["lead"]),
            node("LayerNormalization", ["lead", "g"], ["n"], axis=1),
            node("Squeeze", ["n", "z"], ["y"]),
        ],
        {"x": draw(2, 3), "g": draw(2, 3), "z": ints(0)},
    ),
    "029": lambda: batch_first("GRU", 3),
    "030": lambda: recurrent("GRU", 3),
    "035": lambda: (
        [node("Resize", ["x", "", "scales"], ["y"], **NEAREST)],
        REPEATED,
        {"x": draw(1, 3, 2, 2), "scales": np.float32([1, 2, 1, 1]), **TWICE},
    ),
    "037": lambda: (
        [node("TopK", ["x", "k"], ["y", ""], largest=0)],
        [node("Neg", ["x"], ["n"]), node("TopK", ["n", "k"], ["t", ""]), node("Neg", ["t"], ["y"])],
        {"x": draw(3, 7), "k": ints(2)},
    ),
    "038": lambda: (
        [node("Sum", ["x", "a", "b"], ["y"])],
        [node("Add", ["x", "a"], ["s"]), node("Add", ["s", "b"], ["y"])],
        {"x": draw(3), "a": draw(3), "b": draw(3)},
    ),
    "041": lambda: (
        [node("ScatterND", ["x", "i", "u"], ["y"], reduction="add")],
        ADDED,
        {"x": draw(4, 2), "i": np.array([[2], [0]]), "u": draw(2, 2)},
    ),
    "042": lambda: (
        [node("ScatterElements", ["x", "i", "u"], ["y"], axis=1, reduction="add")],
        ADDED_ELEMENTS,
        {"x": draw(2, 4), "i": np.array([[3, 0], [1, 2]]), "u": draw(2, 2)},
    ),
    "047": lambda: (
        [node("Resize", ["x", "", "s"], ["y"], mode="linear", coordinate_transformation_mode="half_pixel_symmetric")],
        [node("Resize", ["x", "", "s"], ["y"], mode="linear", coordinate_transformation_mode="half_pixel")],
        {"x": draw(1, 1, 4, 4), "s": np.float32([1, 1, 1.5, 2.5])},
    ),
    "050": lambda: (
        [node("Reshape", ["x", "s"], ["y"], allowzero=1)],
        [node("Reshape", ["x", "s"], ["y"])],
        {"x": draw(2, 6), "s": ints(3, -1)},
    ),
    "052": lambda: (
        reduction(noop_with_empty_axes=1),
        reduction(noop_with_empty_axes=0),
        {"x": draw(2, 3), "axes": ints(1)},
    ),
    "053": lambda: (
        [node("OneHot", ["x", "depth", "values"], ["y"])],
        ONE_HOT,
        {
            "x": ints(2, 0, 1),
            "depth": np.array(4),
            "values": np.float32([-1, 5]),
            "end": ints(-1),
            "range": ints(0, 1, 2, 3),
            "on": np.float32(5),
            "off": np.float32(-1),
        },
    ),
    "055": lambda: (
        [node("CumSum", ["x", "axis"], ["y"], reverse=1)],
        [
            node("Gather", ["x", "back"], ["turned"], axis=1),
            node("CumSum", ["turned", "axis"], ["sums"]),
            node("Gather", ["sums", "back"], ["y"], axis=1),
        ],
        SUMMED,
    ),
    "056": lambda: (
        [node("CumSum", ["x", "axis"], ["y"], exclusive=1)],
        [node("CumSum", ["x", "axis"], ["sums"]), node("Sub", ["sums", "x"], ["y"])],
        SUMMED,
    ),
    "060": lambda: (
        [node("Conv", ["x", "w"], ["y"], group=2)],
        GROUPED,
        {"x": draw(1, 4, 3, 3, 3), "w": draw(6, 2, 2, 2, 2)},
    ),
    "065": lambda: two_pools("AveragePool"),
    "066": lambda: (
        [node("AveragePool", ["x"], ["y"], kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)],
        [node("Pad", ["x", "pads"], ["p"]), node("AveragePool", ["p"], ["y"], kernel_shape=[3, 3])],
        {"x": draw(1, 2, 5, 5), "pads": ints(0, 0, 1, 1, 0, 0, 1, 1)},
    ),
    "068": lambda: (
        [node("AveragePool", ["x"], ["y"], kernel_shape=[2, 2], dilations=[2, 2])],
        [node("Conv", ["x", "w"], ["y"], group=3, dilations=[2, 2])],
        {"x": draw(1, 3, 6, 6), "w": np.full((3, 1, 2, 2), 0.25, np.float32)},
    ),
    "069": lambda: last_index("ArgMax"),
    "070": lambda: last_index("ArgMin"),
    "080": lambda: two_pools("MaxPool"),
}
OPSETS = {"068": 19, "047": 19, "041": 18, "042": 18}


@pytest.mark.parametrize("key", CASES)
def test_the_rewrite_computes_the_same(key: str) -> None:
    refused, rewritten, feeds = CASES[key]()
    opset = OPSETS.get(key, 17)
    expected = run(refused, feeds, opset)
    found = run(rewritten, feeds, opset)
    assert expected.size > 0
    assert expected.shape == found.shape
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
