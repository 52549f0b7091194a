"""Writes small TFLite models with the schema that comes with LiteRT."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from ipudebug.runners import ModelFiles

TYPES = {"float32": 0, "int32": 2, "uint8": 3, "int8": 9}


@dataclass
class Tensor:
    name: str
    shape: Sequence[int]
    dtype: str = "float32"
    scale: Sequence[float] = ()
    zero_point: Sequence[int] = ()
    axis: int = 0
    data: np.ndarray | None = None
    signature: Sequence[int] | None = None


@dataclass
class Op:
    code: int | str  # builtin operator, or the name of a custom one
    inputs: Sequence[int]
    outputs: Sequence[int]
    options_type: int = 0
    options: object = None


def write_tflite(
    path: Path, tensors: Sequence[Tensor], ops: Sequence[Op], inputs: Sequence[int], outputs: Sequence[int]
) -> ModelFiles:
    """Return the file of a model; tensors are referred to by their position."""
    model = schema.ModelT()
    model.version = 3
    model.buffers = [schema.BufferT()]
    model.operatorCodes = []
    graph = schema.SubGraphT()
    graph.inputs, graph.outputs, graph.tensors, graph.operators = list(inputs), list(outputs), [], []
    for tensor in tensors:
        made = schema.TensorT()
        made.name, made.shape, made.type = tensor.name, list(tensor.shape), TYPES[tensor.dtype]
        made.shapeSignature = tensor.signature
        if tensor.scale:
            made.quantization = schema.QuantizationParametersT()
            made.quantization.scale, made.quantization.zeroPoint = list(tensor.scale), list(tensor.zero_point)
            made.quantization.quantizedDimension = tensor.axis
        made.buffer = 0
        if tensor.data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(tensor.data.tobytes(), np.uint8)
            model.buffers.append(buffer)
            made.buffer = len(model.buffers) - 1
        graph.tensors.append(made)
    for op in ops:
        code = schema.OperatorCodeT()
        code.version = 1
        code.builtinCode = 32 if isinstance(op.code, str) else op.code
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        code.customCode = op.code if isinstance(op.code, str) else None
        model.operatorCodes.append(code)
        made = schema.OperatorT()
        made.opcodeIndex = len(model.operatorCodes) - 1
        made.inputs, made.outputs = list(op.inputs), list(op.outputs)
        made.builtinOptionsType, made.builtinOptions = op.options_type, op.options
        graph.operators.append(made)
    model.subgraphs = [graph]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(bytes(builder.Output()))
    return ModelFiles(str(path))
