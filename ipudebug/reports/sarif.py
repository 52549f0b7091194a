"""SARIF 2.1.0, for code scanning: a result for each layer that fails or could not be compared, none for the others."""

from __future__ import annotations

import enum
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import quote

from ipudebug import __version__
from ipudebug.comparison import SUSPICIOUS_COS, SUSPICIOUS_RMSE, Comparison, LayerResult
from ipudebug.reports.bar import Bar
from ipudebug.reports.cells import json_value, show_shape, show_valid
from ipudebug.reports.conflicts import find_conflicts
from ipudebug.reports.faults import find_faults, tell_values
from ipudebug.thresholds import Threshold

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
RULES = (
    (
        "suspicious-layer",
        "A layer differs more than the vendor's experience allows",
        f"COS is below {SUSPICIOUS_COS}, RMSE above {SUSPICIOUS_RMSE}, or a value is NaN. Look at the first such layer:"
        " what follows inherits its error.",
    ),
    ("missed-threshold", "A layer misses a threshold that was asked for", "See --min-cos, --max-rmse and --max-mse."),
    (
        "uncompared-layer",
        "A layer could not be compared with its partner",
        "The sizes of the two tensors differ, or they are empty.",
    ),
    (
        "different-inputs",
        "The two dumps were made from different inputs",
        "Dump both sides again from one image and with one preprocess file: differences between these say nothing.",
    ),
    (
        "regression",
        "Worse than the baseline",
        "See --baseline, --layer-slack and --overall-slack. If it is accepted, write the baseline anew.",
    ),
)


class Sarif:
    """A log with one run: warnings by the vendor's thresholds, errors by those asked for and by a baseline."""

    def __init__(self, thresholds: Sequence[Threshold] = (), gate: Bar | None = None) -> None:
        self._thresholds = tuple(thresholds)
        self._gate = gate

    def hold_against(self, thresholds: Sequence[Threshold], gate: Bar | None = None) -> Sarif:
        """Return the report that judges by these thresholds and this gate."""
        return Sarif(thresholds, gate)

    def render(self, comparison: Comparison, rows: Iterable[LayerResult]) -> Iterator[str]:
        """Yield the log, one result a line."""
        rules = [{"id": key, "shortDescription": {"text": short}, "help": {"text": text}} for key, short, text in RULES]
        driver = {"name": "ipudebug compare", "version": __version__, "rules": rules}
        head = json.dumps({"$schema": SCHEMA, "version": "2.1.0"}, indent=1)[:-2]
        yield f'{head},\n "runs": [{{"tool": {json.dumps({"driver": driver})},\n  "results": ['
        uri = quote(comparison.sample.path.replace("\\", "/"), errors="surrogateescape")
        separator = "\n   "
        for result in self._list_results(comparison, rows, uri):
            yield separator + json.dumps(result)
            separator = ",\n   "
        yield "\n  ]}]\n}\n"

    def _list_results(self, comparison: Comparison, rows: Iterable[LayerResult], uri: str) -> Iterator[dict[str, Any]]:
        """Yield what there is to say of the two dumps, of each row, and at last of none in particular."""
        for conflict in find_conflicts(comparison)[0]:
            yield _make_result(_Rule.INPUTS, "error", conflict, uri)
        for row in rows:
            result = self._judge(row, uri)
            if result:
                yield result
        for text in self._gate.list_others() if self._gate else []:
            yield _make_result(_Rule.REGRESSION, "error", text, uri)

    def _judge(self, row: LayerResult, uri: str) -> dict[str, Any] | None:
        """Return the result for one row, or None if nothing speaks against it."""
        faults = find_faults(row, self._thresholds, self._gate)
        if faults:
            rule, level = (_Rule.MISSED, "error") if self._thresholds else (_Rule.SUSPICIOUS, "warning")
            if self._gate and self._gate.find_worse(row):
                rule, level = _Rule.REGRESSION, "error"
            text = f"{row.name}: {'; '.join(faults)} ({row.sample.info.op_type} {show_shape(row)}  {tell_values(row)})"
        elif not row.compared:
            rule, level, text = _Rule.UNCOMPARED, "note", f"{row.name}: {row.note}"
        else:
            return None
        values = {key: json_value(value) for key, value in row.values.items()}
        return _make_result(rule, level, text, uri, row.name) | {"properties": {"index": row.index, **values}}


class _Rule(enum.IntEnum):
    """The places of the rules."""

    SUSPICIOUS = 0
    MISSED = 1
    UNCOMPARED = 2
    INPUTS = 3
    REGRESSION = 4


def _make_result(rule: _Rule, level: str, text: str, uri: str, layer: str | None = None) -> dict[str, Any]:
    """Return one result, about a layer or about the whole file."""
    location: dict[str, Any] = {"physicalLocation": {"artifactLocation": {"uri": uri}}}
    name = show_valid(RULES[rule][0] + text if layer is None else layer)
    if layer is not None:
        location["logicalLocations"] = [{"name": name, "kind": "element"}]
    return {
        "ruleId": RULES[rule][0],
        "ruleIndex": int(rule),
        "level": level,
        "message": {"text": show_valid(text)},
        "locations": [location],
        # So that an alert about a layer is known again whatever its numbers are next time.
        "partialFingerprints": {"layer/v1": hashlib.sha256(name.encode()).hexdigest()},
    }


REPORT = Sarif()
