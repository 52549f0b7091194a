"""What diagnose does with its options: dumps, and models if there are any -> a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ipudebug.cli.jobs import choose_jobs
from ipudebug.cli.notes import show_note

if TYPE_CHECKING:
    from ipudebug.diagnosis import Diagnosis


def diagnose_files(
    sample: str,
    benchmark: str,
    map_file: str | None,
    float_model: str | None,
    fixed_model: str | None,
    image: str | None,
    script: str | None,
    input_config: str | None,
    metrics: Sequence[str] = (),
) -> Diagnosis:
    """Return the verdict; remarks on the two files and their models go to stderr."""
    from ipudebug.config.name_map import load_name_map
    from ipudebug.diagnosis import diagnose
    from ipudebug.metrics import VENDOR

    mapping = load_name_map(map_file) if map_file else None
    shown = (*VENDOR, *metrics)
    if float_model is None:
        verdict = diagnose(sample=sample, benchmark=benchmark, mapping=mapping, metrics=shown, choose_jobs=choose_jobs)
    else:
        from ipudebug.diagnosis.models import diagnose_with_models
        from ipudebug.inputs.feeds import load_feeds

        feeds = load_feeds(image, script, input_config, show_note) if image and script else None
        verdict = diagnose_with_models(
            sample=sample,
            benchmark=benchmark,
            float_model=float_model,
            fixed_model=fixed_model,
            feeds=feeds,
            mapping=mapping,
            metrics=shown,
            choose_jobs=choose_jobs,
        )
    for note in verdict.comparison.notes:
        show_note(note)
    return verdict
