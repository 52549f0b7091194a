from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ipudebug.reports.page.scales import make_scale

ANY = st.floats(allow_nan=False)


@pytest.mark.parametrize(("metric", "rising"), [("cos", True), ("rmse", False), ("sqnr", True)])
def test_better_values_stand_on_the_side_that_is_said_to_be_good(metric, rising):
    values = {"cos": [-0.5, 0.5, 0.95, 0.999], "rmse": [3.0, 0.5, 0.05, 0.001], "sqnr": [-7.0, 5, 30, 55]}[metric]
    scale = make_scale(metric, values)
    heights = [scale.height(value) for value in values]
    assert heights == sorted(heights, reverse=not rising)
    assert scale.is_up_good is rising
    assert scale.height(math.nan) == (0 if rising else 1)


def test_nines_are_equally_far_apart():
    scale = make_scale("cos", [0.5, 0.99999])
    heights = [scale.height(value) for value in (0.9, 0.99, 0.999, 0.9999)]
    steps = [b - a for a, b in itertools.pairwise(heights)]
    assert steps == pytest.approx([steps[0]] * 3)
    assert [text for _, text in scale.ticks] == ["0", "0.9", "0.99", "0.999", "0.9999", "0.99999"]
    assert scale.height(0.99) == pytest.approx((scale.limit - scale.bottom) / (scale.top - scale.bottom))


@example("sqnr", [1.7976931348623157e308, -4.9896007738368e291], 0.0)
@given(st.sampled_from(["cos", "rmse", "sqnr"]), st.lists(ANY, max_size=4), ANY)
def test_whatever_the_values_they_stand_inside_and_the_ticks_are_few(metric, values, value):
    values = [abs(value) if metric == "rmse" else value for value in values]
    scale = make_scale(metric, values)
    assert 0 <= scale.height(value) <= 1
    assert scale.bottom < scale.top
    assert 2 <= len(scale.ticks) <= 12
    assert all(scale.bottom <= place <= scale.top for place, _ in scale.ticks)
    assert scale.limit is None or scale.bottom <= scale.limit <= scale.top


def test_infinite_values_stand_at_the_ends():
    assert make_scale("rmse", [0.1]).height(math.inf) == 1
    assert make_scale("rmse", [0.1]).height(0.0) == 0
    assert make_scale("sqnr", [10.0]).height(math.inf) == 1
    assert make_scale("sqnr", [10.0]).height(-math.inf) == 0
