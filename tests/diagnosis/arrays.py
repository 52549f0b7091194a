"""Evidence and dumps for tests, made of plain arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ipudebug.diagnosis.evidence import Evidence
from ipudebug.diagnosis.view import take_view
from ipudebug.tensor import Layout, Tensor, TensorInfo


def make_tensor(
    name: str, array: np.ndarray, index: int = 0, role: str = "out", layout: Layout | None = Layout.NHWC
) -> Tensor:
    """Return a tensor; 4-D ones are NHWC unless told otherwise."""
    layout = layout if array.ndim == 4 else None
    return Tensor(TensorInfo(name, array.shape, array.dtype, None, layout, "OP", index, 0, role), array)  # type: ignore[arg-type]


def make_evidence(sample: np.ndarray, benchmark: np.ndarray, **known: object) -> Evidence:
    """Return the evidence of one layer."""
    view = take_view(make_tensor("layer", sample), make_tensor("layer", benchmark))
    return Evidence("layer", "OP", view, **known)  # type: ignore[arg-type]


def draw_map(seed: int = 0, shape: Sequence[int] = (1, 12, 14, 8), image: int = 0) -> np.ndarray:
    """Return a feature map with smooth structure, float32 NHWC: channels by ``seed``, what they show by ``image``."""
    rng = np.random.default_rng(seed)
    array = np.random.default_rng([seed, image, 5]).standard_normal(tuple(shape))
    for axis in (1, 2):
        array = array + np.roll(array, 1, axis) + np.roll(array, 2, axis)
    scales = rng.uniform(0.5, 1.5, shape[-1])
    return (array / 9 * scales + rng.normal(0, 0.3, shape[-1])).astype(np.float32)


def round_to(array: np.ndarray, step: float) -> np.ndarray:
    """Return an array on a grid."""
    return (np.rint(array / step) * step).astype(np.float32)


class MemoryDump:
    """A dump that was never written; see DumpReader."""

    is_float = True
    notes: tuple[str, ...] = ()

    def __init__(self, path: str, *tensors: Tensor) -> None:
        self.path = path
        self._tensors = tensors
        self.infos = tuple(tensor.info for tensor in tensors)

    def read(self, index: int) -> Tensor:
        """Return one tensor."""
        return self._tensors[index]
