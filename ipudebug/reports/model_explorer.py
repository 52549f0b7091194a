"""Node data for Google's Model Explorer: it colours the nodes of the model's graph by how far each layer is off.

One graph's data: ``results`` by the name of an output tensor, and ``thresholds``, each the upper end of a range of
values with its colour. Load it beside the model with "Upload per-node data".
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from typing import Any

from ipudebug.comparison import SUSPICIOUS_COS, Comparison, LayerResult
from ipudebug.metrics import METRICS, VENDOR
from ipudebug.reports.cells import show_valid

COLOURS = {
    "suspicious": ("#c3272f", "#ffffff"),
    "nan": ("#9a5b00", "#ffffff"),
    "inf": ("#9a5b00", "#ffffff"),
    "ok": ("#d8ecdf", "#22262e"),
    "equal": ("#9bd3b4", "#22262e"),
}
"""Status -> background and text of a node."""
SCALE = [{"value": SUSPICIOUS_COS, "bgColor": COLOURS["suspicious"][0]}, {"value": 1, "bgColor": COLOURS["ok"][0]}]
"""Upper ends of ranges of COS, for the legend; a node's own colour goes before it."""


class ModelExplorer:
    """COS of every layer or, if further metrics were asked for, the first of those; colours follow the status."""

    def render(self, comparison: Comparison, rows: Iterable[LayerResult]) -> Iterator[str]:
        """Yield the object, one node a line; a node whose value is not finite shows it as a word."""
        metric = next((name for name in comparison.metrics if name not in VENDOR), "cos")
        yield '{"results": {'
        separator = "\n  "
        told = set()
        for row in rows:
            name = show_valid(row.name)
            if row.compared and name not in told:  # a name stands for one node
                told.add(name)
                yield f"{separator}{json.dumps(name)}: {json.dumps(_describe(row, metric))}"
                separator = ",\n  "
        yield f'\n }},\n "thresholds": {json.dumps(SCALE if metric == "cos" else [])}\n}}\n'


def _describe(row: LayerResult, metric: str) -> dict[str, Any]:
    """Return one node's value and colours."""
    value = METRICS[metric].best if row.equal else row.values[metric]
    background, text = COLOURS[row.status]
    shown: float | str = value if math.isfinite(value) else f"{value}"
    return {"value": shown, "bgColor": background, "textColor": text}


REPORT = ModelExplorer()
