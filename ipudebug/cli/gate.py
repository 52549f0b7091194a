"""What ``compare`` holds its rows against beside thresholds: an earlier report, and the manifests of the dumps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from ipudebug.errors import ConfigError

if TYPE_CHECKING:
    from ipudebug.baseline import Gate
    from ipudebug.comparison import Comparison


def open_gate(
    path: str | None, layer_slack: Sequence[str], overall_slack: Sequence[str], *, is_whole: bool
) -> Gate | None:
    """Return the gate that --baseline and the two slacks stand for, None without; raises ConfigError."""
    if path is None:
        if layer_slack or overall_slack:
            raise ConfigError("--layer-slack and --overall-slack: of what?", "add --baseline report.json")
        return None
    from ipudebug.baseline import LAYER_SLACK, OVERALL_SLACK, Gate, load_baseline, parse_slack

    by_layer = parse_slack("--layer-slack", layer_slack, LAYER_SLACK)
    overall = parse_slack("--overall-slack", overall_slack, OVERALL_SLACK)
    return Gate(load_baseline(path), by_layer, overall, is_whole=is_whole)


def warn_of_conflicts(comparison: Comparison) -> None:
    """Say on stderr, and not to be overlooked, what the manifests say against this comparison."""
    from ipudebug.reports.cells import show_name
    from ipudebug.reports.conflicts import find_conflicts

    conflicts, notes = find_conflicts(comparison)
    for note in notes:
        click.echo(f"note: {show_name(note)}", err=True)
    for conflict in conflicts:
        click.echo(click.style("WARNING: ", fg="red", bold=True) + show_name(conflict), err=True)
