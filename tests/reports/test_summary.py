from __future__ import annotations

import pytest

from ipudebug.reports.summary import Summary
from tests.dump_files import record, write_dump_file
from tests.reports.every_row import NAN, make_comparison


def tell(comparison) -> list[str]:
    summary = Summary(comparison)
    assert list(summary.watch(comparison))
    return list(summary.lines())


def test_the_whole_summary(tmp_path):
    assert tell(make_comparison(tmp_path)) == [
        "nan: NaN: 1 in the sample, 1 in the benchmark",
        "inf: Inf: 1 in the sample, 0 in the benchmark",
        "not compared: sizes: sizes differ: sample [1, 3] has 3 elements, benchmark [1, 4] 4",
        "compared 12 of the sample's 14 tensors",
        "only in the sample: 1 (fc11#55): made by the conversion",
        "only in the benchmark: 1 (fused\\x1b): not in the sample (fused, or removed by the conversion)",
        "first suspicious layer: 1) suspicious (COS 0.666667 < 0.99, RMSE 0.800000 > 0.1)",
    ]


@pytest.mark.parametrize(
    ("sample", "why"),
    [
        ([1.2, 2, 3, 4], "no layer is suspicious (COS < 0.99 or RMSE > 0.1)"),
        ([2, 4, 6, 8], "first suspicious layer: 0) a (RMSE 1.000000 > 0.1)"),
        ([1, 2, 3, NAN], "first suspicious layer: 0) a (NaN)"),
        ([0, 0, 0, 0], "first suspicious layer: 0) a (COS 0.000000 < 0.99, RMSE 1.000000 > 0.1)"),
    ],
)
def test_what_makes_a_layer_suspicious(tmp_path, sample, why):
    assert tell(make_comparison(tmp_path, [("a", sample, [1, 2, 3, 4])]))[-1] == why


def test_a_suspicious_input_points_at_the_preprocessing(tmp_path):
    from ipudebug.comparison import compare

    paths = [
        write_dump_file(tmp_path / name, record("input", values, role="in"))
        for name, values in (("a.bin", [1, 2]), ("b.bin", [2, -1]))
    ]
    assert tell(compare(sample=paths[0], benchmark=paths[1]))[-2:] == [
        "first suspicious layer: 0) input (COS 0.000000 < 0.99, RMSE 1.333333 > 0.1)",
        "that is the model's input: compare the preprocessing of the two sides first",
    ]


def test_many_leftovers_are_counted_and_a_few_named(tmp_path):
    from ipudebug.comparison import compare

    names = [f"layer{number}" for number in range(9)]
    sample = write_dump_file(tmp_path / "a.bin", *(record(name, [1]) for name in names))
    benchmark = write_dump_file(tmp_path / "b.bin", record("layer0", [1]))
    lines = tell(compare(sample=sample, benchmark=benchmark))
    assert lines == [
        "compared 1 of the sample's 9 tensors",
        "only in the sample: 8 (layer1, layer2, layer3, layer4, layer5 and 3 more):"
        " no tensor of this name in the benchmark",
        "no layer is suspicious (COS < 0.99 or RMSE > 0.1)",
    ]


def test_coverage_is_the_share_of_the_samples_variables(tmp_path):
    comparison = make_comparison(tmp_path)
    summary = Summary(comparison)
    assert list(summary.watch(comparison))
    assert (summary.compared, summary.uncompared) == (12, 1)
    assert summary.coverage == pytest.approx(12 / 14)


def test_the_first_suspicious_layer_is_the_first_whatever_the_order(tmp_path):
    comparison = make_comparison(tmp_path)
    summary = Summary(comparison)
    for row in sorted(comparison, key=lambda row: row.name):
        summary.add(row)
    assert summary.first is not None
    assert summary.first.index == 1
