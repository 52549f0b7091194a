"""Two dumps -> a verdict: where the trouble begins, what kind of fault it is, how sure that is, what to do."""

from ipudebug.diagnose.diagnosis import diagnose
from ipudebug.diagnose.verdict import Diagnosis, Finding, Renamed, Shape, Suspect

__all__ = ["Diagnosis", "Finding", "Renamed", "Shape", "Suspect", "diagnose"]
