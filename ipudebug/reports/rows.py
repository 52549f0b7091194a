"""The vendor's rows, byte for byte: what scripts around the vendor's tools expect.

::

    <index right-aligned in 4>) <name padded to the longest>    MSE: %.6f    COS: %.6f    RMSE: %.6f

Pairs that could not be compared have no row; the summary names them. Further metrics follow in the same form.
"""

from collections.abc import Iterable, Iterator

from ipudebug.comparison import Comparison, LayerResult
from ipudebug.reports.cells import labels, metric_names, show_name


class Rows:
    """The vendor's rows as a report."""

    def render(self, comparison: Comparison, rows: Iterable[LayerResult]) -> Iterator[str]:
        """Yield one line a row."""
        names = metric_names(comparison)
        listed = (row.name for row in rows if row.compared) if isinstance(rows, list) else comparison.names()
        width = max((len(show_name(name)) for name in listed), default=0)
        line = f"%4d) %-{width}s" + "".join(f"    {label}: %.6f" for label in labels(names)) + "\n"
        for row in rows:
            if row.compared:
                yield line % (row.index, show_name(row.name), *(row.values[name] for name in names))


REPORT = Rows()
