"""The forms that a verdict is shown in, by what ``--format`` takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ipudebug.errors import ConfigError

if TYPE_CHECKING:
    from ipudebug.diagnosis import Diagnosis
    from ipudebug.diagnosis.preprocessing import InputDifference


def draw_verdict(verdict: Diagnosis, form: str) -> Iterator[str]:
    """Yield a verdict as ``text``, ``html``, ``json`` or ``markdown``."""
    if form == "html":
        from ipudebug.reports.html import REPORT

        return REPORT.with_diagnosis(verdict).render(verdict.comparison, verdict.rows)
    if form == "json":
        from ipudebug.cli.verdict_json import encode_diagnosis

        return encode_diagnosis(verdict)
    if form == "markdown":
        from ipudebug.cli.verdict_markdown import draw_diagnosis

        return draw_diagnosis(verdict)
    from ipudebug.cli.verdict_text import describe_diagnosis

    return describe_diagnosis(verdict)


def draw_input_difference(difference: InputDifference, form: str) -> Iterator[str]:
    """Yield what differs between two inputs as ``text`` or ``json``; raises ConfigError for another form."""
    if form not in ("text", "json"):
        raise ConfigError(f"--preprocess has no --format {form}", "text or json")
    if form == "json":
        from ipudebug.cli.verdict_json import encode_input_difference

        return encode_input_difference(difference)
    from ipudebug.cli.verdict_text import describe_input_difference

    return describe_input_difference(difference)
