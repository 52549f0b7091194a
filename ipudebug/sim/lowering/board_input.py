"""What the board feeds -> the first tensor of the fixed model: INPUT_CONVERSION, or pixels and raw data as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ipudebug.sim.board_inputs import derive_conversion, find_channel_axis, is_image, is_uniform, order_channels
from ipudebug.sim.lowering.fixed_graph import DOMAIN, FixedGraph
from ipudebug.sim.lowering.real import quantise
from ipudebug.sim.model import BoardInput
from ipudebug.sim.quantisation import UINT8, TensorQuant

if TYPE_CHECKING:
    from onnx import NodeProto, ValueInfoProto


def lower_input(board: BoardInput, is_quantised: bool, graph: FixedGraph) -> tuple[ValueInfoProto, list[NodeProto]]:
    """Return an input of the fixed model and the nodes behind it, which no dump shows.

    The other nodes read what these make under the name of the input; that name itself stays the board's. A float
    RAWDATA input that is not quantised is fed as float32, and quantised inside.
    """
    from onnx import TensorProto, helper

    name = board.name
    quant = graph.quants.get(name)
    if quant is None:
        return next(info for info in graph.network.draft.inputs if info.name == name), []
    shape = graph.network.shape(name)
    if not is_image(board) and is_quantised:
        return helper.make_tensor_value_info(name, TensorProto.INT16, shape), []
    nodes = _list_nodes(board, quant, graph) if is_image(board) else quantise(name, _rename(name, graph), quant, graph)
    element = TensorProto.UINT8 if is_image(board) else TensorProto.FLOAT
    return helper.make_tensor_value_info(name, element, shape), nodes


def _list_nodes(board: BoardInput, quant: TensorQuant, graph: FixedGraph) -> list[NodeProto]:
    """Return the nodes that make the stored pixels of the board's."""
    from onnx import helper

    axis = find_channel_axis(graph.network.shape(board.name), board.training_format)
    if len(board.mean) == 3 and board.training_format in ("RGB", "BGR"):
        conversion = derive_conversion(board, quant)
        if conversion is None:
            return []
        made = _rename(board.name, graph)
        layout = "NCHW" if axis == 1 else "NHWC"
        attributes: dict[str, Any] = {"matrix": conversion[0], "offset": conversion[1], "layout": layout}
        label = f"{board.name}_conversion"
        return [helper.make_node("INPUT_CONVERSION", [board.name], [made], name=label, domain=DOMAIN, **attributes)]
    if is_uniform(board):
        return []
    return _normalise(board, quant, 1 if axis == 1 else 3, graph)


def _normalise(board: BoardInput, quant: TensorQuant, axis: int, graph: FixedGraph) -> list[NodeProto]:
    """Return nodes that normalise four channels on real numbers; the fourth has the mean and std of the third."""
    from onnx import TensorProto, helper

    shape = [-1 if place == axis else 1 for place in range(4)]
    values = [order_channels(values, board.training_format) for values in (board.mean, board.std)]
    arrays = [np.array([*each, *each[-1:]][:4], np.float32).reshape(shape) for each in values]
    names = [
        graph.add_constant(f"{board.name}#{part}", array) for part, array in zip(("mean", "std"), arrays, strict=True)
    ]
    steps = [graph.invent(f"{board.name}#{part}") for part in ("pixels", "centred", "real")]
    made = _rename(board.name, graph)
    return [
        helper.make_node("Cast", [board.name], steps[:1], name=steps[0], to=TensorProto.FLOAT),
        helper.make_node("Sub", [steps[0], names[0]], steps[1:2], name=steps[1]),
        helper.make_node("Div", [steps[1], names[1]], steps[2:], name=steps[2]),
        *quantise(steps[2], made, quant, graph),
    ]


def _rename(name: str, graph: FixedGraph) -> str:
    """Return the name of what is made of an input, under which all nodes read it."""
    quant = graph.quants[name]
    stem = f"{name}#{'pixels' if quant.dtype == UINT8 else 'stored'}"
    made = graph.make_tensor(stem, quant, graph.shape(name))
    graph.renamed[name] = made
    return made
