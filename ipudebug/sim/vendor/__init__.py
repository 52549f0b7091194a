"""The vendor's own .sim: a TFLite FlatBuffer with extensions (SPEC 10) -> the graphs that everything else runs.

A file is read in four steps: ``container`` (which kind of file), ``flatbuffer`` (guarded tables), ``parse`` (facts,
checked), and a graph: ``float_graph`` makes standard ONNX, ``fixed_graph`` integer nodes.
"""

from ipudebug.sim.vendor.parse import parse_sim
from ipudebug.sim.vendor.read import read_vendor

__all__ = ["parse_sim", "read_vendor"]
