"""Integers as real numbers: against Python's own integers and a float32 product, whole and piece by piece."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipudebug.dumps.header import FLOAT
from ipudebug.sim.real_tensor import RealTensor, to_real
from ipudebug.tensor import QuantParams, Tensor, TensorInfo


def expect(array: np.ndarray, scale: float, zero: int) -> list[float]:
    """Return the numbers one by one: the difference in Python's integers, one rounding to float32, one product."""
    return [float(np.float32(int(value) - zero) * np.float32(scale)) for value in array.reshape(-1)]


@given(
    st.binary(min_size=8, max_size=80),
    st.sampled_from(["u1", "i1", "<i2", "<i4"]),
    st.floats(1e-6, 100),
    st.sampled_from([0, 3, -128, 255, 32768, -(1 << 23), (1 << 24) + 1]),
)
def test_every_integer_is_exact(content: bytes, dtype: str, scale: float, zero: int) -> None:
    array = np.frombuffer(content[: len(content) // 4 * 4], dtype)
    wrapped = (array.astype(np.int64) - zero + (1 << 31)) % (1 << 32) - (1 << 31)  # the chip's registers
    assert to_real(array, QuantParams((scale,), (zero,))).tolist() == expect(wrapped, scale, 0)
    assert to_real(array, None).tolist() == array.astype(np.float32).tolist()


@pytest.mark.parametrize("quant", [QuantParams((0.1,), (7,)), None])
@pytest.mark.parametrize("dtype", ["u1", "<i2", "<i4", "<i8"])
def test_pieces_are_those_of_the_whole(quant: QuantParams | None, dtype: str) -> None:
    array = np.arange(-60, 60).astype(dtype).reshape(2, 3, 20)
    tensor = RealTensor(Tensor(TensorInfo("x", array.shape, array.dtype, QuantParams((9.0,), (9,))), array), quant)
    assert (tensor.info.dtype, tensor.info.quant, tensor.in_memory) == (FLOAT, None, False)
    whole = tensor.array
    assert (whole.dtype, whole.shape) == (FLOAT, array.shape)
    zero, scale = (0, 1.0) if quant is None else (7, 0.1)
    assert whole.reshape(-1).tolist() == expect(array, scale, zero)
    for wanted in (np.float32, np.float64):
        out = np.empty(50, wanted)
        tensor.copy_into(out, 30)
        assert out.tolist() == whole.reshape(-1)[30:80].tolist()
