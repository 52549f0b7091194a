"""Rows -> the curves of COS, RMSE and SQNR over the layers, as one SVG drawn without a library."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from ipudebug.comparison import LayerResult
from ipudebug.metrics import METRICS
from ipudebug.reports.page.markup import anchor, escape, show_compact
from ipudebug.reports.page.scales import Scale, make_scale

DRAWN = ("cos", "rmse", "sqnr")
_WIDTH, _LEFT, _RIGHT = 1200, 78, 18
_HEIGHT, _GAP, _HEAD, _FOOT = 150, 42, 30, 34
_FEW = 150  # points up to this number are drawn large


def draw_curves(rows: Sequence[LayerResult], first: LayerResult | None) -> str:
    """Return one chart a metric over a common axis of layers, ``first`` marked in all; "" without compared rows.

    Each point is a link to its row in the table and carries its name and value as a tooltip.
    """
    compared = sorted((row for row in rows if row.compared), key=lambda row: row.index)
    if not compared:
        return ""
    metrics = [name for name in DRAWN if all(name in row.values for row in compared)]
    total = _HEAD + len(metrics) * (_HEIGHT + _GAP) - _GAP + _FOOT
    axis = _Axis(compared[0].index, compared[-1].index)
    parts = [f'<svg class="curves" viewBox="0 0 {_WIDTH} {total}" role="img" aria-label="Metrics over the layers">']
    for number, name in enumerate(metrics):
        parts += _draw_chart(compared, name, _HEAD + number * (_HEIGHT + _GAP), axis)
    if first is not None:
        x = axis.place(first.index)
        bottom = total - _FOOT
        parts.append(f'<line class="first" x1="{x:.1f}" x2="{x:.1f}" y1="{_HEAD - 8}" y2="{bottom}"/>')
    parts += axis.draw(total - _FOOT)
    return "".join(parts) + "</svg>\n"


class _Axis:
    """The horizontal axis: one place for each index."""

    def __init__(self, low: int, high: int) -> None:
        self._low = low
        self._high = high

    def place(self, index: int) -> float:
        """Return the x of a layer."""
        span = _WIDTH - _LEFT - _RIGHT - 20
        share = (index - self._low) / (self._high - self._low) if self._high > self._low else 0.5
        return _LEFT + 10 + span * share

    def draw(self, y: float) -> Iterator[str]:
        """Yield the numbers of the layers below the lowest chart."""
        step = next(s for e in range(9) for s in (10**e, 2 * 10**e, 5 * 10**e) if (self._high - self._low) / s <= 16)
        for index in range(-(-self._low // step) * step, self._high + 1, step):
            yield f'<text class="tick" x="{self.place(index):.1f}" y="{y + 17:.0f}" text-anchor="middle">{index}</text>'
        yield f'<text class="tick" x="{_WIDTH - _RIGHT}" y="{y + 31:.0f}" text-anchor="end">layer</text>'


def _draw_chart(rows: Sequence[LayerResult], name: str, top: float, axis: _Axis) -> Iterator[str]:
    """Yield frame, threshold, curve and points of one metric."""
    scale = make_scale(name, [row.values[name] for row in rows if not row.equal])
    label = METRICS[name].label
    right = _WIDTH - _RIGHT
    yield f'<g class="chart"><text class="title" x="{_LEFT}" y="{top - 10}">{label}</text>'
    yield f'<rect class="plot" x="{_LEFT}" y="{top}" width="{right - _LEFT}" height="{_HEIGHT}"/>'
    yield from _draw_limit(scale, top)
    for place, text in scale.ticks:
        y = _y(scale, top, (place - scale.bottom) / (scale.top - scale.bottom))
        yield f'<line class="grid" x1="{_LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text class="tick" x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{text}</text>'
    spots = [(axis.place(row.index), _y(scale, top, _height(scale, row, name)), row) for row in rows]
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y, row in spots if not math.isnan(row.values[name]) or row.equal)
    if path:
        yield f'<path class="line" d="M{path}"/>'
    radius = 4 if len(rows) <= _FEW else 2.6
    for x, y, row in spots:
        told = escape(f"{row.index}) {row.name}: {label} {show_compact(row.values[name])}, {row.status}")
        yield (
            f'<a href="#{anchor(row)}"><circle class="p {row.status}" cx="{x:.1f}" cy="{y:.1f}" r="{radius}">'
            f"<title>{told}</title></circle></a>"
        )
    yield "</g>"


def _draw_limit(scale: Scale, top: float) -> Iterator[str]:
    """Yield the zone beyond the threshold, and the threshold."""
    if scale.limit is None:
        return
    y = _y(scale, top, (scale.limit - scale.bottom) / (scale.top - scale.bottom))
    start, stop = (y, top + _HEIGHT) if scale.is_up_good else (top, y)
    right = _WIDTH - _RIGHT
    yield f'<rect class="zone" x="{_LEFT}" y="{start:.1f}" width="{right - _LEFT}" height="{stop - start:.1f}"/>'
    yield f'<line class="limit" x1="{_LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
    yield (
        f'<text class="limit-label" x="{right}" y="{top - 10}" text-anchor="end">'
        f"suspicious: {escape(scale.limit_label)}</text>"
    )


def _height(scale: Scale, row: LayerResult, name: str) -> float:
    """Return where a row stands; equal tensors stand at the good end, whatever the formula makes of zeros."""
    if row.equal:
        return 1.0 if scale.is_up_good else 0.0
    return scale.height(row.values[name])


def _y(scale: Scale, top: float, height: float) -> float:
    """Return the y of a height between 0 and 1."""
    return top + _HEIGHT * (1 - height)
