"""The rows of real comparisons: what the vendor's tools printed for the same dumps."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

from ipudebug.comparison import Comparison, LayerResult, compare
from ipudebug.dumps import open_dump
from ipudebug.errors import AlignmentError, UnknownFormat
from ipudebug.reports import REPORTS
from tests.command import run_command
from tests.conftest import REFERENCE

pytestmark = pytest.mark.reference

PRINTED = json.loads((REFERENCE / "expected.json").read_text()) if REFERENCE.is_dir() else {}
PAIRS = [
    pytest.param(entry, id=f"{entry['tool']}-{Path(entry['stdout']).stem}") for entry in PRINTED.get("comparisons", [])
]
CASES = [pytest.param(entry, id=entry["case"]) for entry in PRINTED.get("compare_cases", [])]
ROW = re.compile(r"^( *\d+)\) (.*?) +MSE: (\S+)    COS: (\S+)    RMSE: (\S+)$")


def test_the_reference_has_what_these_tests_read(reference: Path) -> None:
    assert reference == REFERENCE
    assert (len(PAIRS), len(CASES)) == (10, 21)


def compare_pair(reference: Path, entry: dict) -> tuple[Comparison, list[LayerResult]]:
    comparison = compare(sample=reference / entry["sample"], benchmark=reference / entry["benchmark"])
    return comparison, list(comparison)


def printed(value: float) -> str:
    return f"{value:.6f}"


def by_our_rule(row: LayerResult, vendor: dict) -> dict[str, str]:
    """Return what SPEC 7.1 makes of a vendor's row: its numbers; where it has nan or inf, ours."""
    a, b = (np.asarray(side.array, "f8").ravel() for side in (row.sample, row.benchmark))
    if np.isnan(a).any() or np.isnan(b).any():
        return {"mse": "nan", "cos": "nan", "rmse": "nan"}
    ours = dict(vendor)
    if not a.any() or not b.any():
        ours["cos"] = "0.000000"
        ours["rmse"] = "nan" if not a.any() and not b.any() else "inf" if not b.any() else "1.000000"
    elif np.isinf(a).any() or np.isinf(b).any():
        ours["cos"] = "nan"
    elif ours["cos"] == "inf":  # the vendor's float32 products overflowed
        ours["cos"] = printed(math.fsum(a * b) / math.sqrt(math.fsum(a * a)) / math.sqrt(math.fsum(b * b)))
    return ours


@pytest.mark.parametrize("entry", PAIRS)
def test_every_printed_row_is_ours_too(reference: Path, entry: dict) -> None:
    _, rows = compare_pair(reference, entry)
    ours = {row.name: row for row in rows}
    for vendor in entry["rows"]:
        row = ours[vendor["name"]]
        numbers = {name: vendor[name] for name in ("mse", "cos", "rmse")}
        got = {name: printed(row.values[name]) for name in numbers}
        assert got == by_our_rule(row, numbers), row.name


@pytest.mark.parametrize("entry", [pair for pair in PAIRS if pair.values[0]["tool"] == "dump_debug"])
def test_tensors_and_order_are_those_of_dump_debug(reference: Path, entry: dict) -> None:
    _, rows = compare_pair(reference, entry)
    assert [row.name for row in rows] == [row["name"] for row in entry["rows"]]
    assert [row.index for row in rows] == list(range(len(rows)))


@pytest.mark.parametrize("entry", PAIRS)
def test_rows_have_the_format_of_the_page(reference: Path, entry: dict) -> None:
    comparison, rows = compare_pair(reference, entry)
    text = "".join(REPORTS["rows"].render(comparison, iter(rows)))
    width = max(len(row.name) for row in rows)
    assert text == "".join(
        f"{index:>4}) {row.name}{' ' * (width - len(row.name))}    MSE: {row.values['mse']:.6f}"
        f"    COS: {row.values['cos']:.6f}    RMSE: {row.values['rmse']:.6f}\n"
        for index, row in enumerate(rows)
    )
    assert all(ROW.match(line) for line in text.splitlines())


@pytest.mark.parametrize("entry", PAIRS)
def test_nothing_of_either_side_is_dropped_in_silence(reference: Path, entry: dict) -> None:
    comparison, rows = compare_pair(reference, entry)
    for side, left in (
        ("sample", comparison.alignment.sample_only),
        ("benchmark", comparison.alignment.benchmark_only),
    ):
        infos = open_dump(reference / entry[side]).infos
        names = {info.name for info in infos if not info.constant}
        assert {row.name for row in rows} | {item.name for item in left} == names


def test_the_four_channel_input_is_compared_over_three(reference: Path) -> None:
    entry = next(
        pair.values[0] for pair in PAIRS if pair.values[0]["sample"].endswith("smallnet/dumps/fixed_dequant.bin")
    )
    _, (row, *_) = compare_pair(reference, entry)
    assert row.name == "input"
    assert "packed RGB" in row.note
    assert (row.sample.info.size, row.benchmark.info.size) == (32 * 32 * 3, 32 * 32 * 3)


def test_the_unknown_in_a_patched_dump_is_named(reference: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = reference / "smallnet" / "dumps"
    outcome = run_command(capfd, "compare", folder / "patched" / "fixed_dequant_patched.bin", folder / "float.bin")
    assert outcome.code == 0
    assert "first suspicious layer: 4) relu5 (RMSE 3.964418 > 0.1)\n" in outcome.stderr
    assert "fc11: NaN: 10 in the sample, 0 in the benchmark\n" in outcome.stderr


def test_the_text_dump_gives_the_rows_of_the_binary_one(reference: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = reference / "smallnet" / "dumps"
    binary = run_command(capfd, "compare", folder / "fixed_dequant.bin", folder / "float.bin")
    text = run_command(capfd, "compare", folder / "fixed_dequant_str.bin", folder / "float_str.bin")
    assert (text.code, text.stdout) == (0, binary.stdout)
    assert text.stderr.count("dumped as text: it holds 6 decimals only") == 2


@pytest.mark.parametrize("name", ["fixed_raw.bin", "fixed_raw_garbage.bin", "fixed_raw_str.bin"])
def test_raw_integers_are_refused(reference: Path, name: str) -> None:
    folder = reference / "smallnet" / "dumps"
    with pytest.raises(UnknownFormat, match="raw dump: integers") as caught:
        compare(sample=folder / name, benchmark=folder / "float.bin")
    assert "dequantFixed" in str(caught.value.hint)


def test_awkward_names_come_through(reference: Path) -> None:
    path = reference / "names" / "float.bin"
    comparison = compare(sample=path, benchmark=path)
    rows = list(comparison)
    assert all(row.equal for row in rows)
    names = {info.name for info in open_dump(path).infos if not info.constant}
    assert {row.name for row in rows} == names
    assert any(len(name) >= 150 for name in names)


@pytest.mark.parametrize("entry", CASES)
def test_crafted_cases(reference: Path, entry: dict) -> None:
    """The vendor's number wherever it is one; our stated rule where it printed nan, inf or an error."""
    case = entry["case"]
    if case == "bench_int_isFloat0":  # its numbers are read from beyond the record
        with pytest.raises(UnknownFormat, match="raw dump"):
            compare_pair(reference, entry)
        return
    if case == "size_mismatch":
        with pytest.raises(
            AlignmentError, match=r"sample \[1, 3, 5, 6\] has 90 elements, benchmark \[1, 4, 5, 6\] 120"
        ):
            compare_pair(reference, entry)
        return
    _, (row,) = compare_pair(reference, entry)
    numbers = re.search(r"MSE: (\S+)  COS: (\S+)  RMSE:\s(\S+)", entry["stdout"])
    got = {name: printed(row.values[name]) for name in ("mse", "cos", "rmse")}
    if numbers is None:  # an error row of the vendor: shapes that differ, compared as stored and said, or transposed
        assert "Error!" in entry["stdout"]
        assert got == {"mse": "0.000089", "cos": "0.999961", "rmse": "0.008935"}
        assert bool(row.note) == (case != "noshape_sample")  # a dump without shapes is the ordinary case
        return
    assert got == by_our_rule(row, dict(zip(("mse", "cos", "rmse"), numbers.groups(), strict=True)))
    assert ("transposed" in row.note) == ("transposed" in entry["stdout"] or case == "sample_NCHW_bench_NHWC")
