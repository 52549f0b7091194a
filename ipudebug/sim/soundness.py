"""Whether an ONNX model keeps the format's own rules, as far as code that trusts them would stumble otherwise."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ipudebug.errors import ModelError
from ipudebug.sim.constraints.graph import STANDARD_DOMAINS
from ipudebug.sim.draft import Draft, list_bodies

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, TensorProto

AGAIN = "copy or export the model again"


def check_contents(model: ModelProto, path: str) -> None:
    """Raise ModelError for a text that is not UTF-8, or a weight that has not the elements that its shape says."""
    for text in _list_texts(model.graph):
        if not isinstance(text, str):  # protobuf hands out what it cannot decode as bytes
            raise ModelError(f"{path}: a name is not UTF-8 text: {text!r}", AGAIN)
    for tensor in model.graph.initializer:
        _check_weight(tensor, path, f"weight {tensor.name}")
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                _check_weight(attribute.t, path, f"{attribute.name} of node {node.name or ''.join(node.output[:1])}")


def check_nodes(draft: Draft, path: str) -> None:
    """Raise ModelError for a node whose inputs, outputs or attributes are not those of its operator.

    Nodes with bodies, and operators of other domains, are left to onnxruntime.
    """
    import onnx

    context = onnx.checker.C.CheckerContext()
    context.ir_version = draft.model.ir_version
    context.opset_imports = {item.domain: item.version for item in draft.model.opset_import}
    for node in draft.nodes:
        if node.domain not in STANDARD_DOMAINS or next(list_bodies(node), None) is not None:
            continue
        try:
            onnx.checker.check_node(node, context)
        except onnx.checker.ValidationError as reason:
            words = " ".join(str(reason).split()).partition(" ==> Context")[0]
            label = node.name or next(filter(None, node.output), "")
            raise ModelError(f"{path}: node {label} ({node.op_type}) is invalid: {words}", AGAIN) from None


def _list_texts(graph: GraphProto) -> Iterator[object]:
    """Yield every name in a graph and in the bodies in it."""
    yield graph.name
    for info in (*graph.input, *graph.output, *graph.value_info):
        yield info.name
        for dim in info.type.tensor_type.shape.dim:
            yield dim.dim_param
    for tensor in graph.initializer:
        yield tensor.name
    for node in graph.node:
        yield from (node.name, node.op_type, node.domain, *node.input, *node.output)
        for attribute in node.attribute:
            yield attribute.name
        for body in list_bodies(node):
            yield from _list_texts(body)


def _check_weight(tensor: TensorProto, path: str, label: str) -> None:
    """Raise ModelError unless a weight, called ``label``, has as many elements as its shape says."""
    from onnx import helper, numpy_helper

    what = f"{path}: {label}"
    shape = "x".join(map(str, tensor.dims))
    count = math.prod(tensor.dims)
    if any(size < 0 for size in tensor.dims):
        raise ModelError(f"{what}: expected no negative dimension, found {shape}", AGAIN)
    try:
        dtype = helper.tensor_dtype_to_np_dtype(tensor.data_type)
        if tensor.HasField("raw_data") and dtype.itemsize > 1:  # smaller ones may be packed
            if len(tensor.raw_data) != count * dtype.itemsize:
                wanted = count * dtype.itemsize
                found = len(tensor.raw_data)
                raise ModelError(f"{what}: expected {wanted} bytes for {shape} of {dtype}, found {found}", AGAIN)
        else:
            numpy_helper.to_array(tensor)
    except (KeyError, TypeError, ValueError) as reason:
        raise ModelError(f"{what}: its elements do not fit its shape {shape}: {reason}", AGAIN) from None
