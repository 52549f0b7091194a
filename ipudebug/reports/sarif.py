"""SARIF 2.1.0, for code scanning: a result for each layer that fails or could not be compared, none for the others."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import quote

from ipudebug import __version__
from ipudebug.comparison import SUSPICIOUS_COS, SUSPICIOUS_RMSE, Comparison, LayerResult
from ipudebug.reports.cells import json_value, show_shape, show_valid
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
)


class Sarif:
    """A log with one run: warnings by the vendor's thresholds, errors by those asked for."""

    def __init__(self, thresholds: Sequence[Threshold] = ()) -> None:
        self._thresholds = tuple(thresholds)

    def hold_against(self, thresholds: Sequence[Threshold]) -> Sarif:
        """Return the report that judges by these thresholds."""
        return Sarif(thresholds)

    def render(self, comparison: Comparison, rows: Iterable[LayerResult]) -> Iterator[str]:
        """Yield the log, one result a line."""
        rules = [{"id": key, "shortDescription": {"text": short}, "help": {"text": text}} for key, short, text in RULES]
        driver = {"name": "ipudebug compare", "version": __version__, "rules": rules}
        head = json.dumps({"$schema": SCHEMA, "version": "2.1.0"}, indent=1)[:-2]
        yield f'{head},\n "runs": [{{"tool": {json.dumps({"driver": driver})},\n  "results": ['
        uri = quote(comparison.sample.path.replace("\\", "/"), errors="surrogateescape")
        separator = "\n   "
        for row in rows:
            result = self._judge(row, uri)
            if result:
                yield separator + json.dumps(result)
                separator = ",\n   "
        yield "\n  ]}]\n}\n"

    def _judge(self, row: LayerResult, uri: str) -> dict[str, Any] | None:
        """Return the result for one row, or None if nothing speaks against it."""
        faults = find_faults(row, self._thresholds)
        if faults:
            rule, level = (1, "error") if self._thresholds else (0, "warning")
            text = f"{row.name}: {'; '.join(faults)} ({row.sample.info.op_type} {show_shape(row)}  {tell_values(row)})"
        elif not row.compared:
            rule, level, text = 2, "note", f"{row.name}: {row.note}"
        else:
            return None
        name = show_valid(row.name)
        return {
            "ruleId": RULES[rule][0],
            "ruleIndex": rule,
            "level": level,
            "message": {"text": show_valid(text)},
            "locations": [
                {
                    "physicalLocation": {"artifactLocation": {"uri": uri}},
                    "logicalLocations": [{"name": name, "kind": "element"}],
                }
            ],
            # So that an alert about a layer is known again whatever its numbers are next time.
            "partialFingerprints": {"layer/v1": hashlib.sha256(name.encode()).hexdigest()},
            "properties": {"index": row.index, **{key: json_value(value) for key, value in row.values.items()}},
        }


REPORT = Sarif()
