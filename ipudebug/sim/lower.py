"""A float model and the quantisation of its tensors -> the fixed model: integer nodes in domains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ipudebug.sim.fixed_file import StoredRange, write_ranges
from ipudebug.sim.lowering import Role, list_rules
from ipudebug.sim.lowering.board_input import lower_input
from ipudebug.sim.lowering.domains import Domain, group_domains
from ipudebug.sim.lowering.fixed_graph import DOMAIN, FixedGraph, Parameters
from ipudebug.sim.lowering.real import DOMAIN as REAL_DOMAIN
from ipudebug.sim.lowering.real import lower_real
from ipudebug.sim.model import BoardInput
from ipudebug.sim.stage import SimFacts, write_facts
from ipudebug.tensor import QuantParams

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, ValueInfoProto

    from ipudebug.sim.planning import Plan

IR_VERSION = 8


@dataclass(frozen=True)
class Lowered:
    """A fixed model.

    Attributes:
        model: as it is saved.
        operators: how many it has.
        inexact: types of those whose bits are not known to be the chip's, one each.
    """

    model: ModelProto
    operators: int
    inexact: tuple[str, ...]


def lower_model(
    plan: Plan,
    parameters: Parameters,
    boards: Sequence[BoardInput],
    facts: SimFacts,
    *,
    unquantised: Sequence[str] = (),
    fuse: bool = True,
) -> Lowered:
    """Return the fixed model.

    Args:
        plan: of the float model.
        parameters: quantisation of every activation, and what convolutions need.
        boards: how the board feeds each input.
        facts: what the model is to say about itself.
        unquantised: float RAWDATA inputs that the board feeds as float32.
        fuse: whether elementwise operators join the domain of what feeds them; the bits do not depend on it.
    """
    graph = FixedGraph(plan.network, parameters)
    ends = [lower_input(board, board.name not in unquantised, graph) for board in boards]
    for node in plan.nodes:
        lower = lower_real if plan.roles[node] is Role.REAL else list_rules()[node.op].lower
        lower(node, graph)
    domains = group_domains(graph.units, plan.network.outputs, fuse=fuse)
    _mark_nodes(domains, graph)
    nodes = [node for domain in domains for unit in domain.units for node in unit.nodes]
    conversions = [node for _, conversion in ends for node in conversion]
    _mark_conversions(conversions, nodes)
    model = _assemble(graph, [info for info, _ in ends], [*conversions, *nodes])
    write_facts(model, facts)
    write_ranges(model, _list_ranges(graph))
    return Lowered(model, len(graph.units), tuple(unit.op_type for unit in graph.units if not unit.is_exact))


def _mark_nodes(domains: Sequence[Domain], graph: FixedGraph) -> None:
    """Give every node of a kernel its domain, and let it read what is made of the model's inputs."""
    from onnx import helper

    for index, domain in enumerate(domains):
        for unit in domain.units:
            for node in unit.nodes:
                node.input[:] = [graph.renamed.get(name, name) for name in node.input]
                if node.domain == DOMAIN:
                    node.attribute.append(helper.make_attribute("domain_index", index))
                    node.attribute.append(helper.make_attribute("hidden", int(unit is not domain.units[-1])))


def _mark_conversions(conversions: Sequence[NodeProto], nodes: Sequence[NodeProto]) -> None:
    """Hide the conversions of inputs in the domain of what reads them first."""
    from onnx import helper

    for conversion in conversions:
        if conversion.domain != DOMAIN:
            continue
        readers = (node for node in nodes if conversion.output[0] in node.input and node.domain == DOMAIN)
        indices = [attribute.i for node in readers for attribute in node.attribute if attribute.name == "domain_index"]
        conversion.attribute.append(helper.make_attribute("domain_index", indices[0] if indices else -1))
        conversion.attribute.append(helper.make_attribute("hidden", 1))


def _list_ranges(graph: FixedGraph) -> dict[str, StoredRange]:
    """Return what the scales of activations and weights were made of."""
    ranges: dict[str, StoredRange] = {
        name: ([quant.range.low], [quant.range.high], quant.dtype.itemsize * 8) for name, quant in graph.quants.items()
    }
    for name, (low, high) in graph.weight_ranges.items():
        ranges[name] = low.tolist(), high.tolist(), graph.constants[name].dtype.itemsize * 8
    return ranges


def _assemble(graph: FixedGraph, inputs: Sequence[ValueInfoProto], nodes: Sequence[Any]) -> ModelProto:
    """Return the model put together."""
    from onnx import helper, numpy_helper

    from ipudebug import __version__

    network = graph.network
    made = {name for node in nodes for name in node.output}
    infos = {name: _describe_tensor(name, graph) for name in made if name in graph.quants}
    for name, kind in network.draft.types.items():
        if name in made and name not in infos:
            infos[name] = helper.make_value_info(name, kind)
    outputs = [infos.get(name) or next(info for info in inputs if info.name == name) for name in network.outputs]
    read = {name for node in nodes for name in node.input}
    constants = {name: array for name, array in graph.constants.items() if name in read}
    proto = helper.make_graph(
        list(nodes),
        network.draft.model.graph.name or "fixed",
        list(inputs),
        outputs,
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
        value_info=[info for name, info in sorted(infos.items()) if name not in network.outputs],
    )
    params = {name: quant.params for name, quant in graph.quants.items() if name in made}
    params |= {info.name: graph.quants[info.name].params for info in inputs if info.name in graph.quants}
    params |= {name: quant for name, quant in graph.constant_quants.items() if name in constants}
    _annotate(proto, graph, params)
    versions = [entry for entry in network.draft.model.opset_import if entry.domain not in (DOMAIN, REAL_DOMAIN)]
    versions += [helper.make_opsetid(DOMAIN, 1), helper.make_opsetid(REAL_DOMAIN, 1)]
    ir_version = max(IR_VERSION, network.draft.model.ir_version)
    model = helper.make_model(proto, opset_imports=versions, ir_version=ir_version)
    model.functions.extend(network.draft.model.functions)
    model.producer_name, model.producer_version = "ipudebug", __version__
    return model


def _describe_tensor(name: str, graph: FixedGraph) -> ValueInfoProto:
    """Return type and shape of an activation."""
    from onnx import helper

    element = helper.np_dtype_to_tensor_dtype(graph.quants[name].dtype)
    return helper.make_tensor_value_info(name, element, graph.shape(name))


def _annotate(proto: Any, graph: FixedGraph, params: Mapping[str, QuantParams]) -> None:
    """Write scales and zero points into the graph's quantization_annotation."""
    from onnx import StringStringEntryProto, TensorAnnotation, numpy_helper

    stored: dict[bytes, str] = {}

    def store(array: np.ndarray, stem: str) -> str:
        key = array.dtype.char.encode() + array.tobytes()
        if key not in stored:
            stored[key] = graph.invent(stem)
            proto.initializer.append(numpy_helper.from_array(array, stored[key]))
        return stored[key]

    for name in sorted(params):
        quant = params[name]
        entries = {
            "SCALE_TENSOR": store(np.array(quant.scale, np.float32), f"{name}#scale"),
            "ZERO_POINT_TENSOR": store(np.array(quant.zero_point, np.int64), f"{name}#zero"),
        }
        if quant.axis is not None:
            entries["AXIS"] = str(quant.axis)
        texts = [StringStringEntryProto(key=key, value=value) for key, value in entries.items()]
        proto.quantization_annotation.append(TensorAnnotation(tensor_name=name, quant_parameter_tensor_names=texts))
