"""One node by itself: the types of what it makes, and, where all that it reads is constant, the values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ipudebug.errors import ModelError, UnsupportedOp
from ipudebug.runners.elements import NUMBERS
from ipudebug.runners.session import shorten
from ipudebug.sim.draft import LARGEST_STUB, Draft, list_bodies, list_reads, read_static_shape

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto, TypeProto

SILENT = 4


def infer_types(node: NodeProto, draft: Draft) -> dict[str, TypeProto]:
    """Return the types of a node's outputs, given the types and small constants that the draft knows.

    ONNX is asked first, then onnxruntime, which knows operators of other domains, then what the model states. Tensors
    have fixed shapes; an output whose type nobody knows is left out. Raises ModelError for a node that contradicts
    itself, UnsupportedOp for an operator that is unknown.
    """
    import onnx

    model = _wrap_node(node, draft)
    names = [name for name in node.output if name]
    try:
        inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True)
        types = {info.name: info.type for info in inferred.graph.output if info.type.WhichOneof("value")}
    except (onnx.shape_inference.InferenceError, onnx.checker.ValidationError, RuntimeError, ValueError):
        types = {}  # onnxruntime says what is wrong in clearer words
    if not all(name in types and _is_settled(types[name]) for name in names):
        types |= _ask_runtime(node, model)
    for name in names:
        stated = draft.stated.get(name)
        if stated is not None and read_static_shape(stated) is not None and not _is_settled(types.get(name)):
            types[name] = stated
    return types


def compute_values(node: NodeProto, draft: Draft) -> list[TensorProto] | None:
    """Return what a node makes of constants, one tensor for each output that has a name.

    None where onnxruntime cannot compute it, or where the result is nothing that an initializer can hold.
    """
    import numpy as np
    from onnx import numpy_helper

    large = {name for name in node.input if name and math.prod(draft.weights[name].dims) > LARGEST_STUB}
    names = [name for name in node.output if name]
    try:
        session = open_session(_wrap_node(node, draft).SerializeToString())
        feed = {name: numpy_helper.to_array(draft.weights[name]) for name in large}
        values = session.run(names, feed)
    except Exception:  # onnxruntime's own errors have no base class but this one; the node then stays as it is
        return None
    if not all(isinstance(value, np.ndarray) and value.dtype.kind in "fiub" for value in values):
        return None
    return [numpy_helper.from_array(value, name) for name, value in zip(names, values, strict=True)]


def open_session(model: bytes, folder: str = "") -> Any:
    """Return a quiet onnxruntime session that changes nothing in the graph; raises onnxruntime's own errors.

    ``folder`` is where weights outside of the model lie.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = SILENT
    options.intra_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    if folder:
        options.add_session_config_entry("session.model_external_initializers_file_folder_path", folder)
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"], enable_fallback=0)


def _wrap_node(node: NodeProto, draft: Draft) -> ModelProto:
    """Return a model of one node: small constants are initializers, anything else that it reads is an input."""
    import onnx

    model = onnx.ModelProto()
    model.CopyFrom(draft.model)
    graph = model.graph
    graph.name = "node"
    graph.node.append(node)
    for name in dict.fromkeys(list_reads(node)):
        weight = draft.weights.get(name)
        if weight is not None and math.prod(weight.dims) <= LARGEST_STUB:
            graph.initializer.append(weight)
        elif name in draft.types:
            graph.input.add(name=name, type=draft.types[name])
    for name in filter(None, node.output):
        graph.output.add(name=name)
    return model


def _is_settled(kind: TypeProto | None) -> bool:
    """Return whether a type is all that is to be known: of a tensor, its element type and fixed shape."""
    if kind is None or not kind.HasField("tensor_type"):
        return kind is not None
    return bool(kind.tensor_type.elem_type) and read_static_shape(kind) is not None


def _ask_runtime(node: NodeProto, model: ModelProto) -> dict[str, TypeProto]:
    """Return the types of tensors with a fixed shape that onnxruntime infers; raises ModelError, UnsupportedOp."""
    from onnx import helper

    label = f"node {node.name or next(filter(None, node.output), '')} ({node.op_type})"
    try:
        session = open_session(model.SerializeToString())
    except Exception as reason:  # onnxruntime's own errors have no base class but this one
        words = shorten(str(reason))
        if "not a registered function/op" in words or "No Op registered" in words or "NOT_IMPLEMENTED" in str(reason):
            hint = "replace the operator, or export the model with another opset"
            raise UnsupportedOp(f"{label}: onnxruntime has no such operator: {words}", hint) from None
        raise ModelError(f"{label} is invalid: {words}", "check the model with onnx.checker.check_model") from None
    types = {}
    for value in session.get_outputs():
        element = NUMBERS.get(value.type.removeprefix("tensor(").removesuffix(")"))
        shape = value.shape or _measure_shape(node, session, value.name)  # [] is a scalar, or of unknown rank
        if element and shape is not None and all(isinstance(dim, int) for dim in shape):
            types[value.name] = helper.make_tensor_type_proto(element, shape)
    return types


def _measure_shape(node: NodeProto, session: Any, name: str) -> list[int] | None:
    """Return the shape of what a node makes of zeros; None where it does not run, or where its bodies decide."""
    import numpy as np
    from onnx import helper

    if next(list_bodies(node), None) is not None:
        return None
    feed = {}
    for value in session.get_inputs():
        element = NUMBERS.get(value.type.removeprefix("tensor(").removesuffix(")"))
        if element is None or not all(isinstance(dim, int) for dim in value.shape):
            return None
        feed[value.name] = np.zeros(value.shape, helper.tensor_dtype_to_np_dtype(element))
    try:
        return list(session.run([name], feed)[0].shape)
    except Exception:  # onnxruntime's own errors have no base class but this one
        return None
