"""The options of TFLite's operators by name: which slot of their table is what."""

from __future__ import annotations

from ipudebug.sim.vendor.flatbuffer import Table
from ipudebug.sim.vendor.options import ACTIVATIONS

_PADDINGS = {0: "SAME", 1: "VALID", 2: "explicit"}
_ACTIVATED = {0: ("activation", "b")}
_STRIDES = {0: ("padding", "b"), 1: ("stride width", "i"), 2: ("stride height", "i")}
_POOL = {**_STRIDES, 3: ("kernel width", "i"), 4: ("kernel height", "i"), 5: ("activation", "b")}
_JOINED = {0: ("axis", "i"), 1: ("activation", "b")}
_REDUCED = {0: ("keeps dimensions", "B")}
_NAMES: dict[str, dict[int, tuple[str, str]]] = {
    "CONV_2D": {**_STRIDES, 3: ("activation", "b"), 4: ("dilation width", "i"), 5: ("dilation height", "i")},
    "DEPTHWISE_CONV_2D": {
        **_STRIDES,
        3: ("depth multiplier", "i"),
        4: ("activation", "b"),
        5: ("dilation width", "i"),
        6: ("dilation height", "i"),
    },
    "TRANSPOSE_CONV": {**_STRIDES, 3: ("activation", "b")},
    **dict.fromkeys(("AVERAGE_POOL_2D", "MAX_POOL_2D", "L2_POOL_2D"), _POOL),
    **dict.fromkeys(("ADD", "SUB", "MUL", "DIV", "L2_NORMALIZATION"), _ACTIVATED),
    "FULLY_CONNECTED": {0: ("activation", "b"), 2: ("keeps dimensions", "B")},
    "BATCH_MATMUL": {0: ("first is transposed", "B"), 1: ("second is transposed", "B")},
    "CONCATENATION": _JOINED,
    "Concatenation_Alias": _JOINED,
    "SOFTMAX": {0: ("beta", "f")},
    "LEAKY_RELU": {0: ("alpha", "f")},
    "RESIZE_BILINEAR": {2: ("aligns corners", "B"), 3: ("half pixel centres", "B")},
    "RESIZE_NEAREST_NEIGHBOR": {0: ("aligns corners", "B"), 1: ("half pixel centres", "B")},
    **dict.fromkeys(("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD"), _REDUCED),
    "SPLIT": {0: ("parts", "i")},
    "SPLIT_V": {0: ("parts", "i")},
    "PACK": {0: ("parts", "i"), 1: ("axis", "i")},
    "UNPACK": {0: ("parts", "i"), 1: ("axis", "i")},
    "GATHER": {0: ("axis", "i")},
    "STRIDED_SLICE": {
        0: ("begin mask", "i"),
        1: ("end mask", "i"),
        2: ("ellipsis mask", "i"),
        3: ("new axis mask", "i"),
        4: ("vanishing axis mask", "i"),
    },
    "DEPTH_TO_SPACE": {0: ("block", "i")},
    "SPACE_TO_DEPTH": {0: ("block", "i")},
    "MIRROR_PAD": {0: ("repeats the edge", "B")},
    "LOCAL_RESPONSE_NORMALIZATION": {0: ("radius", "i"), 1: ("bias", "f"), 2: ("alpha", "f"), 3: ("beta", "f")},
}
_DEFAULT_ONE = ("stride", "dilation", "depth")  # absent means 1


def read_named_options(op_type: str, options: Table) -> dict[str, str]:
    """Return an operator's options, name -> value as text; raises ModelError for a damaged table."""
    shown = {}
    for slot, (name, kind) in _NAMES.get(op_type, {}).items():
        value = options.number(slot, kind, 1 if name.startswith(_DEFAULT_ONE) else 0)
        if name == "padding":
            text = _PADDINGS.get(int(value), str(value))
        elif name == "activation":
            text = ACTIVATIONS.get(int(value), str(value)) or "none"
        else:
            text = f"{value:g}" if kind == "f" else ("yes" if value else "no") if kind == "B" else str(value)
        shown[name] = text
    return shown
