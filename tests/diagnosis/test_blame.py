"""Each layer alone: exact sums, roles through additions and concatenations, shares of the final error."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from ipudebug.diagnosis import Shape, diagnose
from ipudebug.diagnosis.blame import Blame, LayerBlame, Role, measure_blame
from ipudebug.diagnosis.models import diagnose_with_models, judge_with_blame
from ipudebug.diagnosis.nodes import NodeGraph, load_graph
from ipudebug.dumps import write_dump
from ipudebug.errors import InputError, ModelError, NodeFailed
from tests.diagnosis.arrays import MemoryDump, make_tensor

SIZE = 8


def make_net() -> onnx.ModelProto:
    """Return conv - relu - {conv, pool} - concat - conv + skip - mean."""
    rng = np.random.default_rng(0)

    def weight(name: str, *shape: int) -> onnx.TensorProto:
        return numpy_helper.from_array(rng.normal(0, 0.4, shape).astype(np.float32), name)

    pads = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
    nodes = [
        helper.make_node("Conv", ["image", "w1"], ["conv1"], **pads),
        helper.make_node("Relu", ["conv1"], ["relu1"]),
        helper.make_node("Conv", ["relu1", "w2"], ["conv2"], **pads),
        helper.make_node("MaxPool", ["relu1"], ["pool"], strides=[1, 1], **pads),
        helper.make_node("Concat", ["conv2", "pool"], ["concat"], axis=1),
        helper.make_node("Conv", ["concat", "w3"], ["conv3"], **pads),
        helper.make_node("Add", ["conv3", "relu1"], ["add"]),
        helper.make_node("GlobalAveragePool", ["add"], ["mean"]),
    ]
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, SIZE, SIZE])],
        [helper.make_tensor_value_info("mean", TensorProto.FLOAT, [1, 4, 1, 1])],
        [weight("w1", 4, 3, 3, 3), weight("w2", 4, 4, 3, 3), weight("w3", 4, 8, 3, 3)],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def run_net(spoiled: dict[str, np.ndarray] | None = None) -> dict[str, np.ndarray]:
    """Return all tensors, NHWC; what ``spoiled`` names is added to when it is made, so that the error goes on."""
    graph = NodeGraph(make_net())
    image = np.random.default_rng(1).normal(0, 1, (1, 3, SIZE, SIZE)).astype(np.float32)
    values = {"image": image}
    for step in graph.steps:
        for name, array in zip(step.makes, step.compute(values), strict=True):
            values[name] = array + (spoiled or {}).get(name, np.float32(0))
    return {name: np.ascontiguousarray(array.transpose(0, 2, 3, 1)) for name, array in values.items()}


def blame(sample: dict[str, np.ndarray], benchmark: dict[str, np.ndarray]) -> Blame:
    feed = {"image": np.ascontiguousarray(benchmark["image"].transpose(0, 3, 1, 2))}
    return measure_blame(NodeGraph(make_net()), sample.get, benchmark.get, feed)


def by_name(result: Blame) -> dict[str, LayerBlame]:
    return {layer.name: layer for layer in result.layers}


def error(level: float, *shape: int, seed: int = 2) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, level, shape).astype(np.float32)


def test_equal_dumps_blame_nobody() -> None:
    tensors = run_net()
    result = blame(tensors, tensors)
    assert all(layer.role is Role.RIGHT and layer.jump < 1 for layer in result.layers)
    assert result.strays == []
    assert [layer.name for layer in result.layers] == [name for name in tensors if name != "image"]


def test_the_layer_that_makes_the_error_originates_and_bears_it_all() -> None:
    wrong, right = run_net({"conv2": error(0.3, 1, 4, SIZE, SIZE)}), run_net()
    result = blame(wrong, right)
    layers = by_name(result)
    assert [layer.name for layer in result.strays] == ["conv2"]
    assert layers["conv2"].role is Role.ORIGINATES
    assert layers["conv2"].share == pytest.approx(1, abs=1e-3)
    assert layers["conv2"].accumulated == pytest.approx(
        np.linalg.norm(wrong["conv2"] - right["conv2"]) / np.linalg.norm(right["conv2"]), rel=1e-5
    )
    for name in ("concat", "conv3", "add", "mean"):
        assert layers[name].local < 1e-6, name
        assert layers[name].role in (Role.PASSES_ON, Role.ABSORBS, Role.AMPLIFIES), name
    assert layers["conv1"].role is layers["relu1"].role is layers["pool"].role is Role.RIGHT


def test_local_and_inherited_errors_add_up_to_the_accumulated() -> None:
    """The vectors add up; their lengths therefore obey the triangle, and exactly where one is zero."""
    wrong = run_net({"conv1": error(0.1, 1, 4, SIZE, SIZE), "conv3": error(0.2, 1, 4, SIZE, SIZE, seed=5)})
    for layer in blame(wrong, run_net()).layers:
        assert layer.accumulated <= layer.local + layer.inherited + 1e-6
        assert layer.accumulated >= abs(layer.local - layer.inherited) - 1e-6


def test_the_shares_sum_to_the_whole_error() -> None:
    spoiled = {name: error(level, 1, 4, SIZE, SIZE, seed=number) for number, (name, level) in enumerate(
        [("conv1", 0.1), ("pool", 0.2), ("conv2", 0.05), ("add", 0.1)])}  # fmt: skip
    wrong = run_net(spoiled)
    result = blame(wrong, run_net())
    assert sum(layer.share for layer in result.layers) + result.input_share == pytest.approx(1, abs=1e-6)
    assert {layer.name for layer in result.layers if abs(layer.share) > 1e-4} == set(spoiled)


def test_an_error_that_comes_with_the_input_is_the_inputs() -> None:
    right = run_net()
    graph = NodeGraph(make_net())
    image = np.ascontiguousarray(right["image"].transpose(0, 3, 1, 2)) + error(0.2, 1, 3, SIZE, SIZE)
    values = {"image": image}
    for step in graph.steps:
        values.update(zip(step.makes, step.compute(values), strict=True))
    wrong = {name: np.ascontiguousarray(array.transpose(0, 2, 3, 1)) for name, array in values.items()}
    result = blame(wrong, right)
    assert result.input_share == pytest.approx(1, abs=1e-5)
    assert result.strays == []


def test_what_the_sample_fused_counts_with_the_next_layer_that_it_has() -> None:
    wrong = run_net({"conv2": error(0.3, 1, 4, SIZE, SIZE)})
    for fused in ("conv1", "conv2", "concat"):
        del wrong[fused]
    layers = by_name(blame(wrong, run_net()))
    assert "conv2" not in layers
    assert layers["conv3"].role is Role.ORIGINATES
    assert layers["conv3"].share == pytest.approx(1, abs=1e-3)


def write_pair(folder: Path, spoiled: dict[str, np.ndarray], with_input: bool = True) -> tuple[str, str, str]:
    """Return the paths of sample, benchmark and model."""
    paths = []
    for side, tensors in (("sample", run_net(spoiled)), ("benchmark", run_net())):
        made = [
            make_tensor(name, array, number, "in" if name == "image" else "out")
            for number, (name, array) in enumerate(tensors.items())
            if with_input or name != "image"
        ]
        paths.append(str(folder / f"{side}.bin"))
        write_dump(paths[-1], made)
    onnx.save(make_net(), folder / "net.onnx")
    return paths[0], paths[1], str(folder / "net.onnx")


def test_the_kind_is_told_from_what_the_layer_does_by_itself(tmp_path: Path) -> None:
    channel = np.zeros((1, 4, SIZE, SIZE), np.float32)
    channel[0, 2] = 0.3
    sample, benchmark, model = write_pair(tmp_path, {"pool": channel})
    verdict = diagnose_with_models(sample=sample, benchmark=benchmark, float_model=model)
    assert verdict.shape is Shape.ABRUPT
    assert verdict.suspects[0].row.name == "pool"
    assert verdict.suspects[0].finding.kind == "one-channel"
    assert verdict.blame is not None
    assert [layer.name for layer in verdict.blame.strays] == ["pool"]


def test_without_its_input_the_model_cannot_run(tmp_path: Path) -> None:
    sample, benchmark, model = write_pair(tmp_path, {}, with_input=False)
    with pytest.raises(InputError) as caught:
        diagnose_with_models(sample=sample, benchmark=benchmark, float_model=model)
    assert "image" in caught.value.message
    assert "-i IMAGE -n PREPROCESS" in str(caught.value.hint)


def test_a_file_that_is_no_float_model_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "model.onnx"
    other.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    with pytest.raises(ModelError):
        load_graph(str(other))


def test_a_model_that_did_not_make_the_dumps_is_told() -> None:
    graph = NodeGraph(make_net())
    with pytest.raises(NodeFailed, match="conv1"):
        graph.steps[0].compute({"image": np.zeros((1, 5, 4, 4), np.float32)})


def test_where_no_layer_stands_out_the_largest_shares_are_the_suspects(tmp_path: Path) -> None:
    levels = {"conv1": 0.05, "relu1": 0.05, "conv2": 0.06, "pool": 0.05, "conv3": 0.3, "add": 0.1}
    spoiled = {name: error(level, 1, 4, SIZE, SIZE, seed=number) for number, (name, level) in enumerate(levels.items())}
    sample, benchmark, model = write_pair(tmp_path, spoiled)
    verdict = diagnose_with_models(sample=sample, benchmark=benchmark, float_model=model)
    assert verdict.blame is not None
    quiet = replace(verdict.blame, layers=tuple(replace(layer, jump=0.5) for layer in verdict.blame.layers))
    judged = judge_with_blame(replace(verdict, shape=Shape.GRADUAL), quiet)
    shares = {layer.name: layer.share for layer in quiet.layers}
    assert [suspect.row.name for suspect in judged.suspects] == sorted(shares, key=lambda name: -shares[name])[:3]
    assert judged.shape is Shape.GRADUAL
    assert judged.suspects[0].row.name in judged.reason


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_the_layer_that_makes_the_first_nan_originates_and_its_readers_do_not(value: float, tmp_path: Path) -> None:
    broken = np.zeros((1, 4, SIZE, SIZE), np.float32)
    broken[0, 1, 3, 4] = value
    sample, benchmark, model = write_pair(tmp_path, {"conv2": broken})
    verdict = diagnose_with_models(sample=sample, benchmark=benchmark, float_model=model)
    assert verdict.blame is not None
    assert [layer.name for layer in verdict.blame.strays] == ["conv2"]
    assert by_name(verdict.blame)["conv2"].role is Role.ORIGINATES
    assert [(suspect.row.name, suspect.finding.kind) for suspect in verdict.suspects] == [("conv2", "nan")]


class Feeds:
    """Images that were preprocessed already; see ``ipudebug.inputs.feeds``."""

    def __init__(self, image: np.ndarray) -> None:
        self.image = image

    def fit(self, infos: object, norm: bool = True):  # type: ignore[no-untyped-def]
        yield "image", {"image": np.ascontiguousarray(self.image.transpose(0, 3, 1, 2))}


def test_an_input_that_only_the_sample_holds_is_held_against_the_image(tmp_path: Path) -> None:
    """The framework's dump has no input; the fixed model's has, and its colours are swapped."""
    right = run_net()
    wrong = {**right, "image": np.ascontiguousarray(right["image"][..., ::-1])}
    graph = NodeGraph(make_net())
    values = {"image": np.ascontiguousarray(wrong["image"].transpose(0, 3, 1, 2))}
    for step in graph.steps:
        for name, array in zip(step.makes, step.compute(values), strict=True):
            values[name] = array
            wrong[name] = np.ascontiguousarray(array.transpose(0, 2, 3, 1))
    without = {name: array for name, array in right.items() if name != "image"}
    for side, tensors in (("sample", wrong), ("benchmark", without)):
        write_dump(
            tmp_path / f"{side}.bin",
            [
                make_tensor(name, array, max(number - 1, 0), "in" if name == "image" else "out")
                for number, (name, array) in enumerate(tensors.items())
            ],
        )
    onnx.save(make_net(), tmp_path / "net.onnx")
    files = {"sample": tmp_path / "sample.bin", "benchmark": tmp_path / "benchmark.bin"}
    verdict = diagnose_with_models(**files, float_model=str(tmp_path / "net.onnx"), feeds=Feeds(right["image"]))  # type: ignore[arg-type]
    assert verdict.shape is Shape.INPUT
    assert (verdict.suspects[0].row.name, verdict.suspects[0].finding.kind) == ("image", "channel-order")
    assert verdict.blame is not None
    assert verdict.blame.input_share == pytest.approx(1, abs=1e-3)
    blind = diagnose(**files)  # type: ignore[arg-type]
    assert blind.suspects[0].row.name == "conv1"
    assert len(blind.notes) == 1
    assert "--preprocess" in blind.notes[0]


def test_trouble_behind_the_first_layer_is_not_put_down_to_the_input() -> None:
    tensors = {name: array for name, array in run_net().items() if name != "image"}
    dumps = [
        MemoryDump(side, *(make_tensor(name, array * (3 if (side, name) == ("sample", "conv3") else 1), number)
                           for number, (name, array) in enumerate(tensors.items())))
        for side in ("sample", "benchmark")
    ]  # fmt: skip
    verdict = diagnose(sample=dumps[0], benchmark=dumps[1])  # type: ignore[arg-type]
    assert verdict.suspects[0].row.name == "conv3"
    assert verdict.notes == ()
