"""The library's comparison: from two readers to rows."""

from __future__ import annotations

import numpy as np
import pytest

from ipudebug.comparison import compare
from ipudebug.dumps import open_dump
from ipudebug.errors import UnknownFormat, UnknownPlugin
from ipudebug.manifest import write_manifest
from tests.dump_files import record, write_dump_file
from tests.metrics.oracle import FORMULAS

RNG = np.random.default_rng(9)


@pytest.fixture
def dumps(tmp_path):
    def write(sample, benchmark):
        paths = tmp_path / "sample.bin", tmp_path / "benchmark.bin"
        for path, records in zip(paths, (sample, benchmark), strict=True):
            write_dump_file(path, *records)
        return {"sample": paths[0], "benchmark": paths[1]}

    return write


def test_a_row_says_what_was_compared(dumps):
    sides = dumps([record("a", [1, 2, 3, 4.5], (1, 4), op="RELU")], [record("a", [1, 2, 3, 4], (1, 4), op="Relu")])
    (row,) = compare(**sides, metrics=["gain", "cos"])
    assert (row.index, row.name, row.note, row.compared, row.equal) == (0, "a", "", True, False)
    assert (row.sample.info.op_type, row.benchmark.info.op_type) == ("RELU", "Relu")
    assert list(row.values) == ["gain", "cos", "mse", "rmse"]  # the vendor's three are there whatever is asked for
    expected = {name: FORMULAS[name]([1, 2, 3, 4.5], [1, 2, 3, 4]) for name in row.values}
    assert row.values == pytest.approx(expected)


def test_paths_and_readers_are_taken_alike(dumps):
    sides = dumps([record("a", [1, 2])], [record("a", [1, 3])])
    opened = {side: open_dump(path) for side, path in sides.items()}
    texts = {side: str(path) for side, path in sides.items()}
    values = [[row.values for row in compare(**given)] for given in (sides, opened, texts)]
    assert values[0] == values[1] == values[2]


@pytest.mark.parametrize(
    ("a", "b", "status", "suspicious"),
    [
        ([1, 2], [1, 2], "equal", False),
        ([0, 0], [0, 0], "equal", False),
        ([1, 2.01], [1, 2], "ok", False),
        ([2, 1], [1, 2], "suspicious", True),
        ([2, 4], [1, 2], "suspicious", True),  # a perfect COS, a wrong scale
        ([1, float("nan")], [1, 2], "nan", True),
        ([1, 2], [1, float("nan")], "nan", True),
        ([float("nan")] * 2, [float("nan")] * 2, "nan", True),
        ([1, float("inf")], [1, 2], "inf", True),
        ([1, float("inf")], [1, float("inf")], "inf", True),
        ([0, 0], [1, 2], "suspicious", True),
        ([1, 2], [0, 0], "suspicious", True),
    ],
)
def test_status_and_suspicion(dumps, a, b, status, suspicious):
    (row,) = compare(**dumps([record("x", a)], [record("x", b)]))
    assert (row.status, row.suspicious) == (status, suspicious)


def test_thresholds_of_suspicion_are_the_vendors(dumps):
    """COS < 0.99 or RMSE > 0.1: a limit itself is not suspicious."""
    (at_limit,) = compare(**dumps([record("x", [9, 11])], [record("x", [10, 10])]))
    assert at_limit.values["rmse"] == 0.1
    assert not at_limit.suspicious
    (beyond,) = compare(**dumps([record("x", [9, 11.001])], [record("x", [10, 10])]))
    assert beyond.suspicious


def test_pairs_that_cannot_be_compared_keep_their_place_without_a_number(dumps):
    sides = dumps(
        [record("a", [1]), record("b", [1, 2]), record("c", [1])],
        [record("a", [1]), record("b", [1]), record("c", [1])],
    )
    comparison = compare(**sides)
    rows = list(comparison)
    assert [(row.index, row.name, row.status) for row in rows] == [
        (0, "a", "equal"), (-1, "b", "uncompared"), (1, "c", "equal"),
    ]  # fmt: skip
    assert (rows[1].values, rows[1].note) == ({}, "sizes differ: sample [2] has 2 elements, benchmark [1] 1")
    assert comparison.names() == ["a", "c"]
    assert comparison.sizes() == [1, 1]


def cube(array):
    return record("x", array.ravel().tolist(), array.shape)


def test_a_cube_is_taken_in_the_layout_that_fits_and_says_so(dumps):
    nhwc = RNG.normal(size=(1, 4, 4, 4)).astype("f4")
    noisy = nhwc + 0.01
    for benchmark, note in (
        (nhwc, ""),
        (nhwc.transpose(0, 3, 1, 2), "H = W = C: benchmark taken as NCHW and transposed to NHWC, which fits better"),
        (nhwc.transpose(0, 2, 3, 1), "H = W = C: benchmark taken as NHWC and transposed to NCHW, which fits better"),
    ):
        (row,) = compare(**dumps([cube(noisy)], [cube(benchmark)]))
        assert row.note == note
        assert row.values["mse"] == pytest.approx(1e-4, rel=1e-3)


def test_a_cube_that_fits_in_no_layout_takes_the_best(dumps):
    a, b = RNG.normal(size=(2, 1, 4, 4, 4)).astype("f4")
    turned = [b, b.transpose(0, 3, 1, 2), b.transpose(0, 2, 3, 1)]
    best = max(FORMULAS["cos"](a.ravel().tolist(), side.ravel().tolist()) for side in turned)
    (row,) = compare(**dumps([cube(a)], [cube(b)]))
    assert row.values["cos"] == pytest.approx(best)


def test_a_cube_of_nan_stays_as_stored(dumps):
    a = np.full((1, 2, 2, 2), np.nan, "f4")
    (row,) = compare(**dumps([cube(a)], [cube(np.ones((1, 2, 2, 2), "f4"))]))
    assert (row.note, row.status) == ("", "nan")


def test_nchw_against_nhwc_is_transposed_for_the_row_that_is_handed_out(dumps):
    nhwc = RNG.normal(size=(1, 3, 4, 5)).astype("f4")
    nchw = nhwc.transpose(0, 3, 1, 2)
    (row,) = compare(**dumps([cube(nhwc)], [cube(nchw)]))
    assert row.equal
    assert row.note == "sample [1, 3, 4, 5] is NHWC, benchmark [1, 5, 3, 4] NCHW: transposed"
    assert row.benchmark.array.tolist() == nhwc.tolist()


@pytest.mark.parametrize("side", ["sample", "benchmark"])
def test_a_board_input_is_compared_over_its_three_colours(dumps, side):
    rgb = RNG.integers(0, 255, (4, 6, 3)).astype("f4")
    rgba = np.concatenate([rgb, np.full((4, 6, 1), 7, "f4")], axis=2)
    board, plain = (record("input", image.ravel().tolist(), role="in") for image in (rgba, rgb))
    sides = ([board], [plain]) if side == "sample" else ([plain], [board])
    (row,) = compare(**dumps(*sides))
    assert row.equal
    assert (
        row.note
        == f"{side} input with four channels against three: compared over three; RGBA: every fourth value was left out"
    )


def test_rows_come_as_they_are_measured(dumps, monkeypatch):
    import ipudebug.comparison as module

    measured = []

    def watch(pairs, *rest):
        for number, result in enumerate(module_measure_all(pairs, *rest)):
            measured.append(number)
            yield result

    module_measure_all = module.measure_all
    monkeypatch.setattr(module, "measure_all", watch)
    records = [record(name, [1]) for name in "abc"]
    rows = iter(compare(**dumps(records, records)))
    assert measured == []
    assert next(rows).name == "a"
    assert measured == [0]


def test_a_comparison_can_be_iterated_again(dumps):
    comparison = compare(**dumps([record("a", [1])], [record("a", [2])]))
    assert [row.values for row in comparison] == [row.values for row in comparison]


@pytest.mark.parametrize("side", ["sample", "benchmark"])
def test_a_raw_dump_is_refused(tmp_path, side):
    paths = {name: write_dump_file(tmp_path / name, record("a", [1])) for name in ("sample", "benchmark")}
    write_dump_file(paths[side], record("a", [1], type_name="SGS_U8", code="B"), is_float=False)
    with pytest.raises(UnknownFormat, match=rf"^{side}: .* is a raw dump: integers") as caught:
        compare(**paths)
    assert caught.value.hint == "switch dequantFixed on in DebugConfig.txt and dump again"


def test_names_of_metrics_are_forgiving_and_unknown_ones_refused(dumps):
    sides = dumps([record("a", [1])], [record("a", [1])])
    assert compare(**sides, metrics=["P99-Abs", "rmse"]).metrics == ("p99_abs", "rmse")
    with pytest.raises(UnknownPlugin, match="unknown metric: sqn"):
        compare(**sides, metrics=["sqn"])


def test_notes_name_the_side_they_are_about(dumps, tmp_path):
    sides = dumps(
        [record("a", [1, 2, 3], (2,)), record("t", [1]), record("t", [2])], [record("a", [1, 2]), record("t", [1])]
    )
    assert compare(**sides).notes == (
        "sample: 1 record holds more data than its shape: the surplus was left out",
        "t: 2 tensors of this name against 1: paired in their order",
    )


@pytest.mark.parametrize("side", ["sample", "benchmark"])
def test_what_was_not_computed_as_the_chip_does_is_said_of_its_row(dumps, side):
    sides = dumps([record("a", [1, 2]), record("b", [1])], [record("a", [1, 2]), record("b", [1])])
    write_manifest(str(sides[side]), "t", {}, [], {"inexact": {"b": "SOFTMAX"}})
    assert [row.note for row in compare(**sides)] == ["", "inexact SOFTMAX: perhaps not the chip's integers"]


def test_a_manifest_that_says_nonsense_of_inexact_layers_is_no_trouble(dumps):
    sides = dumps([record("a", [1, 2])], [record("a", [1, 2])])
    write_manifest(str(sides["sample"]), "t", {}, [], {"inexact": ["a"]})
    assert [row.note for row in compare(**sides)] == [""]
