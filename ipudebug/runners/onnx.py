"""Runs an ONNX model on onnxruntime, whole or node by node.

``run`` is a plain onnxruntime run of the file. ``trace`` yields what every node makes, and must neither hold a net's
activations in memory nor cost much more time than a plain run:

- The graph is cut into segments of SEGMENT_BYTES of activations (``segments``); each becomes a session of its own when
  it is its turn, with all its values as outputs. Values that later segments read stay in onnxruntime's memory until
  their last reader is done. Graph optimisation is off, so every operator computes what it computes in the plain run.
- Sizes are those that the model states; where it states none they come from a session of the whole graph that is only
  planned, never run: large weights are declared as its inputs. It takes 10 ms for 150 nodes; onnx.shape_inference needs
  the onnx package, whose import alone takes 70 ms.
- Pieces are put together from the bytes of the file (``protobuf``); a weight is read when its segment needs it.
- The sessions share one arena, and their threads do not spin while they wait: the second core is the writer's.
- The transpose to NHWC is a session of its own, applied to one tensor at a time: as fast as a Transpose node in the
  segment, without the need to know which values are 4-D, and without a second copy of the segment in memory.

Whole process against plain inference, the dump written to a file in memory, on two busy cores (time; peak memory over
plain): MobileNetV2 at 224 1.5-1.6, +50 MB; at 640 2.0-2.3, +40 MB; ResNet50 at 224 1.4, +70 MB; at 640 2.1, -40 MB; a
UNet with 1.9 GB of activations 2.2, +220 MB (1.5 x); a thousand small nodes 1.5. That was with segments of 16 MB; with
4 MB MobileNetV2 at 224 takes a seventh less processor time, as its values stay in the cache, large nets take as much,
and all 20 to 50 MB less memory. Without the shared arena the UNet takes .5 more; with threads that spin, ResNet50 at
224 takes half as much processor time again.

With graph optimisation on, operators are fused, and looking at inner values prevents some of that. The final outputs
are then those of a plain run; ``notes`` says how far the observed ones are off. The same is done for models with
float16 or bfloat16 values: onnxruntime computes those in float32 and rounds only where somebody looks.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ipudebug.errors import ModelError, NodeFailed, UnsupportedOp
from ipudebug.runners.elements import ELEMENT_TYPES, find_element
from ipudebug.runners.feed_check import check_feed
from ipudebug.runners.graph import Node, Value, copy_unmade_outputs, find_last_readers
from ipudebug.runners.model_file import open_model
from ipudebug.runners.segments import SegmentBuilder, measure_outputs, take_segment
from ipudebug.runners.session import Engine, OrtValue, SessionFault, count_bytes, encode_type_of, why_skipped
from ipudebug.tensor import Layout, Tensor, TensorInfo

if TYPE_CHECKING:
    from ipudebug.runners import Feed, ModelFiles

SEGMENT_BYTES = 4 << 20
_NODE_BY_NODE = -1


class OnnxRunner:
    """An ONNX model that is ready to run; raises ModelError for a file that is none.

    Args:
        files: the path of the model, or the model itself.
        optimize: graph optimisations all on; off they are unless asked for.
        threads: for one operator; None leaves it to onnxruntime.
        segment_bytes: activations that a piece of the graph may make.

    Attributes:
        skipped: ``name: reason`` for each value of the last run that is no tensor that can be dumped.
        notes: what a user should know of the last run.
    """

    def __init__(
        self,
        files: ModelFiles,
        *,
        optimize: bool = False,
        threads: int | None = None,
        segment_bytes: int = SEGMENT_BYTES,
    ) -> None:
        """Read the graph; no weight is loaded and onnxruntime is not yet imported."""
        self._file = files.open()
        self._source = files.model if files.data is None else files.data
        graph = files.graph or open_model(self._file)
        self._graph = replace(graph, nodes=list(graph.nodes))  # which copies of outputs are added to
        self._feeds = self._graph.feeds
        self._inputs = tuple(_describe_input(self._file.path, value) for value in self._feeds)
        self._outputs = tuple(value.name for value in self._graph.outputs)
        self._copies = copy_unmade_outputs(self._graph)
        self._builder = SegmentBuilder(self._graph)
        self._segment_bytes = sys.maxsize if self._graph.uses.optional else segment_bytes
        self._engine = Engine(optimize, threads, os.path.dirname(os.path.abspath(self._file.path)))
        self._session: Any = None
        self.skipped: list[str] = []
        self.notes: list[str] = []

    @property
    def inputs(self) -> tuple[TensorInfo, ...]:
        """The real inputs; ``shape`` has -1 for what is not fixed, ``dtype`` is object for strings."""
        return self._inputs

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the final outputs."""
        return self._outputs

    def open(self) -> None:
        """Load the model for ``run``, which otherwise begins with it; what is wrong with the model, ``run`` tells."""
        with contextlib.suppress(SessionFault):
            self._open_whole()

    def run(self, feed: Feed) -> list[Tensor]:
        """Return the final outputs of a plain run, 4-D ones in NCHW; raises InputError, ModelError."""
        self.skipped, self.notes = [], []
        tensors = []
        for index, (name, value) in enumerate(self._run_whole(self._wrap_feed(feed)).items()):
            if reason := why_skipped(value):
                self.skipped.append(f"{name}: {reason}")
                continue
            array = self._engine.to_array(value, nhwc=False)[0].copy()  # a passed-through input is the caller's array
            layout = Layout.NCHW if array.ndim == 4 else None
            tensors.append(Tensor(TensorInfo(name, array.shape, array.dtype, layout=layout, op_index=index), array))
        return tensors

    def trace(self, feed: Feed) -> Iterator[Tensor]:
        """Yield every node's outputs in execution order; raises InputError, ModelError.

        An output that is an input or a weight passed through comes last. ``op_type`` is the node's name or, if it has
        none, its type (SPEC 6.2); ``op_index`` counts the tensors; ``port`` is always 0.
        """
        self.skipped, self.notes = [], []
        values = self._wrap_feed(feed)
        plain: dict[str, OrtValue] = {}
        if self._engine.optimize or self._graph.uses.half:
            plain = self._run_whole(values)
            self._session = None
        index = 0
        for node, name, value, is_kept in self._walk(values, self._segment_bytes):
            if reason := why_skipped(value):
                self.skipped.append(f"{name}: {reason}")
                continue
            array, shares = self._engine.to_array(value, nhwc=True)
            if name in plain:
                observed, (array, shares) = array, self._engine.to_array(plain.pop(name), nhwc=True)
                self._note_difference(name, array, observed)
            elif shares and is_kept:
                array = array.copy()
            del value
            layout = Layout.NHWC if array.ndim == 4 else None
            info = TensorInfo(name, array.shape, array.dtype, layout=layout, op_type=node.label, op_index=index)
            yield Tensor(info, array)
            del array
            index += 1

    def _wrap_feed(self, feed: Feed) -> dict[str, OrtValue]:
        """Return the inputs as onnxruntime's values; raises InputError for a feed that does not fit."""
        arrays = {name: array.astype(object) if array.dtype.kind in "SU" else array for name, array in feed.items()}
        infos = (
            replace(info, shape=(-1,) * arrays[info.name].ndim) if value.shape is None and info.name in arrays else info
            for info, value in zip(self._inputs, self._feeds, strict=True)
        )
        check_feed(tuple(infos), arrays)
        return {value.name: self._engine.wrap(arrays[value.name], value.element) for value in self._feeds}

    def _run_whole(self, values: Mapping[str, OrtValue]) -> dict[str, OrtValue]:
        """Return the final outputs of a plain run."""
        try:
            session = self._open_whole()
            return dict(zip(self._outputs, self._engine.run(session, values, self._outputs), strict=True))
        except SessionFault as fault:
            budget = self._segment_bytes if self._graph.uses.optional else _NODE_BY_NODE
            for _ in self._walk(dict(values), budget):
                pass  # raises at the node that is to blame
            raise ModelError(f"{self._file.path}: onnxruntime says: {fault.words}", "check the model") from None

    def _open_whole(self) -> Any:
        """Return the session of the whole model, opened once; raises SessionFault."""
        if self._session is None:
            self._session = self._engine.open(self._source, whole=True)
        return self._session

    def _walk(self, values: dict[str, OrtValue], budget: int) -> Iterator[tuple[Node, str, OrtValue, bool]]:
        """Yield (node, name, value, whether a later segment reads the value), dropping values after their last reader.

        A segment that fails is run again node by node, which tells the node that is to blame.
        """
        nodes = self._graph.nodes
        last_reader = find_last_readers(nodes)
        sizes = self._plan(values)
        start = 0
        while start < len(nodes):
            stop = take_segment(nodes, start, sizes, budget)
            segment = nodes[start:stop]
            try:
                made = self._compute(segment, values)
            except SessionFault as fault:
                if len(segment) == 1:
                    raise self._blame(segment[0], fault) from None
                if self._graph.uses.optional:
                    raise ModelError(f"{self._file.path}: onnxruntime says: {fault.words}", "check the model") from None
                budget = _NODE_BY_NODE
                continue
            for name in [name for name in values if last_reader.get(name, -1) < stop]:
                del values[name]
            for node in segment:
                for name in filter(None, node.outputs):
                    value = made.pop(name)
                    is_kept = last_reader.get(name, -1) >= stop and not node.is_constant
                    if is_kept:
                        values[name] = value
                    sizes[name] = count_bytes(value)
                    yield node, self._copies.get(name, name), value, is_kept
                    del value
            start = stop

    def _plan(self, values: Mapping[str, OrtValue]) -> dict[str, int]:
        """Return the bytes of the values whose shapes the model states, or onnxruntime infers from its inputs."""
        sizes = {name: count_bytes(value) for name, value in values.items()}
        stated = measure_outputs((value.name, value.element, value.shape) for value in self._graph.values.values())
        if all(name in stated for node in self._graph.nodes for name in node.outputs if name):
            return sizes | stated
        types = {name: encode_type_of(value) for name, value in values.items()}
        nodes = self._graph.nodes
        needed = {name: types[name] for name in self._builder.find_inputs(nodes)}
        try:
            session = self._engine.open(self._builder.build(nodes, needed, weights_as_inputs=True), threads=1)
        except SessionFault:
            return sizes  # some operator wants its weights at once; the segments will tell what is really wrong
        outputs = session.get_outputs()
        return sizes | measure_outputs((value.name, find_element(value.type), value.shape) for value in outputs)

    def _compute(self, nodes: Sequence[Node], values: Mapping[str, OrtValue]) -> dict[str, OrtValue]:
        """Return everything that the nodes of a segment make; raises SessionFault."""
        feed = {name: values[name] for name in self._builder.find_inputs(nodes)}
        if hollow := [name for name, value in feed.items() if not value.has_value()]:
            raise ModelError(
                f"{self._file.path}: {nodes[0].describe()} reads {hollow[0]!r}, an optional without a value",
                "onnxruntime's Python interface cannot pass it on: export the model without optionals",
            )
        model = self._builder.build(nodes, {name: encode_type_of(value) for name, value in feed.items()})
        places = ((name, self._graph.weights[name]) for name in self._builder.find_weights(nodes))
        weights = {
            name: self._engine.wrap(self._read_weight(weight.element, weight.shape, weight.place), weight.element)
            for name, weight in places
            if weight.place is not None
        }
        session = self._engine.open(model, weights)
        names = [name for node in nodes for name in node.outputs if name]
        return dict(zip(names, self._engine.run(session, feed, names), strict=True))

    def _read_weight(self, element: int, shape: tuple[int, ...], place: int) -> np.ndarray:
        """Return the elements of a weight that is embedded in the model file."""
        array = np.empty(shape, ELEMENT_TYPES[element].dtype)
        try:
            self._file.read_into(array.data, place)
        except EOFError as error:
            raise ModelError(str(error), "do not write to the model while it runs") from None
        return array

    def _note_difference(self, name: str, plain: np.ndarray, observed: np.ndarray) -> None:
        """Record how far a final output is off when inner values are looked at."""
        if plain.shape != observed.shape:
            return
        equal = (plain == observed) | ((plain != plain) & (observed != observed))  # two NaN are no difference
        if not equal.all():
            gap = np.abs(plain.astype(np.float64) - observed.astype(np.float64))[~equal].max()
            self.notes.append(
                f"{name}: as the plain run makes it; with every layer observed {np.count_nonzero(~equal)} "
                f"of {equal.size} elements differ, by at most {gap:.3g}"
            )

    def _blame(self, node: Node, fault: SessionFault) -> ModelError:
        """Return the error for a node that onnxruntime refused or that failed."""
        what = f"{self._file.path}: {node.describe()}"
        if fault.is_too_new:
            hint = "update onnxruntime, or export the model with a lower opset"
            return ModelError(f"{self._file.path}: too new for this onnxruntime: {fault.words}", hint)
        if fault.is_unsupported:
            domain = node.domain or "ai.onnx"
            hint = "replace the operator, export with another opset, or update onnxruntime"
            return UnsupportedOp(f"{what}: no implementation in domain {domain}: {fault.words}", hint)
        if fault.running:
            return NodeFailed(f"{what} failed: {fault.words}", "check what is fed, and look at the node in Netron")
        return ModelError(f"{what} is invalid: {fault.words}", "check the model with onnx.checker.check_model")


def _describe_input(path: str, value: Value) -> TensorInfo:
    """Return the facts of an input; raises ModelError for one that no array can feed."""
    element = ELEMENT_TYPES.get(value.element)
    if element is None or element.dtype is None:
        kind = element.name if element else "no tensor of a known type"
        raise ModelError(
            f"{path}: input {value.name!r} cannot be fed: expected a tensor of numbers or strings, found {kind}",
            "export the model with tensors as inputs",
        )
    shape = value.shape or ()
    return TensorInfo(value.name, shape, element.dtype, layout=Layout.NCHW if len(shape) == 4 else None, role="in")


RUNNER = OnnxRunner
