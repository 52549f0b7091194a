"""An independent reading of the same FlatBuffer: LiteRT's reference kernels run what our reader translates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from bench.data.vendor_sim import FLOAT, Operator, Sim, Tensor, write_sim
from tests.sim.vendor.networks import run_float


@dataclass(frozen=True)
class Fed:
    """An activation that an operator is fed with."""

    array: np.ndarray


def fed(*shape: int, positive: bool = False) -> Fed:
    """Return normal numbers of that shape, always the same for a shape."""
    numbers = np.random.default_rng(sum(shape) + 31 * len(shape)).normal(size=shape)
    return Fed(np.asarray(np.abs(numbers) + 0.1 if positive else numbers, np.float32))


def run_litert(sim: Sim, feeds: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return the outputs as LiteRT's plain reference kernels compute them."""
    module = pytest.importorskip("ai_edge_litert.interpreter", reason="LiteRT is the reference here")
    interpreter = module.Interpreter(
        model_content=write_sim(sim), experimental_op_resolver_type=module.OpResolverType.BUILTIN_REF, num_threads=1
    )
    interpreter.allocate_tensors()
    for detail, array in zip(interpreter.get_input_details(), feeds, strict=True):
        interpreter.set_tensor(detail["index"], array)
    interpreter.invoke()
    return [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()]


def compare_with_litert(
    folder: Path,
    code: int,
    kind: int,
    inputs: Sequence[Fed | np.ndarray],
    options: Mapping[int, tuple[str, float]] | None = None,
    outputs: int = 1,
    dtype: str = "float32",
    tolerance: float = 1e-5,
) -> None:
    """Assert that a float .sim of one operator gives what LiteRT makes of the same tables; its shapes are LiteRT's."""
    arrays = [one.array if isinstance(one, Fed) else np.asarray(one) for one in inputs]
    tensors = [
        Tensor(f"x{i}", array.shape, array.dtype.name, None if isinstance(one, Fed) else array)
        for i, (one, array) in enumerate(zip(inputs, arrays, strict=True))
    ]
    places = [i for i, one in enumerate(inputs) if isinstance(one, Fed)]
    feeds = [arrays[i] for i in places]
    first = len(tensors)
    ends = range(first, first + outputs)
    operator = Operator(code, range(first), ends, options, kind)

    def build(shapes: Sequence[tuple[int, ...]], plain: bool) -> Sim:
        made = [Tensor(f"y{i}", shape, dtype) for i, shape in enumerate(shapes)]
        return Sim(tensors + made, [operator], places, list(ends), "plain" if plain else FLOAT, plain=plain)

    expected = run_litert(build([(1,)] * outputs, True), feeds)
    path = folder / "network.sim"
    path.write_bytes(write_sim(build([array.shape for array in expected], False)))
    for found, wanted in zip(run_float(path, *feeds), expected, strict=True):
        assert found.shape == wanted.shape
        np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)
