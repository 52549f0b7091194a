"""Exact sums of products of integers, computed by onnxruntime's float32 convolution.

A float32 sum of integers is exact in whatever order it is made as long as no partial sum exceeds 2^24. A convolution is
therefore cut into terms for which that is proven from the weights:

- 16-bit operands are two balanced digits to the base 256, which gives up to four terms;
- if the weights of a term are still too large, they are dealt out to several, each with zeros where the others have
  values.

ConvInteger would do 8 bits in one go, but its U8 x S8 products saturate on processors with AVX2 and no VNNI, and it was
not faster where that does not happen.

Weights are constants of their session: onnxruntime then arranges them once, which makes a depthwise convolution three
times as fast. A session has one thread: hundreds of them may be alive.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np

from ipudebug.sim.kernels.slabs import Index

SAFE = (1 << 24) * (1 - 2**-10)
"""Float32 has every integer up to 2^24; a little less leaves room for the errors of a bound made in float32 itself."""
DIGIT = (-128, 128)
"""Range of the digits of 16-bit integers."""
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
        total: np.ndarray = self.terms[0][part].astype(dtype)
        for term, shift in zip(self.terms[1:], self.shifts[1:], strict=True):
            more = term[part].astype(dtype)
            more <<= shift
            total += more
        return total


@dataclass(frozen=True, slots=True)
class Convolution:
    """Weights ready for use: sessions, one for each share of each of their digits, with the digit's shift."""

    parts: tuple[tuple[int, Any], ...]

    def accumulate(self, x: np.ndarray, dtype: np.dtype) -> Sums:
        """Return sum(x w) over the window and the input channels of each output position; there is no padding.

        Args:
            x: [N, C, H, W], contiguous, the integers of an array of ``dtype`` (uint8: in float32, int16: in int32).
            dtype: uint8 or int16, as the convolution was prepared for.
        """
        terms, shifts = [], []
        for x_shift, digit in split_digits(x, dtype):
            for shift, session in self.parts:
                terms.append(_run(session, digit))
                shifts.append(x_shift + shift)
        return Sums(tuple(terms), tuple(shifts))


def split_digits(values: np.ndarray, dtype: np.dtype) -> list[tuple[int, np.ndarray]]:
    """Return (shift, digits in float32), smallest shift first; the sum of digit * 2^shift is ``values``.

    ``dtype`` (uint8, int8 or int16) is the one that all of ``values`` fit, whatever their own.
    """
    if dtype.itemsize == 1:
        return [(0, values.astype(np.float32, copy=False))]
    high = values.astype(np.int32)
    high += 128
    high >>= 8
    low = values - (high << 8)
    return [(0, low.astype(np.float32)), (8, high.astype(np.float32))]


def prepare_convolution(
    weights: np.ndarray, dtype: np.dtype, strides: tuple[int, int], dilations: tuple[int, int], groups: int
) -> Convolution:
    """Return a convolution of inputs of ``dtype``; one that was used before is found again.

    Args:
        weights: [O, C / groups, kh, kw], int8 or int16.
        dtype: of the input, uint8 or int16.
        strides: vertical and horizontal.
        dilations: likewise.
        groups: 1, or C for a depthwise convolution.
    """
    return _prepare(weights.tobytes(), weights.dtype, weights.shape, dtype, strides, dilations, groups)


@lru_cache(maxsize=512)
def _prepare(
    data: bytes,
    kind: np.dtype,
    shape: tuple[int, ...],
    dtype: np.dtype,
    strides: tuple[int, int],
    dilations: tuple[int, int],
    groups: int,
) -> Convolution:
    """Return the convolution whose weights are ``data``."""
    low, high = (0, 255) if dtype.itemsize == 1 else DIGIT
    weights = np.frombuffer(data, kind).reshape(shape)
    shares = [(s, share) for s, digit in split_digits(weights, kind) for share in _deal_out(digit, low, high)]
    return Convolution(tuple((shift, _open_session(share, strides, dilations, groups)) for shift, share in shares))


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


def _run(session: Any, x: np.ndarray) -> np.ndarray:
    """Return the convolution of a float32 array."""
    result: np.ndarray = session.run(None, {"x": x})[0]
    return result


def _open_session(weights: np.ndarray, strides: tuple[int, int], dilations: tuple[int, int], groups: int) -> Any:
    """Return a session that computes a float32 convolution of ``x``, of any size, without padding."""
    import onnx
    import onnxruntime

    kernel = list(weights.shape[2:])
    node = onnx.helper.make_node(
        "Conv", ["x", "w"], ["y"], kernel_shape=kernel, group=groups, strides=strides, dilations=dilations
    )
    channels = weights.shape[1] * groups
    x = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [None, channels, None, None])
    y = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [None, len(weights), None, None])
    w = onnx.numpy_helper.from_array(weights, "w")
    model = onnx.helper.make_model(
        onnx.helper.make_graph([node], "convolution", [x], [y], [w]),
        opset_imports=[onnx.helper.make_opsetid("", 13)],
        ir_version=8,
    )
    arena = onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR
    info = onnxruntime.OrtMemoryInfo("Cpu", arena, 0, onnxruntime.OrtMemType.DEFAULT)
    with contextlib.suppress(Exception):  # somebody has registered one before
        onnxruntime.create_and_register_allocator(info, onnxruntime.OrtArenaCfg({"arena_extend_strategy": 1}))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = SILENT
    options.intra_op_num_threads = 1
    options.enable_mem_pattern = False  # bands differ in size
    options.add_session_config_entry("session.use_env_allocators", "1")
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
