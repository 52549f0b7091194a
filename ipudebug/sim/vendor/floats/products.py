"""Matrix products: FULLY_CONNECTED, BATCH_MATMUL."""

from __future__ import annotations

import numpy as np

from ipudebug.errors import ModelError
from ipudebug.sim.vendor.builder import GraphBuilder
from ipudebug.sim.vendor.floats.activation import add_activation
from ipudebug.sim.vendor.options import read_fused_activation
from ipudebug.sim.vendor.tables import VendorOperator


def translate_fully_connected(builder: GraphBuilder, operator: VendorOperator) -> None:
    """Append FULLY_CONNECTED: x of any shape, weights [O, I], bias [O] or [2, O]; rows of I elements are multiplied."""
    tensors = builder.take(operator, 2, 3)
    x, weights = tensors[:2]
    y = builder.output(operator)
    made, read = weights.shape if len(weights.shape) == 2 else (0, 0)
    if not read or x.size % read or y.size != x.size // read * made:
        raise ModelError(
            f"{builder.model.path}: {operator.describe()}: weights of shape {list(weights.shape)} do not turn "
            f"{list(x.shape)} into {list(y.shape)}",
            "the file is damaged: copy it again in binary mode, or convert the model again",
        )
    inputs = [builder.stored(x, (x.size // read, read)), builder.stored(weights)]
    if len(tensors) == 3:
        bias = builder.read(tensors[2]).reshape(-1)
        if bias.size not in (made, 2 * made) or (bias[made:] != 1).any():
            raise builder.refuse(operator, f"has a bias of shape {list(tensors[2].shape)}")
        inputs.append(builder.constant(bias[:made].astype(np.float32), tensors[2].name))
    product = builder.apply("Gemm", inputs, y.name, transB=1)
    activation = read_fused_activation(operator, 0, builder.model.path)
    if activation:
        activated = builder.invent(f"{y.name}/{activation}")
        add_activation(builder, activation, product, activated)
        product = activated
    shape = builder.integers(y.shape, f"{y.name}/shape")
    builder.bind_stored(y, builder.apply("Reshape", [product, shape], y.name))


def translate_batch_matmul(builder: GraphBuilder, operator: VendorOperator) -> None:
    """Append BATCH_MATMUL; slots 0 and 1 say whether the last two axes of an operand are swapped first."""
    tensors = builder.take(operator, 2)
    y = builder.output(operator)
    options = operator.optional_options
    names, shapes = [], []
    for slot, tensor in enumerate(tensors):
        name, shape = builder.stored(tensor), list(tensor.shape)
        if len(shape) < 2:
            raise builder.refuse(operator, f"multiplies a tensor of {len(shape)} dimensions")
        if options is not None and options.integer(slot, "B"):
            axes = [*range(len(shape) - 2), len(shape) - 1, len(shape) - 2]
            name = builder.apply("Transpose", [name], tensor.name, perm=axes)
            shape = [shape[axis] for axis in axes]
        names.append(name)
        shapes.append(shape)
    a, b = shapes
    try:
        batch = np.broadcast_shapes(tuple(a[:-2]), tuple(b[:-2]))
    except ValueError:
        batch = ()
    if a[-1] != b[-2]:
        raise builder.refuse(operator, f"multiplies {a} by {b}")
    builder.expect(operator, y, (*batch, a[-2], b[-1]))
    builder.bind_stored(y, builder.apply("MatMul", names, y.name))


OPERATORS = {"FULLY_CONNECTED": translate_fully_connected, "BATCH_MATMUL": translate_batch_matmul}
