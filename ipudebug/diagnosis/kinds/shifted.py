"""The picture is right but moved by a pixel or two."""

from __future__ import annotations

import numpy as np

from ipudebug.diagnosis.evidence import Evidence
from ipudebug.diagnosis.verdict import Finding

_FARTHEST = 2


class Shifted:
    """a[y, x] = b[y - dy, x - dx]."""

    rank = 5
    least = 0.8

    def examine(self, layer: Evidence) -> Finding | None:
        """Return a finding if moving the benchmark by up to two pixels makes it the sample."""
        view = layer.view
        _, height, width, _ = view.a.shape
        if not view.is_spatial or (height, width) != (view.height, view.width) or min(height, width) < 5:
            return None
        moves = [(y, x) for y in range(-_FARTHEST, _FARTHEST + 1) for x in range(-_FARTHEST, _FARTHEST + 1)]
        left = {move: _energy_left(view.a, view.b, *move) for move in moves if move != (0, 0)}
        dy, dx = min(left, key=lambda move: left[move])
        confidence = layer.explained(left[dy, dx])
        return Finding(
            "shifted",
            confidence,
            f"the sample is the benchmark moved by {dy:+d} rows and {dx:+d} columns, which explains"
            f" {confidence:.0%} of the error",
            "an offset by one: compare the pads (begin and end) and strides of this operator, and the corner"
            " alignment of a resize",
            {"rows": dy, "columns": dx},
        )


def _energy_left(a: np.ndarray, b: np.ndarray, dy: int, dx: int) -> float:
    """Return the error energy of the overlap after moving b, scaled up to the whole."""
    height, width = a.shape[1:3]
    ys, xs = slice(max(dy, 0), height + min(dy, 0)), slice(max(dx, 0), width + min(dx, 0))
    yb, xb = slice(max(-dy, 0), height + min(-dy, 0)), slice(max(-dx, 0), width + min(-dx, 0))
    rest = a[:, ys, xs] - b[:, yb, xb]
    return float(np.vdot(rest, rest) * a.size / rest.size)


KIND = Shifted()
