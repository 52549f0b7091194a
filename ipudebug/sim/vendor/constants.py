"""The data of a vendor's constant tensors: plain ones, 2-D ones with padded rows, weights in the chip's block order."""

from __future__ import annotations

import numpy as np

from ipudebug.errors import ModelError
from ipudebug.sim.vendor.tables import VendorTensor

_ROW = 16  # bytes that a row is padded to


def read_constant(tensor: VendorTensor, path: str, *, padded: bool) -> np.ndarray:
    """Return a constant's elements in its shape and dtype, in the order in which the file has them.

    Rows of 2-D constants are padded to 16 bytes in a fixed model. Weights in block order come as they lie in the file
    (``decode_weights`` puts them in order).

    Args:
        tensor: a constant.
        path: for messages.
        padded: whether rows of 2-D constants are padded; without it they are if only that fits the size.

    Raises ModelError if the file has fewer bytes than the shape needs.
    """
    data = tensor.data
    if data is None:
        raise ModelError(f"{path}: {tensor.name!r} is no constant, its operator needs one", "convert the model again")
    needed = tensor.size * tensor.dtype.itemsize
    if len(tensor.shape) == 2:
        rows, width = tensor.shape[0], tensor.shape[1] * tensor.dtype.itemsize
        stride = -(-width // _ROW) * _ROW
        if len(data) >= rows * stride and (padded or len(data) != needed):
            padding_cut: np.ndarray = data[: rows * stride].reshape(rows, stride)[:, :width].copy().view(tensor.dtype)
            return padding_cut
    if len(data) < needed:
        raise ModelError(
            f"{path}: constant {tensor.name!r}: shape {list(tensor.shape)} takes {needed} bytes, found {len(data)}",
            "the file is damaged: copy it again in binary mode, or convert the model again",
        )
    array: np.ndarray = data[:needed].copy().view(tensor.dtype).reshape(tensor.shape)
    return array


def read_integers(tensor: VendorTensor, path: str, *, padded: bool) -> list[int]:
    """Return the elements of a shape, an axis or the like; raises ModelError if they are no integers."""
    array = read_constant(tensor, path, padded=padded)
    if array.dtype.kind not in "iu":
        raise ModelError(f"{path}: {tensor.name!r}: expected integers, found {array.dtype}", "convert the model again")
    return [int(value) for value in array.reshape(-1)]
