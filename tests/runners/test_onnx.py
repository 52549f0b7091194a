from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from ipudebug.errors import InputError, ModelError, NodeFailed, UnsupportedOp
from ipudebug.runners import ModelFiles, run
from ipudebug.runners.onnx import OnnxRunner
from ipudebug.tensor import Layout, Tensor
from tests.runners.onnx_files import FLOAT, body, node, save, save_random_net, value, weight

X = np.arange(24, dtype=np.float32).reshape(1, 2, 3, 4) - 7
INPUT = value("x", FLOAT, [1, 2, 3, 4])


def runtime_outputs(path: str, feed: dict[str, np.ndarray], level: str = "ORT_DISABLE_ALL") -> dict[str, np.ndarray]:
    """What onnxruntime itself gives: the independent source of every number here."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, level)
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [out.name for out in session.get_outputs()]
    return dict(zip(names, session.run(names, feed), strict=True))


def to_nhwc(array: np.ndarray) -> np.ndarray:
    return array.transpose(0, 2, 3, 1) if array.ndim == 4 else array


def trace(path: str, feed: dict[str, np.ndarray], **options: object) -> dict[str, Tensor]:
    return {tensor.info.name: tensor for tensor in OnnxRunner(ModelFiles(path), **options).trace(feed)}  # type: ignore[arg-type]


def check_bits(path: str, feed: dict[str, np.ndarray], segment_bytes: int) -> None:
    runner = OnnxRunner(ModelFiles(path), segment_bytes=segment_bytes)
    expected = runtime_outputs(path, feed)
    whole = {tensor.info.name: tensor.array for tensor in runner.run(feed)}
    layers = {tensor.info.name: tensor for tensor in runner.trace(feed)}
    assert tuple(whole) == runner.outputs == tuple(expected)
    for name, array in expected.items():
        assert whole[name].dtype == layers[name].array.dtype == array.dtype
        assert whole[name].tobytes() == array.tobytes(), name
        assert layers[name].array.tobytes() == to_nhwc(array).tobytes(), name
        assert layers[name].info.shape == to_nhwc(array).shape
    assert not runner.notes


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("segment_bytes", [0, 2000, 1 << 24])
def test_final_outputs_equal_a_plain_run_to_the_bit(tmp_path: Path, seed: int, segment_bytes: int) -> None:
    path = save_random_net(tmp_path / "net.onnx", seed)
    feed = {"x": np.random.default_rng(seed).standard_normal((1, 4, 6, 5), dtype=np.float32)}
    check_bits(path, feed, segment_bytes)


@pytest.mark.parametrize("seed", range(4))
def test_inner_tensors_equal_those_of_a_run_with_all_outputs_marked(tmp_path: Path, seed: int) -> None:
    path = save_random_net(tmp_path / "net.onnx", seed)
    feed = {"x": np.random.default_rng(seed).standard_normal((1, 4, 6, 5), dtype=np.float32)}
    model = onnx.load(path)
    made = [name for n in model.graph.node for name in n.output if name]
    del model.graph.output[:]
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in made)
    onnx.save(model, tmp_path / "marked.onnx")
    expected = runtime_outputs(str(tmp_path / "marked.onnx"), feed)
    layers = list(OnnxRunner(ModelFiles(path), segment_bytes=1000).trace(feed))
    assert [tensor.info.name for tensor in layers] == [*made, "bias"]
    for tensor in layers[:-1]:
        assert tensor.array.tobytes() == to_nhwc(expected[tensor.info.name]).tobytes()


def test_facts_follow_the_framework_dump(tmp_path: Path) -> None:
    nodes = [node("Split", ["x"], ["a", "b"], "cut", axis=1, num_outputs=2), node("Relu", ["b"], ["c"])]
    nodes.append(node("Flatten", ["c"], ["y"], "flat"))
    path = save(tmp_path / "m.onnx", nodes, [INPUT], ["y"])
    infos = [tensor.info for tensor in OnnxRunner(ModelFiles(path)).trace({"x": X})]
    facts = [(info.name, info.op_type, info.op_index, info.port, info.shape, info.layout) for info in infos]
    assert facts == [
        ("a", "cut", 0, 0, (1, 3, 4, 1), Layout.NHWC),
        ("b", "cut", 1, 0, (1, 3, 4, 1), Layout.NHWC),
        ("c", "Relu", 2, 0, (1, 3, 4, 1), Layout.NHWC),
        ("y", "flat", 3, 0, (1, 12), None),
    ]


def test_inputs_leave_out_listed_initialisers(tmp_path: Path) -> None:
    inputs = [value("x", FLOAT, ["batch", 2, 3, 4]), value("w", FLOAT, [1]), value("i", TensorProto.INT64, [2])]
    nodes = [node("Add", ["x", "w"], ["t"]), node("Gather", ["t", "i"], ["y"], axis=2)]
    path = save(tmp_path / "m.onnx", nodes, inputs, ["y"], [weight("w", [5])], opsets={"": 9}, ir_version=3)
    runner = OnnxRunner(ModelFiles(path))
    assert [(info.name, info.shape, info.dtype) for info in runner.inputs] == [
        ("x", (-1, 2, 3, 4), np.float32),
        ("i", (2,), np.int64),
    ]
    check_bits(path, {"x": np.repeat(X, 3, axis=0), "i": np.array([2, 0])}, 0)


def test_a_passed_through_input_and_a_weight_as_outputs_come_last(tmp_path: Path) -> None:
    large = weight("large", np.random.default_rng(1).random(3000))
    path = save(tmp_path / "m.onnx", [node("Relu", ["x"], ["y"])], [INPUT], ["x", "large", "y"], [large])
    check_bits(path, {"x": X}, 1 << 20)
    assert list(trace(path, {"x": X})) == ["y", "x", "large"]


def test_the_array_is_the_callers(tmp_path: Path) -> None:
    nodes = [node("Flatten", ["x"], ["a"]), node("Neg", ["a"], ["b"]), node("Add", ["a", "b"], ["y"])]
    path = save(tmp_path / "m.onnx", nodes, [INPUT], ["y", "x"])
    fed = X.copy()
    for tensor in OnnxRunner(ModelFiles(path), segment_bytes=0).trace({"x": fed}):
        expected = {"a": X.reshape(1, 24), "b": -X.reshape(1, 24), "y": np.zeros((1, 24)), "x": to_nhwc(X)}
        np.testing.assert_array_equal(tensor.array, expected[tensor.info.name])
        tensor.array[...] = 99
    for tensor in OnnxRunner(ModelFiles(path)).run({"x": fed}):
        tensor.array[...] = 99
    np.testing.assert_array_equal(fed, X)


@pytest.mark.parametrize("name", ["UINT8", "INT8", "INT16", "INT32", "INT64", "BOOL", "FLOAT16", "DOUBLE", "UINT64"])
@pytest.mark.parametrize("shape", [(1, 2, 3, 4), (2, 3), (), (0, 5), (1, 0, 3, 4)])
def test_element_types_and_shapes(tmp_path: Path, name: str, shape: tuple[int, ...]) -> None:
    number = TensorProto.DataType.Value(name)
    dtype = helper.tensor_dtype_to_np_dtype(number)
    nodes = [node("Identity", ["x"], ["t"]), node("Identity", ["t"], ["y"])]
    path = save(tmp_path / "m.onnx", nodes, [value("x", number, list(shape))], ["y"])
    x = np.random.default_rng(3).integers(0, 2, shape).astype(dtype)
    layers = trace(path, {"x": x}, segment_bytes=0)
    assert layers["y"].array.dtype == layers["t"].array.dtype == dtype
    np.testing.assert_array_equal(layers["y"].array, to_nhwc(x), strict=True)


@pytest.mark.parametrize(("name", "fed"), [("BFLOAT16", 1.0), ("FLOAT8E4M3FN", -1.5), ("FLOAT8E5M2", 2.0)])
def test_types_without_a_numpy_type_come_and_go_as_float32(tmp_path: Path, name: str, fed: float) -> None:
    number = TensorProto.DataType.Value(name)
    path = save(tmp_path / "m.onnx", [node("Identity", ["x"], ["y"])], [value("x", number, [1, 2, 1, 2])], ["y"])
    x = np.full((1, 2, 1, 2), fed, np.float32) * np.array([1, 2], np.float32)
    runner = OnnxRunner(ModelFiles(path))
    assert runner.inputs[0].dtype == np.float32
    np.testing.assert_array_equal(next(runner.trace({"x": x})).array, to_nhwc(x), strict=True)
    np.testing.assert_array_equal(runner.run({"x": x})[0].array, x, strict=True)


def test_texts_sequences_and_optionals_are_named_as_skipped(tmp_path: Path) -> None:
    nodes = [
        node("SplitToSequence", ["x"], ["list"], axis=1),
        node("SequenceAt", ["list", "one"], ["part"]),
        node("Cast", ["x"], ["text"], to=TensorProto.STRING),
        node("Identity", ["s"], ["s2"]),
        node("Optional", [], ["empty"], type=helper.make_tensor_type_proto(FLOAT, [1])),
        node("OptionalHasElement", ["empty"], ["y"]),
    ]
    texts = value("s", TensorProto.STRING, [None])
    path = save(tmp_path / "m.onnx", nodes, [INPUT, texts], ["y", "s2"], [weight("one", 1, np.int64)])
    runner = OnnxRunner(ModelFiles(path), segment_bytes=0)
    layers = {tensor.info.name: tensor for tensor in runner.trace({"x": X, "s": np.array(["a", "ü"])})}
    assert list(layers) == ["part", "y"]
    assert layers["y"].array == np.False_
    assert [text.split(": ") for text in runner.skipped] == [
        ["list", "no tensor but seq(tensor(float))"],
        ["text", "elements of type string"],
        ["s2", "elements of type string"],
        ["empty", "an optional without a value"],
    ]
    assert [tensor.info.name for tensor in runner.run({"x": X, "s": np.array(["a", "b"])})] == ["y"]
    assert runner.skipped == ["s2: elements of type string"]


def test_nodes_in_any_order_functions_and_other_domains(tmp_path: Path) -> None:
    twice = helper.make_function(
        "mine", "Twice", ["a"], ["b"], [node("Add", ["a", "a"], ["b"])], [helper.make_opsetid("", 21)]
    )
    nodes = [
        node("FusedMatMul", ["c", "c"], ["y"], domain="com.microsoft", transA=1, alpha=0.5),
        node("Flatten", ["b"], ["c"]),
        node("Twice", ["x"], ["b"], domain="mine"),
    ]
    opsets = {"": 21, "com.microsoft": 1, "mine": 1}
    path = save(tmp_path / "m.onnx", nodes, [INPUT], ["y"], opsets=opsets, functions=[twice])
    check_bits(path, {"x": X}, 0)
    assert [tensor.info.op_type for tensor in trace(path, {"x": X}).values()] == ["Twice", "Flatten", "FusedMatMul"]


def test_of_two_weights_with_one_name_the_same_counts_as_in_a_plain_run(tmp_path: Path) -> None:
    weights = [weight("w", [1.0]), weight("w", [2.0])]
    path = save(tmp_path / "m.onnx", [node("Add", ["x", "w"], ["y"])], [INPUT], ["y"], weights)
    check_bits(path, {"x": X}, 0)


def test_external_data_is_read_by_path(tmp_path: Path) -> None:
    weights = [weight("w", np.random.default_rng(0).standard_normal((2, 2, 30, 30))), weight("b", [0.5])]
    nodes = [node("Conv", ["x", "w"], ["t"], pads=[15, 15, 14, 14]), node("Add", ["t", "b"], ["y"])]
    save(tmp_path / "in.onnx", nodes, [INPUT], ["y"], weights)
    (tmp_path / "sub").mkdir()
    path = str(tmp_path / "sub" / "m.onnx")
    model = onnx.load(tmp_path / "in.onnx")
    onnx.save(model, path, save_as_external_data=True, location="m.data", size_threshold=0)
    check_bits(path, {"x": X}, 0)
    script = (
        "import sys, numpy; from ipudebug import run; print(run(sys.argv[1], {'x': numpy.ones((1, 2, 3, 4), 'f')}))"
    )
    other_folder = subprocess.run(
        [sys.executable, "-c", script, "sub/m.onnx"], cwd=tmp_path, capture_output=True, text=True
    )
    assert other_folder.stdout.startswith("[Tensor('y', shape=(1, 2, 3, 4)"), other_folder.stderr
    data = tmp_path / "sub" / "m.data"
    os.truncate(data, 100)
    with pytest.raises(ModelError, match=r"m\.data: weight 'w' .*the file has 100 bytes"):
        OnnxRunner(ModelFiles(path))
    data.unlink()
    with pytest.raises(ModelError, match=r"m\.data is missing, which holds the weight 'w'"):
        OnnxRunner(ModelFiles(path))


def test_half_precision_gives_the_plain_outputs_and_notes_the_gap(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    names = ["x", *(f"r{i}" for i in range(6))]
    nodes, weights = [], []
    for i, (before, after) in enumerate(itertools.pairwise(names)):
        weights.append(weight(f"w{i}", random.standard_normal((4, 4, 3, 3)) / 6, np.float16))
        nodes += [node("Conv", [before, f"w{i}"], [f"c{i}"], pads=[1] * 4), node("Relu", [f"c{i}"], [after])]
    path = save(tmp_path / "m.onnx", nodes, [value("x", TensorProto.FLOAT16, [1, 4, 8, 8])], ["r5"], weights)
    feed = {"x": random.standard_normal((1, 4, 8, 8)).astype(np.float16)}
    runner = OnnxRunner(ModelFiles(path))
    *_, last = runner.trace(feed)
    assert last.array.tobytes() == to_nhwc(runtime_outputs(path, feed)["r5"]).tobytes()
    assert len(runner.notes) <= 1  # whether there is a gap depends on onnxruntime


def test_with_optimisation_the_final_outputs_are_those_of_an_optimised_plain_run(tmp_path: Path) -> None:
    for seed in range(4):
        path = save_random_net(tmp_path / "net.onnx", seed)
        feed = {"x": np.random.default_rng(seed).standard_normal((1, 4, 6, 5), dtype=np.float32)}
        layers = trace(path, feed, optimize=True)
        for name, array in runtime_outputs(path, feed, "ORT_ENABLE_ALL").items():
            assert layers[name].array.tobytes() == to_nhwc(array).tobytes()


def test_run_gives_final_outputs_or_every_layer(tmp_path: Path) -> None:
    path = save(tmp_path / "m.onnx", [node("Neg", ["x"], ["t"]), node("Relu", ["t"], ["y"])], [INPUT], ["y"])
    (final,) = run(path, {"x": X})
    assert final.info.layout is Layout.NCHW
    np.testing.assert_array_equal(final.array, np.maximum(-X, 0))
    layers = run(path, {"x": X}, every_layer=True)
    assert next(layers).info.name == "t"
    np.testing.assert_array_equal(next(layers).array, to_nhwc(final.array))


BROKEN = {
    "unknown domain": ([node("Foo", ["t"], ["y"], "bad", domain="my.dom")], UnsupportedOp, "'bad' (my.dom.Foo)"),
    "unknown operator": ([node("Foo", ["t"], ["y"])], UnsupportedOp, "makes 'y' (Foo)"),
    "fails": ([node("Reshape", ["t", "s"], ["y"], "shape it")], NodeFailed, "'shape it' (Reshape) failed"),
    "attribute": ([node("Conv", ["t", "t"], ["y"], "c", strides=[1])], ModelError, "'c' (Conv) is invalid"),
    "types": ([node("Add", ["t", "s"], ["y"], "sum")], ModelError, "'sum' (Add) is invalid"),
    "no kernel": ([node("Cast", ["t"], ["d"], to=7), node("Sin", ["d"], ["y"], "sin")], ModelError, "'sin' (Sin)"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_the_node_to_blame_is_named(tmp_path: Path, case: str, capfd: pytest.CaptureFixture[str]) -> None:
    nodes, error, words = BROKEN[case]
    opsets = {"": 21, "my.dom": 1} if "domain" in case else None
    inputs = [INPUT, value("s", TensorProto.INT64, [2])]
    path = save(tmp_path / "m.onnx", [node("Relu", ["x"], ["t"]), *nodes], inputs, ["y"], opsets=opsets)
    feed = {"x": X, "s": np.array([5, 7])}
    runner = OnnxRunner(ModelFiles(path))
    for attempt in (runner.run, lambda feed: list(runner.trace(feed))):
        with pytest.raises(error) as caught:
            attempt(feed)
        assert words in caught.value.message
        assert path in caught.value.message
        assert "onnxruntime_src" not in caught.value.message
        assert caught.value.hint
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("limits", [{"ir_version": 99}, {"opsets": {"": 99}}])
def test_a_model_from_the_future(tmp_path: Path, limits: dict) -> None:  # type: ignore[type-arg]
    path = save(tmp_path / "m.onnx", [node("Relu", ["x"], ["y"])], [INPUT], ["y"], **limits)
    with pytest.raises(ModelError, match="too new for this onnxruntime"):
        OnnxRunner(ModelFiles(path)).run({"x": X})


def test_feeds_that_do_not_fit(tmp_path: Path) -> None:
    path = save(tmp_path / "m.onnx", [node("Relu", ["x"], ["y"])], [INPUT], ["y"])
    runner = OnnxRunner(ModelFiles(path))
    for feed in ({}, {"x": X, "more": X}, {"x": X.astype(np.float64)}, {"x": X[0]}, {"x": X[:, :1]}):
        with pytest.raises(InputError):
            runner.run(feed)
        with pytest.raises(InputError):
            next(runner.trace(feed))
    sequence = helper.make_tensor_sequence_value_info("x", FLOAT, None)
    path = save(tmp_path / "s.onnx", [node("SequenceLength", ["x"], ["y"])], [sequence], ["y"])
    with pytest.raises(ModelError, match="input 'x' cannot be fed"):
        OnnxRunner(ModelFiles(path))


def test_an_input_of_unknown_rank_takes_any(tmp_path: Path) -> None:
    path = save(tmp_path / "m.onnx", [node("Relu", ["x"], ["y"])], [value("x", FLOAT, None)], ["y"])
    check_bits(path, {"x": X}, 0)
    check_bits(path, {"x": X[0, 0]}, 0)


def test_control_flow_inside_control_flow_reads_from_outside(tmp_path: Path) -> None:
    inner = body("inner", [node("Add", ["deep", "w"], ["in"])], [], ["in"])
    flat = body("flat", [node("Neg", ["deep"], ["flat_out"])], [], ["flat_out"])
    outer = body("outer", [node("If", ["yes"], ["o"], then_branch=inner, else_branch=flat)], [], ["o"])
    direct = body("direct", [node("Identity", ["deep"], ["passed"])], [], ["passed"])
    nodes = [node("Relu", ["x"], ["deep"]), node("Sin", ["x"], ["between"])]
    nodes.append(node("If", ["yes"], ["y"], then_branch=outer, else_branch=direct))
    weights = [weight("yes", True, np.bool_), weight("w", np.ones((1, 2, 3, 4)))]
    path = save(tmp_path / "m.onnx", nodes, [INPUT], ["y"], weights)
    layers = trace(path, {"x": X}, segment_bytes=0)
    np.testing.assert_array_equal(layers["y"].array, to_nhwc(np.maximum(X, 0) + 1))


def test_memory_does_not_grow_with_the_activations(tmp_path: Path) -> None:
    """A chain whose activations are ten times what the process may use on top of what it needs anyway."""
    names = ["x", *(f"t{i}" for i in range(60))]
    nodes = [node("Neg", [a], [b]) for a, b in itertools.pairwise(names)]
    path = save(tmp_path / "m.onnx", nodes, [value("x", FLOAT, [1, 8, 512, 512])], ["t59"])
    script = (
        "import resource, sys, numpy\nfrom ipudebug import run\n"
        "x = {'x': numpy.zeros((1, 8, 512, 512), 'f')}\nrun(sys.argv[1], x)\n"
        "plain = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "total = sum(t.array.nbytes for t in run(sys.argv[1], x, every_layer=True))\n"
        "print(total, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - plain)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, check=True)
    total, growth = map(int, done.stdout.split())
    assert total == 60 * 8 << 20
    assert growth * (1 if sys.platform == "darwin" else 1024) < 100 << 20


@pytest.mark.reference
def test_real_models_equal_a_plain_run_to_the_bit(reference: Path) -> None:
    paths = sorted(map(str, reference.rglob("*.onnx")))
    assert paths
    for path in paths:
        shapes = [(info.name, [abs(dim) for dim in info.shape]) for info in OnnxRunner(ModelFiles(path)).inputs]
        feed = {name: np.random.default_rng(0).random(shape, dtype=np.float32) for name, shape in shapes}
        check_bits(path, feed, 1 << 20)


def test_a_model_in_memory_runs_like_one_in_a_file(tmp_path):
    weights = np.random.default_rng(5).standard_normal((16, 8, 3, 3)).astype(np.float32)  # large enough to be read late
    nodes = [helper.make_node("Conv", ["x", "w"], ["c"]), helper.make_node("Relu", ["c"], ["y"])]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", 1, [1, 8, 6, 6])],
        [helper.make_tensor_value_info("y", 1, [1, 16, 4, 4])],
        [numpy_helper.from_array(weights, "w")],
    )
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
    path = tmp_path / "net.onnx"
    onnx.save(model, path)
    feed = {"x": np.random.default_rng(6).standard_normal((1, 8, 6, 6)).astype(np.float32)}
    from_file = OnnxRunner(ModelFiles(str(path)))
    in_memory = OnnxRunner(ModelFiles("the net", data=model.SerializeToString()))
    for one, other in ((from_file.run(feed), in_memory.run(feed)), (from_file.trace(feed), in_memory.trace(feed))):
        found, wanted = ([(tensor.info, tensor.array.tobytes()) for tensor in side] for side in (one, other))
        assert found == wanted
    with pytest.raises(ModelError, match="the net: expected an ONNX model, found text"):
        OnnxRunner(ModelFiles("the net", data=b"no model"))
    with pytest.raises(ModelError, match="the net: the file is empty"):
        OnnxRunner(ModelFiles("the net", data=b""))
