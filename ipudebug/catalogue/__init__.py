"""The catalogue: known error messages -> cause and remedy. The rows are data, the rest finds them in a text.

``messages.ini`` holds what the vendor's tools print, ``own.ini`` what ipudebug prints; ``entries`` reads them,
``matcher`` finds them in a log, ``similarity`` names the nearest where nothing is known.
"""

from ipudebug.catalogue.entries import STAGES, Entry, load_entries
from ipudebug.catalogue.matcher import Known, find_known
from ipudebug.catalogue.similarity import Guesser

__all__ = ["STAGES", "Entry", "Guesser", "Known", "find_known", "load_entries"]
