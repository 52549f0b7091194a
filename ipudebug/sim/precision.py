"""8 or 16 bits for each tensor (SPEC 11.1): by what reads it, by [CONV_CONFIG], by a quantisation file.

What feeds a convolution is UINT8, all else INT16; tensors that copying operators tie have one type. An image that the
board feeds is always UINT8, so that the first convolution keeps its 8 bits; raw data that it feeds are always INT16.
``ALL_INT16`` makes all the rest INT16. ``CONV2D_INT16`` and
``DEPTHWISE_INT16`` do so for what feeds convolutions of that kind; ``tensor_arrays`` names the tensors concerned.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence

import numpy as np

from ipudebug.config.input_config import InputConfig
from ipudebug.errors import ConfigError
from ipudebug.sim.lowering import Role
from ipudebug.sim.planning import CONVOLUTIONS, Plan
from ipudebug.sim.quantisation import INT16, UINT8

KINDS = {
    "ALL_INT16": CONVOLUTIONS,
    "ALL_UINT8": CONVOLUTIONS,
    "CONV2D_INT16": (Role.CONVOLUTION,),
    "DEPTHWISE_INT16": (Role.DEPTHWISE,),
}
"""input_format -> the convolutions whose inputs it is about."""


class NoConvolutionInput(ConfigError, ValueError):
    """A tensor in tensor_arrays that feeds no convolution."""


def choose_dtypes(plan: Plan, config: InputConfig, raised: Collection[str] = ()) -> dict[str, np.dtype]:
    """Return uint8 or int16 for the leader of each group; ``raised`` are tensors that a file wants in 16 bits.

    Raises NoConvolutionInput.
    """
    kinds = KINDS.get(config.conv_format or "", CONVOLUTIONS)
    chosen = _find_chosen(plan, config, kinds)
    fed = {plan.leaders[node.inputs[0]] for node in plan.list_convolutions()}
    wide = {plan.leaders[name] for name in raised if name in plan.leaders}
    if config.conv_format in ("ALL_INT16", "CONV2D_INT16", "DEPTHWISE_INT16"):
        wide |= {plan.leaders[name] for name in chosen}
    wide |= {plan.leaders[name] for name in plan.network.inputs if name in plan.leaders}
    images = {plan.leaders[name] for name in plan.images}
    return {leader: UINT8 if leader in images or leader in fed - wide else INT16 for leader in plan.groups}


def _find_chosen(plan: Plan, config: InputConfig, kinds: Sequence[Role]) -> Sequence[str]:
    """Return the convolution inputs that [CONV_CONFIG] is about; raises NoConvolutionInput."""
    inputs = list(dict.fromkeys(node.inputs[0] for node in plan.list_convolutions(*kinds)))
    for name in config.conv_tensors:
        if name not in inputs:
            kind = " or ".join(kind.value for kind in kinds)
            near = difflib.get_close_matches(name, inputs, n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            shown = ", ".join(inputs[:8]) + (", ..." if len(inputs) > 8 else "")
            raise NoConvolutionInput(
                f"{config.places.get('tensor_arrays', config.path)}: expected tensors that feed a {kind}, found {name}",
                f"{hint}only these can be chosen: {shown or 'none, the model has no such convolution'}",
            )
    return config.conv_tensors or inputs
