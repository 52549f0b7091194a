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


@dataclass(frozen=True, slots=True)
class _Masks:
    """Which entries of the lists mean something else than a slice, one bit per entry."""

    begin: int
    end: int
    ellipsis: int
    new_axes: int
    vanishing: int


def read_strided_slice(operator: VendorOperator, shape: Sequence[int], lists: Sequence[list[int]]) -> Cut | None:
    """Return what is cut out of a tensor; None for lists that do not fit it.

    Args:
        operator: slots 0 to 4 of its options are the masks of begin, end, ellipsis, new axes, vanishing axes.
        shape: of the input; axes that no entry names are left whole.
        lists: begin, end, strides.
    """
    options = operator.optional_options
    masks = _Masks(*(options.integer(slot) if options is not None else 0 for slot in range(5)))
    entries = _spread(masks, len(shape), lists)
    if entries is None or len({len(values) for values in lists}) != 1:
        return None
    cut = Cut([], [], [], ())
    left = []
    axes = iter(shape)
    for entry in entries:
        if entry is not None and masks.new_axes >> entry & 1:
            left.append(1)
            continue
        dim = next(axes)
        found = slice(0, dim, 1) if entry is None else _resolve(masks, entry, dim, [one[entry] for one in lists])
        if found is None:
            return None
        cut.starts.append(found.start)
        cut.ends.append(found.stop)
        cut.steps.append(found.step)
        if entry is None or not masks.vanishing >> entry & 1:
            left.append(len(range(found.start, found.stop, found.step)))
    return Cut(cut.starts, cut.ends, cut.steps, tuple(left))


def _spread(masks: _Masks, rank: int, lists: Sequence[list[int]]) -> list[int | None] | None:
    """Return the entry for each axis of the result, None for one that is left whole; None if they do not fit.

    An ellipsis stands for all axes that the other entries do not name; without one they are the last.
    """
    count = len(lists[0])
    whole = [entry for entry in range(count) if masks.ellipsis >> entry & 1]
    named = sum(1 for entry in range(count) if not (masks.ellipsis | masks.new_axes) >> entry & 1)
    if named > rank or len(whole) > 1:
        return None
    rest: list[int | None] = [None] * (rank - named)
    place = whole[0] if whole else count
    return [*range(place), *rest, *range(place + 1, count)]


def _resolve(masks: _Masks, entry: int, dim: int, bounds: Sequence[int]) -> slice | None:
    """Return the slice of an axis of ``dim`` elements; None for a step of 0, or an element that does not exist."""
    begin, end, step = bounds
    if masks.vanishing >> entry & 1:
        begin += dim if begin < 0 else 0
        return slice(begin, begin + 1, 1) if 0 <= begin < dim else None
    if step == 0:
        return None
    # Python's own slice knows the rules for negative and too large bounds.
    wanted = slice(None if masks.begin >> entry & 1 else begin, None if masks.end >> entry & 1 else end, step)
    return slice(*wanted.indices(dim))
