"""Operators that move blocks of pixels: to the channels or the batch, and back."""

from __future__ import annotations

import math

from ipudebug.sim.vendor.builder import GraphBuilder
from ipudebug.sim.vendor.tables import VendorOperator


def translate_depth(builder: GraphBuilder, operator: VendorOperator) -> None:
    """Append DEPTH_TO_SPACE or SPACE_TO_DEPTH; the block is slot 0."""
    (x,) = builder.take(operator, 1)
    y = builder.output(operator)
    block = operator.options.integer(0)
    if len(x.shape) != 4 or not 1 <= block <= math.isqrt(2**30):
        raise builder.refuse(operator, f"has a block of {block} for {len(x.shape)} dimensions")
    n, h, w, c = x.shape
    if operator.type == "DEPTH_TO_SPACE":
        builder.expect(operator, y, (n, h * block, w * block, c // block**2))
        builder.add("DepthToSpace", [builder.value(x)], [builder.bind(y)], blocksize=block, mode="DCR")
    else:
        builder.expect(operator, y, (n, h // block, w // block, c * block**2))
        builder.add("SpaceToDepth", [builder.value(x)], [builder.bind(y)], blocksize=block)


def translate_space_to_batch(builder: GraphBuilder, operator: VendorOperator) -> None:
    """Append SPACE_TO_BATCH_ND of an image: x, block [2], pads [2, 2]; with a convolution, a dilated one."""
    x, y = builder.take(operator, 3)[0], builder.output(operator)
    (down, across), (top, bottom, left, right) = _read_blocks(builder, operator)
    n, height, width, c = x.shape
    height, width = height + top + bottom, width + left + right
    if height % down or width % across:
        raise builder.refuse(operator, f"cuts {height} x {width} into blocks of {down} x {across}")
    builder.expect(operator, y, (n * down * across, height // down, width // across, c))
    pads = builder.integers([0, top, left, 0, 0, bottom, right, 0], f"{x.name}/pads")
    name = builder.apply("Pad", [builder.stored(x), pads], y.name)
    apart = builder.integers([n, height // down, down, width // across, across, c], f"{x.name}/apart")
    name = builder.apply("Reshape", [name, apart], y.name)
    name = builder.apply("Transpose", [name], y.name, perm=(2, 4, 0, 1, 3, 5))
    builder.bind_stored(y, builder.apply("Reshape", [name, builder.integers(y.shape, f"{y.name}/shape")], y.name))


def translate_batch_to_space(builder: GraphBuilder, operator: VendorOperator) -> None:
    """Append BATCH_TO_SPACE_ND of an image: x, block [2], crops [2, 2]."""
    x, y = builder.take(operator, 3)[0], builder.output(operator)
    (down, across), (top, bottom, left, right) = _read_blocks(builder, operator)
    n, height, width, c = x.shape
    if n % (down * across):
        raise builder.refuse(operator, f"joins a batch of {n} into blocks of {down} x {across}")
    whole = (n // (down * across), height * down, width * across, c)
    builder.expect(operator, y, (whole[0], whole[1] - top - bottom, whole[2] - left - right, c))
    apart = builder.integers([down, across, n // (down * across), height, width, c], f"{x.name}/apart")
    name = builder.apply("Reshape", [builder.stored(x), apart], y.name)
    name = builder.apply("Transpose", [name], y.name, perm=(2, 3, 0, 4, 1, 5))
    name = builder.apply("Reshape", [name, builder.integers(whole, f"{y.name}/whole")], y.name)
    bounds = ([top, left], [whole[1] - bottom, whole[2] - right], [1, 2])
    cut = [builder.integers(values, f"{y.name}/crop") for values in bounds]
    builder.bind_stored(y, builder.apply("Slice", [name, *cut], y.name))


def _read_blocks(builder: GraphBuilder, operator: VendorOperator) -> tuple[list[int], list[int]]:
    """Return block (height, width) and top, bottom, left, right; raises UnsupportedOp for anything but an image's."""
    x, sizes, frame = builder.take(operator, 3)
    blocks, around = builder.read_integers(sizes), builder.read_integers(frame)
    if len(x.shape) != 4 or len(blocks) != 2 or len(around) != 4 or min(blocks) < 1 or min(around) < 0:
        raise builder.refuse(operator, f"has blocks {blocks} and a frame {around} for {len(x.shape)} dimensions")
    return blocks, around


OPERATORS = {
    "DEPTH_TO_SPACE": translate_depth,
    "SPACE_TO_DEPTH": translate_depth,
    "SPACE_TO_BATCH_ND": translate_space_to_batch,
    "BATCH_TO_SPACE_ND": translate_batch_to_space,
}
