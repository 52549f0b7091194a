"""Rows of a comparison -> their traits: a glance at each, small layers of one shape together."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from ipudebug.comparison import LayerResult
from ipudebug.diagnosis.traits import NO_ERROR, Traits, is_quantised, make_traits, measure_several
from ipudebug.diagnosis.view import choose_lattice, find_shape, lay_out, take_view
from ipudebug.processes import share_work
from ipudebug.tensor import Layout, Tensor

GLANCE = 1 << 14
"""Elements of each pair that are looked at for structure; COS, RMSE, NaN and the like come from all of them."""
TOGETHER = 1 << 16
"""Elements that are looked at together."""
GRID_LAYERS = 12
"""Layers among which one on a grid is looked for, of 8 bits and of 16."""

LONGER = 1.125
"""Up to how many times as long a vector may be as one that it is looked at with."""

VECTOR = "vector"
Form = tuple[tuple[int, ...], Layout | str | None]
"""Shape and layout; of a vector its class of lengths, and VECTOR."""


def take_all(rows: Sequence[LayerResult], jobs: int = 1) -> list[Traits]:
    """Return the traits of compared rows, in their order; ``jobs`` processes share the work (Linux)."""
    groups = list(_group(rows))
    tables = share_work(lambda number: _measure([rows[place] for place in groups[number]]), range(len(groups)), jobs)
    found = [NO_ERROR] * len(rows)
    for group, table in zip(groups, tables, strict=True):
        for place, traits in zip(group, make_traits(table), strict=True):
            found[place] = traits
    for place in _choose(found):
        row = rows[place]
        if is_quantised(take_view(row.sample, row.benchmark, GLANCE), found[place]):
            found[place] = replace(found[place], is_quantised=True)
            break
    return found


def _group(rows: Sequence[LayerResult]) -> Iterator[list[int]]:
    """Yield the places of rows that are looked at together; equal ones are left out."""
    waiting: dict[Form, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        size = row.sample.info.size
        if row.equal:
            continue
        form = _find_form(row)
        waiting[form].append(place)
        if len(waiting[form]) * min(size, GLANCE) >= TOGETHER:
            yield waiting.pop(form)
    yield from waiting.values()


def _find_form(row: LayerResult) -> Form:
    """Return what rows that are looked at together have in common."""
    shape, layout = find_shape(row.sample, row.benchmark)
    size = row.sample.info.size
    channels = shape[1 if len(shape) == 4 and layout is Layout.NCHW else -1] if len(shape) > 1 else 1
    if 1 < size == channels <= GLANCE:
        return (int(math.log(size, LONGER)),), VECTOR
    return shape, layout


def _measure(rows: Sequence[LayerResult]) -> np.ndarray:
    """Return the table of rows that are looked at together."""
    sides = [row.sample for row in rows], [row.benchmark for row in rows]
    shape, layout = _find_form(rows[0])
    if not (layout is None or isinstance(layout, Layout)):
        first, second = (_stack(side)[:, np.newaxis, np.newaxis, np.newaxis] for side in sides)
        return measure_several(first, second, sizes=np.array([row.sample.info.size for row in rows]))
    is_small = rows[0].sample.info.size <= GLANCE
    first, second = (
        lay_out(_stack(side).reshape(-1, *shape), layout) if is_small else _stack_views(side, shape, layout)
        for side in sides
    )
    return measure_several(first, second, is_spatial=len(shape) == 4 and min(first.shape[2:4]) > 1)


def _choose(found: Sequence[Traits]) -> list[int]:
    """Return the layers among which a quantised one is looked for: some on a grid of 8 bits, and the first few.

    The first row is left out: inputs are pixels, on a grid whatever the model.
    """
    later = range(1, len(found))
    on_grid = [number for number in later if found[number].step and found[number].rounding]
    return list(dict.fromkeys([*on_grid[:GRID_LAYERS], *later[:GRID_LAYERS]]))


def _stack(tensors: Sequence[Tensor]) -> np.ndarray:
    """Return tensors as float64 [k, size of the largest], each repeating its first element behind its end."""
    dtype = tensors[0].info.dtype
    is_same = all(tensor.info.dtype == dtype for tensor in tensors)
    longest = max(tensor.info.size for tensor in tensors)
    stored = np.empty((len(tensors), longest), dtype if is_same else np.float64)
    for row, tensor in zip(stored, tensors, strict=True):
        size = tensor.info.size
        tensor.copy_into(row[:size], 0)
        row[size:] = row[0]
    return stored.astype(np.float64)


def _stack_views(tensors: Sequence[Tensor], shape: tuple[int, ...], layout: Layout | None) -> np.ndarray:
    """Return a glance at each of several tensors of one shape, float64 [k, N, H, W, C]."""
    whole = [lay_out(tensor.array.reshape(1, *shape), layout)[0] for tensor in tensors]
    lattice = choose_lattice(whole[0].shape, GLANCE)
    first = lattice.take(whole[0])
    stacked = np.empty((len(tensors), *first.shape))
    stacked[0] = first
    for number, array in enumerate(whole[1:], start=1):
        stacked[number] = lattice.take(array)
    return stacked
