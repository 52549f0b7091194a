"""Facts and constants of the tensors that a dump of one of our models shows (docs/simulation.md)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from ipudebug.errors import ModelError
from ipudebug.sim.draft import read_static_shape
from ipudebug.sim.model import Operation
from ipudebug.tensor import Layout, QuantParams, TensorInfo

if TYPE_CHECKING:
    from onnx import GraphProto

SCALE, ZERO_POINT, AXIS = "SCALE_TENSOR", "ZERO_POINT_TENSOR", "AXIS"
"""Keys of ``graph.quantization_annotation``."""


def list_tensors(
    graph: GraphProto, operations: Iterable[Operation], path: str, others: Iterable[str] = ()
) -> dict[str, TensorInfo]:
    """Return the facts of every tensor that the operations show, of the graph's inputs and outputs, and of ``others``.

    Activations of four dimensions are NHWC. Raises ModelError for one without a type or a fixed shape.
    """
    from onnx import helper

    constants = {tensor.name: tensor for tensor in graph.initializer}
    types = {value.name: value.type for value in (*graph.value_info, *graph.input, *graph.output)}
    quants = read_quantisation(graph)
    names = [name for operation in operations for name in (*operation.inputs, *operation.outputs)]
    names += [value.name for value in (*graph.input, *graph.output)]
    names += others
    infos = {}
    for name in dict.fromkeys(names):
        if name in constants:
            tensor = constants[name]
            dtype = np.dtype(helper.tensor_dtype_to_np_dtype(tensor.data_type))
            infos[name] = TensorInfo(name, tuple(tensor.dims), dtype, quants.get(name), constant=True)
            continue
        shape = read_static_shape(types[name]) if name in types else None
        if shape is None:
            hint = "make it again from the original model with this version of ipudebug"
            raise ModelError(f"{path}: tensor {name}: expected a fixed shape, the model states none", hint)
        layout = None
        if len(shape) == 4:
            shape, layout = (shape[0], *shape[2:], shape[1]), Layout.NHWC
        dtype = np.dtype(helper.tensor_dtype_to_np_dtype(types[name].tensor_type.elem_type))
        infos[name] = TensorInfo(name, shape, dtype, quants.get(name), layout)
    return infos


def read_quantisation(graph: GraphProto) -> dict[str, QuantParams]:
    """Return scale and zero point of the tensors that the graph annotates."""
    from onnx import numpy_helper

    values = {tensor.name: tensor for tensor in graph.initializer}
    found = {}
    for annotation in graph.quantization_annotation:
        entries = {entry.key: entry.value for entry in annotation.quant_parameter_tensor_names}
        if entries.get(SCALE) not in values or entries.get(ZERO_POINT) not in values:
            continue
        scale = numpy_helper.to_array(values[entries[SCALE]]).reshape(-1)
        zero = numpy_helper.to_array(values[entries[ZERO_POINT]]).reshape(-1)
        axis = int(entries[AXIS]) if AXIS in entries else None
        found[annotation.tensor_name] = QuantParams(tuple(map(float, scale)), tuple(map(int, zero)), axis)
    return found


def list_constants(graph: GraphProto, infos: Mapping[str, TensorInfo]) -> dict[str, np.ndarray]:
    """Return the data of the constants that a dump shows."""
    from onnx import numpy_helper

    return {
        tensor.name: numpy_helper.to_array(tensor)
        for tensor in graph.initializer
        if tensor.name in infos and infos[tensor.name].constant
    }
