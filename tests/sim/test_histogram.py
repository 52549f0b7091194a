"""Histograms against plain counting, in any order of the pieces."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ipudebug.sim.histogram import Histogram

PIECES = st.lists(st.lists(st.floats(-1e6, 1e6, width=32), max_size=20), min_size=1, max_size=5)


def fill(pieces: list[list[float]]) -> Histogram:
    histogram = Histogram()
    for piece in pieces:
        histogram.add(np.array(piece, np.float32))
    return histogram


@given(PIECES)
def test_every_value_is_between_the_edges_of_its_bucket(pieces: list[list[float]]) -> None:
    values = np.sort(np.array([value for piece in pieces for value in piece], np.float64))
    histogram = fill(pieces)
    low, high = histogram.edges
    assert histogram.counts.sum() == len(values)
    assert np.all(low <= high)
    assert np.all(np.diff(histogram.centres) >= 0)
    assert np.all(np.repeat(low, histogram.counts) <= values)
    assert np.all(values <= np.repeat(high, histogram.counts))
    wide = np.maximum(np.abs(low), np.abs(high))
    assert np.all((high - low <= wide * 2**-6) | (wide < 2.0**-120))


@given(PIECES)
def test_the_order_of_pieces_does_not_matter(pieces: list[list[float]]) -> None:
    first, second = fill(pieces), fill(pieces[::-1])
    assert np.array_equal(first.counts, second.counts)
    assert np.array_equal(first.centres, second.centres)


def test_an_empty_one() -> None:
    assert fill([[]]).counts.size == 0
