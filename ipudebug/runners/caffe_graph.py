"""The layers of a Caffe network (``.prototxt``), with every tensor under a name of its own.

Caffe lets layers work in place: convolution, batch norm, scale and activation may all write the blob ``conv``, and only
the last value survives. Here each layer writes a tensor of its own, named as the IPU's converter names it: while a name
is already used, ``_xx`` is appended (``conv``, ``conv_xx``, ``conv_xx_xx``).
"""

from __future__ import annotations

from dataclasses import dataclass

from ipudebug.errors import ModelError
from ipudebug.files import OpenFile
from ipudebug.runners.prototext import Field, find_all, find_text, format_prototext, parse_prototext

_SOURCES = {"annotateddata", "data", "dummydata", "hdf5data", "imagedata", "memorydata", "windowdata"}
"""Types of layers that read training data, without ``_`` and in lower case: older Caffe writes ``IMAGE_DATA``."""
_TEST = ("TEST", "1")


@dataclass(frozen=True, slots=True)
class CaffeLayer:
    """One layer.

    Attributes:
        name: as in the file; layers may share one.
        kind: the layer's type, such as ``Convolution``.
        bottoms, tops: names of the tensors that it reads and writes, each tensor's own.
        fields: its parameters: all but name, bottom and top.
    """

    name: str
    kind: str
    bottoms: tuple[str, ...]
    tops: tuple[str, ...]
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class CaffeGraph:
    """A network as it runs.

    Attributes:
        inputs: name -> shape of each input.
        layers: in execution order.
        outputs: name of each final output -> the blob that holds it, in the order in which they are made.
        text: the network as text, without the layers that only train.
        keyword: ``layer``, or ``layers`` in files of older Caffe.
    """

    inputs: dict[str, tuple[int, ...]]
    layers: tuple[CaffeLayer, ...]
    outputs: dict[str, str]
    text: str
    keyword: str


def read_graph(path: str) -> CaffeGraph:
    """Return the network of a prototxt as it runs in the TEST phase; raises ModelError."""
    file = OpenFile(path, "the Caffe network", ModelError)
    content = file.read(file.size, 0)
    if b"\0" in content[:1024]:
        raise ModelError(
            f"the Caffe network: {path} is a binary file, expected a .prototxt",
            "the network (.prototxt) comes first, the weights (.caffemodel) second",
        )
    text = content.decode("utf-8", "surrogateescape")
    fields = parse_prototext(text, path)
    kept = tuple(field for field in fields if field.name not in ("layer", "layers") or _runs(field.fields))
    layers = [field for field in kept if field.name in ("layer", "layers")]
    if not layers:
        raise ModelError(f"the Caffe network: {path} has no layers", "give the deploy prototxt of the network")
    if any(find_all(layer.fields, "layer") for layer in layers):
        raise ModelError(
            f"the Caffe network: {path} is in the format of the first Caffe (V0)",
            "convert it with Caffe's upgrade_net_proto_text",
        )
    inputs, rest = _read_inputs(fields, layers, path)
    named, blobs = _name_tensors(inputs, rest, path)
    read = {bottom for layer in named for bottom in layer.bottoms}
    outputs = {top: blobs[top] for layer in named for top in layer.tops if top not in read}
    if kept != fields:
        text = format_prototext(kept)
    return CaffeGraph(inputs, tuple(named), outputs, text, layers[0].name)


def _runs(layer: tuple[Field, ...]) -> bool:
    """Return whether a layer is part of the TEST phase."""
    included = [rule for rule in find_all(layer, "include") if find_text(rule.fields, "phase")]
    excluded = find_all(layer, "exclude", "phase")
    if any(field.text in _TEST for field in excluded):
        return False
    return not included or any(find_text(rule.fields, "phase") in _TEST for rule in included)


def _read_inputs(
    fields: tuple[Field, ...], layers: list[Field], path: str
) -> tuple[dict[str, tuple[int, ...]], list[Field]]:
    """Return the inputs with their shapes, declared either way, and the layers that compute."""
    inputs: dict[str, tuple[int, ...]] = {}
    rest: list[Field] = []
    names = [field.text for field in find_all(fields, "input")]
    shapes = [_dims(shape, path) for shape in find_all(fields, "input_shape")]
    if not shapes:
        flat = [_to_dim(field.text, path) for field in find_all(fields, "input_dim")]
        shapes = [tuple(flat[start : start + 4]) for start in range(0, len(flat), 4)]
    _add_inputs(inputs, names, shapes, path)
    for layer in layers:
        kind = find_text(layer.fields, "type")
        tops = [field.text for field in find_all(layer.fields, "top")]
        if kind == "Input":
            shapes = [_dims(shape, path) for shape in find_all(layer.fields, "input_param", "shape")]
            _add_inputs(inputs, tops, shapes * len(tops) if len(shapes) == 1 else shapes, path)
        elif kind.replace("_", "").lower() in _SOURCES:
            raise ModelError(
                f"the Caffe network: {path}: layer {find_text(layer.fields, 'name')} ({kind}) reads training data",
                "give the deploy prototxt, whose input is a layer of type Input",
            )
        else:
            rest.append(layer)
    if not inputs:
        raise ModelError(f"the Caffe network: {path} declares no input", "add a layer of type Input with its shape")
    return inputs, rest


def _add_inputs(inputs: dict[str, tuple[int, ...]], names: list[str], shapes: list[tuple[int, ...]], path: str) -> None:
    if len(names) != len(shapes) or not all(shapes):
        raise ModelError(
            f"the Caffe network: {path}: expected a shape for each of the inputs {', '.join(names) or '(none)'},"
            f" found {len(shapes)}",
            "write input_shape { dim: 1 dim: 3 dim: HEIGHT dim: WIDTH } for each",
        )
    inputs.update(zip(names, shapes, strict=True))


def _dims(shape: Field, path: str) -> tuple[int, ...]:
    return tuple(_to_dim(field.text, path) for field in find_all(shape.fields, "dim"))


def _to_dim(text: str, path: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text[:20]) == 0:
        raise ModelError(f"the Caffe network: {path}: {text!r} is no dimension of an input, expected a number above 0")
    return int(text[:20])


def _name_tensors(
    inputs: dict[str, tuple[int, ...]], layers: list[Field], path: str
) -> tuple[list[CaffeLayer], dict[str, str]]:
    """Return the layers with every tensor under its own name, and the blob behind each name."""
    current = {name: name for name in inputs}  # blob -> the tensor that it holds at this point
    blobs = dict(current)
    named: list[CaffeLayer] = []
    for layer in layers:
        name = find_text(layer.fields, "name")
        read = [field.text for field in find_all(layer.fields, "bottom")]
        unknown = [blob for blob in read if blob not in current]
        if unknown:
            raise ModelError(
                f"the Caffe network: {path}: layer {name} reads {unknown[0]}, which no layer before it makes",
                "layers must stand in the order in which they run",
            )
        bottoms = tuple(current[blob] for blob in read)
        tops: list[str] = []
        for blob in (field.text for field in find_all(layer.fields, "top")):
            top = blob
            while top in blobs:
                top += "_xx"
            blobs[top] = blob
            tops.append(top)
            current[blob] = top
        fields = tuple(field for field in layer.fields if field.name not in ("name", "bottom", "top"))
        named.append(CaffeLayer(name, find_text(layer.fields, "type"), bottoms, tuple(tops), fields))
    return named, blobs
