"""Faults in a finished tensor: what a wrong dequantisation, a wrong buffer or a wrong copy does to it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.faults.site import Planted, Site, copy_model, insert_after

Step = tuple[str, Sequence[np.ndarray], dict[str, object]]


def plant_scale(site: Site, rng: np.random.Generator) -> Planted | None:
    """Multiply a tensor."""
    gain = rng.choice([rng.uniform(0.4, 0.88), rng.uniform(1.12, 2.5)])
    return _tamper(site, rng, "scale", ("scale",), lambda array: [("Mul", [np.float32(gain)], {})])


def plant_zero_point(site: Site, rng: np.random.Generator) -> Planted | None:
    """Add a constant to a tensor."""
    share = rng.choice([-1, 1]) * rng.uniform(0.08, 0.6)
    return _tamper(
        site, rng, "zero point", ("zero-point",), lambda array: [("Add", [np.float32(share * array.std())], {})]
    )


def plant_clipping(site: Site, rng: np.random.Generator) -> Planted | None:
    """Cut off the largest values."""
    level = rng.uniform(0.9, 0.99)

    def steps(array: np.ndarray) -> list[Step] | None:
        varied = array[array > array.min()]
        high = np.float32(np.quantile(varied, level))
        return [("Clip", [np.float32(-1e30), high], {})] if high < 0.9 * array.max() else None

    return _tamper(site, rng, "clipping", ("clipping",), steps)


def plant_one_channel(site: Site, rng: np.random.Generator) -> Planted | None:
    """Multiply one channel, or replace it by zero."""
    gain = rng.choice([0.0, rng.uniform(0.2, 0.6), rng.uniform(1.6, 4)])

    def steps(array: np.ndarray) -> list[Step] | None:
        energy = (array**2).sum(axis=(0, 2, 3))
        channels = np.flatnonzero(energy > 0.2 * energy.mean())
        gains = np.ones((1, array.shape[1], 1, 1), np.float32)
        gains[0, rng.choice(channels)] = gain
        return [("Mul", [gains], {})] if array.shape[1] > 3 else None

    return _tamper(site, rng, "one channel", ("one-channel",), steps, rank=4)


def plant_every_kth(site: Site, rng: np.random.Generator) -> Planted | None:
    """Multiply every k-th channel."""
    k = int(rng.integers(2, 7))
    gain = rng.choice([0.0, rng.uniform(0.2, 0.6), rng.uniform(1.6, 3)])

    def steps(array: np.ndarray) -> list[Step] | None:
        gains = np.ones((1, array.shape[1], 1, 1), np.float32)
        gains[0, int(rng.integers(k)) :: k] = gain
        live = (np.abs(array).max(axis=(0, 2, 3)) > 0)[gains[0, :, 0, 0] != 1]
        return [("Mul", [gains], {})] if array.shape[1] >= 2 * k and live.size > 1 and live.all() else None

    return _tamper(site, rng, "every k-th channel", ("every-kth",), steps, rank=4)


def plant_shift(site: Site, rng: np.random.Generator) -> Planted | None:
    """Move a feature map by one pixel."""
    dy, dx = [(1, 0), (0, 1), (-1, 0), (0, -1), (1, 1)][int(rng.integers(5))]

    def steps(array: np.ndarray) -> list[Step] | None:
        pads = np.array([0, 0, max(dy, 0), max(dx, 0), 0, 0, max(-dy, 0), max(-dx, 0)], np.int64)
        starts = np.array([max(-dy, 0), max(-dx, 0)], np.int64)
        ends = starts + np.array(array.shape[2:], np.int64)
        return [("Pad", [pads], {"mode": "edge"}), ("Slice", [starts, ends, np.array([2, 3], np.int64)], {})]

    return _tamper(site, rng, "shifted by one", ("shifted",), steps, rank=4, side=8)


def plant_channel_order(site: Site, rng: np.random.Generator) -> Planted | None:
    """Reorder the channels: reversed, halves exchanged, two exchanged with their neighbours, or at random."""
    how = int(rng.integers(4))

    def steps(array: np.ndarray) -> list[Step] | None:
        count = array.shape[1]
        order = np.arange(count)
        if how == 0:
            order = order[::-1]
        elif how == 1:
            order = np.roll(order, count // 2)
        elif how == 2:
            order[: count - count % 2] = order[: count - count % 2].reshape(-1, 2)[:, ::-1].reshape(-1)
        else:
            order = rng.permutation(count)
        return [("Gather", [order.astype(np.int64)], {"axis": 1})] if count > 2 else None

    return _tamper(site, rng, "channel order", ("channel-order",), steps, rank=4)


def plant_layout(site: Site, rng: np.random.Generator) -> Planted | None:
    """Leave out the transposition from NCHW to NHWC, or do it twice."""
    perm = [(0, 2, 3, 1), (0, 3, 1, 2), (0, 1, 3, 2)][int(rng.integers(3))]

    def steps(array: np.ndarray) -> list[Step] | None:
        shape = np.array(array.shape, np.int64)
        return [("Transpose", [], {"perm": perm}), ("Reshape", [shape], {})]

    return _tamper(site, rng, "layout", ("layout",), steps, rank=4, side=4)


def plant_stale(site: Site, rng: np.random.Generator) -> Planted | None:
    """Replace a tensor by what it was for another image."""
    names = [
        name for name in site.find_layers(4) if np.corrcoef(site.tensors[name].flat, site.others[name].flat)[0, 1] < 0.9
    ]
    if not names:
        return None
    name = str(rng.choice(names))
    other = site.others[name]
    return _tamper(
        site, rng, "stale", ("stale",), lambda array: [("Mul", [np.float32(0)], {}), ("Add", [other], {})], name=name
    )


def plant_constant(site: Site, rng: np.random.Generator) -> Planted | None:
    """Replace a tensor by one value."""
    return _tamper(
        site, rng, "constant", ("constant",),
        lambda array: [("Mul", [np.float32(0)], {}), ("Add", [np.float32(rng.choice([0.0, array.mean()]))], {})],
    )  # fmt: skip


def plant_nan(site: Site, rng: np.random.Generator) -> Planted | None:
    """Write NaN or an infinity into a few elements."""

    def steps(array: np.ndarray) -> list[Step]:
        added = np.zeros(array.shape, np.float32)
        added.reshape(-1)[rng.choice(array.size, int(rng.integers(1, 4)), replace=False)] = rng.choice([np.nan, np.inf])
        return [("Add", [added], {})]

    return _tamper(site, rng, "NaN", ("nan",), steps)


def _tamper(
    site: Site,
    rng: np.random.Generator,
    kind: str,
    accepted: tuple[str, ...],
    steps,
    *,
    rank: int = 0,
    side: int = 0,
    name: str | None = None,
) -> Planted | None:  # type: ignore[no-untyped-def]
    """Return a fault that is a few operators behind a tensor, or None if the tensor that was drawn does not suit."""
    names = [layer for layer in site.find_layers(rank) if not side or min(site.tensors[layer].shape[2:]) >= side]
    if not names:
        return None
    layer = name or str(rng.choice(names))
    chosen = steps(site.tensors[layer])
    if not chosen:
        return None
    return Planted(
        kind, layer, accepted, copy_model(site.model), site.model, site.image,
        tamper=lambda model: insert_after(model, layer, chosen),
    )  # fmt: skip
