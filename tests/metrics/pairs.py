"""Pairs of tensors in memory for the tests of metrics."""

from __future__ import annotations

import numpy as np

from ipudebug.measure import Measurement, measure_pairs
from ipudebug.metrics import METRICS
from ipudebug.metrics.passes import Pair
from ipudebug.tensor import Tensor, TensorInfo


def tensor(values, dtype="<f4") -> Tensor:
    array = np.ascontiguousarray(values, dtype)
    return Tensor(TensorInfo("x", array.shape, array.dtype), array)


def pair(a, b, dtype="<f4") -> Pair:
    return tensor(a, dtype), tensor(b, dtype)


def measure(a, b, *names: str, dtype="<f4") -> Measurement:
    """Return the measurement of one pair; without names, by all metrics."""
    (result,) = measure_pairs([pair(a, b, dtype)], {name: METRICS[name] for name in names or METRICS})
    return result


def value(name: str, a, b, dtype="<f4") -> float:
    return measure(a, b, name, dtype=dtype).values[name]
