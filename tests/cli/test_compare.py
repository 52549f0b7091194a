"""``ipudebug compare`` as a new user meets it: whole stdout, whole stderr, exit code."""

from __future__ import annotations

import csv
import gc
import io
import json
import os
import re
from pathlib import Path

import pytest

from ipudebug.reports import REPORTS
from tests.command import Outcome, run_command
from tests.dump_files import record, write_dump_file

ROWS = """\
   0) input          MSE: 0.000000    COS: 1.000000    RMSE: 0.000000
   1) conv1          MSE: 0.062500    COS: 0.998295    RMSE: 0.050000
   2) relu1          MSE: 5.000000    COS: 0.666667    RMSE: 0.800000
   3) block/add:0    MSE: 0.000000    COS: 1.000000    RMSE: 0.000000
"""
INPUT, CONV, RELU, ADD = ROWS.splitlines(keepends=True)
TOLD = """\
compared 4 of the sample's 5 tensors
only in the sample: 1 (fc#55): made by the conversion
only in the benchmark: 1 (bn): not in the sample (fused, or removed by the conversion)
first suspicious layer: 2) relu1 (COS 0.666667 < 0.99, RMSE 0.800000 > 0.1)
"""


@pytest.fixture(autouse=True)
def dumps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder with two dumps that have a good, a bad, a missing and a surplus layer."""
    monkeypatch.chdir(tmp_path)
    write_dump_file(
        Path("fixed.bin"),
        record("input", [1, 2, 3, 4], role="in"),
        record("weights", [9, 9], role="in", constant=True),
        record("conv1", [1, 2, 3, 4.5], op="CONV_2D"),
        record("conv1", [1, 2, 3, 4.5], role="in", index=1),
        record("relu1", [4, 3, 2, 1], index=1),
        record("block/add:0", [1, 2, 3, 4], op="ADD", index=2),
        record("fc#55", [1, 2], op="FULLY_CONNECTED", index=3),
    )
    write_dump_file(
        Path("float.bin"),
        record("input", [1, 2, 3, 4], role="in"),
        record("conv1", [1, 2, 3, 4], op="CONV_2D"),
        record("relu1", [1, 2, 3, 4], index=1),
        record("block/add:0", [1, 2, 3, 4], op="ADD", index=2),
        record("bn", [1, 2], op="MUL", index=3),
    )


def compare(capfd, *options: str, sample: str = "fixed.bin", benchmark: str = "float.bin") -> Outcome:
    return run_command(capfd, "compare", sample, benchmark, *options)


def test_rows_on_stdout_and_the_rest_on_stderr(capfd):
    assert compare(capfd) == Outcome(0, ROWS, TOLD)


def test_swapped_files_change_rmse(capfd):
    swapped = compare(capfd, sample="float.bin", benchmark="fixed.bin")
    assert swapped.stdout == ROWS.replace("RMSE: 0.050000", "RMSE: 0.047619")
    assert "only in the sample: 1 (bn): no tensor of this name in the benchmark\n" in swapped.stderr


def test_the_same_file_twice_is_equal_throughout(capfd):
    same = compare(
        capfd, "--min-cos", "1", "--max-rmse", "0", "--max-mse", "0", "--min-coverage", "1", benchmark="fixed.bin"
    )
    assert same.code == 0
    assert same.stdout.count("MSE: 0.000000    COS: 1.000000    RMSE: 0.000000\n") == 5
    assert same.stderr == "compared 5 of the sample's 5 tensors\nno layer is suspicious (COS < 0.99 or RMSE > 0.1)\n"


@pytest.mark.parametrize("jobs", ["1", "2", "7"])
def test_jobs_change_nothing(capfd, jobs):
    assert compare(capfd, "--jobs", jobs) == Outcome(0, ROWS, TOLD)


def test_large_dumps_are_shared_among_processes_without_being_asked(capfd, monkeypatch):
    monkeypatch.setattr("ipudebug.cli.jobs._WORTH_A_FORK", 0.0)
    assert compare(capfd) == Outcome(0, ROWS, TOLD)


# Which rows, in which order


@pytest.mark.parametrize(
    ("options", "rows"),
    [
        (["--sort", "index"], [INPUT, CONV, RELU, ADD]),
        (["--sort", "name"], [ADD, CONV, INPUT, RELU]),
        (["--sort", "cos"], [RELU, CONV, INPUT, ADD]),
        (["--sort", "RMSE"], [RELU, CONV, INPUT, ADD]),
    ],
)
def test_sort_orders_the_rows(capfd, options, rows):
    assert compare(capfd, *options) == Outcome(0, "".join(rows), TOLD)


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (["--top", "1"], ["relu1"]),
        (["--top", "2"], ["relu1", "conv1"]),
        (["--top", "99"], ["relu1", "conv1", "input", "block/add:0"]),
        (["--top", "2", "--sort", "mse"], ["relu1", "conv1"]),
        (["--top", "2", "--sort", "index"], ["conv1", "relu1"]),
        (["--top", "2", "--sort", "name"], ["conv1", "relu1"]),
        (["--top", "1", "--sort", "index"], ["relu1"]),
    ],
)
def test_top_keeps_the_worst_and_sort_orders_them(capfd, options, names):
    outcome = compare(capfd, *options)
    assert re.findall(r"\) (\S+) ", outcome.stdout) == names
    assert outcome.stderr == TOLD  # the summary is that of all rows


def test_top_is_as_wide_as_what_it_shows(capfd):
    assert compare(capfd, "--top", "1").stdout == RELU.replace("relu1      ", "relu1")


def test_rows_without_values_and_nan_are_worst_and_equal_ones_best(capfd):
    nan = float("nan")
    for path, values in (("a.bin", [nan, 1, 0]), ("b.bin", [1, 2, 0])):
        write_dump_file(
            Path(path), record("zero", [0, 0]), record("bad", [values[1], 1]), record("nan", [values[0], 1]),
            record("sizes", [1] * int(2 + values[1])),
        )  # fmt: skip
    outcome = compare(capfd, "--sort", "cos", "--format", "csv", sample="a.bin", benchmark="b.bin")
    assert [line["name"] for line in csv.DictReader(io.StringIO(outcome.stdout))] == ["nan", "sizes", "bad", "zero"]


def test_sorting_by_a_metric_shows_it(capfd):
    assert compare(capfd, "--sort", "p99-abs", "--metric", "gain").stdout.splitlines()[0] == (
        "   2) relu1          MSE: 5.000000    COS: 0.666667    RMSE: 0.800000    GAIN: -1.000000    P99_ABS: 3.000000"
    )


def test_an_unknown_order_names_those_there_are(capfd):
    outcome = compare(capfd, "--sort", "size")
    assert (outcome.code, outcome.stdout) == (2, "")
    assert outcome.stderr.startswith("error: --sort size: no such order\nhint: known: index, name, cos, gain, ")


@pytest.mark.parametrize(
    ("option", "rows"), [("relu1", ["relu1"]), ("*1", ["conv1", "relu1"]), ("block/*", ["block/add:0"])]
)
def test_layer_is_a_name_or_a_pattern(capfd, option, rows):
    outcome = compare(capfd, "--layer", option)
    assert re.findall(r"\) (\S+) ", outcome.stdout) == rows
    assert outcome.stderr.startswith(f"compared {len(rows)} of the sample's {len(rows)} tensor")


def test_layers_add_up_and_one_without_a_partner_is_told(capfd):
    assert compare(capfd, "--layer", "relu1", "--layer", "fc#55") == Outcome(
        0,
        "   0) relu1    MSE: 5.000000    COS: 0.666667    RMSE: 0.800000\n",
        "compared 1 of the sample's 2 tensors\n"
        "only in the sample: 1 (fc#55): made by the conversion\n"
        "first suspicious layer: 0) relu1 (COS 0.666667 < 0.99, RMSE 0.800000 > 0.1)\n",
    )


# Metrics


def test_metrics_are_added_once_each(capfd):
    outcome = compare(
        capfd, "--metric", "sqnr", "--metric", "MAX-ABS", "--metric", "cos", "--metric", "sqnr", "--layer", "conv1"
    )
    assert outcome.stdout == (
        "   0) conv1    MSE: 0.062500    COS: 0.998295    RMSE: 0.050000    SQNR: 20.791812    MAX_ABS: 0.500000\n"
    )


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("sqnt", "did you mean sqnr? "),
        ("zzz", ""),
    ],
)
def test_an_unknown_metric_names_the_near_and_the_known(capfd, name, hint):
    known = "known: cos, gain, max_abs, max_rel, mean_abs, mse, offset, p99_abs, rel_l2, rmse, sqnr"
    assert compare(capfd, "--metric", name) == Outcome(2, "", f"error: unknown metric: {name}\nhint: {hint}{known}\n")


# Formats and files


@pytest.mark.parametrize("name", list(REPORTS))
def test_every_format_goes_to_stdout_or_to_a_file_alike(capfd, name):
    printed = compare(capfd, "--format", name)
    assert (printed.code, printed.stderr) == (0, TOLD)
    for row in ("relu1",) if name == "sarif" else ("input", "conv1", "relu1", "add:0"):
        assert row in printed.stdout
    assert compare(capfd, "--format", name, "-o", "-") == printed
    assert compare(capfd, "--format", name, "-o", "report.out") == Outcome(0, "", TOLD)
    assert Path("report.out").read_text() == printed.stdout
    assert sorted(os.listdir()) == ["fixed.bin", "float.bin", "report.out"]


def test_a_table(capfd):
    assert compare(capfd, "--format", "table", "--top", "2").stdout == (
        "  #  name    op       shape         MSE       COS      RMSE  remarks\n"
        "---  ------  -------  -------  --------  --------  --------  ----------\n"
        "  2  relu1   RELU     [4]      5.000000  0.666667  0.800000  suspicious\n"
        "  1  conv1   CONV_2D  [4]      0.062500  0.998295  0.050000\n"
    )


def test_json_with_top_still_counts_everything(capfd):
    report = json.loads(compare(capfd, "--format", "json", "--top", "1").stdout)
    assert [layer["name"] for layer in report["layers"]] == ["relu1"]
    assert report["summary"] == {
        "compared": 4, "uncompared": 0, "listed": 1, "coverage": 0.8, "first_suspicious": 2,
    }  # fmt: skip


def test_an_unknown_format_is_refused(capfd):
    outcome = compare(capfd, "--format", "xml")
    assert (outcome.code, outcome.stdout) == (2, "")
    assert outcome.stderr.startswith(
        "Usage: ipudebug compare [OPTIONS] SAMPLE BENCHMARK\nTry 'ipudebug compare --help' for help.\n\n"
        "Error: Invalid value for '--format': 'xml' is not one of 'csv', 'html', 'json', "
    )


@pytest.mark.parametrize("target", ["fixed.bin", "./float.bin"])
def test_a_report_never_overwrites_an_input(capfd, target):
    before = Path(target).read_bytes()
    assert compare(capfd, "-o", target) == Outcome(
        2, "", f"error: -o {target} would overwrite an input\nhint: give another name\n"
    )
    assert Path(target).read_bytes() == before


def test_a_report_that_cannot_be_written_is_told(capfd):
    outcome = compare(capfd, "-o", "no/such/folder.txt")
    assert (outcome.code, outcome.stdout) == (2, "")
    assert outcome.stderr.startswith("error: cannot write no/such/folder.txt: No such file or directory\nhint: ")


# Renamed tensors


@pytest.mark.parametrize("text", ["fc#55 bn\n", "# renamed\nfc#55\tbn\n", '{"fc#55": "bn"}'])
def test_a_map_pairs_renamed_tensors(capfd, text):
    Path("names.map").write_text(text)
    outcome = compare(capfd, "--map", "names.map")
    assert outcome.stdout == ROWS + "   4) fc#55          MSE: 0.000000    COS: 1.000000    RMSE: 0.000000\n"
    assert outcome.stderr == "compared 5 of the sample's 5 tensors\n" + TOLD.splitlines(keepends=True)[-1]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "error: no such map file: names.map\nhint: check the path\n"),
        ("conv9 bn\n", "error: map: the sample has no tensor named 'conv9'\nhint: it has: conv1\n"),
        ("conv1 bm\n", "error: map: the benchmark has no tensor named 'bm'\nhint: it has: bn\n"),
        ("{", "error: names.map: not valid JSON: Expecting property name enclosed in double quotes: line 1 column 2"),
        (
            "conv1\n",
            "error: names.map, line 1: expected two names, found 1: conv1\n"
            "hint: write: sample-name benchmark-name; quote names with blanks, or put a tab between the two\n",
        ),
    ],
)
def test_a_map_that_is_wrong_or_missing_is_told(capfd, text, told):
    if text is not None:
        Path("names.map").write_text(text)
    outcome = compare(capfd, "--map", "names.map")
    assert (outcome.code, outcome.stdout) == (2, "")
    assert re.sub(r"(?m)^(hint: it has: \w+).*", r"\1", outcome.stderr).startswith(told)


# Thresholds


@pytest.mark.parametrize(
    ("options", "missed"),
    [
        (["--min-cos", "0.6"], []),
        (["--min-cos", "0.99"], ["relu1: COS 0.666667 < 0.99"]),
        (["--min-cos", "1"], ["conv1: COS 0.998295 < 1", "relu1: COS 0.666667 < 1"]),
        (["--min-cos", "0.99", "--min-cos", "relu1:0.5"], []),
        (["--min-cos", "relu1:0.5", "--min-cos", "0.99"], []),
        (["--max-rmse", "0.1", "--max-mse", "0.1"], ["relu1: RMSE 0.800000 > 0.1", "relu1: MSE 5.000000 > 0.1"]),
        (["--max-mse", "conv*:0.01"], ["conv1: MSE 0.062500 > 0.01"]),
        (["--max-rmse", "block/add:0:0"], []),
        (["--min-cos", "block/add:0:1.5"], []),  # equal tensors are within any threshold
        (["--min-coverage", "80%"], []),
        (["--min-coverage", "0.9"], ["coverage 80.0% < 90.0%"]),
        (["--min-cos", "0.99", "--top", "1", "--format", "csv"], ["relu1: COS 0.666667 < 0.99"]),
        (["--max-mse", "conv1:0.01", "--top", "1"], ["conv1: MSE 0.062500 > 0.01"]),  # rows not shown count too
    ],
)
def test_a_missed_threshold_is_told_and_exits_1(capfd, options, missed):
    outcome = compare(capfd, *options)
    assert outcome.code == (1 if missed else 0)
    assert outcome.stderr == TOLD + "".join(f"missed: {miss}\n" for miss in missed)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            ["--min-cos", "high"],
            "error: --min-cos high: expected [NAME:]VALUE, found 'high' for the value\nhint: --min-cos 0.99\n",
        ),
        (
            ["--max-rmse", "block/add:"],
            "error: --max-rmse block/add:: expected [NAME:]VALUE, found '' for the value\nhint: --max-rmse 0.99\n",
        ),
        (
            ["--min-cos", "fc#55:0.9"],
            "error: --min-cos fc#55:0.9: no layer of that name has a partner\n"
            "hint: there are: input, conv1, relu1 ...\n",
        ),
        (
            ["--min-coverage", "80"],
            "error: --min-coverage 80: expected a share of the tensors\nhint: write it as 0.8 or as 80%\n",
        ),
    ],
)
def test_a_threshold_that_cannot_be_held_is_trouble(capfd, options, told):
    assert compare(capfd, *options) == Outcome(2, "", told)


def test_a_layer_that_could_not_be_compared_misses_its_threshold(capfd):
    for path, size in (("a.bin", 3), ("b.bin", 4)):
        write_dump_file(Path(path), record("x", [1]), record("conv1", range(size)))
    outcome = compare(capfd, "--min-cos", "conv1:0.5", sample="a.bin", benchmark="b.bin")
    assert outcome == Outcome(
        1,
        "   0) x    MSE: 0.000000    COS: 1.000000    RMSE: 0.000000\n",
        "not compared: conv1: sizes differ: sample [3] has 3 elements, benchmark [4] 4\n"
        "compared 1 of the sample's 2 tensors\n"
        "no layer is suspicious (COS < 0.99 or RMSE > 0.1)\n"
        "missed: conv1: not compared\n",
    )


# Details


def test_details_are_numbered_as_the_rows_whatever_is_shown(capfd):
    assert compare(capfd, "--details", "out", "--top", "1").stderr == TOLD
    assert sorted(os.listdir("out")) == ["0", "1", "2", "3"]
    assert Path("out/1/sample.txt").read_text() == "conv1\n1.000000  2.000000  3.000000  4.500000  \n"
    assert Path("out/1/benchmark.txt").read_text() == "conv1\n1.000000  2.000000  3.000000  4.000000  \n"


@pytest.mark.parametrize(("setting", "one"), [("1", True), ("yes", True), ("0", False), ("", False)])
def test_save_one_row_writes_one_value_a_line(capfd, monkeypatch, setting, one):
    monkeypatch.setenv("SAVE_ONE_ROW", setting)
    compare(capfd, "--details", "out")
    assert Path("out/2/sample.txt").read_text().count("\n") == (5 if one else 2)


def test_an_existing_folder_is_kept_under_a_dated_name(capfd):
    Path("out").mkdir()
    Path("out/mine").write_text("precious")
    outcome = compare(capfd, "--details", "out")
    kept = re.fullmatch(
        r"out existed: kept as (out_backup_at_\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d)\n", outcome.stderr[: -len(TOLD)]
    )
    assert kept is not None
    assert outcome.stderr.endswith(TOLD)
    assert Path(kept[1], "mine").read_text() == "precious"
    assert sorted(os.listdir("out")) == ["0", "1", "2", "3"]


def test_details_never_move_an_input(capfd):
    assert compare(capfd, "--details", "fixed.bin") == Outcome(
        2, "", "error: fixed.bin would be moved, and fixed.bin with it\nhint: name another folder\n"
    )
    assert sorted(os.listdir()) == ["fixed.bin", "float.bin"]


def test_a_failed_comparison_leaves_no_details_behind(capfd):
    assert compare(capfd, "--details", "out", "-o", "no/where").code == 2
    assert sorted(os.listdir()) == ["fixed.bin", "float.bin"]


@pytest.mark.parametrize("folder", ["", ".", "/"])
def test_a_folder_that_cannot_be_replaced_is_refused(capfd, folder):
    assert compare(capfd, "--details", folder) == Outcome(
        2, "", f"error: cannot write the details to {folder!r}\nhint: name a folder of its own\n"
    )


# What is no fit input


def test_nothing_in_common_shows_a_few_names_of_each_side(capfd):
    write_dump_file(Path("other.bin"), *(record(f"layer{number}\x1b[31m", [1]) for number in range(6)))
    assert compare(capfd, sample="other.bin") == Outcome(
        2,
        "",
        "error: the two dumps share no tensor; sample: layer0\\x1b[31m, layer1\\x1b[31m, layer2\\x1b[31m,"
        " layer3\\x1b[31m, layer4\\x1b[31m ...; benchmark: input, conv1, relu1, block/add:0, bn\n"
        "hint: are both of the same model? if tensors were renamed, give --map FILE\n",
    )


def test_a_comparison_of_nothing_is_trouble(capfd):
    write_dump_file(Path("other.bin"), record("conv1", [1]))
    assert compare(capfd, sample="other.bin") == Outcome(
        2,
        "",
        "error: the only pair of tensors cannot be compared; conv1: sizes differ: sample [1] has 1 elements,"
        " benchmark [4] 4\nhint: were both dumps made with eliminateGarbage, and from inputs of the same size?\n",
    )


def test_an_empty_dump_says_where_it_comes_from(capfd):
    write_dump_file(Path("empty.bin"))
    assert compare(capfd, benchmark="empty.bin") == Outcome(
        2,
        "",
        "error: the two dumps share no tensor; sample: input, conv1, relu1, block/add:0, fc#55; benchmark: none\n"
        "hint: an empty dump is what an aborted run leaves: run it again, and read what it prints\n",
    )


@pytest.mark.parametrize("side", ["sample", "benchmark"])
def test_a_raw_dump_of_integers_is_refused_with_the_remedy(capfd, side):
    raw = record("conv1", [1, 2, 3, 4], type_name="SGS_U8", code="B")
    write_dump_file(Path("raw.bin"), raw, is_float=False)
    assert compare(capfd, **{side: "raw.bin"}) == Outcome(
        2,
        "",
        f"error: {side}: raw.bin is a raw dump: integers, whose scales it does not hold\n"
        "hint: switch dequantFixed on in DebugConfig.txt and dump again\n",
    )


def test_a_text_dump_is_accepted_with_a_remark(capfd):
    header = "//out 0 s: 0.000000 z: 0 type: float name: conv1 bConstant:0\nop_out[0] CONV_2D = {\n"
    Path("text.bin").write_text(f"isFloat: 1\n{header}1.000000, 2.000000, 3.000000, 4.500000, \n\n}};\n")
    assert compare(capfd, sample="text.bin") == Outcome(
        0,
        "   0) conv1    MSE: 0.062500    COS: 0.998295    RMSE: 0.050000\n",
        "sample: dumped as text: it holds 6 decimals only; a binary dump compares exactly\n"
        "compared 1 of the sample's 1 tensor\n"
        "only in the benchmark: 4 (input, relu1, block/add:0, bn):"
        " not in the sample (fused, or removed by the conversion)\n"
        "no layer is suspicious (COS < 0.99 or RMSE > 0.1)\n",
    )


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("nowhere.bin", None, "error: sample: no such file: nowhere.bin\n"),
        ("zero.bin", b"", "error: sample: zero.bin is no dump: "),
        ("a.zip", b"PK\x03\x04" + bytes(99), "error: sample: a.zip is no dump: "),
        ("cut.bin", b"isFloat: 1\n" + record("conv1", [1, 2, 3, 4])[:-9], "error: cut.bin: conv1 at byte "),
        ("odd.bin", b"isFloat: 1\nhello\n", "error: odd.bin: at byte 11: "),
    ],
)
def test_what_is_no_dump_is_told_in_two_lines(capfd, name, content, told):
    if content is not None:
        Path(name).write_bytes(content)
    outcome = compare(capfd, sample=name)
    assert (outcome.code, outcome.stdout) == (2, "")
    assert outcome.stderr.startswith(told)
    assert "\nhint: " in outcome.stderr
    assert outcome.stderr.count("\n") == 2


def test_a_missing_argument_is_told_with_the_usage(capfd):
    assert run_command(capfd, "compare", "fixed.bin") == Outcome(
        2,
        "",
        "Usage: ipudebug compare [OPTIONS] SAMPLE BENCHMARK\nTry 'ipudebug compare --help' for help.\n\n"
        "Error: Missing argument 'BENCHMARK'.\n",
    )


def test_special_values_and_odd_names_are_told(capfd):
    inf, nan = float("inf"), float("nan")
    write_dump_file(Path("a.bin"), record(b"raw\xff\x1b[1m", [1, nan]), record("inf", [inf, 1]), record("zero", [0, 0]))
    write_dump_file(Path("b.bin"), record(b"raw\xff\x1b[1m", [1, 2]), record("inf", [1, 1]), record("zero", [0, 0]))
    outcome = compare(capfd, "--min-cos", "0.9", sample="a.bin", benchmark="b.bin")
    raw = "raw\ufffd\\x1b[1m"  # the byte itself reaches stdout; it is no UTF-8
    assert outcome.code == 1
    assert outcome.stdout == (
        f"   0) {raw}    MSE: nan    COS: nan    RMSE: nan\n"
        "   1) inf            MSE: inf    COS: nan    RMSE: inf\n"
        "   2) zero           MSE: 0.000000    COS: 0.000000    RMSE: nan\n"
    )
    raw = raw.replace("\ufffd", "?")
    assert outcome.stderr == (
        f"{raw}: NaN: 1 in the sample, 0 in the benchmark\n"
        "inf: Inf: 1 in the sample, 0 in the benchmark\n"
        "compared 3 of the sample's 3 tensors\n"
        f"first suspicious layer: 0) {raw} (NaN)\n"
        f"missed: {raw}: COS nan < 0.9\n"
        "missed: inf: COS nan < 0.9\n"
    )


def test_python_collects_garbage_again_afterwards(capfd, monkeypatch):
    """Also after an error; during the comparison it does not."""
    seen = []
    monkeypatch.setattr("ipudebug.cli.jobs.choose_jobs", lambda _: seen.append(gc.isenabled()) or 1)
    for name in ("x.bin", "y.bin"):
        write_dump_file(Path(name), record("a", [1, 2]))
    assert run_command(capfd, "compare", "x.bin", "y.bin").code == 0
    assert run_command(capfd, "compare", "x.bin", "absent.bin").code == 2
    assert (seen, gc.isenabled()) == ([False], True)
