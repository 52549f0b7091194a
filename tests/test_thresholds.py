from __future__ import annotations

import math

import pytest

from ipudebug.comparison import LayerResult
from ipudebug.errors import ConfigError
from ipudebug.thresholds import Threshold, check_patterns, find_misses, parse_share, parse_threshold
from tests.metrics.pairs import tensor


def row(name="conv1", cos=0.5, rmse=0.5, mse=0.25, index=0, equal=False):
    side = tensor([1.0])
    values = {"cos": cos, "rmse": rmse, "mse": mse} if index >= 0 else {}
    return LayerResult(index, name, side, side, values, "", equal)


def least(text: str) -> Threshold:
    return parse_threshold("cos", text, is_minimum=True)


@pytest.mark.parametrize(
    ("text", "pattern", "limit"),
    [
        ("0.99", "", 0.99),
        (":0.99", "", 0.99),
        ("conv1:0.95", "conv1", 0.95),
        ("/model/a:b:0:1e-3", "/model/a:b:0", 1e-3),
        ("conv*:-1", "conv*", -1.0),
        ("inf", "", math.inf),
    ],
)
def test_a_threshold_is_a_value_with_or_without_a_name(text, pattern, limit):
    assert least(text) == Threshold("cos", pattern, limit, True)


@pytest.mark.parametrize("text", ["", "x", "conv1:", "conv1:high", "nan", "conv1:nan", "0,99", "99%"])
def test_what_is_no_value_is_refused(text):
    with pytest.raises(
        ConfigError, match=r"^--min-cos .*: expected \[NAME:\]VALUE, found '.*' for the value$"
    ) as caught:
        least(text)
    assert caught.value.hint == "--min-cos 0.99"


@pytest.mark.parametrize(
    ("text", "share"), [("0.8", 0.8), ("80%", 0.8), ("1", 1.0), ("0", 0.0), ("100%", 1.0), ("12.5%", 0.125)]
)
def test_a_share_is_a_fraction_or_a_percentage(text, share):
    assert parse_share(text) == share


@pytest.mark.parametrize("text", ["", "%", "80", "-1", "1.01", "101%", "nan", "nan%", "all", "inf"])
def test_what_is_no_share_is_refused(text):
    with pytest.raises(ConfigError, match=r"--min-coverage .*: expected a share of the tensors") as caught:
        parse_share(text)
    assert caught.value.hint == "write it as 0.8 or as 80%"


def test_a_limit_itself_is_within():
    assert find_misses(row(cos=0.5), [least("0.5")]) == []
    assert find_misses(row(cos=0.4999999), [least("0.5")]) == ["conv1: COS 0.500000 < 0.5"]
    most = parse_threshold("rmse", "0.5", is_minimum=False)
    assert find_misses(row(rmse=0.5), [most]) == []
    assert find_misses(row(rmse=0.75), [most]) == ["conv1: RMSE 0.750000 > 0.5"]


def test_every_metric_that_is_missed_is_told():
    thresholds = [least("0.9"), parse_threshold("mse", "0.1", is_minimum=False)]
    assert find_misses(row(), thresholds) == ["conv1: COS 0.500000 < 0.9", "conv1: MSE 0.250000 > 0.1"]


def test_nan_is_never_within_and_equal_tensors_always_are():
    assert find_misses(row(cos=math.nan), [least("-1")]) == ["conv1: COS nan < -1"]
    assert find_misses(row(cos=0.0, rmse=math.nan, equal=True), [least("0.99")]) == []


@pytest.mark.parametrize("thresholds", [["0.99", "conv1:0.4"], ["conv1:0.4", "0.99"], ["conv1:0.99", "conv*:0.4"]])
def test_a_name_counts_more_than_all_and_the_last_name_most(thresholds):
    assert find_misses(row("conv1"), [least(text) for text in thresholds]) == []


def test_a_pattern_covers_the_names_it_matches_and_itself():
    assert least("conv*:1").covers("conv12")
    assert least("a[0]:1").covers("a[0]")
    assert least("a[0]:1").covers("a0")
    assert not least("conv:1").covers("conv1")
    assert least("1").covers("anything")


def test_a_row_that_could_not_be_compared_misses_what_covers_it():
    assert find_misses(row("a", index=-1), [least("0.9")]) == ["a: not compared"]
    assert find_misses(row("a", index=-1), [least("b:0.9")]) == []


def test_a_threshold_for_a_layer_that_is_not_there_is_an_error():
    names = ["conv1", "relu1", "conv2", "fc"]
    check_patterns([least("0.9"), least("conv*:0.9"), least("fc:0.9")], names)
    with pytest.raises(ConfigError) as caught:
        check_patterns([parse_threshold("rmse", "conv9:0.9", is_minimum=False)], names)
    assert str(caught.value) == "--max-rmse conv9:0.9: no layer of that name has a partner"
    assert caught.value.hint == "there are: conv1, conv2 ..."
