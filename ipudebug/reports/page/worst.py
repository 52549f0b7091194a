"""The worst rows -> a card each: what the values look like on both sides, and where the error is."""

from __future__ import annotations

import numpy as np

from ipudebug.comparison import LayerResult
from ipudebug.reports.cells import labels, show_remark, show_shape
from ipudebug.reports.page.distribution import Distribution, measure_distribution
from ipudebug.reports.page.markup import anchor, escape, show_compact
from ipudebug.reports.page.picture import paint

_WIDTH, _HEIGHT = 520, 130


def draw_card(row: LayerResult) -> str:
    """Return the card of one compared row; its tensors are read for it."""
    distribution = measure_distribution(row)
    names = list(row.values)
    values = "".join(
        f"<span><b>{label}</b> {show_compact(row.values[name])}</span>"
        for name, label in zip(names, labels(names), strict=True)
    )
    remark = show_remark(row).removeprefix("suspicious").removeprefix("; ")
    return (
        f'<article class="card"><header><h3><a href="#{anchor(row)}">{row.index}) {escape(row.name)}</a></h3>'
        f'<p class="facts"><span>{escape(row.sample.info.op_type)}</span><span>{escape(show_shape(row))}</span>'
        f"{values}</p>"
        + (f'<p class="remark">{escape(remark)}</p>' if remark else "")
        + '</header><div class="panels">'
        + _draw_histogram(distribution)
        + _draw_places(distribution)
        + _draw_channels(distribution)
        + "</div></article>\n"
    )


def _draw_histogram(found: Distribution) -> str:
    """Return the two distributions over each other: filled the benchmark, as a line the sample; roots of counts."""
    if not found.high > found.low:
        return "<figure><figcaption>no finite values to draw</figcaption></figure>"
    most = max(1.0, float(np.sqrt(max(found.sample.max(), found.benchmark.max()))))
    shapes = {}
    for side, counts in (("benchmark", found.benchmark), ("sample", found.sample)):
        heights = (_HEIGHT * (1 - np.sqrt(counts) / most)).round(1)
        steps = " ".join(
            f"V{height:g}H{(bin + 1) * _WIDTH / counts.size:g}" for bin, height in enumerate(heights.tolist())
        )
        shapes[side] = f'<path class="h-{side}" d="M0 {_HEIGHT}{steps}V{_HEIGHT}"/>'
    zero = ""
    if found.low < 0 < found.high:
        x = -found.low / (found.high - found.low) * _WIDTH
        zero = f'<line class="zero" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{_HEIGHT}"/>'
    return (
        '<figure class="wide"><figcaption>values: <i class="k-benchmark"></i> benchmark <i class="k-sample"></i> sample'
        "<small>height: root of the count</small></figcaption>"
        f'<svg viewBox="0 -4 {_WIDTH} {_HEIGHT + 26}" role="img" aria-label="Histogram">'
        f'{shapes["benchmark"]}{shapes["sample"]}{zero}<line class="base" x1="0" x2="{_WIDTH}" y1="{_HEIGHT}" '
        f'y2="{_HEIGHT}"/><text class="tick" x="0" y="{_HEIGHT + 17}">{show_compact(found.low)}</text>'
        f'<text class="tick" x="{_WIDTH}" y="{_HEIGHT + 17}" text-anchor="end">{show_compact(found.high)}</text>'
        "</svg></figure>"
    )


def _draw_places(found: Distribution) -> str:
    """Return the error map over rows and columns; "" for a vector."""
    if found.places is None:
        return ""
    rows, columns, channels = found.extent
    over = f", mean of {channels} channels" if channels > 1 else ""
    width, height = _fit(found.places.shape[1], found.places.shape[0])
    return (
        f"<figure><figcaption>|error| by place<small>{rows} rows, {columns} columns{over}</small></figcaption>"
        f'<img alt="Map of the error" width="{width}" height="{height}" src="{paint(found.places)}">'
        f"<small>darkest: {_show_largest(found.places)}</small></figure>"
    )


def _draw_channels(found: Distribution) -> str:
    """Return the error of each channel as bars; "" if there is one channel."""
    count = found.channels.size
    if count < 2:
        return ""
    finite = np.isfinite(found.channels)
    largest = float(found.channels[finite].max(initial=0.0)) or 1.0
    share = np.where(finite, np.where(finite, found.channels, 0) / largest, 1.0)
    width = 240 / count
    bars = "".join(
        f'<rect{"" if is_finite else " class=odd"} x="{number * width:.2f}" y="{120 - height:.1f}" '
        f'width="{width * 0.86:.2f}" height="{height:.1f}"/>'
        for number, (height, is_finite) in enumerate(zip((share * 120).tolist(), finite.tolist(), strict=True))
    )
    channels = found.extent[2]
    what = "element" if found.places is None else "channel"
    grouped = f", in {count} groups" if channels > count else ""
    return (
        f"<figure><figcaption>|error| by {what}<small>{channels} {what}s{grouped}</small></figcaption>"
        f'<svg class="bars" viewBox="0 0 240 121" role="img" aria-label="Error by {what}">{bars}'
        '<line class="base" x1="0" x2="240" y1="120.5" y2="120.5"/></svg>'
        f"<small>highest: {_show_largest(found.channels)}</small></figure>"
    )


def _show_largest(errors: np.ndarray) -> str:
    """Return the largest finite error as text."""
    finite = errors[np.isfinite(errors)]
    return show_compact(float(finite.max())) if finite.size else "no finite error"


def _fit(width: int, height: int) -> tuple[int, int]:
    """Return the size on the page, in pixels, of a picture of so many columns and rows."""
    scale = min(240 / width, 150 / height)
    return max(6, round(width * scale)), max(6, round(height * scale))
