"""Which integers of a fixed model are not known to be the chip's (docs/exactness.md)."""

from __future__ import annotations

from ipudebug.sim.model import SimModel


def list_inexact(model: SimModel) -> dict[str, tuple[str, ...]]:
    """Return the operations of a fixed or offline model with inexact operators: last output -> their types.

    What follows such an operation is computed as the chip does, but from other numbers.
    """
    return {operation.outputs[-1]: operation.inexact for operation in model.operations if operation.inexact}


def describe_inexact(model: SimModel) -> str:
    """Return a sentence for the user that names what is not the chip's to the bit; "" if everything is."""
    places: dict[str, list[str]] = {}
    for name, types in list_inexact(model).items():
        for op_type in types:
            places.setdefault(op_type, []).append(name)
    if not places:
        return ""
    shown = ", ".join(f"{op_type} ({_list_some(names)})" for op_type, names in sorted(places.items()))
    return f"not to the chip's bit, see docs/exactness.md: {shown}"


def _list_some(names: list[str], most: int = 3) -> str:
    """Return the first few names, and how many follow."""
    left = len(names) - most
    return ", ".join(names[:most]) + (f" and {left} more" if left > 0 else "")
