"""RESULTS.md: one section a group, and at the end which rows hold.

A section starts with a marker line, ``<!-- group: NAME -->``; a run replaces the sections of its groups and leaves the
others as they are. The list at the end is made anew from the tables.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from bench.harness.row import Row, Table

MARKER = re.compile(r"^<!-- group: (\S+) -->\n", re.MULTILINE)
END = "end"
COLUMNS = ("row", "aim", "measured", "verdict", "note")
VERDICTS = {True: "holds", False: "does not hold", None: "not measured"}
TITLE = """# Results

Made by `make bench`; see [README.md](README.md) for how. A value is the median, then the smallest and the largest; the
median decides whether a row holds. Every section names the machine that it was measured on.

"""


def format_section(title: str, machine: str, rows: Sequence[Row], tables: Sequence[Table] = ()) -> str:
    """Return a heading, the machine and the table of one group, and below it whatever else it found."""
    cells = [(row.name, row.aim, row.measured, VERDICTS[row.holds], row.note) for row in rows]
    lines = [f"## {title}", "", f"{machine}.", "", *format_cells(COLUMNS, cells), ""]
    for table in tables:
        note = [table.note, ""] if table.note else []
        lines += [f"### {table.title}", "", *note, *format_cells(table.columns, table.lines), ""]
    return "\n".join([*lines, ""])


def format_cells(columns: Sequence[str], lines: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table."""
    head = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    return head + ["| " + " | ".join(escape_cell(cell) for cell in cells) + " |" for cells in lines]


def escape_cell(text: str) -> str:
    """Return text that stays inside one cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def read_sections(text: str) -> dict[str, str]:
    """Return the sections of a RESULTS.md by group name, without the list at the end."""
    parts = MARKER.split(text)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    sections.pop(END, None)
    return sections


def list_verdicts(sections: dict[str, str]) -> str:
    """Return the closing list: which rows of all sections hold, which do not, which could not be measured."""
    found: dict[str, list[str]] = {verdict: [] for verdict in VERDICTS.values()}
    for section in sections.values():
        title = section.partition("\n")[0].removeprefix("## ")
        for line in section.splitlines():
            cells = re.split(r" (?<!\\)\| ", line.removeprefix("| ").removesuffix(" |"))
            if len(cells) == 5 and cells[3] in found:
                found[cells[3]].append(f"- {title}: {cells[0]}: {cells[2]} (aim {cells[1]})")
    lines = ["## Which rows hold", ""]
    for verdict, rows in found.items():
        if rows:
            lines += [f"{verdict.capitalize()} ({len(rows)}):", "", *rows, ""]
    return "\n".join(lines)


def update_results(path: Path, measured: dict[str, str]) -> None:
    """Write a RESULTS.md in which the measured sections are new and all others as they were."""
    sections = read_sections(path.read_text("utf-8")) if path.exists() else {}
    sections = dict(sorted({**sections, **measured}.items()))
    text = TITLE + "".join(f"<!-- group: {name} -->\n{section}" for name, section in sections.items())
    text += f"<!-- group: {END} -->\n{list_verdicts(sections)}"
    part = path.with_name(path.name + ".part")
    part.write_text(text, "utf-8")
    os.replace(part, path)
