"""Comma-separated values (RFC 4180), one line a row, for spreadsheets and scripts."""

import csv
import io
from collections.abc import Iterable, Iterator

from ipudebug.comparison import Comparison, LayerResult
from ipudebug.reports.cells import exact_value, metric_names, show_name, show_shape


class Csv:
    """A header line, then one line a row; pairs that could not be compared have empty values and say why."""

    def render(self, comparison: Comparison, rows: Iterable[LayerResult]) -> Iterator[str]:
        """Yield one line at a time."""
        names = metric_names(comparison)
        yield _line(["index", "name", "op_type", "shape", "status", *names, "note"])
        for row in rows:
            values = [exact_value(row.values[name]) if row.compared else "" for name in names]
            yield _line(
                [
                    str(row.index) if row.compared else "",
                    show_name(row.name),
                    show_name(row.sample.info.op_type),
                    show_shape(row),
                    row.status,
                    *values,
                    row.note,
                ]
            )


def _line(cells: list[str]) -> str:
    """Return one line of CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()


REPORT = Csv()
