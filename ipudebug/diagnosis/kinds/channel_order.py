"""Channels in another order: RGB for BGR, halves swapped, any permutation."""

from __future__ import annotations

import numpy as np

from ipudebug.diagnosis.evidence import Evidence
from ipudebug.diagnosis.verdict import Finding

_MOST = 1024
_LEAST_POSITIONS = 2


class ChannelOrder:
    """a[..., c] = b[..., order[c]]."""

    rank = 4
    least = 0.6

    def examine(self, layer: Evidence) -> Finding | None:
        """Return a finding if the sample's channels are the benchmark's in another order."""
        a, b = layer.view.flat()
        count, channels = a.shape
        if not 2 <= channels <= _MOST or count < _LEAST_POSITIONS:
            return None
        order = _find_order(a, b)
        is_live = (a != a[0]).any(axis=0)  # a dead channel looks like any other: it has no place to be told
        moved = np.flatnonzero((order != np.arange(channels)) & is_live)
        if moved.size < 2 or np.unique(order[is_live]).size < 0.9 * np.count_nonzero(is_live):
            return None
        rest = a - b[:, order]
        confidence = layer.explained(float(np.vdot(rest, rest)))
        if channels == 3 and order.tolist() == [2, 1, 0]:
            how = "RGB and BGR are swapped"
        elif order.tolist() == list(range(channels))[::-1]:
            how = "the channels are in reverse order"
        else:
            how = f"{moved.size} of {channels} channels are in another order ({_some(order, moved)})"
        advice = (
            "compare training_input_formats and the preprocess of the two sides (cv2 reads BGR)"
            if layer.is_input or channels == 3
            else "compare the order of the operands of the concat, split or shuffle that makes this tensor"
        )
        numbers = {"order": order.tolist() if channels <= 64 else order[:64].tolist(), "moved": int(moved.size)}
        return Finding(
            "channel-order", confidence, f"{how}, which explains {confidence:.0%} of the error", advice, numbers
        )


def _find_order(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return for each channel of a the nearest of b; channels that are equally near stay in their place."""
    if len(a) > 2048:
        stride = len(a) // 2048
        a, b = a[::stride], b[::stride]
    far = (a * a).sum(axis=0)[:, None] + (b * b).sum(axis=0)[None, :] - 2 * (a.T @ b)
    nearest = far.argmin(axis=1)
    own = np.arange(len(nearest))
    near = far[own, own] <= far[own, nearest] + 1e-9 * (far[own, own] + 1e-30)
    return np.where(near, own, nearest)


def _some(order: np.ndarray, moved: np.ndarray) -> str:
    """Return the first few moves as text."""
    shown = ", ".join(f"{int(channel)} holds {int(order[channel])}" for channel in moved[:3])
    return shown + (" ..." if moved.size > 3 else "")


KIND = ChannelOrder()
