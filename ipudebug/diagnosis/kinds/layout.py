"""The elements are right but in another order: NCHW for NHWC, rows for columns."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from ipudebug.diagnosis.evidence import Evidence
from ipudebug.diagnosis.verdict import Finding


class Layout:
    """The sample's elements, taken flat, are the benchmark's in another layout."""

    rank = 2
    least = 0.6

    def examine(self, layer: Evidence) -> Finding | None:
        """Return a finding if a transposition makes one the other."""
        view = layer.view
        _, height, width, channels = view.a.shape
        if (height, width) != (view.height, view.width) or sum(dim > 1 for dim in (height, width, channels)) < 2:
            return None
        best, how = 0.0, ""
        for name, a, b in _pair_orders(view.a, view.b):
            rest = a - b.reshape(-1)
            confidence = layer.explained(float(rest @ rest))
            if confidence > best + 0.01:
                best, how = confidence, name
        if not how:
            return None
        return Finding(
            "layout",
            best,
            f"the same elements in another order, {how}: explains {best:.0%} of the error",
            "compare the transposes around this operator, and input_layouts in input_config.ini where it is an input",
            {"order": how},
        )


def _pair_orders(a: np.ndarray, b: np.ndarray) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield ways to read the sample (flat) and the benchmark that are not the same for both, with their names."""
    yield "upside down", a.reshape(-1), b[:, ::-1]
    yield "mirrored", a.reshape(-1), b[:, :, ::-1]
    yield "turned by half", a.reshape(-1), b[:, ::-1, ::-1]
    yield "rows and columns exchanged", a.reshape(-1), b.transpose(0, 2, 1, 3)
    letters = "NHWC"
    for own in ((0, 1, 2, 3), (0, 3, 1, 2)):
        flat = a.transpose(own).reshape(-1)
        for other in itertools.permutations((1, 2, 3)):
            order = (0, *other)
            if order != own and not (own == (0, 1, 2, 3) and order == (0, 2, 1, 3)):
                names = ["".join(letters[axis] for axis in axes) for axes in (order, own)]
                yield f"{names[0]} taken for {names[1]}", flat, b.transpose(order)


KIND = Layout()
