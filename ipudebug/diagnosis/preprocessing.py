"""Two model inputs -> what the two preprocesses do differently; an image and an input -> what was done to the image.

The steps of a preprocess are peeled off one after the other: layout, where the picture lies (letterbox, mirror, shift,
resize kernel), the order of the channels, mean and scale. Until its turn comes a step is not in the way: places are
compared by brightness under any line, channels under one line for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ipudebug.align import Fit
from ipudebug.diagnosis.colours import find_order, fit_colours, name_normalisation, name_step, show_numbers
from ipudebug.diagnosis.input_files import ModelInput, load_input
from ipudebug.diagnosis.placement import (
    cut_bands,
    describe_bands,
    find_bands,
    find_kernel,
    find_move,
    follow_edges,
    measure_left,
    resize,
    shrink,
)
from ipudebug.diagnosis.step import find_step
from ipudebug.diagnosis.verdict import Finding
from ipudebug.errors import InputError
from ipudebug.tensor import Tensor, TensorInfo
from ipudebug.views import lay_over

CLEAN = 1e-5
"""Relative error up to which two inputs agree."""
EXPLAINED = 0.05
"""Share of the contrast (root energies) that may be left when all that is named is undone."""
RESIZED = 0.75
"""The same where the two were resized differently."""
_PLACES = "compare resize, crop, letterbox and augmentation in the two preprocesses"
_COLOURS = "compare training_input_formats and the preprocess of the two sides: cv2 reads BGR, PIL RGB"
_LINES = (
    "compare mean and std_value of input_config.ini with the preprocess, and the norm flag: float models take the"
    " normalised image (norm=True), fixed and offline models the pixels (norm=False)"
)


@dataclass(frozen=True)
class InputDifference:
    """What differs between two model inputs, in the order of the steps of a preprocess.

    Attributes:
        summary: in one sentence.
        findings: what differs; of an image and an input, what was done to the image.
        left: share of the contrast that remains when all findings are undone.
        is_clean: the inputs agree; of an image and an input, everything that was done is known.
    """

    summary: str
    findings: tuple[Finding, ...]
    left: float
    is_clean: bool


def compare_inputs(sample: ModelInput, benchmark: ModelInput) -> InputDifference:
    """Return what the sample's preprocess did differently; raises InputError for inputs that cannot be compared."""
    if sample.is_picture and not benchmark.is_picture:
        sample, benchmark = benchmark, sample
    a, b = _take_three_channels(sample, benchmark)
    describes = benchmark.is_picture and not sample.is_picture
    direct = _relative_error(a, b) if a.shape == b.shape else float("inf")
    findings = [] if describes else _compare_layouts(sample, benchmark)
    if direct <= CLEAN and not findings:
        return InputDifference(f"relative error {direct:.3g}", (), 0.0, is_clean=True)
    if not findings and np.isfinite(direct) and _is_rounded(a, b):
        text = f"relative error {direct:.3g}, within a step of the 8-bit grid that the sample is rounded to"
        return InputDifference(text, (), direct, is_clean=True)
    a, b, found = _place(a, b, is_free=describes)
    findings += found
    order = find_order(a, b)
    if order == tuple(range(b.shape[2])):
        order = find_order(shrink(a), shrink(b))  # where other kernels leave more than the colours do
    if order != tuple(range(b.shape[2])):
        findings.append(_name_order(order))
        b = b[:, :, list(order)]
    gains, offsets, left = _fit_lines(a, b)
    if not describes and not _has(found, "placement", "letterbox"):
        findings += _compare_kernels(a, b, left)
    is_resized = _has(findings, "resize-kernel", "letterbox")
    if is_resized:  # which blurs, and a blurred picture has less contrast
        gains, offsets, _ = _fit_lines(shrink(a), shrink(b))
    if left < RESIZED and (what := _name_lines(a, b, gains, offsets, left, is_picture=describes)):
        text = f"{what}; sample = {show_numbers(gains)} x benchmark + {show_numbers(offsets)}"
        numbers = {"gains": gains.tolist(), "offsets": offsets.tolist()}
        findings.append(Finding("normalisation", max(0.0, 1 - left), text, _LINES, numbers))
    if left > (RESIZED if is_resized else EXPLAINED) or not (findings or describes):
        findings.append(_name_rest(left))
    what = f"relative error {direct:.3g} as they are, " if np.isfinite(direct) else ""
    summary = f"{what}{left:.2%} of the contrast is left when all of this is undone"
    return InputDifference(summary, tuple(findings), left, is_clean=describes and left <= 4 * EXPLAINED)


def _compare_layouts(sample: ModelInput, benchmark: ModelInput) -> list[Finding]:
    """Return a finding if the two arrays are stored in different layouts."""
    if sample.layout == benchmark.layout or sample.is_picture:
        return []
    text = f"the sample is {sample.layout}, the benchmark {benchmark.layout}"
    return [Finding("layout", 1.0, text, "compare input_layouts, and the transpose at the end of the preprocess")]


def _place(a: np.ndarray, b: np.ndarray, *, is_free: bool) -> tuple[np.ndarray, np.ndarray, list[Finding]]:
    """Return the two pictures laid over each other, and what that took."""
    a, b, findings = _cut_frames(a, b)
    if a.shape != b.shape:
        kernel, b, left = find_kernel(a, b)
        if is_free and left < 0.2 * _contrast(a):
            text = f"the image was resized to {a.shape[0]} x {a.shape[1]}; {kernel} fits best"
            findings.append(Finding("resize-kernel", 1 - left / _contrast(a), text, _PLACES, {"kernel": kernel}))
    own = measure_left(a, b)
    how, move, left = find_move(a, b)
    if left < own / 4:
        share = 1 - left / own
        text = f"the sample is the benchmark {how}, which explains {share:.0%} of the difference"
        findings.append(Finding("placement", share, text, _PLACES, {"how": how}))
        return a, move(b), findings
    return a, b, findings


def _compare_kernels(a: np.ndarray, b: np.ndarray, left: float) -> list[Finding]:
    """Return a finding if two pictures of one order of channels differ as other resize kernels make them differ."""
    along = follow_edges(a, b)
    if along < 0.3 or not 1e-3 < left < RESIZED:
        return []
    text = f"the difference follows the edges (correlation {along:.2f}): the two were resized by other kernels"
    remedy = "use one library and one kernel for both: cv2 INTER_LINEAR does not smooth when it shrinks, PIL does"
    return [Finding("resize-kernel", along, text, remedy, {"correlation": along})]


def _fit_lines(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Return gains and offsets of a line for each channel, and the share of the contrast that these leave."""
    gains, offsets, energy = fit_colours(a, b)
    return gains, offsets, float(np.sqrt(energy / max(float(((a - a.mean(axis=(0, 1))) ** 2).sum()), 1e-300)))


def _has(findings: Sequence[Finding], *kinds: str) -> bool:
    """Return whether there is a finding of one of the kinds."""
    return any(finding.kind in kinds for finding in findings)


def _take_three_channels(sample: ModelInput, benchmark: ModelInput) -> tuple[np.ndarray, np.ndarray]:
    """Return the two arrays with as many channels; a board input has a fourth. Raises InputError."""
    a, b = sample.array, benchmark.array
    if a.shape[2] == b.shape[2]:
        return a, b
    if a.shape[2] == 4 and b.shape[2] == 3:
        if a.shape[:2] != b.shape[:2]:
            return a[:, :, :3], b
        first, second = (Tensor(TensorInfo("", array.shape, array.dtype), array) for array in (a, b))
        three = lay_over(first, second, Fit.SAMPLE_FOUR_CHANNELS)[0].array
        return three.reshape(b.shape), b
    raise InputError(
        f"{sample.name} has {a.shape[2]} channels, {benchmark.name} {b.shape[2]}",
        "give two inputs of one model; input_formats may make GRAY of RGB",
    )


def _cut_frames(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[Finding]]:
    """Return the two pictures without the bands of a letterbox, and a finding if only one side has them.

    A photograph may have bands of its own: what leaves the least difference is right.
    """
    bands = find_bands(a), find_bands(b)
    if bands[0] == bands[1] and a.shape == b.shape:
        return a, b, []
    inside = cut_bands(a, bands[0]), cut_bands(b, bands[1])
    ways = [(a, b), (inside[0], b), (a, inside[1]), inside]
    left = [_left_when_resized(*way) if way[0].size and way[1].size else float("inf") for way in ways]
    best = min(range(len(ways)), key=lambda number: left[number])
    if best == 0 or left[best] > left[0] / 2:
        return a, b, []
    text = f"bands of one colour: sample {describe_bands(bands[0])}, benchmark {describe_bands(bands[1])}"
    numbers = {"sample": list(bands[0]), "benchmark": list(bands[1])}
    return (*ways[best], [Finding("letterbox", 1 - left[best] / left[0], text, _PLACES, numbers)])


def _left_when_resized(a: np.ndarray, b: np.ndarray) -> float:
    """Return the share of the contrast's energy that is left when b is resized to the size of a."""
    resized = resize(b, a.shape[0], a.shape[1], "bilinear")
    return measure_left(a, resized) / _contrast(a)


def _name_lines(
    a: np.ndarray, b: np.ndarray, gains: np.ndarray, offsets: np.ndarray, left: float, *, is_picture: bool
) -> str:
    """Return what the lines between two pictures stand for; what is left makes them uncertain."""
    tolerance = 2e-3 + left / 2
    if is_picture and (gains > 0).all() and (np.abs(gains - 1) > tolerance).any():
        return f"the image was normalised{name_step(gains, offsets, a)}"
    return name_normalisation(a.reshape(-1, a.shape[2]), b.reshape(-1, b.shape[2]), gains, offsets, tolerance)


def _name_order(order: tuple[int, ...]) -> Finding:
    """Return the finding for channels in another order."""
    how = "RGB and BGR are swapped" if order == (2, 1, 0) else f"the channels are in the order {list(order)}"
    return Finding("channel-order", 1.0, how, _COLOURS, {"order": list(order)})


def _name_rest(left: float) -> Finding:
    """Return the finding for what no known step of a preprocess makes."""
    text = f"a difference of {left:.1%} of the contrast is left that no known step of a preprocess makes"
    return Finding("unknown", 0.0, text, "are both made from one image? look at the two as pictures", {"left": left})


def _relative_error(a: np.ndarray, b: np.ndarray) -> float:
    """Return the root of error energy over signal energy."""
    return float(np.sqrt(((a - b) ** 2).sum() / max(float((b * b).sum()), 1e-300)))


def _is_rounded(a: np.ndarray, b: np.ndarray) -> bool:
    """Return whether the sample is the benchmark on a grid of 8 bits."""
    step = find_step(a)
    return step > 0 and float(np.abs(a - b).max()) < 1.05 * step


def _contrast(a: np.ndarray) -> float:
    """Return the energy of a picture's brightness around its mean; never 0."""
    brightness = a.mean(axis=2)
    return max(float(((brightness - brightness.mean()) ** 2).sum()), 1e-300)


__all__ = ["InputDifference", "ModelInput", "compare_inputs", "load_input"]
