"""Faults: one layer of an ONNX model made wrong in a way that happens on the way to a chip.

A fault changes what a layer computes and nothing else: node order and tensor names, shapes and types stay, so that a
dump of the faulty model lines up with one of the original.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ipudebug.demo.graph import Graph, Layer
from ipudebug.errors import ModelError, UnknownPlugin

if TYPE_CHECKING:
    import onnx

SCALE = 1.5
ONE_CHANNEL_SCALE = 8.0
CLIP_LIMIT = 0.5

_WEIGHTS, _BIAS = 1, 2  # inputs of Conv, Gemm and BatchNormalization; the latter's "weights" are its scale
_WEIGHTED = ("Conv", "Gemm", "BatchNormalization")


class MisplacedFault(ModelError):
    """A fault of that kind cannot be planted in that layer."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of fault.

    Attributes:
        kind: its name.
        summary: what it does to a layer: "all weights are 1.5 times too large".
        fits: whether a layer can have it.
        apply: plants it in a layer that it fits.
    """

    kind: str
    summary: str
    fits: Callable[[Layer], bool]
    apply: Callable[[Layer], None]


def plant_fault(model: onnx.ModelProto, layer: str, kind: str) -> onnx.ModelProto:
    """Return a copy of a model with a fault of that kind in one layer; the model itself stays as it is.

    Args:
        model: with its weights loaded, as ``onnx.load`` does.
        layer: name of a node of the main graph, or of a tensor that it makes.
        kind: a key of FAULTS.

    Raises UnknownPlugin for the kind, UnknownLayer for the layer, MisplacedFault if they do not go together.
    """
    import onnx

    fault = find_fault(kind)
    planted = onnx.ModelProto()
    planted.CopyFrom(model)
    target = Graph(planted).find_layer(layer)
    if not fault.fits(target):
        possible = list_kinds(model, layer)
        hint = (
            f"possible there: {', '.join(possible)}" if possible else "no fault is possible there, take another layer"
        )
        raise MisplacedFault(f"{kind} cannot be planted in {layer} ({target.node.op_type})", hint)
    fault.apply(target)
    return planted


def find_fault(kind: str) -> Fault:
    """Return the fault of that kind; raises UnknownPlugin."""
    if kind not in FAULTS:
        raise UnknownPlugin(f"unknown fault: {kind}", f"known: {', '.join(FAULTS)}")
    return FAULTS[kind]


def list_layers(model: onnx.ModelProto, kind: str) -> list[str]:
    """Return the names of the layers, in graph order, that a fault of that kind can be planted in."""
    fault = find_fault(kind)
    return [layer.name for layer in Graph(model).layers if fault.fits(layer)]


def list_kinds(model: onnx.ModelProto, layer: str) -> list[str]:
    """Return the kinds of fault that can be planted in a layer; raises UnknownLayer."""
    target = Graph(model).find_layer(layer)
    return [fault.kind for fault in FAULTS.values() if fault.fits(target)]


def choose_place(model: onnx.ModelProto, kind: str | None = None, layer: str | None = None) -> tuple[str, str]:
    """Return a kind of fault and a layer that it can be planted in; what is None is chosen.

    The kind is the first of FAULTS that fits the layer, the layer the middle one of those that the kind fits.
    Two that are given are not checked against each other: ``plant_fault`` does that.

    Raises UnknownPlugin, UnknownLayer, MisplacedFault.
    """
    first = next(iter(FAULTS))
    if kind is None:
        kind = first if layer is None else next(iter(list_kinds(model, layer)), first)
    if layer is None:
        layers = list_layers(model, kind)
        if not layers:
            raise MisplacedFault(
                f"the model has no layer that {kind} can be planted in", "choose another kind of fault"
            )
        layer = layers[len(layers) // 2]
    return kind, layer


def _has_weights(layer: Layer) -> bool:
    """Return whether a layer has floating-point weights that are not all zero."""
    weights = layer.read_constant(_WEIGHTS) if layer.node.op_type in _WEIGHTED else None
    return weights is not None and weights.dtype.kind == "f" and bool(np.any(weights))


def _scale_weights(layer: Layer) -> None:
    """Multiply all weights, as a scale that was read wrongly does."""
    weights = _require(layer, _WEIGHTS)
    layer.replace_constant(_WEIGHTS, weights * weights.dtype.type(SCALE))


def _has_channels(layer: Layer) -> bool:
    """Return whether a layer has weights for more than one output channel."""
    return _has_weights(layer) and _require(layer, _WEIGHTS).shape[_output_axis(layer)] > 1


def _scale_one_channel(layer: Layer) -> None:
    """Multiply the weights of the output channel that has the largest, as one wrong per-channel scale does."""
    weights = _require(layer, _WEIGHTS)
    channels = np.moveaxis(weights, _output_axis(layer), 0)  # a view
    largest = int(np.abs(channels.reshape(len(channels), -1)).max(axis=1).argmax())
    channels[largest] *= weights.dtype.type(ONE_CHANNEL_SCALE)
    layer.replace_constant(_WEIGHTS, weights)


def _reverse_channels(layer: Layer) -> None:
    """Store all that a layer keeps for each output channel in reverse order."""
    last = 4 if layer.node.op_type == "BatchNormalization" else _BIAS  # mean and variance too
    for position in range(_WEIGHTS, last + 1):
        array = layer.read_constant(position)
        if array is not None and array.ndim:
            axis = _output_axis(layer) if position == _WEIGHTS else -1
            layer.replace_constant(position, np.ascontiguousarray(np.flip(array, axis)))


def _has_bias(layer: Layer) -> bool:
    """Return whether a layer has a bias that is not all zero."""
    bias = layer.read_constant(_BIAS) if layer.node.op_type in _WEIGHTED else None
    return bias is not None and bias.dtype.kind == "f" and bool(np.any(bias))


def _drop_bias(layer: Layer) -> None:
    """Set the bias to zero."""
    layer.replace_constant(_BIAS, np.zeros_like(_require(layer, _BIAS)))


def _is_rectifier(layer: Layer) -> bool:
    """Return whether a layer lets floating-point values above CLIP_LIMIT through, and can be told not to."""
    if layer.node.op_type not in ("Relu", "Clip") or layer.graph.opset < 11:  # before 11, Clip has no inputs
        return False
    if layer.dtype is None or layer.dtype.kind != "f":
        return False
    if layer.node.op_type == "Relu":
        return True
    lower, upper = layer.read_constant(1), layer.read_constant(2)
    if [lower is not None, upper is not None] != [name != "" for name in (*layer.node.input, "", "")[1:3]]:
        return False  # a limit is computed
    return bool((lower is None or lower < CLIP_LIMIT) and (upper is None or upper > CLIP_LIMIT))


def _clip_activation(layer: Layer) -> None:
    """Let nothing above CLIP_LIMIT through, as a range that was calibrated too narrow does."""
    if layer.node.op_type == "Relu":
        layer.node.op_type = "Clip"
        layer.replace_constant(1, np.array(0, layer.dtype))
    layer.replace_constant(2, np.array(CLIP_LIMIT, layer.dtype))


def _has_movable_padding(layer: Layer) -> bool:
    """Return whether a layer's window is padded at the beginning of the last axis, by numbers in the model."""
    pads = layer.get_attribute("pads", ()) if layer.node.op_type in ("Conv", "MaxPool", "AveragePool") else ()
    return len(pads) > 0 and pads[len(pads) // 2 - 1] > 0


def _shift_padding(layer: Layer) -> None:
    """Move one column of padding from the left to the right, as tools do that count from the other end."""
    pads = list(layer.get_attribute("pads"))
    pads[len(pads) // 2 - 1] -= 1
    pads[-1] += 1
    layer.set_attribute("pads", pads)


def _output_axis(layer: Layer) -> int:
    """Return the axis of the weights that counts output channels."""
    return 1 if layer.node.op_type == "Gemm" and not layer.get_attribute("transB", 0) else 0


def _require(layer: Layer, position: int) -> np.ndarray:
    """Return a constant that is known to be there."""
    array = layer.read_constant(position)
    assert array is not None
    return array


FAULTS: Mapping[str, Fault] = {
    fault.kind: fault
    for fault in (
        Fault("clipped", f"nothing above {CLIP_LIMIT:g} comes through", _is_rectifier, _clip_activation),
        Fault("wrong_scale", f"all weights are {SCALE:g} times too large", _has_weights, _scale_weights),
        Fault("one_channel", f"one channel's weights are {ONE_CHANNEL_SCALE:g} times too large", _has_channels,
              _scale_one_channel),
        Fault("channel_order", "its output channels are stored in reverse order", _has_channels, _reverse_channels),
        Fault("bias_dropped", "the bias is zero", _has_bias, _drop_bias),
        Fault("shifted_padding", "one column of padding is on the wrong side", _has_movable_padding, _shift_padding),
    )
}  # fmt: skip
"""Kind -> fault."""
