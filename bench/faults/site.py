"""A network with what is known of it, and one fault planted in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import onnx
from onnx import helper, numpy_helper

from bench.faults.execution import run_all
from bench.faults.noise import measure_ranges


@dataclass(frozen=True)
class Site:
    """A healthy network that has run.

    Attributes:
        name, model: of the network.
        image: its input.
        tensors: what every node made of it.
        others: what every node makes of another input.
    """

    name: str
    model: onnx.ModelProto
    image: dict[str, np.ndarray]
    tensors: dict[str, np.ndarray]
    others: dict[str, np.ndarray]

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """Smallest and largest value of every tensor."""
        return measure_ranges(self.tensors)

    def find_layers(self, rank: int = 0, least: int = 64) -> list[str]:
        """Return the tensors of a rank (0: any) with at least so many elements that vary."""
        return [
            name
            for name, array in self.tensors.items()
            if rank in (0, array.ndim) and array.size >= least and array.std() > 1e-4 * max(np.abs(array).max(), 1e-30)
        ]


@dataclass(frozen=True)
class Planted:
    """A fault in a copy of a network.

    Attributes:
        kind: what was planted.
        layer: the tensor that is wrong first.
        accepted: names of findings that are right.
        model: the network as it was edited; before noise is added.
        benchmark: the healthy one, where it had to be changed as well.
        image: the faulty network's input.
        renamed: healthy name -> faulty name.
        tamper: what is done to the model behind the rounding, where there is noise.
    """

    kind: str
    layer: str
    accepted: tuple[str, ...]
    model: onnx.ModelProto
    benchmark: onnx.ModelProto
    image: dict[str, np.ndarray]
    renamed: dict[str, str] = field(default_factory=dict)
    tamper: Callable[[onnx.ModelProto], None] | None = None


def make_site(name: str, model: onnx.ModelProto, image: np.ndarray, other: np.ndarray) -> Site:
    """Return a network that has run on an image and on another one."""
    key = model.graph.input[0].name
    return Site(name, model, {key: image}, run_all(model, {key: image}), run_all(model, {key: other}))


def copy_model(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy."""
    copied = onnx.ModelProto()
    copied.CopyFrom(model)
    return copied


def find_maker(model: onnx.ModelProto, tensor: str) -> onnx.NodeProto:
    """Return the node that makes a tensor."""
    return next(node for node in model.graph.node if tensor in node.output)


def add_constant(model: onnx.ModelProto, name: str, array: np.ndarray) -> str:
    """Add an initialiser and return its name."""
    model.graph.initializer.append(numpy_helper.from_array(array, name))
    return name


def insert_after(
    model: onnx.ModelProto, tensor: str, steps: Sequence[tuple[str, Sequence[np.ndarray], dict[str, object]]]
) -> None:
    """Let what reads ``tensor`` read it through some operators, given as (type, constant inputs, attributes)."""
    nodes = list(model.graph.node)
    place = next(number for number, node in enumerate(nodes) if tensor in node.output)
    port = list(nodes[place].output).index(tensor)
    nodes[place].output[port] = f"{tensor}@right"
    value, added = f"{tensor}@right", []
    for number, (kind, constants, attributes) in enumerate(steps):
        target = tensor if number == len(steps) - 1 else f"{tensor}@fault{number}"
        names = [
            add_constant(model, f"{tensor}@constant{number}.{index}", array) for index, array in enumerate(constants)
        ]
        added.append(helper.make_node(kind, [value, *names], [target], **attributes))
        value = target
    del model.graph.node[:]
    model.graph.node.extend([*nodes[: place + 1], *added, *nodes[place + 1 :]])


def read_weight(model: onnx.ModelProto, name: str) -> np.ndarray:
    """Return the values of an initialiser."""
    return numpy_helper.to_array(next(weight for weight in model.graph.initializer if weight.name == name))


def write_weight(model: onnx.ModelProto, name: str, array: np.ndarray) -> None:
    """Replace the values of an initialiser."""
    weight = next(weight for weight in model.graph.initializer if weight.name == name)
    weight.CopyFrom(numpy_helper.from_array(array.astype(np.float32), name))


def has_weight(model: onnx.ModelProto, name: str) -> bool:
    """Return whether there is an initialiser of that name."""
    return any(weight.name == name for weight in model.graph.initializer)


def read_attribute(node: onnx.NodeProto, name: str, default: object) -> object:
    """Return an attribute of a node."""
    return next((helper.get_attribute_value(item) for item in node.attribute if item.name == name), default)


def set_attribute(node: onnx.NodeProto, name: str, value: object) -> None:
    """Set an attribute of a node."""
    kept = [item for item in node.attribute if item.name != name]
    del node.attribute[:]
    node.attribute.extend([*kept, helper.make_attribute(name, value)])
