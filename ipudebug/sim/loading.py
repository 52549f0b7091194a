"""A simulated model's file -> the model that runs and can be dumped, whoever wrote it and however far it has come."""

from __future__ import annotations

from ipudebug.sim.container import Kind, open_sim
from ipudebug.sim.model import SimModel


def load_sim(path: str) -> SimModel:
    """Return the model in a float, fixed or offline file; raises NoModel, NotRecognised or ModelError."""
    file = open_sim(path)
    if file.kind is Kind.VENDOR:
        from ipudebug.sim.vendor.read import read_vendor

        return read_vendor(path)
    if file.kind is Kind.SEALED:
        from ipudebug.sim.seal import open_sealed

        return open_sealed(path)
    from ipudebug.sim.read import read_sim

    return read_sim(path)
