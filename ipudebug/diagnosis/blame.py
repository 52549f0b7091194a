r"""Two dumps and the benchmark's model -> what each layer adds to the error, and what it does to the error before it.

The model's layers f are computed on the *sample's* own inputs. With x, y of the benchmark and x', y' of the sample

    y' - y  =  (y' - f(x'))  +  (f(x') - f(x))
    accumulated    local          inherited

so the two columns add up exactly, through additions and concatenations as through everything else: f is the layer
itself, not a model of it. Where the sample lacks tensors (fused operators) the layers in between are computed, and
belong to the next one that it has.

Share of the final error: the sample's tensors replace the model's one after the other, in execution order, and the
model computes the rest. What the final output changes by when layer k is replaced is what k contributes; the
contributions add up to the whole error. They are measured along the error, so their shares sum to 1, and a layer that
happens to repair some of it has a negative one.
"""

from __future__ import annotations

import enum
import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from ipudebug.diagnosis.nodes import NodeGraph, Values
from ipudebug.diagnosis.onset import SMALL, measure_alone
from ipudebug.diagnosis.traits import take_traits
from ipudebug.diagnosis.view import View, take_view
from ipudebug.tensor import Layout, Tensor, TensorInfo

MOST_CUTS = 24
"""Layers whose contribution is computed by itself; the smaller ones between two of them count with the later."""
KEPT = 8
"""Layers whose values are kept for a closer look."""
SIGNIFICANT = 1e-5
"""Relative error below which a layer is right: float implementations differ by as much."""
AMPLIFIES = 1.5
"""Growth of the relative error from input to output from which a layer amplifies, and whose inverse absorbs."""

Lookup = Callable[[str], "np.ndarray | None"]
"""Name of a tensor -> its elements in the dump's order, or None if the dump has none of that name."""


class Role(enum.Enum):
    """What a layer does to the error."""

    RIGHT = "right"
    ORIGINATES = "originates"
    AMPLIFIES = "amplifies"
    PASSES_ON = "passes on"
    ABSORBS = "absorbs"

    @property
    def has_gain(self) -> bool:
        """Whether the gain is worth telling."""
        return self in (Role.AMPLIFIES, Role.ABSORBS)


@dataclass(frozen=True)
class LayerBlame:
    """One layer; errors are root energies relative to the benchmark's.

    Attributes:
        name: of the tensor.
        accumulated: sample against benchmark.
        local: sample against what the layer makes of the sample's inputs: the error that arises here; infinite if
            that are NaN or infinities.
        inherited: the latter against the benchmark: the error that is handed on.
        incoming: the same of the layer's inputs, taken together.
        alone: the fixed model's layer on the benchmark's inputs, against the benchmark; None without a fixed model.
        share: of the final error; see the module.
        jump: how far the local error stands out of what rounding explains; 1 or more is clear (``onset``).
    """

    name: str
    accumulated: float
    local: float
    inherited: float
    incoming: float
    alone: float | None = None
    share: float = 0.0
    jump: float = 0.0

    @property
    def gain(self) -> float:
        """By how much the relative error grows from input to output, without what arises here."""
        return self.inherited / self.incoming if self.incoming > 0 else 1.0

    @property
    def role(self) -> Role:
        """What the layer does to the error."""
        if max(self.accumulated, self.local) < SIGNIFICANT:
            return Role.RIGHT
        if self.local >= self.inherited:
            return Role.ORIGINATES
        if self.gain > AMPLIFIES:
            return Role.AMPLIFIES
        return Role.ABSORBS if self.gain < 1 / AMPLIFIES else Role.PASSES_ON


@dataclass(frozen=True)
class Blame:
    """What the models add to a verdict.

    Attributes:
        layers: those that both dumps have, in execution order.
        outputs: the final outputs whose error is shared out.
        input_share: share of the final error that comes with the model's input.
        local_views: of the layers with the largest jumps: the sample beside what the layer makes of its own inputs.
        notes: what a user should know.
    """

    layers: tuple[LayerBlame, ...]
    outputs: tuple[str, ...]
    input_share: float
    local_views: Mapping[str, View] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def strays(self) -> list[LayerBlame]:
        """The layers whose local error is clear and matters, the likeliest origin first: the earliest that stands out.

        It matters if it is the larger part of what the layer is off by, or bears a twentieth of the final error: a
        handful of saturated elements is clear, too, and no more than a part of the noise.
        """
        clear = [
            layer
            for layer in self.layers
            if layer.jump >= 1 and (layer.role is Role.ORIGINATES or abs(layer.share) >= 0.05)
        ]
        most = max((layer.jump for layer in clear), default=0.0)
        strong = [layer for layer in clear if layer.jump >= min(most**0.5, SMALL)]
        return strong + sorted((layer for layer in clear if layer not in strong), key=lambda layer: -layer.jump)


def measure_blame(
    graph: NodeGraph, sample: Lookup, benchmark: Lookup, feed: Mapping[str, np.ndarray], glance: int = 1 << 16
) -> Blame:
    """Return the blame of every layer; raises NodeFailed where the model and the dumps do not fit together.

    Args:
        graph: the benchmark's model.
        sample: the suspect dump, 4-D tensors in NHWC order.
        benchmark: the trusted one.
        feed: the model's inputs as the benchmark had them.
        glance: elements of a layer that are looked at for structure.
    """
    layers: dict[str, LayerBlame] = {}
    views: dict[str, View] = {}
    traits = {}
    for name, incoming, predicted, actual, right in _walk(graph, sample, benchmark, feed):
        size = _norm(right)
        breaks = bool((~np.isfinite(actual) & np.isfinite(predicted)).any())
        layers[name] = LayerBlame(
            name,
            _distance(actual, right) / size if size else 0.0,
            math.inf if breaks else _distance(actual, predicted) / size if size else 0.0,
            _distance(predicted, right) / size if size else 0.0,
            incoming,
        )
        views[name] = view = _pair_up(name, actual, predicted, glance)
        traits[name] = take_traits(view)
        if len(views) > KEPT:
            del views[min(views, key=lambda other: max(traits[other].energies.values()))]
    jumps = dict(zip(traits, measure_alone(list(traits.values())), strict=True))
    cuts = set(sorted(layers, key=lambda name: -layers[name].local)[:MOST_CUTS])
    shares, input_share, outputs = _share_error(graph, sample, benchmark, feed, cuts)
    told = [
        replace(layer, share=shares.get(name, 0.0), jump=math.inf if layer.local == math.inf else jumps[name].size)
        for name, layer in layers.items()
    ]
    return Blame(tuple(told), outputs, input_share, views)


def _pair_up(name: str, actual: np.ndarray, predicted: np.ndarray, limit: int) -> View:
    """Return a view of the sample beside what its layer makes of its inputs; what is not finite counts as equal."""
    broken = ~(np.isfinite(actual) & np.isfinite(predicted))
    if broken.any():
        actual, predicted = (np.where(broken, 0, side) for side in (actual, predicted))
    layout = Layout.NCHW if actual.ndim == 4 else None
    info = TensorInfo(name, actual.shape, actual.dtype, layout=layout)
    return take_view(Tensor(info, actual), Tensor(info, predicted), limit)


def _walk(
    graph: NodeGraph, sample: Lookup, benchmark: Lookup, feed: Mapping[str, np.ndarray]
) -> Iterator[tuple[str, float, np.ndarray, np.ndarray, np.ndarray]]:
    """Yield (name, relative error of the inputs, predicted, sample, benchmark) of each tensor that both dumps have."""
    values: Values = {name: _or(_take(sample, name, array), array) for name, array in feed.items()}
    truths: Values = dict(feed)
    energies = {name: _energies(values[name], truths[name]) for name in feed}
    origins = {name: {name} for name in feed}  # what the sample lacks is computed from several that it has
    last = _find_last_readers(graph)
    for number, step in enumerate(graph.steps):
        sources = {origin for name in step.reads for origin in origins[name]}
        wrong, right = (sum(energies[name][side] for name in sources) for side in (0, 1))
        incoming = float(np.sqrt(wrong / right)) if right > 0 else 0.0
        for name, made, exact in zip(step.makes, step.compute(values), step.compute(truths), strict=True):
            actual = _take(sample, name, made)
            values[name] = _or(actual, made)
            truths[name] = _or(_take(benchmark, name, exact), exact)
            energies[name] = _energies(values[name], truths[name])
            origins[name] = sources if actual is None else {name}
            if actual is not None and made.dtype.kind == "f":
                yield name, incoming, made, actual, truths[name]
        _drop(number, last, values, truths)


def _share_error(
    graph: NodeGraph, sample: Lookup, benchmark: Lookup, feed: Mapping[str, np.ndarray], cuts: set[str]
) -> tuple[dict[str, float], float, tuple[str, ...]]:
    """Return the share of the final error of each layer in ``cuts``, that of the input, and the outputs it is about."""
    right = graph.run_from(0, feed)
    right = {
        name: _or(_take(benchmark, name, array), array) for name, array in right.items() if array.dtype.kind == "f"
    }
    values: Values = {name: _or(_take(sample, name, array), array) for name, array in feed.items()}
    states: list[tuple[str, Values]] = [("", graph.run_from(0, values))]
    last = _find_last_readers(graph)
    for number, step in enumerate(graph.steps):
        for name, made in zip(step.makes, step.compute(values), strict=True):
            values[name] = _or(_take(sample, name, made), made)
        _drop(number, last, values)
        hit = [name for name in step.makes if name in cuts]
        if hit:
            states.append((hit[0], graph.run_from(number + 1, values)))
    final = {name: values[name] for name in right}
    error = {name: _flat(final[name]) - _flat(right[name]) for name in right}
    weights = {name: 1 / max(_norm(right[name]) ** 2, 1e-300) for name in right}
    whole = sum(weights[name] * float(error[name] @ error[name]) for name in right)
    if not 0 < whole < np.inf:
        return {}, 0.0, tuple(right)

    def along(later: Values, earlier: Values) -> float:
        parts = (weights[name] * float((_flat(later[name]) - _flat(earlier[name])) @ error[name]) for name in right)
        return sum(parts) / whole

    shares = {name: along(after, before) for (_, before), (name, after) in itertools.pairwise(states)}
    if len(states) > 1:  # what follows the last cut counts with it
        shares[states[-1][0]] += along(final, states[-1][1])
    return shares, along(states[0][1], right), tuple(right)


def _find_last_readers(graph: NodeGraph) -> dict[str, int]:
    """Return the number of the last step that reads each tensor; final outputs are left out."""
    last = {name: number for number, step in enumerate(graph.steps) for name in step.reads}
    return {name: number for name, number in last.items() if name not in graph.outputs}


def _drop(number: int, last: Mapping[str, int], *several: Values) -> None:
    """Forget the values that no step behind ``number`` reads."""
    for values in several:
        for name in [name for name in values if last.get(name, number + 1) <= number]:
            del values[name]


def _take(dump: Lookup, name: str, like: np.ndarray) -> np.ndarray | None:
    """Return a tensor of a dump in the shape and dtype that the graph has it in; None if it has none of that size."""
    array = dump(name)
    if array is None or array.size != like.size:
        return None
    if like.ndim == 4:
        n, c, h, w = like.shape
        array = array.reshape(n, h, w, c).transpose(0, 3, 1, 2)
    return np.ascontiguousarray(array.reshape(like.shape), like.dtype)


def _or(array: np.ndarray | None, other: np.ndarray) -> np.ndarray:
    """Return the first unless it is None."""
    return other if array is None else array


def _flat(array: np.ndarray) -> np.ndarray:
    """Return the elements in float64, those that are not finite as 0."""
    return np.nan_to_num(array.reshape(-1).astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)


def _norm(array: np.ndarray) -> float:
    """Return the root of the energy."""
    flat = _flat(array)
    return float(np.sqrt(flat @ flat))


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    """Return the root of the energy of a difference; elements that are not finite count as 0."""
    difference = _flat(a) - _flat(b)
    return float(np.sqrt(difference @ difference))


def _energies(actual: np.ndarray, right: np.ndarray) -> tuple[float, float]:
    """Return the energies of an error and of what it is relative to."""
    return _distance(actual, right) ** 2, _norm(right) ** 2
