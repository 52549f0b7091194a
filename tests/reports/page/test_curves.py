from __future__ import annotations

import math
import re

import pytest

from ipudebug.reports.page.curves import draw_curves
from tests.reports.page.pairs import make_row


def rows_of(*values):
    """Return a row for each (cos, rmse)."""
    return [
        make_row([1, 2], [1, 3], index=index, name=f"<{index}>", cos=cos, rmse=rmse)
        for index, (cos, rmse) in enumerate(values)
    ]


def points(text):
    return [(float(x), float(y)) for x, y in re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', text)]


def test_without_rows_there_is_nothing_to_draw():
    assert draw_curves([], None) == ""


def test_a_chart_a_metric_over_a_common_axis():
    text = draw_curves(rows_of((0.999, 0.01), (0.5, 0.7), (0.999, 0.01)), None)
    cos, rmse = points(text)[:3], points(text)[3:]
    assert [x for x, _ in cos] == [x for x, _ in rmse]
    assert cos[0][0] < cos[1][0] < cos[2][0]
    assert cos[1][1] > cos[0][1] == cos[2][1]  # worse is lower: y grows downwards
    assert rmse[1][1] < rmse[0][1] == rmse[2][1]
    assert ">COS<" in text
    assert ">SQNR<" not in text


def test_points_are_links_that_tell_and_names_are_escaped():
    text = draw_curves(rows_of((0.5, 0.7)), None)
    assert text.count('<a href="#layer-0">') == 2
    assert "<title>0) &lt;0&gt;: COS 0.5, suspicious</title>" in text


def test_the_curve_has_a_gap_where_a_value_is_none():
    text = draw_curves(rows_of((0.9, 0.1), (math.nan, math.inf), (0.9, 0.1)), None)
    cos, rmse = re.findall(r'<path class="line" d="([^"]*)"', text)
    assert cos.count("L") == 1
    assert rmse.count("L") == 2  # infinite is a place, at the end of the axis
    assert points(text)[1][1] == max(y for _, y in points(text)[:3])


def test_equal_layers_stand_at_the_good_end_whatever_zeros_make_of_the_formula():
    rows = [make_row([0, 0], [0, 0], index=0, cos=0.0, rmse=math.nan), *rows_of((0.9, 0.1), (0.95, 0.2))[1:]]
    cos, rmse = points(draw_curves(rows, None))[::2]
    assert (cos[1], rmse[1]) == (30, 30 + 150 + 42 + 150)


def test_the_first_suspicious_is_marked_in_all_charts():
    rows = rows_of((0.999, 0.01), (0.5, 0.7))
    line = re.search(r'<line class="first" x1="([\d.]+)"', draw_curves(rows, rows[1]))
    assert line is not None
    assert float(line[1]) == points(draw_curves(rows, None))[1][0]


def test_the_order_of_the_rows_does_not_matter():
    rows = rows_of((0.9, 0.1), (0.8, 0.2), (0.99, 0.3))
    assert draw_curves(rows[::-1], None) == draw_curves(rows, None)


@pytest.mark.parametrize("count", [1, 2, 17, 500, 3000])
def test_the_numbers_below_are_few_and_round(count):
    text = draw_curves(rows_of(*[(0.9, 0.1)] * count), None)
    numbers = [int(text) for text in re.findall(r'text-anchor="middle">(\d+)<', text)]
    assert 1 <= len(numbers) <= 17
    assert numbers[0] == 0
