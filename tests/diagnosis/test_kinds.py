"""Every kind of fault is found in data that have it, by construction, and in no other."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from ipudebug.diagnosis.kinds import KINDS, examine_layer
from tests.diagnosis.arrays import draw_map, make_evidence, round_to

STEP = 0.02
Change = Callable[[np.ndarray], np.ndarray]


def in_channel(channels: object, change: Change) -> Change:
    def apply(b: np.ndarray) -> np.ndarray:
        a = b.copy()
        a[..., channels] = change(b[..., channels])  # type: ignore[index]
        return a

    return apply


def at_border(b: np.ndarray) -> np.ndarray:
    a = b.copy()
    a[:, 0] += 0.5
    a[:, -1] += 0.5
    a[:, 1:-1, 0] -= 0.5
    a[:, 1:-1, -1] -= 0.5
    return a


def pick(array: np.ndarray, index: object, value: float) -> np.ndarray:
    array = array.copy()
    array[index] = value  # type: ignore[index]
    return array


CHANGES: dict[str, tuple[str, Change]] = {
    "gain": ("scale", lambda b: b * 1.3),
    "half": ("scale", lambda b: b * 0.5),
    "offset": ("zero-point", lambda b: b + 0.3),
    "gain and offset": ("zero-point", lambda b: 1.4 * b + 0.3),
    "cut off above": ("clipping", lambda b: np.minimum(b, np.quantile(b, 0.9))),
    "cut off on both ends": ("clipping", lambda b: np.clip(b, np.quantile(b, 0.1), np.quantile(b, 0.9))),
    "channel": ("one-channel", in_channel(3, lambda b: b * 2)),
    "dead channel": ("one-channel", in_channel(2, lambda b: 0 * b)),
    "odd channels": ("every-kth", in_channel(slice(1, None, 2), lambda b: b * 2)),
    "every third": ("every-kth", in_channel(slice(0, None, 3), lambda b: 0 * b)),
    "border": ("border", at_border),
    "top row": ("border", lambda b: np.concatenate([b[:, :1] + 1, b[:, 1:]], axis=1)),
    "down": ("shifted", lambda b: np.roll(b, 1, 1)),
    "left": ("shifted", lambda b: np.roll(b, -1, 2)),
    "reversed": ("channel-order", lambda b: b[..., ::-1]),
    "two swapped": ("channel-order", lambda b: b[..., [1, 0, 2, 3, 4, 5, 6, 7]]),
    "NCHW": ("layout", lambda b: b.transpose(0, 3, 1, 2).reshape(b.shape)),
    "mirrored": ("layout", lambda b: b[:, :, ::-1]),
    "transposed": ("layout", lambda b: b.transpose(0, 2, 1, 3).reshape(b.shape)),
    "zero": ("constant", lambda b: 0 * b),
    "one value a channel": ("constant", lambda b: 0 * b + b.mean(axis=(0, 1, 2))),
    "other image": ("stale", lambda b: draw_map(image=1)),
    "bias": ("bias", lambda b: b + np.linspace(-0.5, 0.7, b.shape[-1])),
    "channel scales": ("channel-scale", lambda b: b * np.array([0.5, 2, 1.5, 0.7, 1.2, 0.6, 3, 0.8])),
}


@pytest.mark.parametrize("noise", [0.0, STEP])
@pytest.mark.parametrize("change", CHANGES)
def test_a_fault_is_named(change: str, noise: float) -> None:
    kind, apply = CHANGES[change]
    b = draw_map()
    a = np.ascontiguousarray(apply(b)).astype(np.float32)
    if noise:
        a = round_to(a, noise)
    findings = examine_layer(make_evidence(a, b))
    assert findings[0].kind == kind, findings
    assert findings[0].confidence >= 0.5
    assert findings[0].remedy


@pytest.mark.parametrize("gain", [0.0, 0.4, 2.5])
@pytest.mark.parametrize(("k", "first"), [(2, 1), (4, 0), (6, 2), (6, 0), (9, 4)])
def test_every_kth_channel_is_told_from_every_divisor_of_k(k: int, first: int, gain: float) -> None:
    """Every second channel holds all the error of every sixth as well, and most of the second are right."""
    b = draw_map(shape=(1, 12, 14, 36))
    a = b.copy()
    a[..., first::k] *= np.float32(gain)
    found = examine_layer(make_evidence(round_to(a, STEP), b))[0]
    assert (found.kind, found.numbers.get("k"), found.numbers.get("first")) == ("every-kth", k, first)


def test_a_structure_that_was_handed_on_is_no_fault_of_the_layer() -> None:
    b = draw_map()
    a = round_to(in_channel(3, lambda b: b * 1.4)(b), STEP)
    assert examine_layer(make_evidence(a, b, jump=4.0))[0].kind == "one-channel"
    assert examine_layer(make_evidence(a, b, jump=0.2, noise=1e-3))[0].kind == "rounding"


def test_nan_is_counted_and_believed_first() -> None:
    b = draw_map()
    found = examine_layer(make_evidence(0 * b, b, nans=(3, 0)))[0]
    assert (found.kind, found.confidence, found.numbers["nan"]) == ("nan", 1.0, 3)


def test_nan_of_the_benchmark_is_no_fault_of_the_sample() -> None:
    b = draw_map()
    assert examine_layer(make_evidence(b * 2, b, nans=(3, 3)))[0].kind == "scale"


def test_a_lost_rectifier_is_told_from_other_faults() -> None:
    before = draw_map()
    found = examine_layer(make_evidence(before, np.maximum(before, 0)))[0]
    assert found.kind == "activation"
    assert found.numbers["low"] == 0


def test_a_buffer_of_another_tensor_is_named() -> None:
    own, other = draw_map(1), draw_map(2)
    found = examine_layer(
        make_evidence(other, own, fingerprint=other.ravel(), others=lambda: {"conv7": other.ravel()})
    )[0]
    assert found.kind == "stale"
    assert found.numbers["holds"] == "conv7"


def test_a_wide_range_is_named_where_rounding_to_it_is_the_error() -> None:
    b = draw_map()
    b[0, 0, 0, 0] = 60
    step = float(b.max() - b.min()) / 250
    found = examine_layer(make_evidence(round_to(b, step), b, jump=5.0))
    assert found[0].kind == "wide-range"
    assert found[0].numbers["step"] == pytest.approx(step, rel=1e-4)
    assert found[0].numbers["ratio"] == pytest.approx(1, rel=0.2)


def test_rounding_is_noise_and_nothing_else() -> None:
    b = draw_map()
    assert examine_layer(make_evidence(round_to(b, STEP), b))[0].kind == "rounding"


@pytest.mark.parametrize("way", [np.floor, np.ceil])
def test_rounding_in_one_direction_is_told(way: Callable[[np.ndarray], np.ndarray]) -> None:
    b = draw_map(shape=(1, 30, 30, 8))
    a = (way(b / 0.1) * 0.1).astype(np.float32)
    found = next(finding for finding in examine_layer(make_evidence(a, b)) if finding.kind == "rounding-mode")
    assert found.numbers["mean"] == pytest.approx(-0.5 if way is np.floor else 0.5, abs=0.1)


def test_an_input_that_is_normalised_twice_or_not_at_all() -> None:
    rng = np.random.default_rng(5)
    pixels = rng.integers(0, 256, (1, 16, 16, 3)).astype(np.float32)
    once = (pixels - 127.5) / 127.5
    for wrong, text in ((pixels, "not normalised"), ((once - 127.5) / 127.5, "twice")):
        found = examine_layer(make_evidence(wrong, once, is_input=True))[0]
        assert found.kind == "normalisation"
        assert text in found.evidence
    assert examine_layer(make_evidence(pixels, once))[0].kind != "normalisation"  # a layer is never normalised


def test_red_and_blue_are_named() -> None:
    b = draw_map(shape=(1, 10, 10, 3))
    found = examine_layer(make_evidence(b[..., ::-1].copy(), b, is_input=True))[0]
    assert found.kind == "channel-order"
    assert "BGR" in found.evidence


def test_what_follows_no_pattern_is_unknown() -> None:
    rng = np.random.default_rng(7)
    b = draw_map()
    a = b + 3 * rng.standard_normal(b.shape) * rng.uniform(0, 1, b.shape)
    assert examine_layer(make_evidence(a.astype(np.float32), b))[0].kind == "unknown"


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("shape", [(1,), (5,), (1, 1), (1, 7), (3, 4, 5), (1, 1, 1, 4), (2, 3, 3, 1), (1, 5, 1, 2)])
def test_no_detector_fails_on_small_or_constant_tensors(name: str, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(1)
    arrays = [np.zeros(shape, np.float32), np.ones(shape, np.float32), rng.standard_normal(shape).astype(np.float32)]
    for a in arrays:
        for b in arrays:
            found = KINDS[name].examine(make_evidence(a, b, is_input=True))
            assert found is None or (found.kind == name and 0 <= found.confidence <= 1)


def test_detectors_declare_rank_and_least() -> None:
    for detector in KINDS.values():
        assert detector.rank >= 0
        assert 0 < detector.least < 1
