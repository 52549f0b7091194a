"""What every report promises; a new file in reports/ is tested without being named here."""

from __future__ import annotations

import csv
import html
import io
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipudebug.errors import UnknownPlugin
from ipudebug.metrics import METRICS
from ipudebug.reports import REPORTS
from tests.reports.every_row import ROWS, make_comparison

EVERY = pytest.mark.parametrize("name", list(REPORTS))


def render(name, comparison, rows=None) -> str:
    return "".join(REPORTS[name].render(comparison, comparison if rows is None else rows))


def find_rows(name, text) -> str:
    """Return the part of a report that lists the rows, escapes of its format undone."""
    begin = {"html": "<tbody>", "sarif": '"results"'}.get(name, "")
    return html.unescape(text[text.index(begin) :]).replace("\\", "")


@EVERY
def test_an_empty_selection_is_rendered(name, tmp_path):
    text = render(name, make_comparison(tmp_path), [])
    assert text == "" or text.endswith("\n")
    assert "suspicious" not in find_rows(name, text).replace("first_suspicious", "")


@EVERY
def test_rows_of_every_kind_with_every_metric_are_rendered(name, tmp_path):
    comparison = make_comparison(tmp_path, metrics=list(METRICS))
    text = render(name, comparison)
    assert text.endswith("\n")
    if name != "model_explorer":  # a node has one value
        for metric in METRICS:
            assert METRICS[metric].label in text or metric in text


@EVERY
def test_every_compared_row_is_there_and_no_name_breaks_a_line_or_a_terminal(name, tmp_path):
    text = render(name, make_comparison(tmp_path))
    listed = find_rows(name, text)
    every = ("ok", "suspicious", "equal", "both zero", "a|b*c_d`", "<script>alert(1)</script>")
    for row_name in ("suspicious", "nan", "inf") if name == "sarif" else every:  # SARIF lists what is wrong
        assert row_name in listed
    assert not set(text) & {chr(code) for code in (*range(10), *range(11, 32), 127, 0x2028)}


@EVERY
def test_the_order_of_the_rows_is_the_callers(name, tmp_path):
    comparison = make_comparison(tmp_path)
    rows = list(comparison)
    assert render(name, comparison, rows) == render(name, comparison)
    backwards = find_rows(name, render(name, comparison, rows[::-1]))
    earlier, later = ("nan: NaN", "suspicious: COS") if name == "sarif" else ("both zero", "suspicious")
    assert backwards.index(later) > backwards.index(earlier)


@pytest.mark.parametrize("name", ["rows", "csv", "json"])
def test_rows_are_written_before_the_next_is_measured(name, tmp_path):
    comparison = make_comparison(tmp_path)
    drawn = 0

    def watched():
        nonlocal drawn
        for row in comparison:
            drawn += 1
            yield row

    pieces = REPORTS[name].render(comparison, watched())
    text = next(pieces)
    while "suspicious" not in text:
        text = next(pieces)
    assert drawn == 2


@EVERY
def test_bytes_that_are_no_utf8_can_be_written(name, tmp_path):
    render(name, make_comparison(tmp_path)).encode("utf-8", "surrogateescape")


def test_an_unknown_format_names_those_there_are():
    with pytest.raises(UnknownPlugin, match="unknown report format: htlm"):
        REPORTS["htlm"]
    known = {"rows", "table", "csv", "json", "markdown", "html", "junit", "sarif", "model_explorer"}
    assert known <= set(REPORTS)


def test_the_example_has_every_status(tmp_path):
    statuses = {row.status for row in make_comparison(tmp_path, ROWS)}
    assert statuses == {"ok", "suspicious", "equal", "nan", "inf", "uncompared"}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(min_size=1, max_size=30).filter(lambda name: b"\n" not in name), min_size=1, max_size=4))
def test_whatever_the_names_every_report_is_written(tmp_path, names):
    rows = [(name, [1.0, 2.0], [1.0, 2.5]) for name in names]
    comparison = make_comparison(tmp_path, rows)
    listed = list(comparison)
    for name in REPORTS:
        text = render(name, comparison, listed)
        assert not set(text) & {chr(code) for code in (*range(10), *range(11, 32), 127, 0x85, 0x9B)}
        assert text.encode("utf-8", "surrogateescape")
    assert len(render("rows", comparison, listed).splitlines()) == len(listed)
    assert len(list(csv.reader(io.StringIO(render("csv", comparison, listed))))) == len(listed) + 1
    layers = json.loads(render("json", comparison, listed))["layers"]
    assert [layer["name"] for layer in layers] == [row.name for row in listed]
