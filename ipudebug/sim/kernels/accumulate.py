"""Exact sums of products of integers, computed by onnxruntime's float32 convolution.

A float32 sum of integers is exact in whatever order it is made as long as no partial sum exceeds 2^24. A convolution is
therefore cut into terms for which that is proven from the weights:

- 16-bit operands are two balanced digits to the base 256, which gives up to four terms;
- if the weights of a term are still too large, they are dealt out to several, each with zeros where the others have
  values.

ConvInteger would do 8 bits in one go, but its U8 x S8 products saturate on processors with AVX2 and no VNNI, and it was
not faster where that does not happen. Float32 with few terms also beats a float64 matrix product over unrolled windows.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np

from ipudebug.sim.kernels.slabs import Index
from ipudebug.sim.kernels.windows import Window, pad_input

SAFE = (1 << 24) * (1 - 2**-10)
"""Float32 has every integer up to 2^24; a little less leaves room for the errors of a bound made in float32 itself."""
SILENT = 4


@dataclass(frozen=True, slots=True)
class Sums:
    """A convolution's raw accumulators, NCHW: the sum of ``terms[i] * 2^shifts[i]``, each term exact in float32."""

    terms: tuple[np.ndarray, ...]
    shifts: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """[N, O, H, W]."""
        return self.terms[0].shape

    @property
    def is_narrow(self) -> bool:
        """Whether every accumulator is within +-2^24."""
        return self.shifts == (0,)

    def gather(self, part: Index, dtype: type[np.signedinteger]) -> np.ndarray:
        """Return a piece of the accumulators; ``dtype`` must be int64 unless they are narrow."""
        total: np.ndarray = self.terms[0][part].astype(dtype) << self.shifts[0]
        for term, shift in zip(self.terms[1:], self.shifts[1:], strict=True):
            total += term[part].astype(dtype) << shift
        return total


def accumulate(x: np.ndarray, weights: np.ndarray, window: Window, groups: int, x_zero: int) -> Sums:
    """Return sum(x w) over the window and the input channels of each output position.

    Args:
        x: [N, C, H, W], any integers of up to 16 bits; the zero point is not subtracted.
        weights: [O, C / groups, kh, kw], int8 or int16.
        window: its kernel is that of the weights.
        groups: 1, or C for a depthwise convolution.
        x_zero: the value of the padding.
    """
    session = open_convolution(window.strides, window.dilations, groups)
    padded = pad_input(x, window.pads, x_zero, np.float32 if x.dtype.itemsize == 1 else np.int32)
    terms, shifts = [], []
    for x_shift, low, high, digit in _split_digits(padded, x.dtype):
        for w_shift, _, _, kernel in _split_digits(weights, weights.dtype):
            for share in _deal_out(kernel, low, high):
                terms.append(_run(session, digit, share))
                shifts.append(x_shift + w_shift)
    return Sums(tuple(terms), tuple(shifts))


def _split_digits(values: np.ndarray, dtype: np.dtype) -> list[tuple[int, int, int, np.ndarray]]:
    """Return (shift, smallest, largest possible digit, digits in float32); the sum of digit * 2^shift is ``values``.

    ``dtype`` (uint8, int8 or int16) is the one that all of ``values`` fit, whatever their own.
    """
    if dtype.itemsize == 1:
        info = np.iinfo(dtype)
        return [(0, int(info.min), int(info.max), values.astype(np.float32, copy=False))]
    high = (values.astype(np.int32, copy=False) + 128) >> 8
    low = values - (high << 8)
    return [(0, -128, 127, low.astype(np.float32)), (8, -128, 128, high.astype(np.float32))]


def _deal_out(weights: np.ndarray, low: int, high: int) -> list[np.ndarray]:
    """Return arrays that add up to ``weights``; with inputs in low..high no partial sum of either exceeds 2^24."""
    flat = weights.reshape(len(weights), -1)
    for parts in range(1, flat.shape[1] + 1):
        edges = np.linspace(0, flat.shape[1], parts + 1).astype(int)
        spans = [slice(start, stop) for start, stop in pairwise(edges)]
        if all(_find_largest_sum(flat[:, span], low, high) <= SAFE for span in spans):
            break
    if parts == 1:
        return [weights]
    shares = [np.zeros_like(flat) for _ in spans]
    for share, span in zip(shares, spans, strict=True):
        share[:, span] = flat[:, span]
    return [share.reshape(weights.shape) for share in shares]


def _find_largest_sum(rows: np.ndarray, low: int, high: int) -> float:
    """Return the largest absolute value that a partial sum of one row times inputs in low..high can take."""
    magnitude, total = np.abs(rows).sum(axis=1), rows.sum(axis=1)
    positive, negative = (magnitude + total) / 2, (magnitude - total) / 2
    above, below = max(high, 0), max(-low, 0)
    return float(np.maximum(positive * above + negative * below, negative * above + positive * below).max())


def _run(session: Any, x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the convolution of two float32 arrays; the result lies in onnxruntime's memory, which it keeps alive."""
    import onnxruntime

    wrap = onnxruntime.OrtValue.ortvalue_from_numpy
    result: np.ndarray = session.run_with_ort_values(None, {"x": wrap(x), "w": wrap(weights)})[0].numpy()
    return result


@lru_cache(maxsize=128)
def open_convolution(strides: tuple[int, int], dilations: tuple[int, int], groups: int) -> Any:
    """Return a session that computes a float32 convolution, without padding, of ``x`` and ``w`` of any size."""
    import onnx
    import onnxruntime

    node = onnx.helper.make_node("Conv", ["x", "w"], ["y"], group=groups, strides=strides, dilations=dilations)
    x, w, y = (onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [None] * 4) for name in "xwy")
    model = onnx.helper.make_model(
        onnx.helper.make_graph([node], "convolution", [x, w], [y]),
        opset_imports=[onnx.helper.make_opsetid("", 13)],
        ir_version=8,
    )
    arena = onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR
    info = onnxruntime.OrtMemoryInfo("Cpu", arena, 0, onnxruntime.OrtMemType.DEFAULT)
    with contextlib.suppress(Exception):  # somebody has registered one before
        onnxruntime.create_and_register_allocator(info, onnxruntime.OrtArenaCfg({"arena_extend_strategy": 1}))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = SILENT
    options.add_session_config_entry("session.use_env_allocators", "1")
    # The threads of an idle session would spin while numpy, or the next session, works.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
