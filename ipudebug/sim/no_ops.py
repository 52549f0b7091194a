"""Nodes that pass their input on unchanged: found, and taken out without renaming what stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ipudebug.sim.constraints.graph import STANDARD_DOMAINS
from ipudebug.sim.draft import Draft, read_attributes

if TYPE_CHECKING:
    from onnx import NodeProto

SAME_ORDER = ("Expand", "Flatten", "Reshape", "Squeeze", "Tile")
"""Operators that do nothing where the shape stays: the elements keep their order."""


def remove_no_ops(draft: Draft) -> int:
    """Take out every node that does nothing, and return how many there were.

    Its readers then read its input. Where the node makes a tensor whose name must survive, the input takes that name,
    unless it has to keep its own: it is fed, a weight, an output too, or read inside a body.
    """
    kept, captured, makers = draft.kept, draft.captured, draft.find_makers()
    names: dict[str, str] = {}  # a name that goes -> the one that takes its place

    def resolve(name: str) -> str:
        while name in names:
            name = names[name]
        return name

    nodes = []
    for node in draft.nodes:
        if not _is_no_op(node, draft):
            nodes.append(node)
            continue
        source, made = resolve(node.input[0]), node.output[0]
        if made not in kept and made not in captured:
            names[made] = source
        elif made not in captured and source in makers and source not in kept and source not in captured:
            names[source] = made
        else:
            nodes.append(node)
    for node in nodes:
        node.input[:] = [resolve(name) for name in node.input]
        node.output[:] = [resolve(name) for name in node.output]
    removed = len(draft.nodes) - len(nodes)
    draft.nodes = nodes
    return removed


def _is_no_op(node: NodeProto, draft: Draft) -> bool:
    """Return whether a node's only output that is used equals its first input, element by element."""
    if node.domain not in STANDARD_DOMAINS or not node.input or not node.input[0] or not node.output[0]:
        return False
    if node.op_type == "Identity":
        return True
    source, made = draft.types.get(node.input[0]), draft.types.get(node.output[0])
    if source is None or made is None or source.tensor_type.elem_type != made.tensor_type.elem_type:
        return False
    shape = draft.find_shape(node.input[0])
    if shape is None or shape != draft.find_shape(node.output[0]):
        return False
    attributes = read_attributes(node)
    if node.op_type == "Dropout":
        return _is_idle_dropout(node, draft, attributes)
    if node.op_type == "Pad":
        pads = attributes.get("pads", attributes.get("paddings"))
        if pads is None and len(node.input) > 1:
            pads = draft.read_weight(node.input[1])
        return pads is not None and not np.any(pads)
    if node.op_type == "Transpose":
        order = attributes.get("perm", list(range(len(shape)))[::-1])
        return list(order) == list(range(len(shape)))
    if node.op_type == "Concat":
        return len(node.input) == 1
    return node.op_type == "Cast" or node.op_type in SAME_ORDER


def _is_idle_dropout(node: NodeProto, draft: Draft, attributes: dict[str, object]) -> bool:
    """Return whether a Dropout drops nothing, and nobody reads its mask."""
    if len(node.output) > 1 and node.output[1] and draft.count_readers()[node.output[1]]:
        return False
    opset = max(item.version for item in draft.model.opset_import if item.domain in STANDARD_DOMAINS)
    if opset < 7:
        return bool(attributes.get("is_test", 0))
    training = draft.read_weight(node.input[2]) if len(node.input) > 2 and node.input[2] else np.False_
    return training is not None and not np.any(training)
