"""Where the trouble begins: how far each layer's error stands out of what the layers before it hand on.

The rule for "changes clearly". A layer's error energies (``traits``), relative to its signal, are each held against

    ``GROWTH x the largest of the same energy before it + CARRIED x the total before it + ROUNDING x what its own grid
    explains + what may begin spontaneously``

and the largest quotient is the layer's *jump*. A layer whose jump is 1 or more changes clearly. "Before it" are the
layers it is computed from, where the graph is known, otherwise all above it. What may begin spontaneously is what
rounded weights do where the sample is quantised, and what two float implementations differ by where it is not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ipudebug.diagnosis.traits import FLOAT_NOISE, STRUCTURES, Traits

GROWTH = {"total": 16.0, "line": 16.0, "channels": 16.0, "few": 16.0, "border": 16.0, "saturated": 16.0, "range": 16.0}
"""By how much an energy may grow from one layer to the next (16: a fourfold error, 12 dB)."""
ROUNDING = {"total": 12.0, "line": 4.0, "channels": 6.0, "few": 6.0, "border": 4.0, "saturated": 2.0, "range": 0.0}
"""How many times the energy of its own rounding a layer may show at once (its weights are rounded, too)."""
FIRST_NOISE = {"total": 1e-2, "line": 1e-5, "channels": 1e-4, "few": 1e-4, "border": 1e-4, "saturated": 1e-5}
"""What may be noise where nothing before had any and no grid is seen."""
WEIGHT_ROUNDING = {"total": 3e-3, "line": 5e-4, "channels": 3e-3, "few": 2e-3, "border": 3e-4, "saturated": 1e-4}
"""What rounding its weights to 8 bits may add at any layer of a quantised sample; most where they add up to nothing."""
CARRIED = {"total": 0.0, "line": 0.25, "channels": 1.0, "few": 1.0, "border": 0.25, "saturated": 0.25, "range": 0.0}
"""Share of the total error before a layer that may come out with this structure."""
RECOVERY = 4.0
"""By how much the energy handed on is believed to shrink in one layer; what is lost in a mean may come back."""
SMALL = 4.0
"""A jump below it may be natural if there is another larger than its square."""
COARSE = 0.008
"""Energy of rounding over that of a typical channel (21 dB) from which a wide range is a fault."""
EXACT_LAYERS = 3
"""So many layers without noise at the beginning, and the two sides compute in floating point: there is none to come."""


@dataclass(frozen=True, slots=True)
class Jump:
    """How a layer compares with what came before it.

    Attributes:
        size: the largest quotient; 1 or more is clear.
        structure: which energy it was.
        inherited: the largest total error energy before the layer, relative to its signal.
    """

    size: float
    structure: str
    inherited: float


def measure_jumps(traits: Sequence[Traits], before: Mapping[int, Sequence[int]] | None = None) -> list[Jump]:
    """Return the jump of every layer.

    Args:
        traits: of the layers, in execution order.
        before: layer -> those it is computed from; None if the graph is not known.
    """
    energies = _tabulate(traits)
    reached = np.empty_like(energies)  # what each layer hands on
    inherited = np.zeros_like(energies)
    running = np.zeros(len(STRUCTURES))
    for number, own in enumerate(energies):
        parents = before.get(number) if before is not None else None
        inherited[number] = running if parents is None else reached[list(parents)].max(axis=0, initial=0.0)
        reached[number] = np.maximum(inherited[number] / RECOVERY, own)
        running = np.maximum(running, reached[number])
    spontaneous = np.zeros_like(energies)
    if any(layer.is_quantised for layer in traits[1:]):
        spontaneous[:] = _list(WEIGHT_ROUNDING)
    else:
        early = np.arange(len(traits)) < EXACT_LAYERS
        spontaneous[early & (inherited[:, 0] <= 100 * FLOAT_NOISE)] = _list(FIRST_NOISE)
    return _measure_jumps(traits, energies, inherited, spontaneous)


def measure_alone(traits: Sequence[Traits]) -> list[Jump]:
    """Return the jumps of layers that were each measured alone: nothing is handed on to them."""
    energies = _tabulate(traits)
    spontaneous = np.zeros_like(energies)
    if any(layer.is_quantised for layer in traits[1:]):
        spontaneous[:] = _list(WEIGHT_ROUNDING)
    return _measure_jumps(traits, energies, np.zeros_like(energies), spontaneous)


def find_onsets(jumps: Sequence[Jump]) -> list[int]:
    """Return the layers that change clearly, the likeliest origin first.

    The earliest comes first, unless it is a small one and a later one dwarfs it.
    """
    clear = [number for number, jump in enumerate(jumps) if jump.size >= 1]
    if not clear:
        return []
    most = max(jumps[number].size for number in clear)
    bar = min(math.sqrt(most), SMALL)
    strong = [number for number in clear if jumps[number].size >= bar]
    return strong + sorted(set(clear) - set(strong), key=lambda number: -jumps[number].size)


def _measure_jumps(
    traits: Sequence[Traits], energies: np.ndarray, inherited: np.ndarray, spontaneous: np.ndarray
) -> list[Jump]:
    """Return the jumps of n layers; arrays are [n, structures], ``spontaneous`` is noise that may begin in a layer."""
    roundings = np.array([layer.rounding for layer in traits]).reshape(-1, 1)
    allowed = _list(GROWTH) * inherited + _list(CARRIED) * inherited[:, :1] + _list(ROUNDING) * roundings
    floor = spontaneous + 10 * FLOAT_NOISE
    floor[:, STRUCTURES.index("range")] = COARSE + 10 * FLOAT_NOISE
    sizes = energies / (allowed + floor)
    largest = sizes.argmax(axis=1)
    return [
        Jump(size, STRUCTURES[place] if size else "total", handed_on)
        for size, place, handed_on in zip(
            sizes.max(axis=1).tolist(), largest.tolist(), inherited[:, 0].tolist(), strict=True
        )
    ]


def _tabulate(traits: Sequence[Traits]) -> np.ndarray:
    """Return the energies of layers as an array [n, structures]."""
    rows = [[layer.energies[name] for name in STRUCTURES] for layer in traits]
    return np.array(rows, np.float64).reshape(-1, len(STRUCTURES))


def _list(values: Mapping[str, float]) -> np.ndarray:
    """Return a value for each structure, in their order; 0 for those left out."""
    return np.array([values.get(name, 0.0) for name in STRUCTURES])
