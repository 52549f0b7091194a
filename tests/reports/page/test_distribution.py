from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from ipudebug.reports.page.distribution import BINS, CELLS, STRIPES, find_extent, measure_distribution
from ipudebug.tensor import Layout
from tests.reports.page.pairs import make_row

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("shape", "layout", "extent"),
    [
        ((1, 4, 5, 3), Layout.NHWC, (4, 5, 3, False)),
        ((1, 4, 5, 3), None, (4, 5, 3, False)),
        ((1, 4, 5, 3), Layout.NCHW, (5, 3, 4, True)),
        ((2, 4, 5, 3), None, (8, 5, 3, False)),
        ((1, 1, 1, 60), Layout.NHWC, (1, 1, 60, False)),
        ((6, 10), None, (6, 10, 1, False)),
        ((1, 60), None, (1, 1, 60, False)),
        ((60,), None, (1, 1, 60, False)),
        ((), None, (1, 1, 1, False)),
        ((2, 3, 2, 5, 1), None, (12, 5, 1, False)),
    ],
)
def test_what_are_rows_columns_and_channels(shape, layout, extent):
    zeros = np.zeros(shape)
    assert find_extent(make_row(zeros, zeros, layout=layout)) == extent


def test_a_side_without_shape_takes_the_others():
    row = make_row(np.zeros(60), np.zeros(60))
    other = make_row(np.zeros(60), np.zeros(60), (1, 4, 5, 3))
    mixed = type(row)(0, "x", row.sample, other.benchmark, {})
    assert find_extent(mixed) == (4, 5, 3, False)


@pytest.mark.parametrize("layout", [Layout.NHWC, Layout.NCHW])
def test_errors_are_found_where_they_are(layout):
    error = np.zeros((6, 7, 5))
    error[0, :, :] = 2
    error[4, 3, 2] = 10
    stored = error if layout is Layout.NHWC else error.transpose(2, 0, 1)
    found = measure_distribution(make_row(-stored[None], np.zeros_like(stored)[None], layout=layout))
    assert found.extent == (6, 7, 5)
    np.testing.assert_allclose(found.places, error.mean(axis=2))
    np.testing.assert_allclose(found.channels, error.mean(axis=(0, 1)))


def test_large_maps_are_averaged_down():
    rng = np.random.default_rng(1)
    error = rng.random((2 * CELLS, 3 * CELLS, 2 * STRIPES), np.float32)
    found = measure_distribution(make_row(error[None], np.zeros_like(error)[None]))
    expected = error.astype(float).reshape(CELLS, 2, CELLS, 3, -1).mean(axis=(1, 3, 4))
    np.testing.assert_allclose(found.places, expected, rtol=1e-12)
    np.testing.assert_allclose(
        found.channels, error.astype(float).reshape(-1, STRIPES, 2).mean(axis=(0, 2)), rtol=1e-12
    )


def test_a_vector_has_no_map():
    found = measure_distribution(make_row(np.arange(10), np.zeros(10), (1, 10)))
    assert found.places is None
    np.testing.assert_array_equal(found.channels, np.arange(10))


def test_both_sides_are_counted_in_one_range():
    zeros = [0.0] * 1021
    found = measure_distribution(make_row([0, 0, 64, *zeros], [1.5, 63.5, 64, *zeros]))
    assert (found.low, found.high, len(found.sample)) == (0, 64, BINS)
    counts = [{place: n for place, n in enumerate(side.tolist()) if n} for side in (found.sample, found.benchmark)]
    assert counts == [{0: 1023, BINS - 1: 1}, {0: 1021, 1: 1, BINS - 1: 2}]


@pytest.mark.parametrize(("size", "bins"), [(1, 10), (24, 10), (100, 20), (1000, 64), (5000, 64)])
def test_few_values_have_few_bars(size, bins):
    values = np.arange(size)
    assert len(measure_distribution(make_row(values, values)).sample) == bins


@pytest.mark.parametrize(
    ("values", "ends"),
    [
        ([3, 3], (2.5, 3.5)),
        ([1e9, 1e9], (0.99e9, 1.01e9)),
        ([NAN, INF], (0, 0)),
        ([NAN, 2, -INF, 4], (2, 4)),
        ([-3e38, 3e38], (-3e38, 3e38)),
    ],
)
def test_the_range_is_that_of_the_finite_values(values, ends):
    found = measure_distribution(make_row(values, values))
    assert (found.low, found.high) == pytest.approx(ends)
    finite = sum(abs(value) < INF for value in values)
    assert found.sample.sum() == (finite if ends[1] > ends[0] else 0)


def test_a_range_beyond_float64_is_no_range():
    from ipudebug.comparison import LayerResult
    from ipudebug.tensor import Tensor, TensorInfo

    array = np.array([-1.7e308, 1.7e308])
    side = Tensor(TensorInfo("x", array.shape, array.dtype), array)
    found = measure_distribution(LayerResult(0, "x", side, side, {}))
    assert found.low == found.high


@settings(max_examples=60)
@given(
    arrays.arrays(
        np.float32,
        arrays.array_shapes(min_dims=1, max_dims=5, max_side=7),
        elements=st.floats(width=32, allow_nan=True, allow_infinity=True),
    ),
    st.sampled_from([None, Layout.NCHW, Layout.NHWC]),
)
def test_every_element_is_counted_once(values, layout):
    found = measure_distribution(make_row(values, values[::-1], layout=layout if values.ndim == 4 else None))
    rows, columns, channels = found.extent
    assert (
        rows * columns * channels * (values.shape[0] if layout is Layout.NCHW and values.ndim == 4 else 1)
        == values.size
    )
    if found.high > found.low:
        assert found.sample.sum() == found.benchmark.sum() == np.isfinite(values).sum()
