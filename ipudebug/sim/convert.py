"""An original ONNX model and its input_config.ini -> the float model: the same net, made ready for the steps to come.

The tensors that survive have the names and values that they have in the original, so that dumps of both line up. What
changes: constants are computed (``folding``), nodes that do nothing are taken out (``no_ops``), a batch norm is folded
into what feeds it (``batch_norm``), what no output depends on is dropped, and every tensor has a fixed shape.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ipudebug.config.ini import read_ini, read_text_lines
from ipudebug.config.input_config import InputConfig, load_input_config
from ipudebug.errors import ConfigError, ModelError, UnsupportedOp
from ipudebug.sim.batch_norm import fold_batch_norms
from ipudebug.sim.binding import bind_shapes, parse_shapes
from ipudebug.sim.constraints import Finding, Subject, check_model
from ipudebug.sim.constraints.graph import Graph
from ipudebug.sim.cutting import cut_graph
from ipudebug.sim.draft import Draft, list_reads
from ipudebug.sim.folding import fold_constants
from ipudebug.sim.model import Stage
from ipudebug.sim.no_ops import remove_no_ops
from ipudebug.sim.original import load_original
from ipudebug.sim.soc_version import check_soc_version
from ipudebug.sim.soundness import check_nodes
from ipudebug.sim.stage import SimFacts, write_facts

if TYPE_CHECKING:
    from onnx import ModelProto

SUFFIX = "_float.sim"


@dataclass(frozen=True, slots=True)
class Conversion:
    """What became of a model.

    Attributes:
        model: the float model, for ``saving.save_sim``.
        nodes_before: nodes of the original, or of the part that was cut out of it.
        nodes: nodes that are left.
        constants: nodes that were computed.
        no_ops: nodes that did nothing.
        batch_norms: batch norms that were folded.
        unused: nodes that no output depends on.
        notes: what the user should know.
    """

    model: ModelProto
    nodes_before: int
    nodes: int
    constants: int
    no_ops: int
    batch_norms: int
    unused: int
    notes: tuple[str, ...]


def name_output(path: str) -> str:
    """Return where the float model goes unless the user says otherwise: beside the original."""
    return os.path.splitext(path)[0] + SUFFIX


def convert_model(
    path: str,
    ini: str,
    soc_version: str,
    *,
    framework: str | None = None,
    input_shapes: str | None = None,
    input_arrays: Sequence[str] | None = None,
    output_arrays: Sequence[str] | None = None,
    simplify: bool = True,
) -> Conversion:
    """Return the float model of the original at ``path``.

    Args:
        path: an ONNX file.
        ini: its input_config.ini; only read.
        soc_version: the chip.
        framework: what the file is said to be; None leaves it to the file.
        input_shapes: ``1,3,224,224:1,10``, one shape per input; None: a batch that is left open becomes 1.
        input_arrays: tensors to begin at; None: the model's inputs.
        output_arrays: tensors to end at; None: the model's outputs.
        simplify: False keeps every node and weight; only the shapes are fixed.

    Raises UnknownChip, ConfigError, InputError, or ModelError: with the vendor's message for what its converter
    refuses.
    """
    check_soc_version(soc_version)
    config = load_input_config(ini)
    shapes = None if input_shapes is None else parse_shapes(input_shapes)
    model = load_original(path, framework)
    if model.graph.sparse_initializer:
        name = model.graph.sparse_initializer[0].values.name
        raise UnsupportedOp(f"{path}: the weight {name} is sparse", "export the model with dense weights")
    draft = Draft(model, config.conv_tensors)
    cut_graph(draft, input_arrays, output_arrays)
    if not draft.nodes or not draft.outputs:
        lacking = "outputs" if draft.nodes else "nodes"
        raise ModelError(f"{path}: expected a model that computes something, found no {lacking}", "export it again")
    notes = [*config.notes, *bind_shapes(draft.inputs, shapes)]
    config.check_inputs([info.name for info in draft.inputs])
    config.check_outputs([info.name for info in draft.outputs])
    notes += _check_rules(draft, ini, soc_version, path)
    check_nodes(draft, path)
    before = len(draft.nodes)
    constants = fold_constants(draft, replace=simplify)
    unused = no_ops = batch_norms = 0
    if simplify:
        unused = remove_unused(draft)
        no_ops = remove_no_ops(draft)
        batch_norms = fold_batch_norms(draft)
        unused += remove_unused(draft)
    result = _finish(draft, config, soc_version)
    return Conversion(result, before, len(draft.nodes), constants, no_ops, batch_norms, unused, tuple(notes))


def remove_unused(draft: Draft) -> int:
    """Drop the nodes and weights that no output depends on; return how many nodes there were."""
    needed = {info.name for info in draft.outputs}
    nodes = []
    for node in reversed(draft.nodes):
        if not needed.isdisjoint(filter(None, node.output)):
            needed.update(list_reads(node))
            nodes.append(node)
    removed = len(draft.nodes) - len(nodes)
    draft.nodes = nodes[::-1]
    draft.weights = {name: tensor for name, tensor in draft.weights.items() if name in needed}
    return removed


def _check_rules(draft: Draft, ini: str, soc_version: str, path: str) -> list[str]:
    """Return the warnings of the rules of ``check`` as notes; raises ModelError or ConfigError for the first error."""
    graph = Graph(draft.build_model(with_weights=False))
    findings = check_model(Subject(graph, read_ini(ini, "input config"), soc_version=soc_version))
    errors = [finding for finding in findings if finding.level == "error"]
    if errors:
        first = errors[0]
        error = ConfigError if first.place else ModelError
        rewrite = f"; rewrite: {first.entry.rewrite}" if first.entry.rewrite else ""
        others = f"; {len(errors) - 1} more: ipudebug check lists them" if len(errors) > 1 else ""
        raise error(f"{first.message} {_locate(first, path)}: {first.found}", f"{first.entry.remedy}{rewrite}{others}")
    return [f"{_locate(one, path)}: {one.found}" for one in findings if one.level == "warning"]


def _locate(finding: Finding, path: str) -> str:
    """Return where a finding is."""
    node = f", node {finding.node} ({finding.op_type})" if finding.node else ""
    return finding.place or f"{path}{node}"


def _finish(draft: Draft, config: InputConfig, soc_version: str) -> ModelProto:
    """Return the draft put together, with its metadata."""
    from ipudebug import __version__

    model = draft.build_model(with_weights=True)
    model.producer_name, model.producer_version = "ipudebug", __version__
    model.ClearField("training_info")
    text = "\n".join(read_text_lines(config.path, "input config"))
    write_facts(model, SimFacts(Stage.FLOAT, soc_version, text))
    return model
