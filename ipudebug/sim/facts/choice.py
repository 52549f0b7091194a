"""The operators and tensors of a model that a user names."""

from __future__ import annotations

import difflib

from ipudebug.errors import InputError
from ipudebug.sim.facts import ModelFacts, OperatorFacts, TensorFacts


def choose_operators(model: ModelFacts, wanted: str | None) -> list[OperatorFacts]:
    """Return the operators whose number, name or type (in any case) is ``wanted``, or that make a tensor of that name.

    None are chosen for None. Raises InputError if there is none.
    """
    if wanted is None:
        return []
    word = wanted.lower()
    found = [one for one in model.operators if wanted in (str(one.index), one.name) or one.type.lower() == word]
    found = found or [one for one in model.operators if wanted in one.outputs]
    if not found:
        types = sorted({one.type for one in model.operators})
        raise InputError(f"{model.path}: no operator {wanted!r}", f"its operators are of the types {', '.join(types)}")
    return found


def choose_tensors(model: ModelFacts, wanted: str | None) -> list[TensorFacts]:
    """Return the tensor of that name; none for None; raises InputError, with names that are near."""
    if wanted is None:
        return []
    if wanted not in model.tensors:
        near = difflib.get_close_matches(wanted, list(model.tensors), n=3, cutoff=0.4)
        hint = f"did you mean {' or '.join(near)}?" if near else "list them with `ipudebug inspect` without --tensor"
        raise InputError(f"{model.path}: no tensor {wanted!r}", hint)
    return [model.tensors[wanted]]
