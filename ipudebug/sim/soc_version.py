"""The chip that a model is made for, as ``--soc_version`` names it."""

from __future__ import annotations

import difflib

from ipudebug.errors import InputError
from ipudebug.sim.chips import load_chips


class UnknownChip(InputError, ValueError):
    """No chip of that name is known."""


def check_soc_version(name: str) -> str:
    """Return the name of a chip that is known; raises UnknownChip with the vendor's message."""
    known = load_chips().names
    if name not in known:
        near = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.5)
        suggestion = f"did you mean {near[0]}? " if near else ""
        raise UnknownChip(f"Not support soc_version: {name}", f"{suggestion}known: {', '.join(known)}")
    return name
