"""Constants: one pass over the nodes that learns every tensor's type and computes what does not depend on the inputs.

All shapes of the inputs are fixed by now, so the shape of anything is a constant too, and the arithmetic that exporters
put around shapes disappears. A constant that would grow beyond LARGEST bytes, as ConstantOfShape, Expand or Range make
them of a few numbers, is left to be computed when the model runs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ipudebug.catalogue import load_entries
from ipudebug.errors import ModelError
from ipudebug.sim.constraints.graph import NOT_FOLDED, STANDARD_DOMAINS
from ipudebug.sim.draft import Draft, count_bytes, list_bodies, list_reads, read_attributes, read_static_shape
from ipudebug.sim.single_node import compute_values, infer_types

if TYPE_CHECKING:
    from onnx import NodeProto, TensorProto, TypeProto

LARGEST = 4 << 20
"""Bytes of a computed constant that has more elements than what it was computed from."""
LARGEST_SUM = 64 << 20
"""Bytes of all of them together."""
LARGEST_UNSIZED = 1 << 16
"""Bytes of the constants that a node reads whose result has a size that nobody can tell."""
UNSIZED = "077"
RANDOM = NOT_FOLDED | {"Dropout"}


@dataclass(slots=True)
class _Fold:
    """The pass: the draft, whether nodes are to be replaced by what they make, and the bytes grown so far."""

    draft: Draft
    replace: bool
    grown: int = 0


def fold_constants(draft: Draft, *, replace: bool = True) -> int:
    """Fill in ``draft.types`` of every tensor, turn constant nodes into weights, and return how many there were.

    Without ``replace`` every node stays; constants are only looked at for the shapes that they decide. A constant that
    is an output of the graph stays a node, a Constant one. Raises ModelError for a tensor whose shape nobody can tell.
    """
    fold = _Fold(draft, replace)
    own = set(draft.weights)
    for tensor in list(draft.weights.values()):
        draft.set_weight(tensor)
    draft.types.update((info.name, info.type) for info in draft.inputs)
    outputs = {info.name for info in draft.outputs}
    nodes = []
    count = 0
    for node in draft.nodes:
        values = _find_values(node, fold)
        if values is None:
            draft.types |= _infer(node, draft)
            nodes.append(node)
            continue
        for tensor in values:
            draft.set_weight(tensor)
        count += 1
        if not replace:
            nodes.append(node)
        else:
            nodes += [_make_constant(tensor) for tensor in values if tensor.name in outputs]
    draft.nodes = nodes
    made = {name for node in nodes for name in node.output}
    draft.weights = {name: tensor for name, tensor in draft.weights.items() if name in own or name not in made}
    return count if replace else 0


def _find_values(node: NodeProto, fold: _Fold) -> list[TensorProto] | None:
    """Return what a constant node makes, or None for a node that is to stay."""
    from onnx import numpy_helper

    draft = fold.draft
    if node.domain not in STANDARD_DOMAINS or node.op_type in RANDOM or next(list_bodies(node), None) is not None:
        return None
    if node.op_type == "Constant":
        return _read_constant(node)
    if node.op_type in ("Shape", "Size"):
        shape = draft.find_shape(node.input[0])
        if shape is None:
            return None
        attributes = read_attributes(node)
        values: Any = shape[attributes.get("start", 0) : attributes.get("end")]
        values = values if node.op_type == "Shape" else math.prod(shape)
        return [numpy_helper.from_array(np.asarray(values, np.int64), node.output[0])]
    if not node.input or not all(name in draft.weights for name in list_reads(node)):
        return None
    types = infer_types(node, draft)
    growth = _measure_growth(node, types, draft)
    if growth is None or growth > LARGEST or fold.grown + growth > LARGEST_SUM:
        return None
    tensors = compute_values(node, draft)
    if tensors is not None:
        fold.grown += growth
    return tensors


def _measure_growth(node: NodeProto, types: dict[str, TypeProto], draft: Draft) -> int | None:
    """Return the bytes of what a constant node makes, 0 if it is no more than what it reads; None if unlimited."""
    from onnx import helper

    reads = [draft.weights[name] for name in list_reads(node)]
    total = elements = 0
    for name in filter(None, node.output):
        shape = read_static_shape(types[name]) if name in types else None
        if shape is None:
            return 0 if sum(map(count_bytes, reads)) <= LARGEST_UNSIZED else None
        elements += math.prod(shape)
        total += math.prod(shape) * helper.tensor_dtype_to_np_dtype(types[name].tensor_type.elem_type).itemsize
    return 0 if elements <= sum(math.prod(tensor.dims) for tensor in reads) else total


def _infer(node: NodeProto, draft: Draft) -> dict[str, TypeProto]:
    """Return the types of a node's outputs; raises ModelError for a tensor without a fixed shape."""
    types = infer_types(node, draft)
    for name in filter(None, node.output):
        kind = types.get(name)
        is_open = kind is None or (kind.HasField("tensor_type") and read_static_shape(kind) is None)
        if is_open:
            label = f"{node.name or name} ({node.op_type})"
            message = load_entries()[UNSIZED].fill(["0", name])
            hint = "its size follows from values: replace the operator, or move it out of the model"
            raise ModelError(f"{message} expected a fixed shape of what {label} makes, found none", hint)
    return types


def _read_constant(node: NodeProto) -> list[TensorProto] | None:
    """Return the tensor in a Constant node; None where it holds something else."""
    from onnx import TensorProto, numpy_helper

    name = node.output[0]
    for key, value in read_attributes(node).items():
        if key == "value":
            tensor = TensorProto()
            tensor.CopyFrom(value)
            tensor.name = name
            return [tensor]
        dtype = {"value_float": np.float32, "value_floats": np.float32, "value_int": np.int64, "value_ints": np.int64}
        if key in dtype:
            return [numpy_helper.from_array(np.asarray(value, dtype[key]), name)]
    return None


def _make_constant(tensor: TensorProto) -> NodeProto:
    """Return the node that makes a constant output of the graph."""
    from onnx import helper

    return helper.make_node("Constant", [], [tensor.name], name=tensor.name, value=tensor)
