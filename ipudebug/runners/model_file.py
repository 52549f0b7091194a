"""A path -> the graph of the ONNX model in it, or an error that says what the file is instead."""

from __future__ import annotations

import contextlib
import mmap
import os
from collections.abc import Iterator

from ipudebug.errors import ModelError
from ipudebug.files import OpenFile
from ipudebug.runners.graph import Graph, Weight, order_nodes
from ipudebug.runners.onnx_parser import parse_model
from ipudebug.runners.protobuf import Buffer, WireError
from ipudebug.signatures import recognise


class MemoryFile:
    """A model in memory, read like an OpenFile; ``path`` is what messages call it."""

    def __init__(self, path: str, data: bytes) -> None:
        """Keep both."""
        self.path = path
        self.data = data
        self.size = len(data)

    def read_into(self, buffer: memoryview, offset: int) -> None:
        """Fill ``buffer`` with the bytes from ``offset`` on."""
        view = buffer.cast("B")
        view[:] = self.data[offset : offset + len(view)]


def open_model(file: OpenFile | MemoryFile) -> Graph:
    """Return the graph of an ONNX file, its nodes in execution order; no data of a large weight is read.

    Raises ModelError: no such file, something else than ONNX, truncated, without nodes, contradictory, or with
    weights in another file that is missing or too short.
    """
    path = file.path
    if file.size == 0:
        raise ModelError(f"{path}: the file is empty, expected an ONNX model", "copy or export the model again")
    with _view(file) as data:
        try:
            graph = parse_model(data)
        except WireError as error:
            raise _explain(path, data, error) from None
        if graph is None:
            raise _explain(path, data, None)
    try:
        if not graph.nodes:
            raise ModelError("the model has no nodes: there is nothing to run", "export the model again")
        graph.nodes = order_nodes(graph)
    except ModelError as error:
        raise ModelError(f"{path}: {error.message}", error.hint) from None
    for weight in graph.weights.values():
        if weight.external:
            _check_external(path, weight, *weight.external)
    return graph


@contextlib.contextmanager
def _view(file: OpenFile | MemoryFile) -> Iterator[Buffer]:
    """Give all bytes of a file, mapped as long as the block lasts."""
    if isinstance(file, MemoryFile):
        yield file.data
    else:
        with mmap.mmap(file.fd, 0, access=mmap.ACCESS_READ) as data:
            yield data


def _explain(path: str, data: Buffer, error: WireError | None) -> ModelError:
    """Return the error for a file that could not be taken apart: what it is, or where it breaks."""
    found = recognise(data)
    if found is not None:
        return ModelError(f"{path}: expected an ONNX model, found {found.what}", found.hint)
    if error is None:
        return ModelError(f"{path}: expected an ONNX model, found a protobuf file without a graph", "export it again")
    if error.truncated and data[:1] == b"\x08":  # every ONNX file begins with its IR version
        return ModelError(f"{path}: the ONNX model is cut off: {error}", "copy or download the file again")
    return ModelError(f"{path}: not an ONNX model, or a damaged one: {error}", "copy or export the model again")


def _check_external(path: str, weight: Weight, location: str, offset: int, length: int) -> None:
    """Raise ModelError unless the file beside the model that holds a weight exists and is long enough."""
    file = os.path.join(os.path.dirname(path), location)
    if not location or not os.path.isfile(file):
        raise ModelError(
            f"{path}: the file {file} is missing, which holds the weight {weight.name!r}",
            f"copy {location!r} into the same folder as the model",
        )
    size = os.path.getsize(file)
    if offset + length > size:
        raise ModelError(
            f"{file}: weight {weight.name!r} of {path} should end at byte {offset + length}, "
            f"but the file has {size} bytes",
            "copy or download the file again",
        )
