"""A Markdown table, for a pull request or a CI summary."""

from collections.abc import Iterable, Iterator

from ipudebug.comparison import Comparison, LayerResult
from ipudebug.reports.cells import show_name
from ipudebug.reports.conflicts import find_conflicts
from ipudebug.reports.table import table_cells

ESCAPED = str.maketrans({char: f"\\{char}" for char in "\\`*_|<>[]#&~$"})


class Markdown:
    """A GitHub-flavoured table; above it what makes the two dumps incomparable."""

    def render(self, comparison: Comparison, rows: Iterable[LayerResult]) -> Iterator[str]:
        """Yield the table row by row."""
        from tabulate import tabulate

        for conflict in find_conflicts(comparison)[0]:
            yield f"> [!CAUTION]\n> {show_name(conflict).translate(ESCAPED)}\n\n"
        headings, cells = table_cells(comparison, rows)
        escaped = [[cell.translate(ESCAPED) for cell in row] for row in cells]
        align = ["right", "left", "left", "left", *["right"] * (len(headings) - 5), "left"]
        yield tabulate(
            escaped, headings, tablefmt="github", disable_numparse=True, colalign=align if cells else None
        ) + "\n"  # fmt: skip


REPORT = Markdown()
