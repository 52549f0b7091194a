"""Conv, ConvTranspose, above all in three dimensions."""

from __future__ import annotations

from ipudebug.sim.constraints.node import Node
from ipudebug.sim.constraints.rule import NodeRule, Offence, Subject, forbid_attribute


def _find_kernel(node: Node, subject: Subject) -> tuple[int, ...] | None:
    """Return a convolution's kernel without the channels, such as ``(3, 3, 3)``; None where it is not known."""
    stated = node.read_list("kernel_shape", int)
    kernel: tuple[int | None, ...] = tuple(stated or (subject.graph.find_shape(node.read_input(1)) or ())[2:])
    known = tuple(size for size in kernel if size is not None)
    return known if kernel and len(known) == len(kernel) else None


def _limit_stride(node: Node, subject: Subject) -> Offence | None:
    """The last two strides of a three-dimensional convolution stay within the chip's limit."""
    kernel, strides = _find_kernel(node, subject), node.read_list("strides", int)
    limit = subject.chips.limits["conv3d-stride"].value
    too_large = len(kernel or ()) == 3 and limit is not None and any(stride > limit for stride in strides[-2:])
    return Offence(f"strides={strides}") if too_large else None


def _refuse_groups(node: Node, subject: Subject) -> Offence | None:
    """A three-dimensional convolution has one group."""
    group = node.read_integer("group", 1)
    return Offence(f"group={group}") if group > 1 and len(_find_kernel(node, subject) or ()) == 3 else None


def _test_transposed(node: Node, subject: Subject) -> Offence | None:
    """A transposed convolution in three dimensions maps to a convolution.

    That needs pads of ``dilation * (kernel - 1) - pad``, none of them negative; this much follows from the page's
    sample. Whether every other combination maps is not public.
    """
    kernel = _find_kernel(node, subject)
    if kernel is None or len(kernel) != 3:
        return None
    dilations = node.read_list("dilations", int) or [1, 1, 1]
    pads = node.read_list("pads", int) or [0] * 6
    reach = [dilation * (size - 1) for dilation, size in zip(dilations, kernel, strict=False)]
    values = (node.name, *(" ".join(map(str, item)) for item in (kernel, dilations, pads)))
    found = f"kernel {values[1]}, dilations {values[2]}, pads {values[3]}"
    if any(pad > most for pad, most in zip(pads, reach * 2, strict=False)):
        return Offence(f"{found}: a pad above dilation * (kernel - 1)", values)
    return Offence(f"{found}: which combinations map is not known", values, "note")


RULES = (
    NodeRule("057", ("ConvTranspose",), _test_transposed),
    forbid_attribute("058", "ConvTranspose", "output_shape"),
    NodeRule("059", ("Conv", "ConvTranspose"), _limit_stride),
    NodeRule("060", ("Conv",), _refuse_groups),
)
