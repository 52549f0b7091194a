"""A table for people: index, name, op, shape, metrics, remarks."""

from collections.abc import Iterable, Iterator

from ipudebug.comparison import Comparison, LayerResult
from ipudebug.reports.cells import labels, metric_names, show_name, show_remark, show_shape, show_value

HEADINGS = ("#", "name", "op", "shape")


def table_cells(comparison: Comparison, rows: Iterable[LayerResult]) -> tuple[list[str], list[list[str]]]:
    """Return the headings and the cells of every row."""
    names = metric_names(comparison)
    cells = [
        [
            str(row.index) if row.compared else "-",
            show_name(row.name),
            show_name(row.sample.info.op_type),
            show_shape(row),
            *(show_value(row.values[name]) if row.compared else "-" for name in names),
            show_remark(row),
        ]
        for row in rows
    ]
    return [*HEADINGS, *labels(names), "remarks"], cells


class Table:
    """An aligned table."""

    def render(self, comparison: Comparison, rows: Iterable[LayerResult]) -> Iterator[str]:
        """Yield the table at once: its columns are as wide as their widest cell."""
        from tabulate import tabulate

        headings, cells = table_cells(comparison, rows)
        align = ["right", "left", "left", "left", *["right"] * (len(headings) - 5), "left"]
        text = tabulate(cells, headings, tablefmt="simple", disable_numparse=True, colalign=align if cells else None)
        yield "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


REPORT = Table()
