"""What the models add to a verdict -> which layers the final error comes from, and what each does to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ipudebug.comparison import LayerResult
from ipudebug.diagnosis.blame import Blame, LayerBlame
from ipudebug.reports.page.markup import anchor, escape, show_compact
from ipudebug.reports.page.roles import describe_layer

MOST = 15
"""Layers that are listed one by one."""


def draw_blame(blame: Blame, rows: Mapping[str, LayerResult]) -> Iterator[str]:
    """Yield the table of the layers with the largest shares of the final error, in the order of the model.

    ``rows`` are the compared ones by the benchmark's names.
    """
    largest = sorted(blame.layers, key=lambda layer: -abs(layer.share))[:MOST]
    shown = [layer for layer in blame.layers if layer in largest]
    has_alone = any(layer.alone is not None for layer in blame.layers)
    reach = max((abs(layer.share) for layer in shown), default=0.0) or 1.0
    outputs = ", ".join(map(escape, blame.outputs))
    yield (
        f'<section><h2>Where the error of {outputs} comes from</h2>\n<div class="scroll"><table class="blame"><thead>'
        '<tr><th scope="col">layer</th><th scope="col">what it does</th><th scope="col" class="num">made here</th>'
        + ('<th scope="col" class="num">alone</th>' if has_alone else "")
        + '<th scope="col" class="num">handed on to it</th><th scope="col" class="num">in all</th>'
        '<th scope="col">share of the final error</th></tr></thead><tbody>\n'
    )
    for layer in shown:
        yield _draw_layer(layer, rows.get(layer.name), reach, has_alone)
    yield "</tbody></table></div>\n"
    rest = [layer.share for layer in blame.layers if layer not in largest]
    told = [f"the model's input bears {blame.input_share:.1%}"] if blame.input_share else []
    told += [f"{len(rest)} more layers {sum(rest):.1%}"] if rest else []
    told += ["errors are relative to the benchmark's values; a negative share repairs", *blame.notes]
    yield f'<p class="legend">{escape("; ".join(told))}</p></section>\n'


def _draw_layer(layer: LayerBlame, row: LayerResult | None, reach: float, has_alone: bool) -> str:
    """Return the line of one layer."""
    name = escape(layer.name)
    role = layer.role
    gain = f" &times;{layer.gain:.2g}" if role.has_gain else ""
    alone = f'<td class="num">{"-" if layer.alone is None else show_compact(layer.alone)}</td>' if has_alone else ""
    side = "share minus" if layer.share < 0 else "share"
    return (
        f'<tr><td class="name">{name if row is None else f"<a href=#{anchor(row)}>{name}</a>"}</td>'
        f'<td><span class="role {describe_layer(layer).css}">{role.value}{gain}</span></td>'
        f'<td class="num">{show_compact(layer.local)}</td>{alone}<td class="num">{show_compact(layer.incoming)}</td>'
        f'<td class="num">{show_compact(layer.accumulated)}</td>'
        f'<td><span class="{side}"><i style="width:{abs(layer.share) / reach * 100:.1f}%"></i></span>'
        f"{layer.share:.1%}</td></tr>\n"
    )
