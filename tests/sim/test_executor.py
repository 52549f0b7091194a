"""The executor against the kernels, one node at a time, however it cuts a model into sessions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from ipudebug.runners.session import Engine
from ipudebug.sim import chain
from ipudebug.sim.executor import FixedRunner
from ipudebug.sim.kernels import KERNELS
from ipudebug.sim.steps import DOMAIN, ChainStep, KernelNode, SessionStep
from tests.sim.calibrated import Calibrated, calibrate_net
from tests.sim.mixed_net import build_net

ALL_INT16 = "[CONV_CONFIG]\ninput_format = ALL_INT16;\n"


@pytest.fixture(scope="module", params=["", ALL_INT16], ids=["8", "16"])
def net(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Calibrated:
    folder: Path = tmp_path_factory.mktemp("net")
    return calibrate_net(build_net(), folder, request.param)


def compute_nodes(net: Calibrated) -> dict[str, np.ndarray]:
    """Every tensor of the graph, each node by itself, on the definition of its kernel."""
    graph = net.fixed.graph.graph
    values = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer} | net.feed(0)
    for node in graph.node:
        attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
        assert node.domain == DOMAIN
        made = KERNELS[node.op_type].compute([values[name] for name in node.input], attributes)
        values.update(zip(node.output, made, strict=True))
    return values


def to_nchw(array: np.ndarray) -> np.ndarray:
    return array.transpose(0, 3, 1, 2) if array.ndim == 4 else array


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_every_tensor_is_its_kernels(net: Calibrated, threads: int) -> None:
    expected = compute_nodes(net)
    runner = FixedRunner(net.fixed, threads=threads)
    for _ in range(2):  # planned, and as planned
        names = []
        for tensor in runner.trace(net.feed(0)):
            np.testing.assert_array_equal(to_nchw(tensor.array), expected[tensor.info.name], tensor.info.name)
            names.append(tensor.info.name)
        shown = [name for operation in net.fixed.operations for name in operation.outputs]
        assert names == shown
        for tensor in runner.run(net.feed(0)):
            np.testing.assert_array_equal(to_nchw(tensor.array), expected[tensor.info.name])


def test_neighbours_become_one_session(net: Calibrated) -> None:
    runner = FixedRunner(net.fixed)
    runner.run(net.feed(0))
    kinds = [type(step) for step in runner._steps]
    assert kinds.count(ChainStep) <= kinds.count(KernelNode) + 1
    assert kinds.count(ChainStep) >= 1
    assert SessionStep not in kinds


def test_short_chains_give_the_same(net: Calibrated, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, cut = FixedRunner(net.fixed), FixedRunner(net.fixed)
    expected = list(whole.trace(net.feed(1)))
    monkeypatch.setattr(chain, "LARGEST", 0)
    found = list(cut.trace(net.feed(1)))
    assert len(cut._steps) == len(net.fixed.graph.graph.node)
    for mine, other in zip(found, expected, strict=True):
        assert mine.info == other.info
        np.testing.assert_array_equal(mine.array, other.array)


def test_a_run_that_is_given_up_leaves_the_next_one_whole(net: Calibrated) -> None:
    runner = FixedRunner(net.fixed)
    begun = runner.trace(net.feed(0))
    next(begun)
    begun.close()
    (found,), (expected,) = runner.run(net.feed(0)), FixedRunner(net.fixed).run(net.feed(0))
    np.testing.assert_array_equal(found.array, expected.array)


def test_real_numbers_are_computed_with_one_thread(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A Sin has no kernel."""
    text = """
        <ir_version: 8, opset_import: ["" : 17]>
        net (float[1,3,8,8] x) => (float[1,3,8,8] y) { a = Sin(x)  b = Relu(a)  c = Sin(b)  y = MaxPool<kernel_shape=[1,1]>(c) }
    """  # noqa: E501
    net = calibrate_net(onnx.parser.parse_model(text), tmp_path)
    threads = []
    opened = Engine.open
    monkeypatch.setattr(Engine, "open", lambda engine, model: threads.append(engine._threads) or opened(engine, model))
    runner = FixedRunner(net.fixed, threads=3)
    traced = {tensor.info.name: tensor.array for tensor in runner.trace(net.feed(0))}
    (found,) = runner.run(net.feed(0))
    assert np.unique(found.array).size > 3
    np.testing.assert_array_equal(found.array, traced["y"])
    steps = [step for step in runner._steps if isinstance(step, SessionStep)]
    assert threads == [1] * len(steps)
    assert len(steps) == 2
