"""JUnit XML: every layer is a test case, so that a CI server shows which layers broke, and when.

There is no standard; this is the form that Jenkins, GitLab and GitHub's actions all read: ``testsuites``, one
``testsuite`` with its counts, ``testcase`` with ``failure`` or ``skipped``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from xml.sax.saxutils import escape, quoteattr

from ipudebug.align import Leftover
from ipudebug.comparison import Comparison, LayerResult
from ipudebug.reports.bar import Bar
from ipudebug.reports.cells import show_shape, show_valid
from ipudebug.reports.conflicts import find_conflicts
from ipudebug.reports.faults import find_faults, tell_values
from ipudebug.thresholds import Threshold

_SUITE = "ipudebug.compare"


class Junit:
    """One test suite; a layer fails by the thresholds and the baseline asked for or, without any, by the vendor's.

    What the manifests say against the comparison, and regressions that no layer stands for, are failures of their own.
    """

    def __init__(self, thresholds: Sequence[Threshold] = (), gate: Bar | None = None) -> None:
        self._thresholds = tuple(thresholds)
        self._gate = gate

    def hold_against(self, thresholds: Sequence[Threshold], gate: Bar | None = None) -> Junit:
        """Return the report that judges by these thresholds and this gate."""
        return Junit(thresholds, gate)

    def render(self, comparison: Comparison, rows: Iterable[LayerResult]) -> Iterator[str]:
        """Yield the suite at once: its head counts the failures."""
        cases, failed, skipped = [], 0, 0
        for row in rows:
            faults = find_faults(row, self._thresholds, self._gate)
            failed += bool(faults)
            skipped += not faults and not row.compared
            cases.append(_draw_case(row, faults))
        leftovers = comparison.alignment.sample_only
        cases += map(_draw_leftover, leftovers)
        others = [("inputs of the two dumps", "inputs", text) for text in find_conflicts(comparison)[0]]
        if self._gate is not None:
            others += [("baseline", "regression", text) for text in self._gate.list_others()]
        cases += [_draw_failure(*other) for other in others]
        failed += len(others)
        title = f"{comparison.sample.path} against {comparison.benchmark.path}"
        counts = f'tests="{len(cases)}" failures="{failed}" errors="0" skipped="{skipped + len(leftovers)}"'
        yield f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites {counts} time="0">\n'
        yield f'<testsuite name={_quote(title)} {counts} time="0">\n'
        yield from cases
        yield "</testsuite>\n</testsuites>\n"


def _draw_case(row: LayerResult, faults: Sequence[str]) -> str:
    """Return the test case of one row."""
    told = f"{row.sample.info.op_type} {show_shape(row)}  {tell_values(row)}".strip()
    if faults:
        text = "; ".join(faults)
        inner = f'<failure message={_quote(text)} type="accuracy">{escape(show_valid(told))}</failure>'
    elif not row.compared:
        inner = f"<skipped message={_quote(row.note)}/>"
    else:
        inner = f"<system-out>{escape(show_valid(told))}</system-out>"
    return f'<testcase classname="{_SUITE}" name={_quote(row.name)} time="0">{inner}</testcase>\n'


def _draw_failure(name: str, kind: str, text: str) -> str:
    """Return the test case of what no layer stands for."""
    inner = f"<failure message={_quote(text)} type={_quote(kind)}/>"
    return f'<testcase classname="{_SUITE}" name={_quote(name)} time="0">{inner}</testcase>\n'


def _draw_leftover(leftover: Leftover) -> str:
    """Return the test case of a tensor that has no partner."""
    inner = f"<skipped message={_quote(leftover.reason)}/>"
    return f'<testcase classname="{_SUITE}" name={_quote(leftover.name)} time="0">{inner}</testcase>\n'


def _quote(text: str) -> str:
    """Return text as a quoted attribute."""
    return quoteattr(show_valid(text))


REPORT = Junit()
