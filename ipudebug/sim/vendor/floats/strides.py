"""What a STRIDED_SLICE cuts out: begin, end and strides with their masks, resolved against a shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ipudebug.sim.vendor.tables import VendorOperator


@dataclass(frozen=True, slots=True)
class Cut:
    """A slice per axis, and the shape of what is left; an end of -1 means: before the first element."""

    starts: list[int]
    ends: list[int]
    steps: list[int]
    shape: tuple[int, ...]


def read_strided_slice(operator: VendorOperator, shape: Sequence[int], lists: Sequence[list[int]]) -> Cut | None:
    """Return what is cut out of a tensor; None for an ellipsis, new axes, or lists that do not fit.

    Args:
        operator: slots 0 to 4 of its options are the masks of begin, end, ellipsis, new axes, vanishing axes.
        shape: of the input.
        lists: begin, end, strides.
    """
    options = operator.options
    begin_mask, end_mask, ellipsis, new_axes, vanishing = (options.integer(slot) for slot in range(5))
    if ellipsis or new_axes or any(len(values) != len(shape) for values in lists) or 0 in lists[2]:
        return None
    cut = Cut([], [], [], ())
    left = []
    for axis, (dim, begin, end, step) in enumerate(zip(shape, *lists, strict=True)):
        if vanishing >> axis & 1:
            begin += dim if begin < 0 else 0
            start, stop, stride = begin, begin + 1, 1
        else:
            # Python's own slice knows the rules for negative and too large bounds.
            bounds = slice(None if begin_mask >> axis & 1 else begin, None if end_mask >> axis & 1 else end, step)
            start, stop, stride = bounds.indices(dim)
            left.append(len(range(start, stop, stride)))
        cut.starts.append(start)
        cut.ends.append(stop)
        cut.steps.append(stride)
    return Cut(cut.starts, cut.ends, cut.steps, tuple(left))
