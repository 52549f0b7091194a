from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipudebug.errors import ModelError
from ipudebug.files import OpenFile
from ipudebug.runners.elements import encode_tensor_type, find_element
from ipudebug.runners.graph import Graph, Node, copy_unmade_outputs, find_last_readers, order_nodes
from ipudebug.runners.model_file import open_model
from ipudebug.runners.segments import SegmentBuilder, measure_outputs, take_segment
from tests.runners.onnx_files import FLOAT, node, save, value, weight


def chain(count: int) -> list[Node]:
    return [Node("", "Neg", "", (f"t{i}",), (f"t{i + 1}",), (), b"") for i in range(count)]


@given(st.lists(st.integers(0, 100), min_size=1, max_size=30), st.integers(-1, 300))
def test_segments_cover_the_graph_and_keep_to_the_budget(bytes_made: list[int], budget: int) -> None:
    nodes = chain(len(bytes_made))
    sizes = {f"t{i + 1}": size for i, size in enumerate(bytes_made)}
    start = 0
    while start < len(nodes):
        stop = take_segment(nodes, start, sizes, budget)
        assert stop > start
        total = sum(bytes_made[start:stop])
        assert stop - start == 1 or total <= budget
        assert stop == len(nodes) or total + bytes_made[stop] > budget  # no segment is shorter than it need be
        start = stop


def test_an_unknown_size_is_guessed_from_the_largest_input() -> None:
    sizes = {"t0": 40}
    assert take_segment(chain(10), 0, sizes, 100) == 2
    assert sizes == {"t0": 40, "t1": 40, "t2": 40, "t3": 40}


def test_sizes_of_what_onnxruntime_infers() -> None:
    outputs = [("a", "tensor(float)", [2, 3]), ("b", "tensor(int64)", []), ("c", "tensor(float)", ["n", 3])]
    outputs += [("d", "seq(tensor(float))", []), ("e", "tensor(string)", [2]), ("f", "tensor(bfloat16)", [5])]
    known = measure_outputs((name, find_element(kind), shape) for name, kind, shape in outputs)
    assert measure_outputs([("no shape", FLOAT, None)]) == {}
    assert known["a"] == 24
    assert known["b"] == 8
    assert not {"c", "d"} & known.keys()
    assert measure_outputs([("negative", FLOAT, [-2, 3])]) == {}  # such a size would let a segment never end


def test_a_piece_is_a_valid_model_with_all_its_values_as_outputs(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).random((50, 50))
    nodes = [
        node("Constant", [], ["k"], value=weight("", [3])),
        node("MatMul", ["x", "large"], ["a"]),
        node("Add", ["a", "small"], ["b"]),
        node("Mul", ["b", "k"], ["y"]),
    ]
    weights = [weight("large", rows), weight("small", [1]), weight("other", [2])]
    path = save(tmp_path / "m.onnx", nodes, [value("x", FLOAT, [1, 50])], ["y"], weights)
    graph = open_model(OpenFile(path, "the model", ModelError))
    builder = SegmentBuilder(graph)
    piece = graph.nodes[2:]
    assert builder.find_inputs(piece) == ["a"]
    model = onnx.ModelProto.FromString(builder.build(piece, {"a": encode_tensor_type(FLOAT, (1, 50))}))
    onnx.shape_inference.infer_shapes(model, strict_mode=True)
    assert [n.op_type for n in model.graph.node] == ["Constant", "Add", "Mul"]
    assert [t.name for t in model.graph.initializer] == ["small"]
    assert [v.name for v in model.graph.input] == ["a"]
    assert [v.name for v in model.graph.output] == ["b", "y"]
    planned = onnx.ModelProto.FromString(builder.build(graph.nodes, {}, weights_as_inputs=True))
    assert [(v.name, [d.dim_value for d in v.type.tensor_type.shape.dim]) for v in planned.graph.input] == [
        ("large", [50, 50])
    ]


@given(st.permutations(range(12)))
def test_nodes_are_put_in_an_order_in_which_they_can_run(order: list[int]) -> None:
    reads = [(), (0,), (0,), (1, 2), (3,), (), (5,), (4, 6), (7,), (0, 8), (9,), (10, 2)]
    nodes = [Node(str(i), "Op", "", tuple(f"v{j}" for j in reads[i]), (f"v{i}",), (), b"") for i in range(len(reads))]
    ordered = order_nodes(Graph(nodes=[nodes[i] for i in order]))
    place = {name.name: index for index, name in enumerate(ordered)}
    assert len(place) == 12
    assert all(place[str(j)] < place[str(i)] for i, before in enumerate(reads) for j in before)
    assert order_nodes(Graph(nodes=nodes)) is not None
    assert [n.name for n in order_nodes(Graph(nodes=nodes))] == [str(i) for i in range(12)]


def test_last_readers_count_what_bodies_take() -> None:
    nodes = [*chain(2), Node("", "If", "", ("c",), ("y",), ("t0",), b"")]
    assert find_last_readers(nodes) == {"t0": 2, "t1": 1, "c": 2}


def test_outputs_that_no_node_makes_get_a_copy_with_a_free_name(tmp_path: Path) -> None:
    nodes = [node("Relu", ["x"], ["x/copy"])]
    path = save(tmp_path / "m.onnx", nodes, [value("x", FLOAT, [1])], ["x", "x/copy"])
    graph = open_model(OpenFile(path, "the model", ModelError))
    assert copy_unmade_outputs(graph) == {"x/copy_": "x"}
    assert [n.op_type for n in graph.nodes] == ["Relu", "Identity"]


@pytest.mark.parametrize("place", [None, 100])
def test_weights_that_may_be_overridden_stay_so(tmp_path: Path, place: int | None) -> None:
    size = 4 if place is None else 2000
    inputs = [value("x", FLOAT, [size]), value("w", FLOAT, [size])]
    path = save(tmp_path / "m.onnx", [node("Add", ["x", "w"], ["y"])], inputs, ["y"], [weight("w", np.ones(size))])
    graph = open_model(OpenFile(path, "the model", ModelError))
    assert [v.name for v in graph.feeds] == ["x"]
    model = SegmentBuilder(graph).build(graph.nodes, {"x": encode_tensor_type(FLOAT, (size,))})
    assert [v.name for v in onnx.ModelProto.FromString(model).graph.input] == ["x", "w"]
