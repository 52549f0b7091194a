"""Do a prototxt and a caffemodel belong together?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipudebug.errors import ModelError
from ipudebug.runners.caffe_graph import CaffeGraph, CaffeLayer
from ipudebug.runners.caffe_weights import CaffeWeights
from ipudebug.runners.protobuf import WireError
from ipudebug.runners.prototext import find_text
from ipudebug.tensor import dims

if TYPE_CHECKING:
    from ipudebug.runners import ModelFiles

_WEIGHTED = {"convolution", "deconvolution", "innerproduct", "batchnorm", "prelu", "embed", "lstm", "rnn"}
_WEIGHTED_ALONE = {"scale", "bias"}  # with two bottoms, the second one holds the factors
_COUNTED = {"convolution": "convolution_param", "innerproduct": "inner_product_param"}


def check_weights(graph: CaffeGraph, weights: CaffeWeights | None, files: ModelFiles) -> None:
    """Raise ModelError unless every layer that needs weights has them, in as many channels as the network says."""
    needing = [layer for layer in graph.layers if _needs_weights(layer)]
    lacking = [layer for layer in needing if weights is None or layer.name not in weights]
    if weights is None and lacking:
        raise ModelError(
            f"{files.model}: {len(lacking)} layers need weights, such as {lacking[0].name} ({lacking[0].kind}),"
            " but no .caffemodel is given",
            "give the .caffemodel beside the .prototxt",
        )
    hint = "give the .prototxt and the .caffemodel of the same training"
    if lacking:
        raise ModelError(
            f"{files.model} and {files.weights} do not belong together: {len(lacking)} of {len(needing)} layers with"
            f" weights are not in the .caffemodel, such as {lacking[0].name} ({lacking[0].kind})",
            hint,
        )
    for layer in needing:
        assert weights is not None
        wanted = find_text(layer.fields, _COUNTED.get(_kind(layer), ""), "num_output")
        shape = _first_shape(weights, layer, files)
        found = shape[-2] if _kind(layer) == "innerproduct" and len(shape) > 1 else shape[0] if shape else 1
        if wanted and wanted != str(found):
            raise ModelError(
                f"{files.model} and {files.weights} do not belong together: layer {layer.name} ({layer.kind}) has"
                f" num_output {wanted}, its weights {dims(shape)} have {found}",
                hint,
            )


def _first_shape(weights: CaffeWeights, layer: CaffeLayer, files: ModelFiles) -> tuple[int, ...]:
    try:
        return weights.shapes(layer.name)[0]
    except WireError as reason:
        raise ModelError(
            f"the Caffe weights: {files.weights}: the blobs of layer {layer.name} are damaged: {reason}",
            "copy the file again, completely",
        ) from None


def _needs_weights(layer: CaffeLayer) -> bool:
    kind = _kind(layer)
    return kind in _WEIGHTED or (kind in _WEIGHTED_ALONE and len(layer.bottoms) == 1)


def _kind(layer: CaffeLayer) -> str:
    """Return the type in lower case without ``_``: older Caffe writes ``INNER_PRODUCT``."""
    return layer.kind.replace("_", "").lower()
