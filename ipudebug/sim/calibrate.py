"""A float model and images -> ranges -> quantisation parameters -> the fixed model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ipudebug.config.input_config import InputConfig
from ipudebug.sim.board_inputs import describe_inputs, find_channel_axis, is_image, make_pixel_quant
from ipudebug.sim.calibrators import CALIBRATORS, Calibrator
from ipudebug.sim.lower import Lowered, lower_model
from ipudebug.sim.lowering import Role
from ipudebug.sim.lowering.fixed_graph import Parameters
from ipudebug.sim.model import BoardInput, SimModel, Stage
from ipudebug.sim.network import FloatNetwork
from ipudebug.sim.observe import Observation, Observer
from ipudebug.sim.planning import Plan, plan_network
from ipudebug.sim.precision import choose_dtypes
from ipudebug.sim.preprocess_check import PreprocessCheck
from ipudebug.sim.quantisation import UINT8, Range, TensorQuant, make_quant
from ipudebug.sim.stage import SimFacts
from ipudebug.tensor import Layout, TensorInfo

if TYPE_CHECKING:
    from ipudebug.inputs.feeds import Feeds
    from ipudebug.inputs.images import Sample
    from ipudebug.inputs.preprocess import Preprocess
    from ipudebug.sim.quant_param import QuantParam


@dataclass(frozen=True, slots=True)
class Level:
    """What a quantisation level stands for: a method, a scale for each channel of a weight, compensation."""

    method: str
    per_channel: bool
    compensate: bool


LEVELS = {
    "L1": Level("min-max", False, False),
    "L2": Level("min-max", True, False),
    "L3": Level("min-max", True, False),
    "L4": Level("mse", True, True),
    "L5": Level("min-max", True, True),
}
"""The vendor's levels, and what ours do.

The vendor's files of L2, L3 and L5 show measured ranges and weights that are rounded to the nearest; of L4 none is
known. Its manual says that accuracy rises with the level.
"""
SOFTMAX_DEPTH, SIGMOID_TOP = -10.0, 6.0
"""How far the input ranges of table operators reach at least (SPEC 11.1)."""
PROBABILITIES = Range(0.0, 32767 / 32768)
"""Of a softmax: the scale of INT16 is then 1/32768, whatever was measured."""
CHECKED_IMAGES = 4
"""Images on which the preprocess file is held against the ini."""


@dataclass(frozen=True)
class Choice:
    """How to calibrate.

    Attributes:
        method: name of a calibrator.
        per_channel: whether each output channel of a weight has its own scale.
        fuse: whether domains are fused.
        workers: images that are computed at a time; the result does not depend on it.
        given: ranges of a quantisation file, by tensor.
        compensate: whether convolutions make up for the rounding of their weights.
    """

    method: str = "min-max"
    per_channel: bool = True
    fuse: bool = True
    workers: int = 1
    given: Mapping[str, QuantParam] = field(default_factory=dict)
    compensate: bool = False


def make_choice(
    level: str,
    method: str | None,
    *,
    conv_format: str | None,
    fuse: bool,
    workers: int,
    given: Mapping[str, QuantParam],
    compensate: bool | None = None,
) -> Choice:
    """Return how to calibrate at a level, ``L1`` to ``L5``; a method overrules the level's. Raises UnknownPlugin.

    ALL_INT16 has the ranges of L2 at every level but L1, as the vendor's calibrator does. ``compensate`` overrules the
    level; where it does not say, stated ranges are taken as the vendor's calibrator takes them, without compensation.
    """
    chosen = LEVELS[level]
    known = LEVELS["L2"].method if conv_format == "ALL_INT16" else chosen.method
    if compensate is None:
        compensate = chosen.compensate and not given
    found = CALIBRATORS.find(method) if method else known
    return Choice(found, chosen.per_channel, fuse, workers, given, compensate)


def name_output(path: str) -> str:
    """Return where the fixed model goes unless the user says otherwise: ``a_float.sim`` -> ``a_fixed.sim``."""
    stem = path.removesuffix("_float.sim")
    return (path.removesuffix(".sim") if stem == path else stem) + "_fixed.sim"


def calibrate_model(
    model: SimModel,
    feeds: Feeds,
    preprocess: Sequence[Preprocess],
    config: InputConfig,
    facts: SimFacts,
    choice: Choice,
    done: Callable[[], object] = lambda: None,
) -> Lowered:
    """Return the fixed model of a float one.

    Args:
        model: the float model, whoever wrote it.
        feeds: the calibration images; their notes tell what was remarkable.
        preprocess: the functions that the feeds are made by.
        config: the ini.
        facts: what the fixed model is to say about itself.
        choice: how.
        done: called after each image.

    Raises ConfigError, InputError, ModelError.
    """
    calibrator = CALIBRATORS[choice.method]
    network = FloatNetwork(model.graph, [name for operation in model.operations for name in operation.outputs])
    boards = describe_inputs(config, network)
    plan = plan_network(network, [board.name for board in boards if is_image(board)])
    raised = [name for name, param in choice.given.items() if param.bit == 16]
    dtypes = choose_dtypes(plan, config, raised)
    sampled = [name for name, leader in plan.leaders.items() if calibrator.needs_histogram and dtypes[leader] == UINT8]
    observer = Observer(plan, sampled=sampled, with_moments=choice.compensate, workers=choice.workers)
    inputs = _list_inputs(network)
    seen = observer.observe(feeds.fit(inputs), done)
    for text in check_preprocess(boards, feeds.samples, preprocess):
        feeds.note(text)
    quants = choose_quants(plan, seen, dtypes, boards, calibrator, choice.given)
    channels = {
        node.outputs[0]: (seen[node.outputs[0]].low, seen[node.outputs[0]].high) for node in plan.list_convolutions()
    }
    read = {name: moments for name in channels if (moments := seen[name].read) is not None}
    weights = {name: (param.low, param.high) for name, param in choice.given.items() if name not in plan.leaders}
    return lower_model(
        plan,
        Parameters(quants, channels, weights, choice.per_channel, read, name_constants(model)),
        boards,
        SimFacts(Stage.FIXED, facts.chip, facts.input_config),
        unquantised=[
            name for name, quantised in zip(config.inputs, config.quantizations, strict=False) if not quantised
        ],
        fuse=choice.fuse,
    )


def choose_quants(
    plan: Plan,
    seen: Mapping[str, Observation],
    dtypes: Mapping[str, np.dtype],
    boards: Sequence[BoardInput],
    calibrator: Calibrator,
    given: Mapping[str, QuantParam],
) -> dict[str, TensorQuant]:
    """Return how every activation is stored; those of one group alike.

    Args:
        plan: of the model.
        seen: what was seen of each tensor.
        dtypes: of each group, by leader.
        boards: how the board feeds each input; what comes of an image alone has the scale of its pixels.
        calibrator: chooses ranges of 8 bits.
        given: ranges that take the place of measured ones.
    """
    pixels = {board.name: make_pixel_quant(board) for board in boards if is_image(board)}
    ranges = {
        name: given[name].range if name in given else _choose_range(name, seen[name], dtypes[leader], calibrator)
        for name, leader in plan.leaders.items()
        if name not in pixels
    }
    _widen_for_operators(plan, seen, ranges, given)
    probabilities = {name for name, span in ranges.items() if span is PROBABILITIES}
    quants: dict[str, TensorQuant] = {}
    for leader, names in plan.groups.items():
        image = next((pixels[name] for name in names if name in pixels), None)
        if image is None:
            stated = [] if probabilities.intersection(names) else [ranges[name] for name in names if name in given]
            spans = stated or [ranges[name] for name in names]
            joined = spans[0]
            for span in spans[1:]:
                joined = joined.join(span)
            image = make_quant(joined, dtypes[leader])
        quants.update(dict.fromkeys(names, image))
    return quants


def name_constants(model: SimModel) -> dict[str, str]:
    """Return what a dump calls the constants of a model's graph, where that is another name than the graph's."""
    shown = {operation.outputs[0]: operation.inputs for operation in model.operations}
    names: dict[str, str] = {}
    for node in model.graph.graph.node:
        inputs = shown.get(node.output[0], ()) if node.output else ()
        if len(inputs) == len(node.input):
            names.update((own, other) for own, other in zip(node.input, inputs, strict=True) if own != other)
    return names


def _choose_range(name: str, observation: Observation, dtype: np.dtype, calibrator: Calibrator) -> Range:
    """Return the range of one tensor."""
    if dtype != UINT8:
        return observation.range
    return calibrator.choose(observation.range, observation.histogram)


def _widen_for_operators(
    plan: Plan, seen: Mapping[str, Observation], ranges: dict[str, Range], given: Mapping[str, QuantParam]
) -> None:
    """Give the inputs of tables the reach that they need, and the output of a softmax the range that it always has."""
    for node in plan.nodes:
        if plan.roles[node] is Role.REAL:
            continue
        x, y = node.inputs[0], node.outputs[0]
        if node.op == "Softmax":
            ranges[y] = PROBABILITIES
            if x in ranges and x not in given:
                ranges[x] = Range(min(SOFTMAX_DEPTH, seen[x].depth, ranges[x].low), ranges[x].high)
        elif node.op == "Sigmoid" and x in ranges and x not in given:
            ranges[x] = Range(ranges[x].low, max(SIGMOID_TOP, ranges[x].high))


def _list_inputs(network: FloatNetwork) -> list[TensorInfo]:
    """Return what the float model is fed with."""
    from onnx import helper

    infos = []
    for info in network.draft.inputs:
        shape = network.shape(info.name)
        dtype = np.dtype(helper.tensor_dtype_to_np_dtype(info.type.tensor_type.elem_type))
        layout = Layout.NCHW if len(shape) == 4 else None
        infos.append(TensorInfo(info.name, shape, dtype, layout=layout, role="in"))
    return infos


def check_preprocess(
    boards: Sequence[BoardInput], samples: Sequence[Sample], preprocess: Sequence[Preprocess]
) -> Iterator[str]:
    """Yield how preprocess file and ini disagree on the first images, an image input a line."""
    checks = [
        (place, PreprocessCheck(board), board.training_format) for place, board in enumerate(boards) if is_image(board)
    ]
    for sample in samples[:CHECKED_IMAGES]:
        for place, check, training_format in checks:
            normalised, raw = (preprocess[place](sample[place], norm) for norm in (True, False))
            axis = find_channel_axis(normalised.shape, training_format)
            check.add(normalised, raw, -1 if axis is None else axis)
    for _, check, _ in checks:
        text = check.describe()
        if text is not None:
            yield text
