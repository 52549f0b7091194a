"""Batch norm, folded into the convolution or Gemm that feeds it.

``BN(conv(x)) = conv'(x)`` with the factor ``k = gamma / sqrt(variance + epsilon)`` of each output channel: the weights
are multiplied by k, the bias becomes ``(bias - mean) k + beta``. The sums are made in float64 and rounded once.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from ipudebug.sim.constraints.graph import STANDARD_DOMAINS
from ipudebug.sim.draft import Draft, read_attributes

if TYPE_CHECKING:
    from onnx import NodeProto

FOLDABLE = ("Conv", "ConvTranspose", "Gemm")
EPSILON = 1e-5
"""What ONNX takes where the node does not say."""
FIRST_OPSET = 7
"""Before it a batch norm trains unless it says otherwise."""


def fold_batch_norms(draft: Draft) -> int:
    """Fold every batch norm that is the only reader of a convolution or Gemm; return how many there were.

    The output keeps the batch norm's name. New weights have the names of the old ones with ``_folded`` behind them. A
    batch norm stays where what feeds it is read by others too, is an output of the graph, or has weights that are no
    float32 or float64 constants.
    """
    opset = max((item.version for item in draft.model.opset_import if item.domain in STANDARD_DOMAINS), default=0)
    if opset < FIRST_OPSET:
        return 0
    makers, readers = draft.find_makers(), draft.count_readers()
    folded = []
    for node in draft.nodes:
        if node.op_type != "BatchNormalization" or node.domain not in STANDARD_DOMAINS:
            continue
        maker = makers.get(node.input[0])
        if maker is None or maker.op_type not in FOLDABLE or maker.domain not in STANDARD_DOMAINS:
            continue
        if _is_plain(node, readers) and _fold(node, maker, draft):
            makers[node.output[0]] = maker
            folded.append(id(node))
    draft.nodes = [node for node in draft.nodes if id(node) not in folded]
    return len(folded)


def _is_plain(node: NodeProto, readers: Counter[str]) -> bool:
    """Return whether a batch norm only infers, and alone reads what feeds it."""
    training = read_attributes(node).get("training_mode", 0)
    return not training and len(list(filter(None, node.output))) == 1 and readers[node.input[0]] == 1


def _fold(norm: NodeProto, maker: NodeProto, draft: Draft) -> bool:
    """Fold one batch norm into its maker; return False, and change nothing, where that is not possible."""
    gamma, beta, mean, variance = (draft.read_weight(name) for name in norm.input[1:5])
    weight = draft.read_weight(maker.input[1])
    bias_name = maker.input[2] if len(maker.input) > 2 else ""
    bias = draft.read_weight(bias_name) if bias_name else np.zeros((), np.float32)
    if gamma is None or beta is None or mean is None or variance is None or weight is None or bias is None:
        return False
    if any(array.dtype.char not in "fd" for array in (gamma, beta, mean, variance, weight, bias)):
        return False
    attributes = read_attributes(maker)
    channels = gamma.size
    if maker.op_type == "Gemm" and bias.size not in (1, channels):
        return False  # one bias for each row: what becomes of it depends on the number of rows
    with np.errstate(all="ignore"):
        root = np.sqrt(variance.astype(np.float64) + read_attributes(norm).get("epsilon", EPSILON))
        factor = gamma.astype(np.float64) / root
        old = bias.astype(np.float64).reshape(-1) * attributes.get("beta", 1.0)
        new_bias = ((old - mean) * factor + beta).astype(weight.dtype)
        new_weight = _scale(weight, factor, maker.op_type, attributes).astype(weight.dtype)
    if not np.isfinite(new_bias).all() or not np.isfinite(new_weight).all():
        return False
    names = [
        draft.add_weight(f"{maker.input[1]}_folded", new_weight),
        draft.add_weight(f"{bias_name or norm.output[0] + '_bias'}_folded", new_bias),
    ]
    maker.input[1:] = names
    maker.output[0] = norm.output[0]
    for attribute in maker.attribute:
        if attribute.name == "beta":
            attribute.f = 1.0
    return True


def _scale(weight: np.ndarray, factor: np.ndarray, op: str, attributes: dict[str, int]) -> np.ndarray:
    """Return the weights times the factor of the output channel that each belongs to, in float64."""
    shape: tuple[int, ...] = (-1, *[1] * (weight.ndim - 1))
    if op == "Gemm":
        shape = (-1, 1) if attributes.get("transB", 0) else (1, -1)
    scaled = weight.astype(np.float64)
    if op == "ConvTranspose":  # [inputs, outputs of one group, kernel...], and one group of outputs after the other
        groups = attributes.get("group", 1)
        grouped = scaled.reshape(groups, weight.shape[0] // groups, *weight.shape[1:])
        grouped *= factor.reshape(groups, 1, -1, *[1] * (weight.ndim - 2))
    else:
        scaled *= factor.reshape(shape)
    return scaled
