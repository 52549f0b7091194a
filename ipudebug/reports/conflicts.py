"""What the manifests beside two dumps say against comparing them."""

from __future__ import annotations

import os

from ipudebug.comparison import Comparison


def find_conflicts(comparison: Comparison) -> tuple[list[str], list[str]]:
    """Return the conflicts in words, and notes on manifests that cannot be used; both empty without manifests."""
    paths = [comparison.sample.path, comparison.benchmark.path]
    if not any(os.path.exists(f"{path}.json") for path in paths):
        return [], []  # hashlib and json take longer to import than a small comparison takes
    from ipudebug import manifest

    found = [manifest.read_manifest(path) for path in paths]
    notes = [note for _, note in found if note]
    (sample, _), (benchmark, _) = found
    return (manifest.find_conflicts(sample, benchmark) if sample and benchmark else []), notes
