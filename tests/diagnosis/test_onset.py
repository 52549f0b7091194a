"""Where the trouble begins: traits, jumps and the shapes of trouble, on small made-up nets."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from ipudebug.diagnosis import Diagnosis, Shape, diagnose
from ipudebug.diagnosis.onset import FIRST_NOISE, GROWTH, Jump, measure_jumps
from ipudebug.diagnosis.order import find_parents
from ipudebug.diagnosis.step import find_step
from ipudebug.diagnosis.traits import STRUCTURES, Traits, take_traits
from ipudebug.diagnosis.view import take_view
from ipudebug.tensor import TensorInfo
from tests.diagnosis.arrays import MemoryDump, draw_map, make_tensor, round_to

Change = Callable[[np.ndarray], np.ndarray]


def make_pair(
    changes: dict[int, Change], count: int = 8, step: float = 0.0, **names: str
) -> tuple[MemoryDump, MemoryDump]:
    """Return sample and benchmark of ``count`` unrelated layers; the sample's are rounded, then changed."""
    right = [draw_map(seed) for seed in range(count)]
    wrong = [round_to(array, step) if step else array for array in right]
    for number, change in changes.items():
        wrong[number] = np.asarray(change(wrong[number]), np.float32)
    sides = []
    for side, arrays in (("sample", wrong), ("benchmark", right)):
        called = [names.get(f"{side}{number}", f"layer{number}") for number in range(count)]
        roles = ["in"] + ["out"] * (count - 1)
        sides.append(MemoryDump(side, *map(make_tensor, called, arrays, range(count), roles)))
    return sides[0], sides[1]


def judge(changes: dict[int, Change], step: float = 0.0, **names: str) -> Diagnosis:
    sample, benchmark = make_pair(changes, step=step, **names)
    return diagnose(sample=sample, benchmark=benchmark)


@pytest.mark.parametrize("step", [0.0, 0.02])
@pytest.mark.parametrize(
    ("changes", "shape", "layer"),
    [
        ({}, Shape.CLEAN, None),
        ({3: lambda a: a * 2}, Shape.ABRUPT, "layer3"),
        ({3: lambda a: a * 2, 4: lambda a: a * 2, 6: lambda a: a * 2}, Shape.ABRUPT, "layer3"),
        ({0: lambda a: a + 1}, Shape.INPUT, "layer0"),
        ({7: lambda a: -a}, Shape.END, "layer7"),
    ],
)
def test_the_shape_of_the_trouble(changes: dict[int, Change], shape: Shape, layer: str | None, step: float) -> None:
    verdict = judge(changes, step)
    assert verdict.shape is shape
    assert (verdict.suspects[0].row.name if verdict.suspects else None) == layer
    assert verdict.is_clean == (shape is Shape.CLEAN)


def noisy(level: float, seed: int) -> Change:
    def add(a: np.ndarray) -> np.ndarray:
        noise = np.random.default_rng(seed).standard_normal(a.shape)
        return a + noise * level * np.sqrt((a**2).mean())

    return add


def test_a_slow_drift_is_gradual_and_the_first_crossing_is_examined() -> None:
    levels = [0.01, 0.02, 0.04, 0.06, 0.1, 0.16, 0.2, 0.25]  # RMSE 0.1 is crossed between 0.1 and 0.16
    verdict = judge({number: noisy(level, number) for number, level in enumerate(levels)})
    assert verdict.shape is Shape.GRADUAL
    first = next(row for row in verdict.rows if row.suspicious)
    assert verdict.suspects[0].row.name == first.name
    assert verdict.suspects[0].finding.kind == "rounding"


def test_rows_that_cross_the_thresholds_back_and_forth_oscillate() -> None:
    levels = [0.05, 0.09, 0.15, 0.09, 0.15, 0.09, 0.15, 0.09]
    verdict = judge({number: noisy(level, number) for number, level in enumerate(levels)})
    assert verdict.shape is Shape.OSCILLATING


def test_the_first_nan_is_the_origin_whatever_comes_before() -> None:
    def spoil(a: np.ndarray) -> np.ndarray:
        a = a.copy()
        a.flat[5] = np.nan
        return a

    verdict = judge({5: spoil, 6: spoil}, step=0.02)
    assert verdict.suspects[0].row.name == "layer5"
    assert verdict.suspects[0].finding.kind == "nan"
    assert "NaN" in verdict.reason


def test_a_renamed_layer_is_told_and_compared() -> None:
    verdict = judge({}, sample4="other#7")
    assert verdict.shape is Shape.CLEAN
    assert [(item.sample, item.benchmark) for item in verdict.renamed] == [("other#7", "layer4")]
    assert all(row.compared for row in verdict.rows)


def test_a_cubic_tensor_in_the_wrong_layout_is_found() -> None:
    right = [draw_map(seed, (1, 8, 8, 8)) for seed in range(6)]
    wrong = list(right)
    wrong[3] = np.ascontiguousarray(right[3].transpose(0, 3, 1, 2))
    dumps = [
        MemoryDump(side, *(make_tensor(f"layer{number}", array, number) for number, array in enumerate(arrays)))
        for side, arrays in (("sample", wrong), ("benchmark", right))
    ]
    verdict = diagnose(sample=dumps[0], benchmark=dumps[1])
    assert verdict.suspects[0].row.name == "layer3"
    assert verdict.suspects[0].finding.kind == "layout"


def plain(**energies: float) -> Traits:
    return Traits(dict.fromkeys(STRUCTURES, 0.0) | energies)


def test_a_jump_is_the_growth_over_what_came_before() -> None:
    grown = 1e-2 * GROWTH["total"]
    jumps = measure_jumps([plain(), plain(total=1e-2), plain(total=grown), plain(total=2 * grown * GROWTH["total"])])
    assert jumps[1].size == pytest.approx(1e-2 / FIRST_NOISE["total"], rel=1e-6)
    assert jumps[2].size == pytest.approx(1.0, rel=1e-6)
    assert jumps[3].size == pytest.approx(2.0, rel=1e-6)
    assert jumps[3].inherited == pytest.approx(grown)


def test_only_what_a_layer_is_computed_from_counts_where_the_graph_is_known() -> None:
    traits = [plain(total=1e-4), plain(total=0.5), plain(total=0.1)]
    assert measure_jumps(traits)[2].size < 0.1
    assert measure_jumps(traits, {1: (0,), 2: (0,)})[2].size > 10


def test_a_dump_tells_its_graph_and_fused_tensors_are_seen_through() -> None:
    def info(name: str, index: int, role: str, constant: bool = False) -> TensorInfo:
        return TensorInfo(name, (4,), np.dtype(np.float32), op_index=index, role=role, constant=constant)  # type: ignore[arg-type]

    infos = [
        info("image", 0, "in"), info("w", 0, "in", constant=True), info("a", 0, "out"),
        info("a", 1, "in"), info("hidden", 1, "out"),
        info("a", 2, "in"), info("hidden", 2, "in"), info("sum", 2, "out"),
    ]  # fmt: skip
    assert find_parents(["image", "a", "sum"], infos) == {1: (0,), 2: (1,)}
    assert find_parents(["image", "a", "hidden", "sum"], infos) == {1: (0,), 2: (1,), 3: (1, 2)}
    assert find_parents(["a"], [info("a", 0, "out")]) is None


@pytest.mark.parametrize("zero", [0, 7, 128])
@pytest.mark.parametrize("levels", [256, 1 << 16])
def test_the_step_of_a_grid_is_read_from_the_values(zero: int, levels: int) -> None:
    scale = np.float32(0.0123)
    stored = np.random.default_rng(3).normal(zero, levels / 12, 20000).clip(0, levels - 1).round()
    values = ((stored - zero).astype(np.float32) * scale).astype(np.float64)
    assert find_step(values, levels) == pytest.approx(float(scale), rel=1e-3)


def test_values_on_no_grid_have_no_step() -> None:
    values = np.random.default_rng(4).standard_normal(5000)
    assert find_step(values) == 0
    assert find_step(values, 1 << 16) == 0
    assert find_step(np.zeros(100)) == 0
    assert find_step(np.array([1.0, np.nan] * 50)) == 0


def test_rounding_is_expected_to_the_step() -> None:
    b = draw_map(1, (1, 40, 40, 8))
    traits = take_traits(take_view(make_tensor("x", round_to(b, 0.02)), make_tensor("x", b)))
    assert traits.is_quantised
    assert traits.step == pytest.approx(0.02, rel=1e-4)
    assert traits.energies["total"] == pytest.approx(traits.rounding, rel=0.1)


def test_two_tensors_on_one_grid_are_expected_to_be_equal() -> None:
    b = round_to(draw_map(1, (1, 40, 40, 8)), 0.02)
    a = b.copy()
    a[0, 3, 3, 3] += np.float32(0.02)
    traits = take_traits(take_view(make_tensor("x", a), make_tensor("x", b)))
    assert traits.rounding == 0
    assert not traits.is_quantised


@pytest.mark.parametrize("shape", [(1, 300, 200, 16), (4, 50, 60, 32), (1, 5000, 3), (1, 2, 2, 9000), (70000,)])
def test_a_glance_keeps_borders_and_stays_small(shape: tuple[int, ...]) -> None:
    array = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    view = take_view(make_tensor("x", array), make_tensor("x", array), 4096)
    assert 256 <= view.a.size <= 40000
    assert view.rows[0] == 0
    assert view.rows[-1] == view.height - 1
    assert view.columns[-1] == view.width - 1
    np.testing.assert_array_equal(view.a, view.b)


def test_the_shape_comes_from_the_side_that_has_one() -> None:
    array = draw_map()
    view = take_view(make_tensor("x", array.ravel()), make_tensor("x", array))
    assert view.a.shape == array.shape
    assert view.is_spatial


@pytest.mark.parametrize("values", [[0, 1e-9, 1, 2], [0, 1, 1 + 1e-12, 3], [1e30, -1e30, 0, 5e29]])
def test_no_grid_is_too_odd_to_be_looked_at(values: list[float]) -> None:
    for most in (256, 1 << 16):
        assert np.isfinite(find_step(np.array(values * 20), most))


def test_infinities_of_both_signs_raise_no_warning() -> None:
    a = draw_map()
    a[0, 0, 0, :2] = [np.inf, -np.inf]
    assert take_traits(take_view(make_tensor("x", a), make_tensor("x", draw_map()))).energies["total"] > 0


@pytest.mark.parametrize(
    ("kind", "change"),
    [("shifted", lambda a: np.roll(a, 1, 1)), ("layout", lambda a: a.transpose(0, 3, 1, 2).reshape(a.shape))],
)
def test_what_shows_in_neighbours_only_is_told_in_large_maps_too(kind: str, change: Change) -> None:
    right = [draw_map(seed, (1, 120, 100, 16)) for seed in range(4)]
    wrong = [*right[:3], np.ascontiguousarray(change(right[3]))]
    dumps = [
        MemoryDump(side, *(make_tensor(f"layer{number}", array, number) for number, array in enumerate(arrays)))
        for side, arrays in (("sample", wrong), ("benchmark", right))
    ]
    verdict = diagnose(sample=dumps[0], benchmark=dumps[1])
    assert (verdict.suspects[0].row.name, verdict.suspects[0].finding.kind) == ("layer3", kind)


@pytest.mark.parametrize(("size", "shape"), [(1.8, Shape.CLEAN), (6.0, Shape.ABRUPT)])
def test_a_faint_jump_whose_data_show_rounding_only_is_noise(
    size: float, shape: Shape, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In very deep nets noise has a structure of its own; a larger jump is told whatever the data show."""

    def exaggerate(traits: list[Traits], before: object = None) -> list[Jump]:
        return [Jump(size if number == 4 else 0.1, "border", 0.0) for number in range(len(traits))]

    monkeypatch.setattr("ipudebug.diagnosis.judgement.measure_jumps", exaggerate)
    verdict = judge({}, step=0.02)
    assert verdict.shape is shape
    assert (verdict.jumps[4].size >= 1) == (shape is Shape.ABRUPT)
