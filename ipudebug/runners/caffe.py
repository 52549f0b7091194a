"""Runs a Caffe network on OpenCV's dnn module (extra ``caffe``).

``run`` is a plain OpenCV run of the original files. ``trace`` runs each layer as a network of its own, fed with what
the layers before it made: so nothing is fused, in-place layers show every value, each layer runs once, and no tensor
outlives its last reader. Both give the same bits unless OpenCV's fusion changes the arithmetic, as where it folds a
batch norm into a convolution.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from ipudebug.errors import MissingDependency, NodeFailed, UnsupportedOp
from ipudebug.runners.caffe_graph import CaffeLayer, read_graph
from ipudebug.runners.caffe_weights import CaffeWeights
from ipudebug.runners.caffe_weights_check import check_weights
from ipudebug.runners.feed_check import check_feed
from ipudebug.runners.protobuf import Buffer
from ipudebug.runners.prototext import format_prototext
from ipudebug.tensor import Layout, Tensor, TensorInfo, dims, to_nhwc

if TYPE_CHECKING:
    from ipudebug.runners import Feed, ModelFiles

FLOAT = np.dtype("<f4")
_LAYOUTS = {4: Layout.NCHW}


class CaffeRunner:
    """A Caffe network that is ready to run; raises ModelError, MissingDependency."""

    def __init__(self, files: ModelFiles) -> None:
        """Read the network and index its weights."""
        self._cv2 = import_opencv()
        self._path = files.model
        self._graph = read_graph(files.model)
        self._weights = CaffeWeights(files.weights) if files.weights is not None else None
        check_weights(self._graph, self._weights, files)

    @property
    def inputs(self) -> tuple[TensorInfo, ...]:
        """The inputs, float32, in the order of the prototxt."""
        return tuple(_describe(name, shape) for name, shape in self._graph.inputs.items())

    @property
    def outputs(self) -> tuple[str, ...]:
        """The tensors that no layer reads, in the order in which they are made."""
        return tuple(self._graph.outputs)

    def run(self, feed: Feed) -> list[Tensor]:
        """Return the final outputs as OpenCV computes them, fusion and all; raises InputError, ModelError."""
        check_feed(self.inputs, feed)
        ends = [f"ipudebug {index}" for index in range(len(self.outputs))]
        split = '"Split"' if self._graph.keyword == "layer" else "SPLIT"
        # OpenCV looks outputs up by layer, not by blob: give each blob a layer that hands it on.
        text = self._graph.text + "".join(
            f'\n{self._graph.keyword} {{ name: "{end}" type: {split} bottom: "{blob}" top: "{end}" }}'
            for end, blob in zip(ends, self._graph.outputs.values(), strict=True)
        )
        try:
            arrays = self._forward(text, self._weights.data if self._weights else b"", feed, ends)
        except self._cv2.error as reason:
            failure = _reason(reason)
        else:
            return [
                Tensor(_describe(name, array.shape), array) for name, array in zip(self.outputs, arrays, strict=True)
            ]
        for _ in self.trace(feed):  # it names the layer
            pass
        raise NodeFailed(f"{self._path}: OpenCV cannot run the network: {failure}")

    def trace(self, feed: Feed) -> Iterator[Tensor]:
        """Yield each layer's outputs unfused, in execution order; raises InputError, UnsupportedOp, NodeFailed.

        ``op_type`` is the layer's name, ``op_index`` the running number of the tensor, as in the vendor's dumps.
        """
        check_feed(self.inputs, feed)
        alive: dict[str, np.ndarray] = dict(feed)
        readers = Counter(bottom for layer in self._graph.layers for bottom in set(layer.bottoms))
        number = 0
        for layer in self._graph.layers:
            arrays = self._run_layer(layer, {name: alive[name] for name in layer.bottoms})
            for bottom in set(layer.bottoms):
                readers[bottom] -= 1
                if not readers[bottom]:
                    del alive[bottom]
            alive.update((top, array) for top, array in zip(layer.tops, arrays, strict=True) if readers[top])
            for top, array in zip(layer.tops, arrays, strict=True):
                yield to_nhwc(Tensor(_describe(top, array.shape, layer.name, number), array))
                number += 1
            del arrays

    def _run_layer(self, layer: CaffeLayer, bottoms: dict[str, np.ndarray]) -> list[np.ndarray]:
        """Return the outputs of one layer, computed by a network that has nothing else."""
        if not layer.tops:
            return []
        names = {bottom: f"in{index}" for index, bottom in enumerate(bottoms)}
        tops = [f"out{index}" for index in range(len(layer.tops))]
        text = "".join(
            f'input: "{name}"\ninput_shape {{ {" ".join(f"dim: {dim}" for dim in bottoms[bottom].shape)} }}\n'
            for bottom, name in names.items()
        )
        text += f'{self._graph.keyword} {{ name: "{tops[0]}"\n' + format_prototext(layer.fields)
        text += "".join(f'bottom: "{names[bottom]}"\n' for bottom in layer.bottoms)
        text += "".join(f'top: "{top}"\n' for top in tops) + "}\n"
        weights = self._weights.encode(layer.name, tops[0]) if self._weights else b""
        feed = {name: bottoms[bottom] for bottom, name in names.items()}
        try:
            arrays = self._forward(text, weights, feed, tops[:1])
        except self._cv2.error as reason:
            raise self._fault(layer, bottoms, _reason(reason)) from None
        if len(arrays) < len(tops):
            raise self._fault(layer, bottoms, f"expected {len(tops)} outputs, found {len(arrays)}")
        return arrays[: len(tops)]

    def _forward(self, text: str, weights: Buffer, feed: Feed, layers: list[str]) -> list[np.ndarray]:
        """Return all outputs of the named layers of a network; raises cv2.error."""
        proto = np.frombuffer(text.encode("utf-8", "surrogateescape"), np.uint8)
        with _silence(self._cv2):
            if len(weights):
                net = self._cv2.dnn.readNetFromCaffe(proto, np.frombuffer(weights, np.uint8))
            else:
                net = self._cv2.dnn.readNetFromCaffe(proto)
            for name, array in feed.items():
                # cv2.Mat: OpenCV before 4.9 takes the last of three dimensions for channels
                net.setInput(self._cv2.Mat(np.ascontiguousarray(array)), name)
            return [array for outputs in net.forwardAndRetrieve(layers) for array in outputs]

    def _fault(self, layer: CaffeLayer, bottoms: dict[str, np.ndarray], reason: str) -> UnsupportedOp | NodeFailed:
        """Return the error for a layer that OpenCV cannot build or run."""
        where = f"{self._path}: layer {layer.name} ({layer.kind})"
        if re.search(r"Can't create layer|Failed to parse", reason):
            return UnsupportedOp(
                f"{where}: OpenCV {self._cv2.__version__} does not know layers of this type",
                "convert the network to ONNX and use dump-onnx, or cut it before this layer",
            )
        fed = ", ".join(f"{name} {dims(array.shape)}" for name, array in bottoms.items())
        return NodeFailed(
            f"{where}, fed with {fed}: {reason}", "check that the .prototxt and the .caffemodel belong together"
        )


def import_opencv() -> Any:
    """Return the module cv2; raises MissingDependency unless it is there and reads Caffe."""
    hint = "pip install 'ipudebug[caffe]'; ONNX and TFLite models, simulated models and compare work without it"
    try:
        import cv2
    except ImportError as reason:
        raise MissingDependency(f"Caffe networks need opencv-python-headless (4.8 to 4.x): {reason}", hint) from None
    if not hasattr(cv2.dnn, "readNetFromCaffe"):
        raise MissingDependency(
            f"OpenCV {cv2.__version__} no longer reads Caffe networks; version 4.8 to 4.x does", hint
        )
    return cv2


@contextmanager
def _silence(cv2: Any) -> Iterator[None]:
    """Keep OpenCV from logging what comes as an exception as well."""
    logging = cv2.utils.logging if hasattr(cv2.utils, "logging") else cv2  # moved between 4.8 and 4.14
    level = logging.getLogLevel()
    logging.setLogLevel(0)
    try:
        yield
    finally:
        logging.setLogLevel(level)


def _describe(name: str, shape: tuple[int, ...], layer: str = "", number: int = 0) -> TensorInfo:
    return TensorInfo(name, tuple(shape), FLOAT, layout=_LAYOUTS.get(len(shape)), op_type=layer, op_index=number)


def _reason(error: Exception) -> str:
    """Return what went wrong from an OpenCV message, on one line and without the place in OpenCV's source."""
    text = " ".join(str(error).split())
    return re.sub(r"^OpenCV\([^)]*\) \S+ error: \([^)]*\)\s*", "", text)[:300]


RUNNER = CaffeRunner
