"""Facts of an ONNX graph: an original model, or one of our own stages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ipudebug.config.input_config import parse_input_config
from ipudebug.runners.model_file import MemoryFile, open_model
from ipudebug.sim.facts import InputFacts, ModelFacts, OperatorFacts, TensorFacts
from ipudebug.sim.fixed_file import RANGES, read_ranges
from ipudebug.sim.kernels import KERNELS
from ipudebug.sim.operations import DOMAIN
from ipudebug.sim.stage import read_facts
from ipudebug.sim.tensors import read_quantisation

if TYPE_CHECKING:
    import onnx

_LONGEST = 60  # characters of an option's value


def gather_onnx(path: str, model: onnx.ModelProto, what: str, stage: str = "") -> ModelFacts:
    """Return the facts of an ONNX model; ``stage`` overrides what its metadata say; raises ModelError."""
    graph = model.graph
    weights = {tensor.name for tensor in graph.initializer}
    facts = read_facts({entry.key: entry.value for entry in model.metadata_props}, path)
    feeds = [value.name for value in graph.input if value.name not in weights]
    versions = ", ".join(f"{entry.domain or 'ai.onnx'} {entry.version}" for entry in model.opset_import)
    producer = " ".join(filter(None, (model.producer_name, model.producer_version)))
    text = facts.input_config if facts is not None else ""
    return ModelFacts(
        path=path,
        what=what,
        stage=stage or (facts.stage.value if facts is not None else ""),
        version=f"{producer}; opset {versions}" if producer else f"opset {versions}",
        chip=facts.chip if facts is not None else "",
        inputs=tuple(_describe_input(name, text, path) for name in feeds),
        outputs=tuple(value.name for value in graph.output),
        operators=tuple(_describe_node(index, node) for index, node in enumerate(graph.node)),
        tensors=_describe_tensors(model, path),
    )


def _describe_input(name: str, text: str, path: str) -> InputFacts:
    """Return an input with what the input_config in the metadata says of it."""
    config = parse_input_config(text, path) if text.strip() else None
    if config is None or name not in config.inputs or not config.input_formats:
        return InputFacts(name)
    place = config.inputs.index(name)
    return InputFacts(
        name,
        config.training_input_formats[place],
        config.input_formats[place],
        tuple(config.mean[place]) if config.mean else (),
        tuple(config.std_value[place]) if config.std_value else (),
    )


def _describe_node(index: int, node: onnx.NodeProto) -> OperatorFacts:
    """Return the facts of one node; of ours the domain is an attribute."""
    from onnx import helper

    values = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    domain = values.pop("domain_index", None)
    hidden = values.pop("hidden", 0)
    return OperatorFacts(
        index=index,
        type=node.op_type,
        name=node.name,
        domain=domain if isinstance(domain, int) else None,
        role="inside its domain" if hidden else "",
        status=_find_status(node),
        inputs=tuple(filter(None, node.input)),
        outputs=tuple(filter(None, node.output)),
        options={name: _show_value(value) for name, value in values.items()},
    )


def _find_status(node: onnx.NodeProto) -> str:
    """Return how far a node's integers can be trusted; "" for a node of standard ONNX."""
    name = node.op_type.lower()
    return KERNELS[name].status if node.domain == DOMAIN and name in KERNELS else ""


def _show_value(value: Any) -> str:
    """Return an attribute's value as a short text."""
    if isinstance(value, bytes):
        text = value.decode("utf-8", "replace")
    elif isinstance(value, list):
        text = " ".join(map(_show_value, value[:_LONGEST]))
    elif isinstance(value, int | float | str):
        text = f"{value:g}" if isinstance(value, float) else str(value)
    else:
        text = type(value).__name__
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def _describe_tensors(model: onnx.ModelProto, path: str) -> dict[str, TensorFacts]:
    """Return every tensor whose name stands in the graph, with what is stated or can be inferred."""
    from onnx import helper

    types = _infer_types(model)
    has_ranges = any(entry.key == RANGES for entry in model.metadata_props)
    ranges = read_ranges(model, path) if has_ranges else {}
    file = MemoryFile("", model.SerializeToString())
    quants = read_quantisation(open_model(file), file)
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    names = [value.name for value in model.graph.input]
    names += [*weights, *(name for node in model.graph.node for name in (*node.input, *node.output) if name)]
    found = {}
    for name in dict.fromkeys(names):
        quant = quants.get(name)
        scale, zero = (quant.scale, quant.zero_point) if quant is not None else ((), ())
        shape: tuple[int | str, ...] | None
        if name in weights:
            shape, element = tuple(weights[name].dims), weights[name].data_type
        else:
            shape, element = types.get(name, (None, 0))
        dtype = str(helper.tensor_dtype_to_np_dtype(element)) if element else ""
        low, high = (tuple(ends) for ends in ranges[name][:2]) if name in ranges else ((), ())
        found[name] = TensorFacts(name, shape, dtype, name in weights, low, high, scale, zero)
    return found


def _infer_types(model: onnx.ModelProto) -> dict[str, tuple[tuple[int | str, ...] | None, int]]:
    """Return name -> shape and element type, as far as ONNX's inference gets."""
    import onnx

    bare = onnx.ModelProto()
    bare.CopyFrom(model)
    try:
        bare = onnx.shape_inference.infer_shapes(bare)
    except (ValueError, RuntimeError):  # a model too large for one message, or one that contradicts itself
        bare = model
    found: dict[str, tuple[tuple[int | str, ...] | None, int]] = {}
    for value in (*bare.graph.input, *bare.graph.value_info, *bare.graph.output):
        kind = value.type.tensor_type
        shape: tuple[int | str, ...] | None = None
        if kind.HasField("shape"):
            shape = tuple(
                dim.dim_value if dim.HasField("dim_value") else dim.dim_param or "?" for dim in kind.shape.dim
            )
        found[value.name] = (shape, kind.elem_type)
    return found
