"""Layers that are looked at together show what each shows alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ipudebug.comparison import LayerResult, compare
from ipudebug.diagnosis import diagnose
from ipudebug.diagnosis.glance import GLANCE, take_all
from ipudebug.diagnosis.step import find_step, find_steps
from ipudebug.diagnosis.traits import STRUCTURES, Traits, take_traits
from ipudebug.diagnosis.view import take_view
from tests.diagnosis.arrays import MemoryDump, draw_map, make_tensor, round_to

SHAPES = [
    (1, 33),
    (1, 1, 1, 36),
    (1, 300),
    (1, 8, 8, 4),
    (1, 1, 1, 40),
    (60,),
    (1, 5, 6, 16),
    (2, 6, 7, 3),
    (1, 40, 40, 16),
    (4, 50),
]


def damage(array: np.ndarray, how: int) -> np.ndarray:
    """Return an array with one of several kinds of error."""
    wrong = round_to(array, 0.02) if how % 2 else array.copy()
    if how == 1:
        wrong = np.minimum(wrong, wrong.max() * np.float32(0.6))
    elif how == 2:
        wrong[..., 0] *= 3
    elif how == 3:
        wrong.flat[7] = np.nan
    elif how == 4:
        wrong = wrong * np.float32(1.3)
    elif how == 6:
        wrong.flat[0] = np.inf
    return wrong


def draw_rows(count: int) -> list[LayerResult]:
    rng = np.random.default_rng(4)
    right = [rng.standard_normal(SHAPES[number * 3 % len(SHAPES)]).astype(np.float32) for number in range(count)]
    dumps = [
        MemoryDump(side, *(make_tensor(f"layer{number}", array, number) for number, array in enumerate(arrays)))
        for side, arrays in (("sample", [damage(a, n % 8) for n, a in enumerate(right)]), ("benchmark", right))
    ]
    return list(compare(sample=dumps[0], benchmark=dumps[1]))  # type: ignore[arg-type]


@pytest.mark.parametrize("jobs", [1, 2])
def test_together_and_alone_come_to_the_same(jobs: int) -> None:
    rows = draw_rows(140)
    for row, traits in zip(rows, take_all(rows, jobs), strict=True):
        alone = take_traits(take_view(row.sample, row.benchmark, GLANCE))
        assert traits.step == pytest.approx(alone.step, rel=1e-12)
        assert traits.rounding == pytest.approx(alone.rounding, rel=1e-9)
        for name in STRUCTURES:
            assert traits.energies[name] == pytest.approx(alone.energies[name], rel=1e-9, abs=1e-15), (row.name, name)


def test_a_layer_of_numbers_that_are_not_finite_does_not_hide_its_neighbours() -> None:
    rows = [row for row in draw_rows(40) if row.sample.info.shape == (1, 8, 8, 4)]
    assert any(any(row.nans) for row in rows)
    totals = [layer.energies["total"] for layer in take_all(rows)]
    assert all(np.isfinite(totals))
    assert all(total > 0 for total, row in zip(totals, rows, strict=True) if not row.equal)


def test_one_quantised_layer_is_enough_to_know() -> None:
    rows = draw_rows(24)
    found = take_all(rows)
    assert sum(layer.is_quantised for layer in found[1:]) == 1
    assert not found[0].is_quantised  # an input lies on a grid whatever the model


def test_the_steps_of_several_are_those_of_each() -> None:
    rng = np.random.default_rng(9)
    rows = rng.standard_normal((40, 700)).astype(np.float32)
    rows[::2] = round_to(rows[::2], 0.03)
    rows[5:9] = np.maximum(round_to(rows[5:9], 0.1), 0)
    rows[11] = np.nan
    values = rows.astype(np.float64)
    assert find_steps(values).tolist() == [find_step(row) for row in values]
    assert np.count_nonzero(find_steps(values)) >= 22


class Walked(tuple):  # type: ignore[type-arg]
    """A tuple that counts how often it is walked through."""

    walks = 0

    def __iter__(self):  # type: ignore[no-untyped-def]
        Walked.walks += 1
        return super().__iter__()


def count_walks(layers: int) -> int:
    """Return how often the records are walked through for that many cubic layers in the wrong layout."""
    right = [draw_map(seed, (1, 4, 4, 4)) for seed in range(layers)]
    wrong = [np.ascontiguousarray(array.transpose(0, 3, 1, 2)) for array in right]
    dumps = [
        MemoryDump(side, *(make_tensor(f"layer{number}", array, number) for number, array in enumerate(arrays)))
        for side, arrays in (("sample", wrong), ("benchmark", right))
    ]
    for dump in dumps:
        dump.infos = Walked(dump.infos)
    Walked.walks = 0
    verdict = diagnose(sample=dumps[0], benchmark=dumps[1])  # type: ignore[arg-type]
    assert verdict.suspects[0].row.name == "layer0"
    return Walked.walks


def test_cubic_layers_are_not_searched_for_one_by_one() -> None:
    assert count_walks(60) == count_walks(20)


def test_equal_layers_have_no_traits() -> None:
    rows = draw_rows(2)
    assert take_all([replace(rows[0], equal=True)]) == [Traits(dict.fromkeys(STRUCTURES, 0.0))]


def test_the_only_wrong_channel_stands_out_of_channels_that_are_equal() -> None:
    b = draw_map(shape=(1, 8, 8, 6))
    a = b.copy()
    a[..., 2] *= 2
    traits = take_traits(take_view(make_tensor("x", a), make_tensor("x", b)))
    assert traits.energies["few"] == pytest.approx(traits.energies["total"])
