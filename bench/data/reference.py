"""Where the vendor's real models are, if they are on this machine."""

import os
from pathlib import Path

REFERENCE = Path(os.environ.get("IPUDEBUG_REFERENCE", Path(__file__).parents[3] / "shared" / "reference"))
ABSENT = "no reference artefacts: set IPUDEBUG_REFERENCE to their folder"


def find_reference() -> Path | None:
    """Return the folder of the reference artefacts, or None."""
    return REFERENCE if REFERENCE.is_dir() else None
