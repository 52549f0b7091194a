"""Two dumps -> a verdict: where the trouble begins, what kind of fault it is, how sure that is, what to do."""

from ipudebug.diagnosis.judgement import diagnose
from ipudebug.diagnosis.verdict import Diagnosis, Finding, Renamed, Shape, Suspect

__all__ = ["Diagnosis", "Finding", "Renamed", "Shape", "Suspect", "diagnose"]
