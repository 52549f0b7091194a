"""Facts of a Caffe network: what its prototxt says; the weights are not read."""

from __future__ import annotations

from ipudebug.errors import ModelError
from ipudebug.runners.caffe_graph import CaffeLayer, read_graph
from ipudebug.sim.facts import InputFacts, ModelFacts, OperatorFacts, TensorFacts

_LONGEST = 60


def gather_caffe(path: str, what: str) -> ModelFacts:
    """Return the facts of a prototxt; raises ModelError, also for a .caffemodel, which holds the weights alone."""
    if path.endswith(".caffemodel"):
        raise ModelError(f"{path}: weights without the network", "give the .prototxt that belongs to them")
    graph = read_graph(path)
    names = [*graph.inputs, *(name for layer in graph.layers for name in (*layer.bottoms, *layer.tops))]
    return ModelFacts(
        path=path,
        what=what,
        stage="",
        version="",
        chip="",
        inputs=tuple(InputFacts(name) for name in graph.inputs),
        outputs=tuple(graph.outputs),
        operators=tuple(_describe_layer(index, layer) for index, layer in enumerate(graph.layers)),
        tensors={name: TensorFacts(name, graph.inputs.get(name)) for name in dict.fromkeys(names)},
    )


def _describe_layer(index: int, layer: CaffeLayer) -> OperatorFacts:
    """Return the facts of one layer; its options are the parameters that stand directly in a message of its kind."""
    options: dict[str, str] = {}
    for group in layer.fields:
        if group.name.endswith("_param"):
            options |= {part.name: part.text[:_LONGEST] for part in group.fields if part.text}  # no fillers
    return OperatorFacts(index, layer.kind, layer.name, inputs=layer.bottoms, outputs=layer.tops, options=options)
